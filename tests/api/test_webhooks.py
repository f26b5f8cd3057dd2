# SPDX-License-Identifier: Apache-2.0
"""Webhooks: who is told when explanations end, with what, how often, and what becomes of what cannot be told."""
import base64
import uuid

import pytest
from support.client import Client, Watched, wait_for
from support.images import blocks
from support.receiver import Receiver, new_secret

QUICK = {"webhooks__retry_ms": 10}


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def second_receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def quick(start_daemon, stub_model):
    """A subscription of a daemon that tries again at once."""
    return Watched(Client(start_daemon(**QUICK).url), stub_model)


def body_of(watched, url, secret=None, **more) -> dict:
    target = {"target_type": "subscription", "target_id": watched.subscription_id}
    return {"target": target, "url": url, "secret": secret or new_secret(), **more}


def add(watched, url, secret=None, **more) -> str:
    return watched.client.post("/v2/webhooks", body_of(watched, url, secret, **more))["metadata"]["id"]


def counts(watched, webhook_id) -> dict:
    return watched.client.get(f"/v2/webhooks/{webhook_id}")["entity"]["deliveries"]


def wait_for_counts(watched, webhook_id, **expected) -> None:
    for _ in range(6000):
        found = counts(watched, webhook_id)
        if expected.items() <= found.items():
            return
    raise AssertionError(found)


def deliveries(watched, webhook_id, **params) -> list[dict]:
    return watched.client.get(f"/v2/webhooks/{webhook_id}/deliveries", **params)["deliveries"]


# ---- being told ----

def test_the_end_of_an_explanation_is_told_signed(watched, receiver):
    secret = new_secret()
    webhook_id = add(watched, receiver.url, secret)
    task_id, _ = watched.explained(blocks())
    [message] = receiver.wait(1)
    assert message.path == "/hook" and message.headers["content-type"] == "application/json"
    assert message.is_signed_with(secret) and not message.is_signed_with(new_secret())
    assert message.headers["user-agent"].startswith("explaind/")
    assert message.data["explanation_task_id"] == task_id and message.data["state"] == "finished"
    assert message.data["subscription_id"] == watched.subscription_id
    wait_for_counts(watched, webhook_id, pending=0, dead=0, dropped=0)


def test_failures_are_told_with_their_reason_and_only_what_was_chosen(api, model, receiver, second_receiver):
    watched = Watched(api, model)
    add(watched, receiver.url, events=["error"])
    add(watched, second_receiver.url, events=["finished"])
    finished, _ = watched.explained(blocks())
    model.broken = lambda images: (422, b"{}")
    [failed] = watched.explain(*watched.log(blocks(first=1)))
    wait_for(api, failed)
    [of_error], [of_finished] = receiver.wait(1), second_receiver.wait(1)
    assert of_error.data["explanation_task_id"] == failed and of_error.data["error"]["code"] == "AIQES0012E"
    assert of_finished.data["explanation_task_id"] == finished and "error" not in of_finished.data


def test_a_webhook_that_is_disabled_is_told_nothing_until_it_is_enabled(watched, receiver):
    webhook_id = add(watched, receiver.url, enabled=False)
    watched.explained(blocks())
    assert counts(watched, webhook_id)["pending"] == 0
    watched.client.patch(f"/v2/webhooks/{webhook_id}", [{"op": "replace", "path": "/enabled", "value": True}])
    task_id, _ = watched.explained(blocks(first=1))
    assert [message.data["explanation_task_id"] for message in receiver.wait(1)] == [task_id]


# ---- again and again ----

def test_a_failed_delivery_is_made_again_with_the_same_id_and_body(quick, receiver):
    secret = new_secret()
    webhook_id = add(quick, receiver.url, secret)
    receiver.answer = lambda message: (500 if len(receiver.messages) < 3 else 200, {})
    quick.explained(blocks())
    messages = receiver.wait(3)
    assert len({message.id for message in messages}) == len({message.body for message in messages}) == 1
    assert all(message.is_signed_with(secret) for message in messages)
    wait_for_counts(quick, webhook_id, pending=0, dead=0)


