# SPDX-License-Identifier: Apache-2.0
"""
A ledger of what a daemon has acknowledged, and clients that fill it while the daemon is killed and started again.

What was acknowledged must be there at the end. What was asked for without an answer, because the daemon died, may be
there or not: `unsure` keeps these apart.
"""
import random
import threading

import requests

GIVE_UP_SECONDS = 60


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = 0      # calls that were answered
        self.records = {}          # scoring id -> number of the image
        self.unsure_records = {}
        self.tasks = {}            # task id -> scoring id
        self.unsure_tasks = 0      # asked for, without an answer
        self.deleted = set()       # task ids
        self.unsure_deleted = set()
        self.answers = {}          # task id -> the body of its finished answer, as first seen

    def pick(self, rng, things):
        with self.lock:
            return rng.choice(sorted(things)) if things else None

    def kept_tasks(self) -> dict:
        """The tasks that must be there."""
        gone = self.deleted | self.unsure_deleted
        return {task_id: scoring_id for task_id, scoring_id in self.tasks.items() if task_id not in gone}


class DaemonDied(Exception):
    pass


class Load(threading.Thread):
    """One client: logs, asks, polls, waits and deletes, in an order of its own. Ends when `stop` is set."""

    MAX_OPEN = 12

    def __init__(self, ledger: Ledger, place, transactions: list, seed: str):
        super().__init__(daemon=True)
        self.ledger, self.place, self.transactions = ledger, place, transactions
        self.random = random.Random(seed)
        self.session = requests.Session()
        self.session.trust_env = False
        self.open = []             # tasks of this client that are not known to have ended
        self.n_logged = 0
        self.name = seed
        self.stop = threading.Event()
        self.failure = None

    def run(self):
        actions = [self.log] * 4 + [self.ask] * 2 + [self.poll] * 4 + [self.wait] + [self.delete]
        try:
            while not self.stop.is_set():
                try:
                    self.random.choice(actions)()
                except DaemonDied:
                    self.place.wait_for_another(GIVE_UP_SECONDS)
        except Exception as failure:  # noqa: BLE001 - shown by the test
            self.failure = failure

    def call(self, method, path, expect, **arguments) -> requests.Response:
        try:
            response = self.session.request(method, self.place.base + path, timeout=GIVE_UP_SECONDS, **arguments)
        except requests.exceptions.RequestException as died:
            raise DaemonDied from died
        assert response.status_code in expect, f"{method} {path}: {response.status_code} {response.text[:500]}"
        with self.ledger.lock:
            self.ledger.acknowledged += 1
        return response

    def log(self):
        self.n_logged += 1
        scoring_id, image = f"{self.name}-{self.n_logged}-1", self.random.randrange(len(self.transactions))
        self.ledger.unsure_records[scoring_id] = image
        self.call("POST", self.place.records_path, [202], json=[{**self.transactions[image], "scoring_id": scoring_id}])
        with self.ledger.lock:
            self.ledger.records[scoring_id] = self.ledger.unsure_records.pop(scoring_id)

    def ask(self):
        scoring_id = self.ledger.pick(self.random, self.ledger.records)
        if scoring_id is None or len(self.open) >= self.MAX_OPEN:
            return
        with self.ledger.lock:
            self.ledger.unsure_tasks += 1
        answer = self.call("POST", "/v2/explanation_tasks", [202], json={"scoring_ids": [scoring_id]}).json()
        [task_id] = answer["metadata"]["explanation_task_ids"]
        with self.ledger.lock:
            self.ledger.unsure_tasks -= 1
            self.ledger.tasks[task_id] = scoring_id
        self.open.append(task_id)

    def look(self, **arguments):
        task_id = self.ledger.pick(self.random, self.open) or self.ledger.pick(self.random, self.ledger.tasks)
        if task_id is None:
            return
        gone = task_id in self.ledger.deleted or task_id in self.ledger.unsure_deleted
        response = self.call("GET", f"/v2/explanation_tasks/{task_id}", [200, 404], **arguments)
        if response.status_code == 404:
            now_gone = task_id in self.ledger.deleted or task_id in self.ledger.unsure_deleted
            assert gone or now_gone, f"{task_id} was acknowledged and is gone"
        elif response.json()["entity"]["status"]["state"] == "in_progress":
            return
        elif response.json()["entity"]["status"]["state"] == "finished":
            with self.ledger.lock:
                assert self.ledger.answers.setdefault(task_id, response.text) == response.text
        if task_id in self.open:
            self.open.remove(task_id)

    def poll(self):
        self.look()

    def wait(self):
        self.look(headers={"Prefer": "wait=1"})

    def delete(self):
        task_id = self.ledger.pick(self.random, self.open)
        if task_id is None or self.random.random() < 0.5:
            return
        self.open.remove(task_id)
        with self.ledger.lock:
            self.ledger.unsure_deleted.add(task_id)
        self.call("DELETE", f"/v2/explanation_tasks/{task_id}", [202, 404])
        with self.ledger.lock:
            self.ledger.unsure_deleted.discard(task_id)
            self.ledger.deleted.add(task_id)
