# SPDX-License-Identifier: Apache-2.0
"""Who works on a task: leases, trying again, cancelling, deadlines, and the progress that is told meanwhile."""
import json
import sqlite3
import time

import numpy
import pytest
from support.client import BLACK, Client, Watched, wait_for
from support.images import blocks
from support.model import binary, wml_answer

SECOND_US = 1_000_000
BANDS = 10


def status(client, task_id):
    return client.get(f"/v2/explanation_tasks/{task_id}")["entity"]["status"]


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return result


def phase(client, task_id):
    return status(client, task_id).get("progress", {}).get("phase")


class Queue:
    """The table of tasks, seen and changed from outside, as another process on the same database would."""

    def __init__(self, daemon):
        self.database = sqlite3.connect(next((daemon.directory / "data").glob("*.db")), timeout=30,
                                        isolation_level=None)
        self.database.row_factory = sqlite3.Row
        self.database.execute("PRAGMA wal_autocheckpoint = 0")

    def row(self, task_id) -> dict:
        return dict(self.database.execute("SELECT * FROM explanation_tasks WHERE id = ?", [task_id]).fetchone())

    def lease(self, task_id, seconds):
        """Leases a queued task to somebody else."""
        until = int((time.time() + seconds) * SECOND_US)
        changed = self.database.execute(
            "UPDATE explanation_tasks SET state = 'leased', attempt = attempt + 1, lease_owner = 'another',"
            " lease_until = ? WHERE id = ? AND state = 'queued'", [until, task_id])
        assert changed.rowcount == 1


# ---- leases ----

@pytest.fixture
def two(start_daemon, model):
    """A daemon with short leases and one worker, which is at the model with the task of one of two deployments."""
    daemon = start_daemon(explain__lease_ms=900, explain__workers=1)
    client = Client(daemon.url)
    first, second = (Watched(client, model, deployment_id=name) for name in ("d1", "d2"))
    model.hold()
    [running] = first.explain(*first.log(blocks()))
    assert model.asked.wait(30)
    [queued] = second.explain(*second.log(blocks()))
    yield client, Queue(daemon), running, queued
    model.release()


def test_a_lease_is_renewed_as_long_as_the_work_goes_on(two, model):
    client, queue, running, _ = two
    first = queue.row(running)
    assert first["state"] == "leased" and first["attempt"] == 1
    wait_until(lambda: queue.row(running)["lease_until"] > first["lease_until"] + 2 * SECOND_US)
    model.release()
    assert wait_for(client, running)["entity"]["status"]["state"] == "finished"
    last = queue.row(running)
    assert (last["attempt"], last["crashes"]) == (1, 0)


def test_a_lease_that_another_process_no_longer_renews_is_taken_back(two, model):
    client, queue, _, abandoned = two
    queue.lease(abandoned, seconds=0.5)
    row = wait_until(lambda: (row := queue.row(abandoned))["state"] == "queued" and row)
    assert (row["crashes"], row["lease_owner"]) == (1, None)
    model.release()
    assert wait_for(client, abandoned)["entity"]["status"]["state"] == "finished"
    assert queue.row(abandoned)["attempt"] == 2


def test_a_lease_of_another_process_that_still_runs_is_left_alone(two, model):
    client, queue, running, others = two
    queue.lease(others, seconds=3600)
    model.release()
    wait_for(client, running)
    until = queue.row(others)["lease_until"]
    time.sleep(1.5)  # longer than a lease of this process
    row = queue.row(others)
    assert (row["state"], row["lease_owner"], row["lease_until"]) == ("leased", "another", until)


def test_a_task_that_three_processes_abandoned_ends_in_an_error(two):
    client, queue, _, abandoned = two
    for _ in range(3):
        queue.lease(abandoned, seconds=-1)
        wait_until(lambda: queue.row(abandoned)["state"] != "leased")
    task = client.request("GET", f"/v2/explanation_tasks/{abandoned}", headers={"Prefer": "wait=60"}).json()
    assert task["entity"]["errors"][0]["error"]["code"] == "AIQES0022E"