def test_the_time_a_receiver_wants_is_left_to_it(quick, receiver):
    webhook_id = add(quick, receiver.url)
    receiver.answer = lambda message: (429, {"Retry-After": "3600"})
    quick.explained(blocks())
    receiver.wait(1)
    for _ in range(6000):
        if (found := deliveries(quick, webhook_id)[0])["attempts"]:
            break
    assert found["state"] == "pending" and found["reason"] == "the receiver answered with status 429"
    tried, again = (found[name][:19].replace("T", " ") for name in ("tried_at", "next_attempt_at"))
    assert again > tried and found["next_attempt_at"][:13] != found["tried_at"][:13], found


def test_what_failed_too_often_is_dead_until_it_is_asked_for_again(start_daemon, stub_model, receiver):
    watched = Watched(Client(start_daemon(webhooks__attempts=3, **QUICK).url), stub_model)
    webhook_id = add(watched, receiver.url)
    receiver.answer = lambda message: (500, {})
    task_id, _ = watched.explained(blocks())
    wait_for_counts(watched, webhook_id, dead=1, pending=0)
    assert len(receiver.messages) == 3
    [dead] = deliveries(watched, webhook_id, state="dead")
    assert dead["attempts"] == 3 and dead["explanation_task_id"] == task_id and dead["next_attempt_at"] is None
    assert dead["id"] == receiver.messages[0].id and "500" in dead["reason"]
    assert deliveries(watched, webhook_id, state="pending") == []
    receiver.answer = lambda message: (200, {})
    path = f"/v2/webhooks/{webhook_id}/redeliveries"
    assert watched.client.refused("POST", path, 404, json={"delivery_ids": [str(uuid.uuid4())]})["parameters"]
    assert watched.client.refused("POST", path, 400, json={"ids": [dead["id"]]})["parameters"] == ["ids"], "not all of them"
    assert watched.client.post(path, {"delivery_ids": [dead["id"]]}) == {"count": 1}
    assert receiver.wait(4)[3].id == dead["id"]
    wait_for_counts(watched, webhook_id, dead=0, pending=0)
    assert watched.client.post(path, {}) == {"count": 0}


def test_a_receiver_that_is_gone_is_not_called_any_more(quick, receiver):
    webhook_id = add(quick, receiver.url)
    receiver.answer = lambda message: (410, {})
    quick.explained(blocks())
    wait_for_counts(quick, webhook_id, dead=1)
    assert quick.client.get(f"/v2/webhooks/{webhook_id}")["entity"]["enabled"] is False
    quick.explained(blocks(first=1))
    assert counts(quick, webhook_id) == {"pending": 0, "dead": 1, "dropped": 0} and len(receiver.messages) == 1


def test_redirects_are_not_followed(start_daemon, stub_model, receiver, second_receiver):
    watched = Watched(Client(start_daemon(webhooks__attempts=1, **QUICK).url), stub_model)
    webhook_id = add(watched, receiver.url)
    receiver.answer = lambda message: (302, {"Location": second_receiver.url})
    watched.explained(blocks())
    wait_for_counts(watched, webhook_id, dead=1)
    assert second_receiver.messages == []


def test_the_address_policy_of_scoring_holds_for_webhooks(start_daemon, stub_model, receiver):
    daemon = start_daemon(scoring__allow=stub_model.url.removeprefix("http://"), webhooks__attempts=1)
    watched = Watched(Client(daemon.url), stub_model)
    webhook_id = add(watched, receiver.url)
    watched.explained(blocks())
    wait_for_counts(watched, webhook_id, dead=1)
    [dead] = deliveries(watched, webhook_id)
    assert "scoring.allow" in dead["reason"] and receiver.messages == []


# ---- nobody else is held up ----

