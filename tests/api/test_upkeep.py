# SPDX-License-Identifier: Apache-2.0
"""Keeping an installation: backups, checking a database, retention, and an orderly end."""
import json
import os
import sqlite3
import subprocess

import numpy
import pytest
import requests
from support.client import Client, Watched, wait_for
from support.data import SECONDS, age, explaind, rows, until
from support.images import blocks, gradient
from support.paths import program
from support.processes import Daemon

CANNOT_CREATE, BAD_DATA, BAD_IO = 73, 65, 74  # of sysexits.h


def backup(daemon, file) -> subprocess.CompletedProcess:
    return explaind("backup", file, "--data", daemon.directory / "data")


@pytest.fixture
def watched(own):
    return own


# ---- backup ----

def test_a_backup_beside_a_running_daemon_is_whole_and_can_be_served(watched, start_daemon, tmp_path):
    task_id, task = watched.explained(blocks())
    copy = tmp_path / "copy.db"
    done = backup(watched.daemon, copy)
    assert done.returncode == 0 and "checked" in done.stdout, done.stderr
    watched.log(blocks(first=1))
    assert [path.name for path in tmp_path.glob("copy.db*")] == ["copy.db"], "one file, nothing beside it"
    assert os.stat(copy).st_mode & 0o077 == 0
    assert explaind("fsck", copy).returncode == 0
    watched.daemon.stop()
    data = tmp_path / "data"
    for old in data.glob("explaind.db*"):
        old.unlink()
    copy.rename(data / "explaind.db")
    restored = Client(start_daemon().url, watched.client.instance)
    assert restored.get(f"/v2/explanation_tasks/{task_id}") == task
    assert restored.get(watched.records_path, limit=0, include_total_count="true")["total_count"] == 1


def test_backups_under_load_lose_nothing_that_was_acknowledged_before(watched, tmp_path):
    for number in range(5):
        logged = {scoring_id for i in range(5) for scoring_id in watched.log(blocks(first=i))}
        copy = tmp_path / f"copy-{number}.db"
        done = subprocess.Popen([program("explaind"), "backup", copy, "--data", watched.daemon.directory / "data"],
                                stdout=subprocess.DEVNULL)
        while done.poll() is None:
            watched.log(gradient(20, 20))
        assert done.returncode == 0
        with sqlite3.connect(copy) as database:
            kept = {row[0] for row in database.execute("SELECT scoring_id FROM records")}
        assert logged <= kept
        assert explaind("fsck", copy).returncode == 0


def test_a_backup_never_overwrites(watched, tmp_path):
    copy = tmp_path / "precious"
    copy.write_text("precious")
    done = backup(watched.daemon, copy)
    assert done.returncode == CANNOT_CREATE and "exists" in done.stderr
    assert copy.read_text() == "precious" and list(tmp_path.glob("precious*")) == [copy]


@pytest.mark.parametrize("words, code, told", [
    (["backup"], 64, "name of the new file"),
    (["backup", "a", "b"], 64, "one word too many"),
    (["backup", "{tmp}/copy", "--data", "{tmp}/nowhere"], BAD_IO, "nowhere"),
    (["backup", "{tmp}/no/such/folder/copy", "--data", "{tmp}"], BAD_IO, "folder"),
    (["fsck", "{tmp}/nowhere"], BAD_DATA, ""),
    (["fsck", "/dev/null"], BAD_DATA, ""),
])
def test_what_cannot_be_done_is_told(tmp_path, words, code, told):
    done = explaind(*(word.format(tmp=tmp_path) for word in words))
    assert done.returncode == code, done.stderr
    assert told in done.stderr and done.stderr
    assert list(tmp_path.iterdir()) == []


# ---- fsck ----

@pytest.fixture(scope="module")
def sound_copy(tmp_path_factory, stub_model):
    """A backup with three records in two payloads, and one finished explanation."""
    folder = tmp_path_factory.mktemp("sound")
    daemon = Daemon(folder)
    watched = Watched(Client(daemon.url), stub_model)
    watched.explained(blocks())
    watched.log(blocks(first=1), blocks(first=2))
    assert backup(daemon, folder / "copy.db").returncode == 0
    daemon.stop()
    return folder / "copy.db"


def damaged(sound_copy, tmp_path, *statements):
    copy = tmp_path / "damaged.db"
    copy.write_bytes(sound_copy.read_bytes())
    with sqlite3.connect(copy) as database:
        for statement in statements:
            assert database.execute(statement).rowcount != 0, statement
    return copy


