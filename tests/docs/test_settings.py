# SPDX-License-Identifier: Apache-2.0
"""Every setting of the program is explained somewhere under docs/, and none that it does not have."""
import configparser
import re
import subprocess

from support.paths import ROOT, program

SECTIONS = ("gateway", "http", "limits", "explain", "scoring", "auth", "tls", "log", "cors", "retention", "webhooks")


def settings():
    printed = subprocess.run([program("explaind"), "config"], capture_output=True, text=True, check=True).stdout
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(printed)
    return {f"{section}.{key}" for section in parser.sections() for key in parser[section]}


def test_settings_and_texts_name_the_same():
    texts = "\n".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    named = set(re.findall(rf"`((?:{'|'.join(SECTIONS)})\.[a-z_]+)", texts))
    assert len(settings()) > 30
    assert not settings() - named, "not explained"
    assert not {name for name in named if not name.endswith((".c", ".h"))} - settings(), "explained, but not there"