def test_a_receiver_that_does_not_answer_holds_up_neither_explanations_nor_others(watched, receiver, second_receiver):
    slow, quick = add(watched, receiver.url), add(watched, second_receiver.url)
    receiver.hold()
    for i in range(4):
        watched.explained(blocks(first=i))
    assert len(second_receiver.wait(4)) == 4
    wait_for_counts(watched, quick, pending=0)
    assert len(receiver.messages) == 1, "one call of a receiver at a time"
    assert counts(watched, slow)["pending"] == 4
    receiver.release()
    wait_for_counts(watched, slow, pending=0)
    assert len({message.id for message in receiver.messages}) == 4


def test_deliveries_that_begin_together_do_not_wait_for_each_other(start_daemon, stub_model, receiver, second_receiver):
    """Leases are not renewed meanwhile: whatever is stored would wake those that send."""
    settings = {"explain__lease_ms": 3600000, "webhooks__timeout_ms": 30000}
    watched = Watched(Client(start_daemon(**settings).url), stub_model)
    slow = add(watched, receiver.url)
    add(watched, second_receiver.url)
    receiver.hold()
    watched.explained(blocks())
    second_receiver.wait(1)
    assert deliveries(watched, slow)[0]["attempts"] == 0, "the first one is still being made"
    receiver.release()


def test_a_daemon_that_stops_does_not_wait_for_a_receiver_and_tells_it_later(start_daemon, stub_model, receiver):
    daemon = start_daemon(webhooks__timeout_ms=60000)
    client = Client(daemon.url)
    watched = Watched(client, stub_model)
    add(watched, receiver.url)
    receiver.hold()
    watched.explained(blocks())
    receiver.wait(1)
    daemon.stop()
    receiver.release()
    start_daemon()
    first, second = receiver.wait(2)
    assert first.id == second.id


def test_nothing_is_lost_when_the_daemon_is_killed_again_and_again(start_daemon, stub_model, receiver):
    """A receiver that crashes the daemon while it answers: what it was told is told again, until it is crossed off."""
    daemon = start_daemon()
    client = Client(daemon.url)
    watched = Watched(client, stub_model)
    webhook_id = add(watched, receiver.url)
    scoring_ids = [watched.log(blocks(first=i))[0] for i in range(6)]
    task_ids = set()
    for scoring_id in scoring_ids:
        receiver.hold()
        told = len(receiver.messages)
        task_ids |= set(watched.explain(scoring_id))
        receiver.wait(told + 1)
        daemon.kill()
        receiver.release()
        daemon = start_daemon()
        watched.client = Client(daemon.url, client.instance)
    for task_id in task_ids:
        wait_for(watched.client, task_id)
    wait_for_counts(watched, webhook_id, pending=0, dead=0)
    assert {message.data["explanation_task_id"] for message in receiver.messages} == task_ids
    assert len({(message.id, message.body) for message in receiver.messages}) == len(task_ids)
    assert len(receiver.messages) > len(task_ids), "some were under way when it was killed"


# ---- as a resource ----

def test_a_webhook_is_made_shown_changed_and_deleted(watched, receiver):
    made = watched.client.post("/v2/webhooks", body_of(watched, receiver.url, description="the dashboard"))
    webhook_id = made["metadata"]["id"]
    assert made["entity"]["events"] == ["finished", "error"] and made["entity"]["enabled"] is True
    assert made["entity"]["description"] == "the dashboard" and set(made["entity"]["secret"]) == {"secret_id"}
    assert made == watched.client.get(f"/v2/webhooks/{webhook_id}")
    listed = watched.client.get("/v2/webhooks", **{"target.target_id": watched.subscription_id})
    assert listed["webhooks"] == [made]
    changed = watched.client.patch(f"/v2/webhooks/{webhook_id}", [{"op": "replace", "path": "/events",
                                                                   "value": ["error"]}])
    assert changed["entity"]["events"] == ["error"] and changed["entity"]["url"] == receiver.url
    watched.client.delete(f"/v2/webhooks/{webhook_id}")
    for path in (f"/v2/webhooks/{webhook_id}", f"/v2/webhooks/{webhook_id}/deliveries"):
        watched.client.refused("GET", path, 404)


