# SPDX-License-Identifier: Apache-2.0
"""No statement of the storage reads a whole table, and no list sorts before its first page, without a reason that
stands here. The lists' own statements come from tools/list_statements, all others out of the sources."""
import ast
import re
import sqlite3
import subprocess

import pytest
from support.paths import ROOT, program

# What of a statement makes a sort or a scan right.
SORTS = {
    r"ORDER BY (?!seq|scoring_timestamp|scoring_id|created_at|id )": "no index gives this order: docs/operations.md",
    r"GROUP BY value0": "at most 50,000 rows of a distribution",
    r"AND transaction_id = \?|scoring_id > \?\d? \|\|": "the rows of a transaction",
    r"scoring_id IN \(": "at most 50 rows",
    r"scoring_timestamp (= \?|IN \()": "the rows of a moment, or of a window with a filter for one",
    r"scoring_id = \?\d .*subscription_id": "at most 16 rows: one a data set",
    r"FROM users|FROM revoked_tokens|FROM data_marts": "operators' lists of what people made by hand",
}
SCANS = {
    r"DELETE FROM (record_requests|event_errors|inference_events) WHERE (data_set|subscription)_id": "the end of a subscription",
    r"json_each|FROM purges WHERE state = 'active'": "at most 1000 ids; purges that did not end",
    r"FROM automatic_counts": "a row for each rule",
    r"FROM \(SELECT 1 FROM inference_events .* LIMIT": "no more than are asked for",
    r"FROM inference_events WHERE received_at < \?1 ORDER BY received_at LIMIT 100": "the oldest hundred",
    r"SELECT MAX\(id\) FROM \(SELECT id FROM record_requests ORDER BY id LIMIT": "the first hundred",
    r"FROM \(SELECT prediction_probability, response_time.* ORDER BY scoring_timestamp, seq LIMIT": "no more than are asked for",
    r"FROM webhooks w JOIN": "webhooks are made by hand; the first of each one's queue by index",
    r"FROM record_blocks": "the counts of a data set's blocks, one for 4096 records",
    r"FROM users|FROM revoked_tokens|DELETE FROM revoked_tokens|FROM data_marts|FROM api_keys|FROM schema_versions|FROM sqlite_sequence|pragma_":
        "what people made by hand, or a few numbers",
    r"state IN \('queued', 'leased'\)|state = '(queued|leased)'": "tasks that did not end: bounded by limits.tasks_queued",
}
NOT_FOR_CLIENTS = {"fsck.c", "fsck_payloads.c", "migrate.c"}  # these read everything, and say so

STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*')
ONE_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """A connection to a database of the newest schema, and the statements of all lists."""
    path = tmp_path_factory.mktemp("plans") / "explaind.db"
    done = subprocess.run([program("list_statements"), path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(path) as connection:
        yield connection, {line for line in done.stdout.splitlines() if line.startswith("SELECT")}


def statements_of(file):
    """The constant statements of a source file; parts of built ones are among them."""
    text = subprocess.run(["cc", "-E", "-P", "-D_GNU_SOURCE", f"-I{ROOT}", file], capture_output=True, text=True,
                          check=True).stdout
    for found in STRINGS.finditer(text):
        sql = "".join(ast.literal_eval(part) for part in ONE_STRING.findall(found[0]))
        if re.match(r"(SELECT|WITH|UPDATE|DELETE|INSERT) ", sql):
            yield sql


def plan_of(connection, sql):
    numbered = [int(n) for n in re.findall(r"\?(\d+)", sql)]
    values = (None,) * (max(numbered) if numbered else sql.count("?"))
    return [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + sql, values)]


def reasonless(sql, plan):
    for step in plan:
        if "TEMP B-TREE" in step and not any(re.search(pattern, sql) for pattern in SORTS):
            yield f"{step}: {sql}"
        if step.startswith("SCAN") and not any(re.search(pattern, sql) for pattern in SCANS) and "CONSTANT ROW" not in step:
            yield f"{step}: {sql}"


def test_lists_read_by_index(listed):
    connection, statements = listed
    assert len(statements) > 1000
    problems = [problem for sql in sorted(statements) for problem in reasonless(sql, plan_of(connection, sql))]
    assert not problems, "\n".join(problems[:20])


def test_all_other_statements_read_by_index(listed):
    connection, _ = listed
    problems, n = [], 0
    for file in sorted((ROOT / "db").glob("*.c")):
        for sql in statements_of(file) if file.name not in NOT_FOR_CLIENTS else ():
            try:
                plan = plan_of(connection, sql)
            except sqlite3.OperationalError:  # a part of one that is put together: among the lists
                continue
            n += 1
            problems += reasonless(sql, plan)
    assert n > 50
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("sql", [
    "SELECT id FROM records WHERE prediction = ?",
    "SELECT id FROM records WHERE data_set_id = ? ORDER BY created_at",
    "SELECT t.id FROM explanation_tasks t JOIN records r ON r.id = t.record_id WHERE r.scoring_id > 'a'"])
def test_a_statement_without_index_is_found(listed, sql):
    connection, _ = listed
    assert list(reasonless(sql, plan_of(connection, sql)))
