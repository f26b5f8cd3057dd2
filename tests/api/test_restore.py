# SPDX-License-Identifier: Apache-2.0
"""Backups put back after they were checked, and everything printed as lines of JSON at a shell."""
import json
import resource
import sqlite3
import subprocess

import pytest
from support.client import Client, Watched
from support.data import explaind
from support.images import blocks
from support.paths import ROOT, program
from support.processes import Daemon

CANNOT_CREATE, NO_ROOM, BAD_DATA, NO_INPUT, CONFIG, USAGE = 73, 74, 65, 66, 78, 64


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory, stub_model):
    """A backup with credentials in it, the directory it is of, and what the daemon said of its content."""
    folder = tmp_path_factory.mktemp("backed-up")
    daemon = Daemon(folder)
    client = Client(daemon.url)
    client.add_provider(stub_model.url, credentials={"url": stub_model.url, "apikey": "secret"})
    watched = Watched(client, stub_model)
    task_id, task = watched.explained(blocks())
    watched.log(blocks(first=1), blocks(first=2))
    assert explaind("backup", folder / "copy.db", "--data", daemon.data).returncode == 0
    records = client.get(watched.records_path, limit=100)["records"]
    daemon.stop()
    return {"file": folder / "copy.db", "data": daemon.data, "task_id": task_id, "task": task, "records": records,
            "instance": client.instance, "records_path": watched.records_path}


def with_keys(backed_up, folder):
    folder.mkdir()
    for name in ("secrets.key", "token.key"):
        (folder / name).write_bytes((backed_up["data"] / name).read_bytes())
    return folder


def databases(folder):
    return sorted(path.name for path in folder.glob("explaind.db*"))


def test_a_backup_is_restored_and_served(backed_up, tmp_path):
    data = with_keys(backed_up, tmp_path / "data")
    done = explaind("restore", backed_up["file"], "--data", data)
    assert done.returncode == 0 and "restored" in done.stdout, done.stderr
    assert databases(data) == ["explaind.db"]
    daemon = Daemon(tmp_path)
    client = Client(daemon.url, backed_up["instance"])
    assert client.get(f"/v2/explanation_tasks/{backed_up['task_id']}") == backed_up["task"]
    assert client.get(backed_up["records_path"], limit=100)["records"] == backed_up["records"]
    daemon.stop()
    again = explaind("restore", backed_up["file"], "--data", data)
    assert again.returncode == CANNOT_CREATE and "move it away" in again.stderr, "nothing is overwritten"


def test_verify_changes_nothing(backed_up, tmp_path):
    data = with_keys(backed_up, tmp_path / "data")
    done = explaind("restore", "--verify", backed_up["file"], "--data", data)
    assert done.returncode == 0 and "can be restored" in done.stdout, done.stderr
    assert databases(data) == []
    assert explaind("restore", "--verify", backed_up["file"], "--data", backed_up["data"]).returncode == 0, \
        "beside the database that is there"


@pytest.mark.parametrize("words", [[], ["--verify"]])
def test_a_backup_without_its_keys_is_not_restored_and_none_are_made(backed_up, tmp_path, words):
    data = tmp_path / "data"
    data.mkdir()
    done = explaind("restore", *words, backed_up["file"], "--data", data)
    assert done.returncode == BAD_DATA and f"there is no secrets.key in {data}" in done.stderr
    assert [path.name for path in data.iterdir()] == ([] if words else ["lock"])
    for name in ("secrets.key", "token.key"):
        (data / name).write_bytes((backed_up["data"] / name).read_bytes())
    assert explaind("restore", *words, backed_up["file"], "--data", data).returncode == 0


def of_the_first_schema(path):
    connection = sqlite3.connect(path)
    connection.executescript(sorted((ROOT / "db" / "migrations").glob("*.sql"))[0].read_text())
    connection.execute("CREATE TABLE schema_versions (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL)")
    connection.execute("INSERT INTO schema_versions VALUES (1, 1)")
    connection.commit()
    connection.close()
    return path


def test_a_disk_that_fills_while_a_backup_is_restored_is_told_and_leaves_nothing(tmp_path):
    """At the copy, and at what brings it up to date; a file that may not grow stands for the disk."""
    backup, data = of_the_first_schema(tmp_path / "old.db"), tmp_path / "data"
    data.mkdir()
    for more in (-100_000, 4096, 100_000):
        limit = backup.stat().st_size + more
        done = subprocess.run([program("explaind"), "restore", backup, "--data", data], capture_output=True, text=True,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))  # noqa: B023
        assert done.returncode == NO_ROOM and "full" in done.stderr and str(data) in done.stderr, done
        assert databases(data) == []
    done = explaind("restore", backup, "--data", data)
    assert done.returncode == 0, done.stderr


def test_another_key_is_told(backed_up, tmp_path):
    data = with_keys(backed_up, tmp_path / "data")
    (data / "secrets.key").write_bytes(bytes(32))
    done = explaind("restore", backed_up["file"], "--data", data)
    assert done.returncode == BAD_DATA and "does not open the credentials" in done.stderr


