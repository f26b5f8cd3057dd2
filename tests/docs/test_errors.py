# SPDX-License-Identifier: Apache-2.0
"""docs/errors.md and the registry of errors say the same."""
import re

from support.paths import ROOT


def registry():
    """(code, HTTP status) of every row of the table in api/errors.c but that of success."""
    rows = re.findall(r'\[XPL_\w+\] = \{(\d+), "([A-Z0-9]*)"', (ROOT / "api" / "errors.c").read_text())
    return {(code, int(status)) for status, code in rows if code}


def documented():
    rows = re.findall(r"^\| (AI\w+) \| (\d+) \|", (ROOT / "docs" / "errors.md").read_text(), re.M)
    assert len(rows) == len(set(rows)), "a code is there twice"
    return {(code, int(status)) for code, status in rows}


def test_every_code_is_documented_with_its_status_and_no_other_one():
    assert len(registry()) > 30
    assert documented() == registry()
