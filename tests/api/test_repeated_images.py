# SPDX-License-Identifier: Apache-2.0
"""An image that is scored again and again is stored once."""
import sqlite3
import subprocess
import time

import numpy
import pytest
from support.client import Client, Watched, wait_for
from support.images import blocks
from support.paths import program

DAY_US = 86400 * 1000000


def noise(seed, side=40) -> list:
    return numpy.random.default_rng(seed).integers(0, 256, (side, side, 3)).tolist()


def ask(daemon, sql) -> int:
    with sqlite3.connect(f"file:{daemon.data}/explaind.db?mode=ro", uri=True) as database:
        return database.execute(sql).fetchone()[0]


def n_texts(daemon) -> int:
    return ask(daemon, "SELECT COUNT(*) FROM request_texts")


def used_bytes(daemon) -> int:
    return ask(daemon, "SELECT SUM(pgsize) FROM dbstat WHERE name IN ('payloads', 'request_texts')")


def fsck(daemon):
    return subprocess.run([program("explaind"), "fsck", "--data", daemon.data], capture_output=True, text=True, timeout=60)


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def log_again(watched, transaction, n, prefix):
    body = [{**transaction, "scoring_id": f"{prefix}{i}-1"} for i in range(n)]
    return watched.client.post(watched.records_path, body)["scoring_ids"]


def test_a_repeated_image_takes_the_room_of_one_and_reads_as_it_was_logged(own):
    once = noise(1)
    transaction = own.transaction(once)
    log_again(own, transaction, 1, "first")
    before = used_bytes(own.daemon)
    scoring_ids = log_again(own, transaction, 60, "a") + log_again(own, transaction, 60, "b")
    assert n_texts(own.daemon) == 1 and own.count() == 121
    assert used_bytes(own.daemon) < before + 120 * 400 < before + 120 * len(str(once)) / 10
    rows = own.values(includes="scoring_id,scoring_input", offset=100, limit=20)
    assert len(rows) == 20 and all(row["scoring_input"] == once for row in rows)
    [task_id] = own.explain(scoring_ids[-1])
    assert wait_for(own.client, task_id)["entity"]["status"]["state"] == "finished"


def test_other_images_other_data_sets_and_small_requests_share_nothing(own, stub_model):
    log_again(own, own.transaction(noise(1)), 2, "a")
    log_again(own, own.transaction(noise(2)), 2, "b")
    assert n_texts(own.daemon) == 2
    other = Watched(Client(own.daemon.url), stub_model)
    log_again(other, other.transaction(noise(1)), 2, "a")
    assert n_texts(own.daemon) == 3
    log_again(own, own.transaction(blocks()), 3, "small")
    assert n_texts(own.daemon) == 3
    own.client.delete(f"/v2/subscriptions/{own.subscription_id}", force="true")
    assert n_texts(own.daemon) == 1
    assert other.values(includes="scoring_input")[1]["scoring_input"] == noise(1)


def test_the_request_stays_until_the_last_record_with_it_is_gone(own, start_daemon):
    old, new = own.transaction(noise(1)), own.transaction(noise(2))
    log_again(own, old, 30, "old")
    log_again(own, new, 3, "new")
    [kept] = log_again(own, old, 1, "kept")
    own.daemon.stop()
    with sqlite3.connect(own.daemon.data / "explaind.db") as database:
        database.execute("UPDATE records SET created_at = created_at - ? WHERE scoring_id <> ?", (10 * DAY_US, kept))
    daemon = start_daemon(retention__days=9, retention__interval_ms=100)
    own.client = Client(daemon.url, own.client.instance)
    until(lambda: own.count() == 1)
    assert n_texts(daemon) == 1
    assert own.values(includes="scoring_input")[0]["scoring_input"] == noise(1)
    [task_id] = own.explain(kept)
    assert wait_for(own.client, task_id)["entity"]["status"]["state"] == "finished"
    daemon.stop()
    checked = fsck(daemon)
    assert checked.returncode == 0, checked.stdout


def purge_pixels(own, scoring_id):
    path = f"/v2/data_sets/{own.data_set_id}/purges"
    made = own.client.post(path, {"scoring_ids": [scoring_id], "pixels_only": True})
    until(lambda: own.client.get(f"{path}/{made['metadata']['id']}")["entity"]["state"] == "finished")


def test_pixels_that_are_dropped_stay_for_the_other_records(own):
    first, second = log_again(own, own.transaction(noise(1)), 2, "a")
    purge_pixels(own, first)
    inputs = {row["scoring_id"]: row["scoring_input"] for row in own.values(includes="scoring_id,scoring_input")}
    assert inputs == {first: None, second: noise(1)} and n_texts(own.daemon) == 1
    purge_pixels(own, second)
    assert n_texts(own.daemon) == 0
    own.daemon.stop()
    checked = fsck(own.daemon)
    assert checked.returncode == 0, checked.stdout


def test_fsck_finds_a_shared_request_that_is_gone(own):
    log_again(own, own.transaction(noise(1)), 2, "a")
    own.daemon.stop()
    with sqlite3.connect(own.daemon.data / "explaind.db") as database:
        database.execute("DELETE FROM request_texts")
    checked = fsck(own.daemon)
    assert checked.returncode == 1 and "payloads have the request they share" in checked.stdout
