# SPDX-License-Identifier: Apache-2.0
"""Explanations as work: order, progress, cancelling, restarts, and models that fail."""
import json
import re
import time

import pytest
from support.client import Client, Watched, wait_for
from support.images import blocks
from support.model import deployment, wml_answer

INSTANCE = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def held(api, model):
    """A subscription whose model keeps the calls of explanations waiting."""
    watched = Watched(api, model)
    model.hold()
    yield watched
    api.delete(f"/v2/subscriptions/{watched.subscription_id}", force="true")


def state(client, task_id):
    return client.get(f"/v2/explanation_tasks/{task_id}")["entity"]["status"]


# ---- in progress ----

def test_a_task_in_progress_tells_how_far_it_is(held):
    [task_id] = held.explain(*held.log(blocks()))
    assert held.model.asked.wait(30)
    task = held.client.get(f"/v2/explanation_tasks/{task_id}")
    assert "updated_at" not in task["metadata"]
    assert set(task["entity"]) == {"status", "asset", "scoring_id"}
    assert task["entity"]["status"]["state"] == "in_progress"
    assert task["entity"]["status"]["progress"]["phase"] == "scoring"
    assert held.client.get("/v2/explanation_tasks", status="in_progress")["total_count"] == 1
    held.model.release()
    assert wait_for(held.client, task_id)["entity"]["status"] == {"state": "finished"}


def test_numbers_and_pictures_of_a_task_in_progress_are_409(held):
    [task_id] = held.explain(*held.log(blocks()))
    for path in ("attributions", "image"):
        error = held.client.refused("GET", f"/v2/explanation_tasks/{task_id}/{path}", 409)
        assert "in progress" in error["message"]


def test_the_same_question_in_progress_is_not_asked_twice(held):
    scoring_ids = held.log(blocks())
    [first] = held.explain(*scoring_ids)
    assert held.explain(*scoring_ids, *scoring_ids) == [first, first]
    [other] = held.explain(*scoring_ids, parameters={"image": {"seed": 5}})
    assert other != first
    assert held.client.get("/v2/explanation_tasks")["total_count"] == 2


# ---- one at a time, in the order asked ----

def test_explanations_of_a_deployment_run_one_at_a_time_in_the_order_asked(start_daemon, model):
    client = Client(start_daemon(explain__workers=3).url)
    watched = Watched(client, model, deployment_id="d1")
    model.hold()
    asked = [watched.explain(*watched.log(blocks(first=i)))[0] for i in range(4)]
    assert model.asked.wait(30)
    assert [state(client, task_id)["progress"]["phase"] for task_id in asked] == ["scoring"] + 3 * ["queued"]
    assert model.tasks_of("d1") == asked[:1]
    model.release()
    for task_id in asked:
        assert wait_for(client, task_id)["entity"]["status"]["state"] == "finished"
    assert model.tasks_of("d1") == asked
    sequence = [task for _, task in model.calls if task]
    assert sequence == sorted(sequence, key=asked.index), "no call of a later one before the last of an earlier one"


def test_explanations_of_different_deployments_run_side_by_side(start_daemon, model):
    client = Client(start_daemon(explain__workers=2).url)
    first, second = (Watched(client, model, deployment_id=name) for name in ("d1", "d2"))
    model.hold()
    [a] = first.explain(*first.log(blocks()))
    [b] = second.explain(*second.log(blocks()))
    for task_id in (a, b):
        wait_for_phase(client, task_id, "scoring")
    model.release()
    for task_id in (a, b):
        assert wait_for(client, task_id)["entity"]["status"]["state"] == "finished"


def test_a_slow_model_with_a_long_queue_does_not_hold_up_others(start_daemon, model, module_model):
    """As the daemon is set by default."""
    client = Client(start_daemon().url)
    slow, quick = (Watched(client, server, deployment_id=name) for name, server in (("slow", model),
                                                                                   ("quick", module_model)))
    model.hold()
    waiting = [slow.explain(*slow.log(blocks(first=i)))[0] for i in range(10)]
    assert model.asked.wait(30)
    [task_id] = quick.explain(*quick.log(blocks()))
    assert wait_for(client, task_id)["entity"]["status"]["state"] == "finished"
    assert [state(client, t)["progress"]["phase"] for t in waiting] == ["scoring"] + 9 * ["queued"]
    assert model.tasks_of("slow") == waiting[:1]
    model.release()


def wait_for_phase(client, task_id, phase):
    deadline = time.monotonic() + 30
    while state(client, task_id).get("progress", {}).get("phase") != phase:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_calls_of_an_explanation_say_what_they_are(steered_calls):
    [headers] = steered_calls
    assert headers["X-Explaind-Task"] and headers["Ce-Id"].startswith("explaind:")
    assert headers["Seldon-Skip-Logging"] == "true"
    assert "Expect" not in headers and "Accept-Encoding" not in headers


