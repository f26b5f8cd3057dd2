# SPDX-License-Identifier: Apache-2.0
"""A database of an older version is taken over with everything in it."""
import sqlite3
import time

from support.client import Client, Watched
from support.images import gradient
from support.paths import ROOT
from support.processes import Daemon

MIGRATIONS = sorted((ROOT / "db" / "migrations").glob("*.sql"))


def columns(connection, table):
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def downgraded(data, version):
    """Writes what is in a database into a new one of an older version: the tables that both know."""
    new, old = data / "explaind.db", data / "older.db"
    connection = sqlite3.connect(old)
    for number, file in enumerate(MIGRATIONS[:version], start=1):
        connection.executescript(file.read_text())
    connection.execute("CREATE TABLE schema_versions (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL)")
    connection.executemany("INSERT INTO schema_versions VALUES (?, ?)",
                           [(n, time.time_ns() // 1000) for n in range(1, version + 1)])
    connection.execute("ATTACH ? AS new", (str(new),))
    tables = [name for name, in connection.execute(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_versions'"
        " AND name IN (SELECT name FROM new.sqlite_schema)")]
    for table in tables:
        names = ", ".join(columns(connection, table))
        connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
    connection.commit()
    connection.close()
    for file in data.glob("explaind.db*"):
        file.unlink()
    old.rename(new)


def test_records_and_explanations_of_the_fourth_schema_are_all_there(tmp_path, stub_model):
    daemon = Daemon(tmp_path)
    watched = Watched(Client(daemon.url), stub_model, parameters={})
    task_id, _ = watched.explained(gradient(8, 8))
    instance = watched.client.instance
    paths = [watched.records_path, f"/v2/explanation_tasks/{task_id}", f"/v2/explanation_tasks/{task_id}/attributions"]
    before = [watched.client.get(path) for path in paths]
    daemon.stop()

    downgraded(daemon.data, 4)
    daemon = Daemon(tmp_path)
    watched.client = Client(daemon.url, instance)
    assert before[0]["records"]
    assert [watched.client.get(path) for path in paths] == before
    daemon.stop()
