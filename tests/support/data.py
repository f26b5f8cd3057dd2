# SPDX-License-Identifier: Apache-2.0
"""The data directory of a daemon, looked at and changed from outside, and the commands that work on it."""
import sqlite3
import subprocess
import time

from support.paths import program

SECONDS = 60
DAY_US = 24 * 3600 * 1_000_000


def explaind(*words) -> subprocess.CompletedProcess:
    return subprocess.run([program("explaind"), *words], capture_output=True, text=True, timeout=SECONDS)


def until(condition):
    """What is found as soon as something is."""
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def age(daemon, days, where):
    """Makes rows look older. The daemon must not run."""
    with sqlite3.connect(daemon.directory / "data" / "explaind.db") as database:
        for table in ("records", "record_requests"):
            database.execute(f"UPDATE {table} SET created_at = created_at - ? WHERE {where}", (days * DAY_US,))


def rows(daemon, table) -> int:
    with sqlite3.connect(f"file:{daemon.directory}/data/explaind.db?mode=ro", uri=True) as database:
        return database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
