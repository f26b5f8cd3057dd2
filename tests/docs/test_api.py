# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/api.md, typed in order; what they print is what the page shows."""
import json
import os
import re
import subprocess

from support.paths import ROOT

MARK = "<!-- tested by tests/docs/test_api.py -->"
EXAMPLE = re.compile(rf"{MARK}\n```bash\n(?P<commands>.*?)```\n(?:```json\n(?P<answer>.*?)```)?", re.S)


def examples():
    return [match.groupdict() for match in EXAMPLE.finditer((ROOT / "docs" / "api.md").read_text())]


def shows(answer, shown, path="answer"):
    """Everything that is shown is in the answer; "…" stands for anything that is there."""
    if shown == "…":
        assert answer not in (None, ""), path
    elif isinstance(shown, dict):
        for name, value in shown.items():
            assert name in answer, f"{path}.{name} is missing: {json.dumps(answer)[:2000]}"
            shows(answer[name], value, f"{path}.{name}")
    elif isinstance(shown, list):
        assert len(answer) == len(shown), f"{path}: {len(answer)} elements"
        for i, (one, other) in enumerate(zip(answer, shown)):
            shows(one, other, f"{path}[{i}]")
    else:
        assert answer == shown, f"{path}: {answer!r}"


def test_the_page_marks_every_block_of_commands():
    text = (ROOT / "docs" / "api.md").read_text()
    assert len(examples()) == text.count("```bash") == text.count(MARK) >= 8


def test_what_is_typed_prints_what_is_shown(tmp_path, start_daemon, stub_model):
    daemon = start_daemon(users=True)
    script = "set -euo pipefail\n"
    for number, example in enumerate(examples()):
        script += f"{{\n{example['commands']}}} > printed.{number}\n"
    variables = {"EXPLAIND": daemon.url, "MODEL": stub_model.url,
                 "PASSWORD": (daemon.data / "admin-password").read_text().strip()}
    typed = subprocess.run(["bash"], input=script, cwd=tmp_path, env={**os.environ, **variables}, text=True,
                           capture_output=True, timeout=120)
    printed = [path.read_text() for path in sorted(tmp_path.glob("printed.*"), key=lambda p: int(p.suffix[1:]))]
    assert typed.returncode == 0 and not typed.stderr, f"{typed.stderr}\n{printed[-1]}"
    for example, text in zip(examples(), printed, strict=True):
        if example["answer"]:
            shows(json.loads(text), json.loads(example["answer"]))
        else:
            assert text and "errors" not in text, f"{example['commands']}\n{text}"
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