def content(folder):
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_verify_writes_nothing_and_needs_no_lock(backed_up, tmp_path):
    """Beside a running daemon, in a directory that is not there, and where no copy can be made."""
    assert explaind("restore", "--verify", backed_up["file"], "--data", tmp_path / "none").returncode == BAD_DATA
    assert not (tmp_path / "none").exists()
    data = with_keys(backed_up, tmp_path / "data")
    before = content(data), data.stat().st_mtime_ns
    assert explaind("restore", "--verify", backed_up["file"], "--data", data).returncode == 0
    assert (content(data), data.stat().st_mtime_ns) == before
    daemon = Daemon(tmp_path)
    done = explaind("restore", "--verify", backed_up["file"], "--data", daemon.data)
    daemon.stop()
    assert done.returncode == 0, done.stderr


def test_verify_copies_where_it_is_told_and_leaves_nothing(backed_up, tmp_path, monkeypatch):
    data, room = with_keys(backed_up, tmp_path / "data"), tmp_path / "room"
    monkeypatch.setenv("TMPDIR", str(room))
    done = explaind("restore", "--verify", backed_up["file"], "--data", data)
    assert done.returncode == CANNOT_CREATE and "TMPDIR" in done.stderr
    room.mkdir()
    assert explaind("restore", "--verify", backed_up["file"], "--data", data).returncode == 0
    assert list(room.iterdir()) == []


@pytest.mark.parametrize("statement, told", [
    ("DELETE FROM payloads", "records have a payload"), ("UPDATE payloads SET hash = zeroblob(32)", "content that was logged")])
def test_an_unsound_backup_is_not_restored(backed_up, tmp_path, statement, told):
    broken = tmp_path / "broken.db"
    broken.write_bytes(backed_up["file"].read_bytes())
    with sqlite3.connect(broken) as database:
        database.execute(statement)
    data = with_keys(backed_up, tmp_path / "data")
    done = explaind("restore", broken, "--data", data)
    assert done.returncode == 1 and told in done.stdout
    assert databases(data) == []


def torn(content):
    return content[:len(content) // 2]


def scribbled(content):
    """A page of the middle is not what its place needs."""
    middle = len(content) // 2 // 4096 * 4096
    return content[:middle] + b"\x5a" * 4096 + content[middle + 4096:]


@pytest.mark.parametrize("words", [[], ["--verify"]])
@pytest.mark.parametrize("damage", [torn, scribbled])
def test_a_damaged_backup_is_told_by_its_name(backed_up, tmp_path, damage, words):
    broken = tmp_path / "broken.db"
    broken.write_bytes(damage(backed_up["file"].read_bytes()))
    data = with_keys(backed_up, tmp_path / "data")
    done = explaind("restore", *words, broken, "--data", data)
    assert done.returncode == 1 == explaind("fsck", broken).returncode, done.stderr
    assert f"{broken}: " in done.stderr and ".part" not in done.stderr and "the database" not in done.stderr
    assert databases(data) == []


def test_what_is_no_backup_is_told(backed_up, tmp_path):
    data = with_keys(backed_up, tmp_path / "data")
    (tmp_path / "text").write_text("no database" * 1000)
    assert explaind("restore", tmp_path / "text", "--data", data).returncode == BAD_DATA
    assert explaind("restore", tmp_path / "none", "--data", data).returncode == NO_INPUT
    assert explaind("restore", "--data", data).returncode == USAGE
    assert databases(data) == []


def test_a_daemon_in_the_directory_is_not_disturbed(backed_up, tmp_path):
    daemon = Daemon(tmp_path)
    done = explaind("restore", backed_up["file"], "--data", daemon.data)
    assert done.returncode == CONFIG and "in use" in done.stderr
    daemon.stop()


def lines(*words):
    done = explaind("export", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_everything_is_exported_as_lines(backed_up):
    assert lines("records", backed_up["file"]) == backed_up["records"]
    assert lines("explanations", "--data", backed_up["data"]) == [backed_up["task"]]
    images = lines("records", "--includes", "scoring_input,scoring_id", backed_up["file"])
    assert [line["entity"]["values"]["scoring_input"] for line in images] == [blocks(first=i) for i in range(3)]


@pytest.mark.parametrize("words, code", [
    (["everything"], USAGE), ([], USAGE), (["records", "a", "b"], USAGE), (["records", "/dev/null"], BAD_DATA),
    (["records", "--includes", "none", "{file}"], USAGE)])
def test_what_cannot_be_exported_is_told(backed_up, words, code):
    done = explaind("export", *(word.format(file=backed_up["file"]) for word in words))
    assert done.returncode == code and done.stderr and not done.stdout, done.stderr
    if "--includes" in words:
        assert done.stderr == 'explaind: includes: "none" is not a column of a record\n'