def test_a_sound_database_has_no_problems(sound_copy):
    done = explaind("fsck", sound_copy)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[-1].endswith(": 0 problems") and all(line.startswith("ok ") for line in lines[:-1])


@pytest.mark.parametrize("found, statement", [
    ("records have a payload", "DELETE FROM payloads WHERE id = 1"),
    ("payloads have a record", "INSERT INTO payloads SELECT 99, data_mart_id, data_set_id, hash, request, request_size,"
                               " response, response_size, NULL FROM payloads LIMIT 1"),
    ("payloads can be read", "UPDATE payloads SET request = x'00112233' WHERE id = 1"),
    ("payloads can be read", "UPDATE payloads SET request_size = request_size - 1 WHERE id = 2"),
    ("content that was logged", "UPDATE payloads SET hash = zeroblob(32) WHERE id = 2"),
    ("content that was logged", "UPDATE payloads SET response = (SELECT request FROM payloads p WHERE p.id = 2),"
                                " response_size = (SELECT request_size FROM payloads p WHERE p.id = 2) WHERE id = 1"),
    ("images lie inside", "UPDATE records SET image_offset = 100000000 WHERE seq = 1"),
    ("images lie inside", "UPDATE records SET image_length = 9223372036854775807 WHERE seq = 2"),
    ("images lie inside", "UPDATE records SET image_offset = -1 WHERE seq = 3"),
    ("data set", "UPDATE records SET data_mart_id = 'another' WHERE seq = 1"),
    ("data sets have a subscription", "DELETE FROM subscriptions"),
    ("monitor instances have a subscription", "UPDATE monitor_instances SET target_id = 'none'"),
    ("subscriptions have a provider", "DELETE FROM service_providers"),
    ("scoring ids", "UPDATE records SET scoring_id = 'else' WHERE seq = 1"),
    ("tasks have a record", "UPDATE explanation_tasks SET record_id = 'none'"),
    ("finished tasks have an explanation", "DELETE FROM explanations"),
    ("explanations have a finished task", "UPDATE explanation_tasks SET state = 'queued'"),
    ("references lead to a row", "DELETE FROM explanation_tasks"),
    ("records are as many", "UPDATE record_blocks SET n = n + 1"),
    ("records are as many", "DELETE FROM record_blocks"),
    ("tasks are as many", "INSERT INTO task_counts VALUES ('m', 's', 'error', 1)"),
    ("payloads take what was counted", "UPDATE data_set_usage SET payload_bytes = payload_bytes + 1"),
    ("leased tasks", "UPDATE explanation_tasks SET state = 'leased', lease_owner = 'w'"),
    ("other tasks", "UPDATE explanation_tasks SET lease_owner = 'w'"),
    ("failed tasks", "UPDATE explanation_tasks SET state = 'error'"),
    ("explanations are JSON", "UPDATE explanations SET answer = '{'"),
    ("masks, classes and scores", "UPDATE explanation_samples SET scores = x'00000000'"),
])
def test_damage_is_found_and_named(sound_copy, tmp_path, found, statement):
    done = explaind("fsck", damaged(sound_copy, tmp_path, statement))
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("BAD") and found in line], done.stdout