@pytest.fixture
def steered_calls(api, model):
    watched = Watched(api, model)
    watched.explained(blocks())
    return [h for h in model.headers if "X-Explaind-Task" in h][:1]


# ---- cancelling ----

def test_deleting_a_task_stops_it_and_the_next_one_runs(held):
    first, second = (held.explain(*held.log(blocks(first=i)))[0] for i in range(2))
    assert held.model.asked.wait(30)
    held.client.delete(f"/v2/explanation_tasks/{first}")
    held.model.release()
    assert wait_for(held.client, second)["entity"]["status"]["state"] == "finished"
    held.client.refused("GET", f"/v2/explanation_tasks/{first}", 404)


def test_a_queued_task_can_be_deleted(held):
    first, second = (held.explain(*held.log(blocks(first=i)))[0] for i in range(2))
    held.client.delete(f"/v2/explanation_tasks/{second}")
    held.model.release()
    wait_for(held.client, first)
    assert second not in held.model.tasks_of("d1")


def test_a_full_queue_is_429_with_retry_after_and_nothing_is_created(start_daemon, model):
    client = Client(start_daemon(limits__tasks_queued_per_subscription=2).url)
    watched = Watched(client, model)
    model.hold()
    scoring_ids = [watched.log(blocks(first=i))[0] for i in range(6)]
    [running] = watched.explain(scoring_ids[0])
    assert model.asked.wait(30)
    response = client.request("POST", "/v2/explanation_tasks", 429, json={"scoring_ids": scoring_ids[1:]})
    assert int(response.headers["Retry-After"]) >= 1
    assert client.get("/v2/explanation_tasks")["total_count"] == 1
    model.release()
    wait_for(client, running)


# ---- restarts ----