@pytest.mark.parametrize("member, value", [
    ("url", "ftp://x/"), ("url", "http://"), ("url", "http://user:word@x/"), ("url", "http://x/a b"),
    ("url", "http://" + "x" * 2050), ("url", None), ("secret", None), ("secret", "short"), ("secret", "whsec_c2hvcnQ="),
    ("secret", base64.b64encode(b"x" * 65).decode()), ("secret", "whsec_%%%"), ("events", []), ("events", ["queued"]),
    ("events", "finished"), ("enabled", "yes"), ("target", {"target_type": "data_mart", "target_id": "x"}),
    ("target", {"target_type": "subscription", "target_id": "nobody"}), ("target", None)])
def test_what_cannot_be_a_webhook_is_refused_with_the_member(watched, receiver, member, value):
    body = body_of(watched, receiver.url)
    body[member] = value
    error = watched.client.refused("POST", "/v2/webhooks", 400, json=body)
    assert error["parameters"][0].startswith(member) and "canary" not in error["message"]


def test_a_secret_is_not_sent_to_another_server_than_it_was_given_for(watched, receiver, second_receiver):
    webhook_id = add(watched, receiver.url)
    move = {"op": "replace", "path": "/url", "value": second_receiver.url}
    error = watched.client.refused("PATCH", f"/v2/webhooks/{webhook_id}", 400, json=[move])
    assert error["parameters"] == ["url"]
    secret = new_secret()
    watched.client.patch(f"/v2/webhooks/{webhook_id}", [move, {"op": "replace", "path": "/secret", "value": secret}])
    watched.explained(blocks())
    assert second_receiver.wait(1)[0].is_signed_with(secret) and receiver.messages == []


def test_a_secret_is_found_nowhere(start_daemon, stub_model, receiver):
    daemon = start_daemon(log__level="debug", webhooks__attempts=1)
    watched = Watched(Client(daemon.url), stub_model)
    secret = new_secret()
    webhook_id = add(watched, receiver.url, secret)
    receiver.answer = lambda message: (500, {})
    watched.explained(blocks())
    wait_for_counts(watched, webhook_id, dead=1)
    shown = [watched.client.request("GET", path).content for path in
             ("/v2/webhooks", f"/v2/webhooks/{webhook_id}", f"/v2/webhooks/{webhook_id}/deliveries")]
    daemon.stop()
    shown += [path.read_bytes() for path in [*daemon.data.iterdir(), daemon.log] if path.is_file()]
    text, key = secret.removeprefix("whsec_").encode(), base64.b64decode(secret.removeprefix("whsec_"))
    assert not [data for data in shown if text in data or key in data]


def test_a_subscription_has_ten_webhooks_at_most_and_takes_them_along(api, stub_model, receiver):
    watched = Watched(api, stub_model)
    webhook_ids = [add(watched, receiver.url) for _ in range(10)]
    error = api.refused("POST", "/v2/webhooks", 409, json=body_of(watched, receiver.url))
    assert "10 webhooks" in error["message"]
    api.delete(f"/v2/subscriptions/{watched.subscription_id}", force="true")
    assert api.get("/v2/webhooks") == {"webhooks": []}
    api.refused("GET", f"/v2/webhooks/{webhook_ids[0]}", 404)


def test_deliveries_come_in_pages(quick, receiver):
    webhook_id = add(quick, receiver.url)
    receiver.hold()
    task_ids = [quick.explained(blocks(first=i))[0] for i in range(3)]
    page = quick.client.get(f"/v2/webhooks/{webhook_id}/deliveries", limit=2, offset=1)
    assert (page["total_count"], page["limit"], page["offset"]) == (3, 2, 1)
    assert [row["explanation_task_id"] for row in page["deliveries"]] == task_ids[1:]
    quick.client.refused("GET", f"/v2/webhooks/{webhook_id}/deliveries?state=sent", 400)
    receiver.release()
