# SPDX-License-Identifier: Apache-2.0
"""Prefer: wait - calls that are held back until their explanation has ended."""
import socket
import threading

import pytest
import requests
from support.client import Client, Watched, wait_for
from support.data import until
from support.images import blocks

INSTANCE = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def held(api, model):
    """A subscription whose model keeps the calls of explanations waiting."""
    watched = Watched(api, model)
    model.hold()
    yield watched
    model.release()
    api.delete(f"/v2/subscriptions/{watched.subscription_id}", force="true")


class Call(threading.Thread):
    """A request in a thread and a connection of its own."""

    def __init__(self, client, method, path, expect=None, **arguments):
        super().__init__(daemon=True)
        self.arguments = (method, path, expect), arguments
        self.client = Client(client.url, client.instance)
        self.response = self.failure = None
        self.start()

    def run(self):
        positional, named = self.arguments
        try:
            self.response = self.client.request(*positional, **named)
        except Exception as failure:  # noqa: BLE001 - shown by `done`
            self.failure = failure

    def done(self) -> requests.Response:
        self.join(100)
        assert not self.is_alive(), "the call still waits"
        if self.failure:
            raise self.failure
        return self.response


def waiting_get(client, task_id, seconds=60, **arguments):
    return Call(client, "GET", f"/v2/explanation_tasks/{task_id}", headers={"Prefer": f"wait={seconds}"}, **arguments)


def asked(held, *images) -> list[str]:
    """Tasks, of which the first is at the model."""
    task_ids = [held.explain(*held.log(image))[0] for image in images or [blocks()]]
    assert held.model.asked.wait(30)
    return task_ids


def in_progress(client) -> int:
    """Requests that are not answered yet, this one included."""
    return int(client.request("GET", "/metrics").text.split("\nexplaind_http_requests_in_progress ")[1].split()[0])


def is_in_progress(response) -> bool:
    return response.json()["entity"]["status"]["state"] == "in_progress"


# ---- asking for a task ----

def test_a_call_that_waits_is_answered_when_its_task_finishes(held):
    [task_id] = asked(held)
    call = waiting_get(held.client, task_id)
    assert is_in_progress(held.client.request("GET", f"/v2/explanation_tasks/{task_id}")), "others are not held up"
    assert call.is_alive()
    held.model.release()
    response = call.done()
    assert response.json() == held.client.get(f"/v2/explanation_tasks/{task_id}")
    assert response.json()["entity"]["status"]["state"] == "finished"
    assert response.headers["Preference-Applied"] == "wait=60"


def test_time_that_runs_out_is_an_ordinary_answer(held):
    [task_id] = asked(held)
    response = waiting_get(held.client, task_id, seconds=1).done()
    assert is_in_progress(response)
    assert set(response.json()["entity"]) == {"status", "asset", "scoring_id"}
    assert response.headers["Preference-Applied"] == "wait=1"
    assert response.elapsed.total_seconds() >= 1


def test_a_call_may_wait_for_longer_than_clients_may_be_silent(start_daemon, model):
    client = Client(start_daemon(http__body_timeout_ms=1000).url)
    watched = Watched(client, model)
    model.hold()
    [task_id] = asked(watched)
    response = waiting_get(client, task_id, seconds=4).done()
    assert is_in_progress(response) and response.elapsed.total_seconds() >= 4


def test_a_task_that_has_ended_is_answered_at_once(watched):
    task_id, task = watched.explained(blocks())
    response = waiting_get(watched.client, task_id).done()
    assert response.json() == task and response.headers["Preference-Applied"] == "wait=60"


def test_a_task_that_fails_wakes_who_waits(held):
    [task_id] = asked(held)
    call = waiting_get(held.client, task_id)
    held.model.broken = lambda images: (422, b"{}")
    held.model.release()
    assert call.done().json()["entity"]["status"]["state"] == "error"


def test_a_task_that_is_deleted_wakes_who_waits_with_404(held):
    running, queued = asked(held, blocks(), blocks(first=1))
    calls = [waiting_get(held.client, task_id, expect=404) for task_id in (queued, running)]
    for task_id in (queued, running):
        held.client.delete(f"/v2/explanation_tasks/{task_id}")
    assert all("could not be found" in call.done().text for call in calls)


def test_a_data_set_that_is_deleted_wakes_who_waits_for_its_tasks(held):
    [task_id] = asked(held)
    call = waiting_get(held.client, task_id, expect=404)
    held.client.delete(f"/v2/data_sets/{held.data_set_id}", force="true")
    call.done()


def test_many_calls_wait_for_one_task(start_daemon, model):
    client = Client(start_daemon().url)
    watched = Watched(client, model)
    model.hold()
    [task_id] = asked(watched)
    calls = [waiting_get(client, task_id) for _ in range(40)]
    model.release()
    answers = {call.done().text for call in calls}
    assert answers == {client.request("GET", f"/v2/explanation_tasks/{task_id}").text}


@pytest.mark.parametrize("prefer, applied", [
    ("wait=61", "wait=60"), ("wait=1000000000000", "wait=60"), ("respond-async, Wait=7", "wait=7"),
    ("foo; bar=\"x\", wait=5;q=1", "wait=5"), ("wait=0", None), ("wait=-3", None), ("wait=soon", None), ("wait", None),
    ("waiting=4", None), ("", None), (",,;", None)])