def test_work_whose_lease_was_lost_is_cancelled_and_stores_nothing(two, model):
    client, queue, running, _ = two
    until = int((time.time() + 3600) * SECOND_US)
    queue.database.execute("UPDATE explanation_tasks SET attempt = attempt + 1, lease_owner = 'another',"
                           " lease_until = ? WHERE id = ?", [until, running])
    wait_until(lambda: model.tasks_of("d2"))  # the worker has turned to the next task
    row = queue.row(running)
    assert (row["state"], row["attempt"], row["lease_owner"]) == ("leased", 2, "another")
    assert queue.database.execute("SELECT COUNT(*) FROM explanations").fetchone()[0] == 0


# ---- trying again ----

def failing_first(n, status_code=503):
    """A model that refuses its first n calls."""
    failures = iter(range(n))

    def broken(images):
        failed = next(failures, None) is not None
        return (status_code, b"{}") if failed else (200, json.dumps(wml_answer(images)).encode())

    return broken


def test_an_explanation_whose_model_fails_is_tried_again(start_daemon, model):
    daemon = start_daemon(scoring__retries=0, explain__retries=2)
    client = Client(daemon.url)
    watched = Watched(client, model)
    scoring_ids = watched.log(blocks())
    model.broken = failing_first(2)
    [task_id] = watched.explain(*scoring_ids)
    wait_until(lambda: phase(client, task_id) == "retrying")
    assert wait_for(client, task_id)["entity"]["status"]["state"] == "finished"
    row = Queue(daemon).row(task_id)
    assert (row["retries"], row["crashes"], row["attempt"]) == (2, 0, 3)


def test_trying_again_has_an_end(start_daemon, model):
    daemon = start_daemon(scoring__retries=0, explain__retries=2)
    client = Client(daemon.url)
    watched = Watched(client, model)
    scoring_ids = watched.log(blocks())
    model.broken = failing_first(1000)
    [task_id] = watched.explain(*scoring_ids)
    assert wait_for(client, task_id)["entity"]["errors"][0]["error"]["code"] == "AIQES0013E"
    assert Queue(daemon).row(task_id)["retries"] == 2


def test_what_a_model_refuses_is_not_tried_again(start_daemon, model):
    daemon = start_daemon(explain__retries=5)
    client = Client(daemon.url)
    watched = Watched(client, model)
    scoring_ids = watched.log(blocks())
    model.broken = failing_first(1000, status_code=422)
    [task_id] = watched.explain(*scoring_ids)
    assert wait_for(client, task_id)["entity"]["status"]["state"] == "error"
    assert Queue(daemon).row(task_id)["retries"] == 0


def test_a_deadline_holds_for_all_tries_together(start_daemon, model):
    daemon = start_daemon(scoring__retries=0, explain__retries=20)
    client = Client(daemon.url)
    watched = Watched(client, model)
    scoring_ids = watched.log(blocks())
    model.broken = failing_first(1000)
    [task_id] = watched.explain(*scoring_ids, parameters={"image": {"deadline_ms": 2500}})
    assert wait_for(client, task_id)["entity"]["errors"][0]["error"]["code"] == "AIQES0013E"
    assert 1 <= Queue(daemon).row(task_id)["retries"] <= 2


def test_a_retry_that_waits_survives_a_restart_and_holds_up_its_deployment_only(start_daemon, model):
    daemon = start_daemon(scoring__retries=0, explain__retries=5)
    instance = "11111111-2222-3333-4444-555555555555"
    client = Client(daemon.url, instance)
    failing, other = (Watched(client, model, deployment_id=name) for name in ("d1", "d2"))
    first, behind = failing.log(blocks()), failing.log(blocks(first=1))
    model.broken = failing_first(1)
    [retried] = failing.explain(*first)
    wait_until(lambda: phase(client, retried) == "retrying")
    daemon.stop()
    daemon = start_daemon(scoring__retries=0, explain__retries=5)
    client = Client(daemon.url, instance)
    failing.client = other.client = client
    [next_one] = failing.explain(*behind)
    for task_id in (retried, next_one):
        assert wait_for(client, task_id)["entity"]["status"]["state"] == "finished"
    assert model.tasks_of("d1") == [retried, next_one]