def test_a_torn_page_is_found(sound_copy, tmp_path):
    copy = damaged(sound_copy, tmp_path)
    with sqlite3.connect(copy) as database:
        [(page,)] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'records_by_time'")
        [(size,)] = database.execute("PRAGMA page_size")
    with open(copy, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
    done = explaind("fsck", copy)
    assert done.returncode == 1 and "BAD  the file is intact" in done.stdout


def test_a_database_of_another_version_is_not_judged(sound_copy, tmp_path):
    copy = damaged(sound_copy, tmp_path, "INSERT INTO schema_versions VALUES (9999, 0)")
    done = explaind("fsck", copy)
    assert done.returncode == BAD_DATA and "9999" in done.stderr


def test_fsck_runs_beside_a_daemon(watched):
    watched.explained(blocks())
    done = explaind("fsck", "--data", watched.daemon.directory / "data")
    assert done.returncode == 0, done.stdout + done.stderr
    watched.log(blocks(first=1))


# ---- retention ----

def test_records_over_the_age_go_with_everything_of_theirs(watched, start_daemon):
    task_id, _ = watched.explained(blocks())
    watched.log(blocks(first=1), blocks(first=2))
    kept_task, _ = watched.explained(blocks(first=3))
    watched.daemon.stop()
    with sqlite3.connect(watched.daemon.directory / "data" / "explaind.db") as database:
        [(last,)] = database.execute("SELECT MAX(created_at) FROM records")
    age(watched.daemon, 10, f"created_at < {last}")
    daemon = start_daemon(retention__days=9, retention__interval_ms=100)
    client = Client(daemon.url, watched.client.instance)
    until(lambda: client.get(watched.records_path, limit=0, include_total_count="true")["total_count"] == 1)
    client.refused("GET", f"/v2/explanation_tasks/{task_id}", 404)
    assert client.get(f"/v2/explanation_tasks/{kept_task}")["entity"]["status"]["state"] == "finished"
    assert [rows(daemon, table) for table in ("payloads", "explanations", "explanation_samples")] == [1, 1, 1]
    assert rows(daemon, "record_requests") == 1
    assert "explaind_retention_deleted_records_total 3" in requests.get(daemon.url + "/metrics", timeout=SECONDS).text
    daemon.stop()
    assert explaind("fsck", "--data", daemon.directory / "data").returncode == 0


def test_an_explanation_in_progress_keeps_its_record(start_daemon, model):
    first = start_daemon()
    watched = Watched(Client(first.url), model)
    model.hold()
    [held] = watched.explain(*watched.log(blocks()))
    watched.log(blocks(first=1))
    assert model.asked.wait(SECONDS)
    first.kill()
    age(first, 10, "1")
    daemon = start_daemon(retention__days=9, retention__interval_ms=100)
    client = Client(daemon.url, watched.client.instance)
    until(lambda: rows(daemon, "records") == 1)
    assert client.get(f"/v2/explanation_tasks/{held}")["entity"]["status"]["state"] == "in_progress"
    model.release()
    until(lambda: rows(daemon, "records") == 0)
    client.refused("GET", f"/v2/explanation_tasks/{held}", 404)


def test_the_oldest_records_go_when_the_data_is_too_large(start_daemon, stub_model):
    bound = 3 << 19
    daemon = start_daemon(retention__bytes=bound, retention__interval_ms=100)
    watched = Watched(Client(daemon.url), stub_model)
    noise = numpy.random.default_rng(1).integers(0, 256, (30, 150, 150, 3))
    logged = [scoring_id for image in noise for scoring_id in watched.log(image.tolist())]
    kept = []

    def small_enough():
        kept[:] = [values["scoring_id"] for values in watched.values(limit=1000)]
        with sqlite3.connect(f"file:{daemon.directory}/data/explaind.db?mode=ro", uri=True) as database:
            [[pages]] = database.execute("SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count")
        return pages * 4096 <= bound

    until(small_enough)
    assert 0 < len(kept) < len(logged)
    assert sorted(kept) == sorted(logged[-len(kept):]), "the newest stay"


def test_nothing_goes_without_retention(watched, start_daemon):
    watched.log(blocks())
    watched.daemon.stop()
    age(watched.daemon, 36000, "1")
    client = Client(start_daemon().url, watched.client.instance)
    assert client.get(watched.records_path, limit=0, include_total_count="true")["total_count"] == 1


# ---- the end ----

def test_sigterm_with_calls_under_way_loses_nothing_and_ends_within_30_s(start_daemon, model):
    daemon = start_daemon(explain__workers=2)
    client = Client(daemon.url)
    first, second = (Watched(client, model, deployment_id=name) for name in ("d1", "d2"))
    model.hold()
    tasks = [task for w in (first, second) for task in w.explain(*w.log(blocks()), *w.log(blocks(first=1)))]
    until(lambda: len(model.tasks_of("d1")) == len(model.tasks_of("d2")) == 1)
    daemon.process.terminate()
    assert daemon.process.wait(30) == 0
    daemon.check_log()
    events = [json.loads(line)["event"] for line in daemon.stderr().splitlines()]
    assert events[-1] == "stopped" and "stopping" in events
    assert os.path.getsize(daemon.directory / "data" / "explaind.db-wal") == 0, "everything is in the database file"
    with sqlite3.connect(daemon.directory / "data" / "explaind.db") as database:
        states = dict(database.execute("SELECT id, state || crashes FROM explanation_tasks"))
    assert states == {task: "queued0" for task in tasks}, "released, and not counted as crashed"
    model.release()
    client = Client(start_daemon().url, client.instance)
    for task in tasks:
        assert wait_for(client, task)["entity"]["status"]["state"] == "finished"
