# SPDX-License-Identifier: Apache-2.0
"""Idempotency-Key: a request that comes again gets its first answer again, and changes nothing."""
import sqlite3
import threading
import time
import uuid

import pytest
from support.client import Client, Watched
from support.images import blocks

DAY_US = 24 * 3600 * 1_000_000


def keyed(key=None) -> dict:
    return {"Idempotency-Key": key or uuid.uuid4().hex}


def send(client, path, body, headers, expect=202):
    return client.request("POST", path, expect, json=body, headers=headers)


def assert_the_same_again(client, path, body, headers, expect=202):
    """The first answer again, whatever it was; the answer."""
    first, again = (send(client, path, body, headers, expect) for _ in range(2))
    assert again.content == first.content and again.status_code == first.status_code
    for name in ("Location", "Content-Type"):
        assert again.headers.get(name) == first.headers.get(name)
    assert "Idempotency-Replayed" not in first.headers and again.headers["Idempotency-Replayed"] == "true"
    return again


def record(watched, image=None) -> dict:
    """Without a scoring id: each time it is logged it becomes another row."""
    request, response = watched.score(image or blocks())
    return {"request": request, "response": response}


def test_records_are_logged_once(watched):
    answer = assert_the_same_again(watched.client, watched.records_path, [record(watched)], keyed())
    assert answer.headers["Location"].endswith(answer.json()["request_id"])
    assert watched.count() == 1
    send(watched.client, watched.records_path, [record(watched)], {})
    assert watched.count() == 2


def test_explanations_are_asked_for_once(watched):
    body = {"scoring_ids": watched.log(blocks()), "subscription_id": watched.subscription_id}
    headers = {**keyed(), "Prefer": "wait=30"}
    assert_the_same_again(watched.client, "/v2/explanation_tasks", body, headers)
    assert watched.client.get("/v2/explanation_tasks")["total_count"] == 1


def test_the_answer_outlives_what_it_made(watched):
    client, headers = watched.client, keyed()
    first = send(client, "/v2/explanation_tasks", {"scoring_ids": watched.log(blocks())}, headers)
    [task_id] = first.json()["metadata"]["explanation_task_ids"]
    client.delete(f"/v2/explanation_tasks/{task_id}")
    client.delete(f"/v2/subscriptions/{watched.subscription_id}", force="true")
    again = client.request("POST", "/v2/explanation_tasks", data=first.request.body,
                           headers={**headers, "Content-Type": "application/json"})
    assert again.content == first.content
    assert client.get("/v2/explanation_tasks")["total_count"] == 0


def test_what_is_watched_is_made_once(watched):
    client = watched.client
    provider = {"name": "again", "service_type": "custom_machine_learning",
                "credentials": {"url": "http://127.0.0.1:9", "username": "u", "password": "secret word"}}
    answer = assert_the_same_again(client, "/v2/service_providers", provider, keyed())
    assert "secret word" not in answer.text
    subscription = client.subscription_body(watched.provider_id, watched.scoring_url, deployment_id="another")
    made = assert_the_same_again(client, "/v2/subscriptions", subscription, keyed()).json()["metadata"]["id"]
    monitor = {"data_mart_id": client.instance, "monitor_definition_id": "explainability",
               "target": {"target_type": "subscription", "target_id": made}, "parameters": {"enabled": True}}
    assert_the_same_again(client, "/v2/monitor_instances", monitor, keyed())
    data_set = {"name": "notes", "type": "custom", "data_mart_id": client.instance, "data_schema": {"type": "struct",
                "fields": []}, "target": {"target_type": "subscription", "target_id": made}}
    assert_the_same_again(client, "/v2/data_sets", data_set, keyed())
    assert len(client.get("/v2/service_providers")["service_providers"]) == 2
    assert len(client.get("/v2/subscriptions")["subscriptions"]) == 2
    assert len(client.get("/v2/monitor_instances")["monitor_instances"]) == 2


def test_v1_payloads_are_logged_once(watched):
    body = [{**record(watched), "subscription_id": watched.subscription_id, "binding_id": watched.provider_id,
             "deployment_id": watched.deployment_id, "response_time": 1}]
    path = f"/v1/data_marts/{watched.client.instance}/scoring_payloads"
    headers, expect = {**keyed(), "Prefer": "return=minimal"}, 204
    assert_the_same_again(watched.client, path, body, headers, expect)
    assert watched.count() == 1