def undisturbed(daemon, scoring_id):
    """What the same question answers when nothing comes between."""
    client = Client(daemon.url, INSTANCE)
    answer = client.post("/v2/explanation_tasks", {"scoring_ids": [scoring_id]})
    return wait_for(client, answer["metadata"]["explanation_task_ids"][0])["entity"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_tasks_survive_a_restart_and_finish_with_the_same_bytes(start_daemon, model, end):
    daemon = start_daemon()
    watched = Watched(Client(daemon.url, INSTANCE), model)
    model.hold()
    scoring_ids = [watched.log(blocks(first=i))[0] for i in range(3)]
    task_ids = watched.explain(*scoring_ids)
    assert model.asked.wait(30)
    getattr(daemon, end)()
    model.release()
    daemon = start_daemon()
    client = Client(daemon.url, INSTANCE)
    for task_id, scoring_id in zip(task_ids, scoring_ids):
        task = wait_for(client, task_id)
        assert task["entity"]["status"]["state"] == "finished"
        assert task["entity"]["scoring_id"] == scoring_id
    assert client.get(f"/v2/explanation_tasks/{task_ids[0]}")["entity"] == undisturbed(daemon, scoring_ids[0])


def test_a_finished_explanation_is_the_same_after_a_restart(start_daemon, model):
    daemon = start_daemon()
    watched = Watched(Client(daemon.url, INSTANCE), model)
    task_id, task = watched.explained(blocks())
    numbers = watched.client.get(f"/v2/explanation_tasks/{task_id}/attributions")
    daemon.stop()
    client = Client(start_daemon().url, INSTANCE)
    assert client.get(f"/v2/explanation_tasks/{task_id}") == task
    assert client.get(f"/v2/explanation_tasks/{task_id}/attributions") == numbers


def test_an_input_that_was_there_at_three_crashes_ends_in_an_error(start_daemon, model):
    daemon = start_daemon()
    watched = Watched(Client(daemon.url, INSTANCE), model)
    model.hold()
    [task_id] = watched.explain(*watched.log(blocks()))
    for _ in range(3):
        assert model.asked.wait(30)
        model.asked.clear()
        daemon.kill()
        daemon = start_daemon()
    task = wait_for(Client(daemon.url, INSTANCE), task_id)
    assert task["entity"]["status"]["state"] == "error"
    model.release()


# ---- models that fail ----

def rows(images, change):
    answer = wml_answer(images)
    change(answer["predictions"][0])
    return 200, json.dumps(answer).encode()


def every_row(p):
    def change(prediction):
        prediction["values"] = [[p, 0, p] for _ in prediction["values"]]

    return change


BROKEN = {
    "5xx": lambda images: (503, b'{"error":"no"}'),
    "4xx": lambda images: (422, b'{"error":"I do not like this picture"}'),
    "not JSON": lambda images: (200, b"<html>hello</html>"),
    "an empty body": lambda images: (200, b""),
    "no probabilities": lambda images: (200, b'{"predictions":[{"fields":["x"],"values":[["y"]]}]}'),
    "NaN": lambda images: (200, rows(images, every_row(["NAN", "NAN"]))[1].replace(b'"NAN"', b"NaN")),
    "too few rows": lambda images: rows(images, lambda p: p["values"].pop()),
    "too many rows": lambda images: rows(images, lambda p: p["values"].append(p["values"][0])),
    "a probability above 1": lambda images: rows(images, every_row([3, -2])),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_failing_model_ends_the_task_with_a_reason(start_daemon, model, name):
    client = Client(start_daemon(scoring__retries=0).url)
    watched = Watched(client, model)
    model.broken = BROKEN[name]
    [task_id] = watched.explain(*watched.log(blocks()))
    task = wait_for(client, task_id)
    assert task["entity"]["status"] == {"state": "error"}
    [error] = task["entity"]["errors"]
    assert error["explanation_type"] == "lime" and error["trace_id"]
    assert error["error"]["code"].startswith("AIQES00")
    assert "127.0.0.1" not in error["error"]["message"], "no address in what a client reads"
    assert "picture" not in error["error"]["message"] and "html" not in error["error"]["message"], "nor the body"
    assert client.get("/v2/explanation_tasks", status="error")["total_count"] == 1
    counts = client.get(f"/v2/monitor_instances/{watched.monitor_id}")["entity"]["parameters"]["explanations_count"]
    assert counts == {"failed": 1, "total": 1}
    for path in ("attributions", "image"):
        client.refused("GET", f"/v2/explanation_tasks/{task_id}/{path}", 409)


def test_a_model_that_recovers_is_asked_again(start_daemon, model):
    client = Client(start_daemon(scoring__retries=3).url)
    watched = Watched(client, model)
    failures = iter([503, 429, 500])

    def broken(images):
        status = next(failures, None)
        return (status, b"{}") if status else (200, json.dumps(wml_answer(images)).encode())

    scoring_ids = watched.log(blocks())
    model.broken = broken
    [task_id] = watched.explain(*scoring_ids)
    assert wait_for(client, task_id)["entity"]["status"]["state"] == "finished"
    numbers = client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    assert numbers["model"]["retries"] == 3


def test_a_failed_task_does_not_stop_the_next_one(start_daemon, model):
    client = Client(start_daemon(scoring__retries=0).url)
    watched = Watched(client, model)
    scoring_ids = [watched.log(blocks(first=i))[0] for i in range(2)]
    model.broken = BROKEN["5xx"]
    [failed] = watched.explain(scoring_ids[0])
    assert wait_for(client, failed)["entity"]["status"]["state"] == "error"
    model.broken = None
    [task_id] = watched.explain(scoring_ids[1])
    assert wait_for(client, task_id)["entity"]["status"]["state"] == "finished"


def test_a_model_that_is_gone_ends_the_task(start_daemon, model):
    client = Client(start_daemon(scoring__retries=0).url)
    watched = Watched(client, model)
    scoring_ids = watched.log(blocks())
    model.stop()
    [task_id] = watched.explain(*scoring_ids)
    [error] = wait_for(client, task_id)["entity"]["errors"]
    assert error["error"]["code"] == "AIQES0010E"


def test_the_deadline_ends_a_slow_explanation(start_daemon, model):
    client = Client(start_daemon(scoring__retries=0).url)
    watched = Watched(client, model)
    model.hold()
    [task_id] = watched.explain(*watched.log(blocks()), parameters={"image": {"deadline_ms": 300}})
    task = wait_for(client, task_id)
    assert task["entity"]["status"]["state"] == "error"
    model.release()


def test_an_explanation_that_its_deadline_ended_tells_how_far_it_came(start_daemon, model):
    client = Client(start_daemon(scoring__retries=0).url)
    watched = Watched(client, model)
    model.stick_after(4)
    [task_id] = watched.explain(*watched.log(blocks()), parameters={"image": {"deadline_ms": 2000, "fill": "black"}})
    [error] = wait_for(client, task_id)["entity"]["errors"]
    model.release()
    assert error["error"]["code"] == "AIQES0021E"
    assert re.search(r"when \d+ of the first \d+ images were scored: a longer deadline helps", error["error"]["message"])


def test_addresses_outside_of_scoring_allow_are_not_called(start_daemon, model):
    client = Client(start_daemon(scoring__allow="203.0.113.7:443").url)
    watched = Watched(client, model)
    [task_id] = watched.explain(*watched.log(blocks()))
    [error] = wait_for(client, task_id)["entity"]["errors"]
    assert error["error"]["code"] == "AIQES0015E"
    assert model.tasks_of("d1") == []
    error = client.refused("GET", f"/v1/ml_instances/{watched.provider_id}/deployments", 502)
    assert error["code"] == "AIQES0015E"


def test_allowed_addresses_are_called(start_daemon, model):
    client = Client(start_daemon(scoring__allow="127.0.0.1").url)
    watched = Watched(client, model)
    watched.explained(blocks())
    model.deployments = [deployment(model.url, "d1")]
    assert client.get(f"/v1/ml_instances/{watched.provider_id}/deployments")["count"] == 1
