# SPDX-License-Identifier: Apache-2.0
"""The source keeps its own rules, and the checks do notice when it does not."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import lint


@pytest.mark.parametrize("check", lint.CHECKS, ids=lambda check: check.__name__)
def test_the_source_keeps_the_rule(check):
    problems = list(check())
    assert not problems, "\n".join(problems)


@pytest.fixture
def planted(monkeypatch, tmp_path):
    """A tree with one file, as the checks see it."""
    monkeypatch.setattr(lint, "ROOT", tmp_path)

    def plant(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        monkeypatch.setattr(lint, "tracked", lambda *patterns: [file])
    return plant


@pytest.mark.parametrize("path, include", [
    ("lib/explain/x.c", '"db/db.h"'), ("db/x.c", '"lib/explain/explain.h"'), ("api/x.c", "<microhttpd.h>"),
    ("api/x.c", '"server/http/http.h"'), ("lib/base/x.c", '"lib/image/pixels.h"'), ("lib/explain/x.c", "<stdio.h>"),
    ("lib/scoring/answers/x.c", '"lib/scoring/requests/splice.h"'), ("server/x.c", "<sqlite3.h>"),
    ("lib/image/x.c", "<curl/curl.h>")])
def test_a_wrong_include_is_found(planted, path, include):
    planted(path, f"#include {include}\n")
    assert list(lint.check_layers())


def test_a_banned_function_is_found_in_code_only(planted):
    planted("api/x.c", '/* strcpy(a) */\nconst char *x = "strcpy(a)";\n')
    assert not list(lint.check_banned())
    planted("api/x.c", "void f(void)\n{\n    strcpy (a, b);\n}\n")
    assert list(lint.check_banned())


def test_a_long_function_is_found(planted):
    planted("api/x.c", "int xpl_f(void)\n{\n" + "    f();\n" * 61 + "}\n")
    assert list(lint.check_sizes())


def test_a_visible_name_without_prefix_is_found(planted):
    planted("api/x.c", "int f(void)\n{\n}\n")
    assert list(lint.check_symbols())
