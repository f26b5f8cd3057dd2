# SPDX-License-Identifier: Apache-2.0
"""
SIGKILL at random moments of mixed load, again and again on the same data; a ledger of everything acknowledged judges.

20 kills in a normal run; with EXPLAIND_FULL=1 25 times as many, each 20 with data and seed of their own.
"""
import json
import os
import random
import sqlite3
import statistics
import threading
import time

import pytest
from support.client import Client, Watched, wait_for
from support.images import blocks
from support.ledger import Ledger, Load
from support.processes import Daemon

KILLS = 20
SEEDS = range(25 if os.environ.get("EXPLAIND_FULL") == "1" else 1)
CLIENTS = 3
CALLS = 100  # at most, between a start and the next kill
IMAGES = 4
INSTANCE = "11111111-2222-3333-4444-555555555555"
GIVEN_UP = "AIQES0022E"  # after three crashes


class Place:
    """Where the daemon is at present."""

    def __init__(self, directory):
        self.directory = directory
        self.changed = threading.Condition()
        self.ready_seconds = []
        self.records_path = None
        self.start()

    def start(self):
        began = time.monotonic()
        daemon = Daemon(self.directory, explain__workers=2)
        self.ready_seconds.append(time.monotonic() - began)
        with self.changed:
            self.daemon = daemon
            self.base = f"{daemon.url}/openscale/{INSTANCE}"
            self.changed.notify_all()

    def wait_for_another(self, seconds):
        """What a client does that was cut off."""
        with self.changed:
            daemon = self.daemon
            if daemon.process.poll() is not None:
                assert self.changed.wait_for(lambda: self.daemon is not daemon, seconds), "no daemon came back"


def kill_again_and_again(place, ledger, clients, rng):
    for _ in range(KILLS):
        wait_for_calls(ledger, clients, rng.randrange(CALLS))
        time.sleep(rng.random() * 0.05)
        place.daemon.kill()
        place.daemon.check_log(killed=True)
        place.start()


def wait_for_calls(ledger, clients, n):
    """The moment is counted in calls, so that a slow machine is killed under as much load as a fast one."""
    target, deadline = ledger.acknowledged + n, time.monotonic() + 60
    while ledger.acknowledged < target:
        assert time.monotonic() < deadline and not any(client.failure for client in clients)
        time.sleep(0.002)


def transactions_of(watched) -> list[dict]:
    found = []
    for i in range(IMAGES):
        request, response = watched.score(blocks(first=i, n=3 + i % 2))
        found.append({"request": request, "response": response})
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_acknowledged_survives_sigkill(tmp_path, stub_model, seed, capsys):
    place, ledger = Place(tmp_path), Ledger()
    watched = Watched(Client(place.daemon.url, INSTANCE), stub_model)
    place.records_path = watched.records_path
    transactions = transactions_of(watched)
    clients = [Load(ledger, place, transactions, f"seed{seed}-client{i}") for i in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        kill_again_and_again(place, ledger, clients, random.Random(seed))
    finally:
        for client in clients:
            client.stop.set()
        for client in clients:
            client.join(120)
            assert not client.is_alive()
            assert client.failure is None, client.failure
        if place.daemon.process.poll() is not None:
            place.start()
    watched.client = Client(place.daemon.url, INSTANCE)
    check_records(ledger, watched, transactions)
    finished = check_tasks(ledger, watched)
    check_equal_answers(ledger, watched.client, {**finished, **undisturbed(ledger, watched, transactions)})
    place.daemon.stop()
    check_database(place.daemon)
    restarts = place.ready_seconds[1:]
    with capsys.disabled():
        print(f"\n{KILLS} kills (seed {seed}): {len(ledger.records)} records and {len(ledger.tasks)} tasks acknowledged,"
              f" {len(finished)} explanations compared; ready again after {statistics.median(restarts):.2f} s (median),"
              f" {max(restarts):.2f} s (worst)")


# ---- the judge ----

def all_rows(watched) -> list[dict]:
    rows = []
    while page := watched.values(limit=1000, offset=len(rows)):
        rows += page
    return rows


def check_records(ledger, watched, transactions):
    rows = all_rows(watched)
    found = {row["scoring_id"]: row for row in rows}
    assert len(found) == len(rows), "a scoring id is there twice"
    missing = set(ledger.records) - set(found)
    assert not missing, f"acknowledged and lost: {missing}"
    assert set(found) <= set(ledger.records) | set(ledger.unsure_records)
    for scoring_id, image in ledger.records.items():
        [answer] = transactions[image]["response"]["predictions"]
        assert found[scoring_id]["probability"] == answer["values"][0][answer["fields"].index("probability")]
    # what got no answer can be sent again, whether it was stored or not
    for scoring_id, image in ledger.unsure_records.items():
        watched.client.post(watched.records_path, [{**transactions[image], "scoring_id": scoring_id}])
    assert watched.count() == len(ledger.records) + len(ledger.unsure_records)


def check_tasks(ledger, watched) -> dict:
    """Every task ends. Those that finished, with their answers."""
    client, kept = watched.client, ledger.kept_tasks()
    finished = {}
    for task_id, scoring_id in kept.items():
        task = wait_for(client, task_id)
        assert task["entity"]["scoring_id"] == scoring_id
        if task["entity"]["status"]["state"] == "error":
            assert task["entity"]["errors"][0]["error"]["code"] == GIVEN_UP, task
            continue
        finished[task_id] = client.request("GET", f"/v2/explanation_tasks/{task_id}").text
        assert ledger.answers.get(task_id, finished[task_id]) == finished[task_id], "an answer has changed"
    for task_id in ledger.deleted:
        client.get(f"/v2/explanation_tasks/{task_id}", 404)
    listed = {row[0] for row in client.get("/v2/explanation_tasks", limit=1000)["explanation_values"]}
    assert set(kept) <= listed
    unknown = listed - set(kept) - ledger.unsure_deleted
    assert len(unknown) <= ledger.unsure_tasks, "tasks nobody asked for"
    for task_id in unknown:
        wait_for(client, task_id)
    assert len(finished) > len(kept) / 2, "most explanations are made all the same"
    return finished


def undisturbed(ledger, watched, transactions) -> dict:
    """Every question once more, with nothing that comes between."""
    finished = {}
    for image, transaction in enumerate(transactions):
        [scoring_id] = watched.client.post(watched.records_path, [{**transaction, "scoring_id": f"quiet-{image}-1"}]
                                           )["scoring_ids"]
        ledger.records[scoring_id] = image
        [task_id] = watched.explain(scoring_id)
        wait_for(watched.client, task_id)
        finished[task_id] = watched.client.request("GET", f"/v2/explanation_tasks/{task_id}").text
    return finished


def check_equal_answers(ledger, client, finished):
    """The same image is the same question: one answer, whatever came between."""
    answers = {}
    for task_id, text in finished.items():
        entity = json.loads(text)["entity"]
        numbers = client.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
        question = ledger.records[entity.pop("scoring_id")]
        same = json.dumps([entity, numbers["segmentation"], numbers["classes"]])
        assert answers.setdefault(question, same) == same, f"{task_id} differs from another answer to its question"
    assert len(answers) == IMAGES


def check_database(daemon):
    [path] = (daemon.directory / "data").glob("*.db")
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    states = dict(database.execute("SELECT state, COUNT(*) FROM explanation_tasks GROUP BY state"))
    assert set(states) <= {"finished", "error"}
    [[n_explanations]] = database.execute("SELECT COUNT(*) FROM explanations")
    assert n_explanations == states["finished"]
    database.close()
