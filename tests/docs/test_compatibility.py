# SPDX-License-Identifier: Apache-2.0
"""docs/compatibility.md has every operation, and no promise that is not kept."""
import re

import yaml

from support.paths import OPENAPI, ROOT

NOT_SERVED = {"GET /v2/integrated_systems", "POST /v1/data_marts/{data_mart_id}/feedback_payloads"}


def served():
    paths = yaml.safe_load(OPENAPI.read_text())["paths"]
    return {f"{method.upper()} {path}" for path, item in paths.items() for method in item
            if method in ("get", "post", "put", "patch", "delete")}


def table(heading):
    """The operations of the table under a heading, with what the second column says."""
    text = (ROOT / "docs" / "compatibility.md").read_text()
    section = re.split(r"^## ", text, flags=re.M)[[part.split("\n")[0] for part in re.split(r"^## ", text, flags=re.M)].index(heading)]
    rows = re.findall(r"^\| `([A-Z]+ [^`]+)` \|([^|]*)\|", section, re.M)
    assert len(rows) == len(dict(rows)), "an operation is there twice"
    return {operation: state.strip() for operation, state in rows}


def test_every_operation_is_in_one_of_the_tables():
    theirs, ours = table("Operations") | table("Operations of API v1"), table("Ours")
    assert len(theirs) > 80 and not theirs.keys() & ours.keys()
    assert (theirs.keys() | ours.keys()) - NOT_SERVED == served()


def test_what_is_said_to_work_is_served():
    states = table("Operations") | table("Operations of API v1")
    assert set(states.values()) == {"works", "differs", "not for images"}
    assert {operation for operation, state in states.items() if state in ("works", "differs")} <= served()


def test_what_is_not_served_is_not_found(api):
    for operation in NOT_SERVED:
        method, path = operation.split()
        api.refused(method, re.sub(r"{\w+}", "s", path), 404)