def test_the_preference_is_read_as_rfc_7240_has_it(watched, prefer, applied):
    task_id, _ = watched.explained(blocks())
    response = watched.client.request("GET", f"/v2/explanation_tasks/{task_id}", headers={"Prefer": prefer})
    assert response.headers.get("Preference-Applied") == applied


# ---- asking for explanations ----

def explain_and_wait(held, scoring_ids, seconds=60, **arguments):
    body = {"scoring_ids": scoring_ids, "subscription_id": held.subscription_id}
    return Call(held.client, "POST", "/v2/explanation_tasks", json=body, headers={"Prefer": f"wait={seconds}"},
                **arguments)


def test_asking_may_wait_for_all_of_its_explanations(held):
    scoring_ids = [held.log(blocks(first=i))[0] for i in range(3)]
    call = explain_and_wait(held, scoring_ids)
    assert held.model.asked.wait(30)
    assert call.is_alive()
    held.model.release()
    response = call.done()
    assert response.status_code == 202 and response.headers["Preference-Applied"] == "wait=60"
    assert set(response.json()) == {"metadata"}
    for task_id in response.json()["metadata"]["explanation_task_ids"]:
        assert held.client.get(f"/v2/explanation_tasks/{task_id}")["entity"]["status"]["state"] == "finished"


def test_asking_again_waits_for_the_task_in_progress(held):
    scoring_ids = held.log(blocks())
    task_ids = held.explain(*scoring_ids)
    assert held.model.asked.wait(30)
    call = explain_and_wait(held, scoring_ids * 2)
    until(lambda: in_progress(held.client) >= 2)  # behind the end of the task, it would ask for another one
    held.model.release()
    assert call.done().json()["metadata"]["explanation_task_ids"] == task_ids * 2


def test_asking_is_answered_with_202_when_the_time_is_over(held):
    response = explain_and_wait(held, held.log(blocks()), seconds=1).done()
    assert response.headers["Preference-Applied"] == "wait=1"
    [task_id] = response.json()["metadata"]["explanation_task_ids"]
    held.model.release()
    assert wait_for(held.client, task_id)["entity"]["status"]["state"] == "finished"


def test_a_refused_question_is_refused_at_once(held):
    explain_and_wait(held, ["never logged"], expect=404).done()


# ---- bounds ----

def test_more_calls_than_may_wait_are_answered_at_once(start_daemon, model):
    client = Client(start_daemon(http__waiting=2).url)
    watched = Watched(client, model)
    model.hold()
    [task_id] = asked(watched)
    calls = [waiting_get(client, task_id) for _ in range(3)]
    refused = next_done(calls)
    assert is_in_progress(refused.response) and "Preference-Applied" not in refused.response.headers
    model.release()
    for call in calls:
        assert not is_in_progress(call.done())


def next_done(calls):
    """Takes the first call that is answered out of the list."""
    while True:
        for call in calls:
            call.join(0.05)
            if not call.is_alive():
                calls.remove(call)
                call.done()
                return call


def test_a_client_that_goes_away_leaves_its_place_to_others(start_daemon, model):
    daemon = start_daemon(http__waiting=2)
    client = Client(daemon.url)
    watched = Watched(client, model)
    model.hold()
    [task_id] = asked(watched)
    for _ in range(6):
        for connection in [held_connection(daemon, client, task_id) for _ in range(2)]:
            connection.close()
    model.release()


def held_connection(daemon, client, task_id) -> socket.socket:
    """A call that waits. Places of those who went away are free again soon, not at once."""
    request = (f"GET {client.base.removeprefix(daemon.url)}/v2/explanation_tasks/{task_id} HTTP/1.1\r\n"
               f"Host: x\r\nPrefer: wait=60\r\n\r\n").encode()
    for _ in range(100):
        connection = socket.create_connection(("127.0.0.1", daemon.port), 10)
        connection.sendall(request)
        connection.settimeout(0.2)
        try:
            assert connection.recv(1)
        except TimeoutError:
            return connection
        connection.close()
    raise AssertionError("the place of a client that is gone stays taken")


def test_a_daemon_that_stops_answers_very_many_who_wait(start_daemon, model):
    """While it stops, their answers are still being made; no explanation is under way that would hold up its end."""
    daemon = start_daemon(explain__retries=10, scoring__retries=0, http__connections_per_address=400)
    watched = Watched(Client(daemon.url), model)
    [scoring_id] = watched.log(blocks())
    nobody = [{"op": "replace", "path": "/deployment/scoring_endpoint/url", "value": "http://127.0.0.1:9/"}]
    watched.client.patch(f"/v2/subscriptions/{watched.subscription_id}", nobody)
    [task_id] = watched.explain(scoring_id)
    calls = [waiting_get(watched.client, task_id) for _ in range(200)]
    until(lambda: in_progress(watched.client) > 200)
    daemon.stop()
    for call in calls:
        assert is_in_progress(call.done())


def test_a_daemon_that_stops_answers_who_waits(start_daemon, model):
    daemon = start_daemon()
    client = Client(daemon.url)
    watched = Watched(client, model)
    model.hold()
    scoring_ids = watched.log(blocks(first=1))
    [task_id] = asked(watched)
    calls = [waiting_get(client, task_id) for _ in range(5)] + [explain_and_wait(watched, scoring_ids)]
    deadline = 200
    while client.get("/v2/explanation_tasks")["total_count"] < 2 and deadline:
        deadline -= 1
    assert deadline
    daemon.stop()
    for call in calls:
        response = call.done()
        assert response.status_code == 202 or is_in_progress(response)
        assert "Preference-Applied" in response.headers
    model.release()