def test_another_request_with_the_same_key_is_refused(watched):
    client, headers = watched.client, keyed("one-key")
    body = [record(watched)]
    send(client, watched.records_path, body, headers)
    for path, other in [(watched.records_path, body + body), (watched.records_path + "?split_to_multi_req=false", body),
                        ("/v2/explanation_tasks", {"scoring_ids": ["x-1"]})]:
        error = client.refused("POST", path, 422, json=other, headers=headers)
        assert error["code"] == "AIQCS0012E" and "one-key" in error["message"]
    assert watched.count() == 1


def test_an_error_is_not_kept(watched):
    headers = keyed()
    body = {"scoring_ids": ["later-1"]}
    send(watched.client, "/v2/explanation_tasks", body, headers, 404)
    watched.log(blocks(), scoring_id="later-1")
    assert_the_same_again(watched.client, "/v2/explanation_tasks", body, headers)


@pytest.mark.parametrize("key", ["", "k" * 256, "caf\u00e9".encode("utf-8"), "tab\tin it"])
def test_an_unusable_key_is_refused(watched, key):
    error = watched.client.refused("POST", watched.records_path, 400, json=[record(watched)],
                                   headers={"Idempotency-Key": key})
    assert error["parameters"] == ["Idempotency-Key"]
    assert watched.count() == 0


def test_the_longest_key_is_taken(watched):
    assert_the_same_again(watched.client, watched.records_path, [record(watched)], keyed("k" * 255))


def test_keys_are_those_of_a_data_mart(daemon, stub_model):
    headers = keyed("the same")
    for _ in range(2):
        watched = Watched(Client(daemon.url), stub_model)
        answer = send(watched.client, watched.records_path, [record(watched)], headers)
        assert "Idempotency-Replayed" not in answer.headers and watched.count() == 1


def test_many_at_once_with_one_key_are_one(watched):
    body, headers, answers = [record(watched)], keyed(), []
    start = threading.Barrier(8)

    def one():
        client = Client(watched.client.url, watched.client.instance)
        start.wait()
        answers.append(send(client, watched.records_path, body, headers).content)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8 and len(set(answers)) == 1
    assert watched.count() == 1


def age(daemon, microseconds):
    with sqlite3.connect(next(daemon.data.glob("*.db"))) as database:
        database.execute("UPDATE idempotency_keys SET created_at = created_at - ?", [microseconds])
    database.close()


def kept(daemon) -> int:
    with sqlite3.connect(next(daemon.data.glob("*.db"))) as database:
        [[n]] = database.execute("SELECT COUNT(*) FROM idempotency_keys")
    database.close()
    return n


def test_a_key_is_kept_over_restarts_for_a_day_and_no_longer(start_daemon, stub_model):
    daemon = start_daemon()
    watched = Watched(Client(daemon.url), stub_model)
    instance, path, body, headers = watched.client.instance, watched.records_path, [record(watched)], keyed()
    first = send(watched.client, path, body, headers)
    for i in range(4):
        send(watched.client, path, body, keyed())
    daemon.kill()
    age(daemon, DAY_US - 3600 * 1_000_000)
    daemon = start_daemon()
    assert send(Client(daemon.url, instance), path, body, headers).content == first.content
    daemon.stop()
    age(daemon, 3600 * 1_000_000)
    daemon = start_daemon()
    client = Client(daemon.url, instance)
    assert send(client, path, body, headers).content != first.content
    assert client.get(path, limit=0, include_total_count="true")["total_count"] == 6
    while kept(daemon) != 1:  # those that are too old go by themselves
        time.sleep(0.02)
    daemon.stop()


def test_the_key_goes_with_what_it_made(start_daemon, stub_model):
    """Neither is there without the other, however the daemon ends."""
    daemon = start_daemon()
    watched = Watched(Client(daemon.url), stub_model)
    sent = [(record(watched), keyed()) for _ in range(20)]
    for body, headers in sent[:15]:
        send(watched.client, watched.records_path, [body], headers)
    daemon.kill()
    daemon = start_daemon()
    client = Client(daemon.url, watched.client.instance)
    replayed = ["Idempotency-Replayed" in send(client, watched.records_path, [body], headers).headers
                for body, headers in sent]
    assert replayed == [True] * 15 + [False] * 5
    assert client.get(watched.records_path, limit=0, include_total_count="true")["total_count"] == 20


def test_deleting_the_data_mart_forgets_its_keys(daemon, stub_model):
    watched = Watched(Client(daemon.url), stub_model)
    client, headers = watched.client, keyed()
    provider = {"name": "x", "service_type": "custom_machine_learning", "credentials": {"url": "http://127.0.0.1:9"}}
    first = send(client, "/v2/service_providers", provider, headers)
    client.delete(f"/v2/data_marts/{client.instance}", force="true")
    client.post("/v2/data_marts", {"name": "anew"}, (201, 202))
    assert send(client, "/v2/service_providers", provider, headers).content != first.content