# ---- cancelling ----

def test_a_deleted_task_ends_while_its_model_still_thinks(start_daemon, model):
    """The model never answers; the next task is at the model all the same."""
    client = Client(start_daemon().url)
    first, second = (Watched(client, model, deployment_id=name) for name in ("d1", "d2"))
    model.hold()
    [slow] = first.explain(*first.log(blocks()))
    assert model.asked.wait(30)
    [behind] = second.explain(*second.log(blocks()))
    client.delete(f"/v2/explanation_tasks/{slow}")
    wait_until(lambda: model.tasks_of("d2") == [behind])
    model.release()
    assert wait_for(client, behind)["entity"]["status"]["state"] == "finished"


def test_a_deleted_subscription_ends_its_explanations(start_daemon, model):
    client = Client(start_daemon().url)
    first, second = (Watched(client, model, deployment_id=name) for name in ("d1", "d2"))
    model.hold()
    first.explain(*first.log(blocks()))
    assert model.asked.wait(30)
    [behind] = second.explain(*second.log(blocks()))
    client.delete(f"/v2/subscriptions/{first.subscription_id}", force="true")
    wait_until(lambda: model.tasks_of("d2") == [behind])


# ---- progress and deadline ----

class Gate:
    """Answers to explanations, but for the n-th call and those after it: until the model is released."""

    def __init__(self, model, n, probabilities=binary):
        self.model, self.n, self.probabilities, self.asked = model, n, probabilities, 0

    def __call__(self, images):
        self.asked += 1
        if self.asked >= self.n:
            self.model.hold()
            self.model.open.wait(60)
        return 200, json.dumps(wml_answer(images, self.probabilities)).encode()


def test_progress_counts_what_was_scored_and_estimates_the_rest(start_daemon, model):
    client = Client(start_daemon(explain__in_flight=1).url)
    watched = Watched(client, model, parameters=BLACK)
    scoring_ids = watched.log(blocks(n=6))
    model.broken = Gate(model, 20)
    [task_id] = watched.explain(*scoring_ids)
    progress = wait_until(lambda: (p := status(client, task_id)["progress"])["done"] >= 10 and p)
    assert set(progress) == {"phase", "done", "total", "eta_ms"}
    assert progress["phase"] == "scoring"
    assert progress["done"] < progress["total"] and progress["eta_ms"] >= 0
    model.release()


def by_parity(image) -> list[float]:
    """The bands that are black decide by their number: nothing that zones could add up to."""
    row = numpy.asarray(image)[0].max(axis=1)
    black = numpy.count_nonzero(row.reshape(BANDS, -1).max(axis=1) == 0)
    p = 0.9 if black % 2 == 0 else 0.1
    return [1 - p, p]


def test_a_deadline_answers_with_the_last_complete_stage(start_daemon, model):
    """The first stage of many zones has 256 calls; the model stops answering in the second."""
    client = Client(start_daemon(explain__in_flight=1, explain__batch=1).url)
    watched = Watched(client, model)
    model.probabilities = by_parity
    scoring_ids = watched.log(blocks(height=40, width=40, n=BANDS))
    for deadline_ms in (4000, 16000, 64000):  # on a machine on which the first stage takes long
        model.release()
        model.broken = Gate(model, 300, by_parity)
        [task_id] = watched.explain(*scoring_ids, parameters={"image": {"deadline_ms": deadline_ms}})
        if wait_for(client, task_id)["entity"]["status"]["state"] == "finished":
            break
    entity = client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    assert entity["sampling"]["stopped"] == "deadline"
    assert entity["sampling"]["distinct_masks"] == 256
    assert all(len(c["weights"]) == entity["segmentation"]["count"] >= BANDS for c in entity["classes"])
    model.release()
