# SPDX-License-Identifier: Apache-2.0
"""The notebooks, from top to bottom, against the real daemon: they assert themselves what they tell.

Needs `scripts/setup --notebooks` (TensorFlow), which --full brings.
"""
import json
import os
import subprocess

import numpy
import pytest
from support.paths import EXAMPLES, ROOT

DAEMON_SETTINGS = {"limits.profile": "openscale"}
NOTEBOOKS = sorted((EXAMPLES / "notebooks").glob("*.ipynb"))
PYTHON = ROOT / ".cache" / "notebooks" / "bin" / "python"
SECONDS = 1200


def outputs(notebook) -> str:
    texts = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            texts += output.get("text", []) + output.get("data", {}).get("text/plain", [])
    return "".join(texts)


@pytest.mark.skipif(not PYTHON.exists(), reason="the notebooks' environment is missing; scripts/setup --notebooks brings it")
@pytest.mark.skipif(os.environ.get("EXPLAIND_FULL") != "1", reason="takes minutes; comes with --full")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(module_daemon, tmp_path, path):
    out = tmp_path / path.name
    environment = os.environ | {"EXPLAIND_URL": f"http://127.0.0.1:{module_daemon.port}", "NOTEBOOK_WORK": str(tmp_path / "work")}
    ended = subprocess.run([PYTHON, EXAMPLES / "notebooks" / "run.py", path, out], env=environment, text=True,
                           capture_output=True, timeout=SECONDS)
    assert ended.returncode == 0, ended.stderr[-4000:]
    assert outputs(json.loads(out.read_text())).rstrip().endswith("done")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_its_outputs(path):
    notebook = json.loads(path.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code), "executed from top to bottom"
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert "Traceback" not in outputs(notebook) and outputs(notebook).rstrip().endswith("done")
    assert sum("image/png" in output.get("data", {}) for cell in code for output in cell["outputs"]) >= 2


def test_the_painted_insects_are_where_the_masks_say(tmp_path):
    from PIL import Image
    subprocess.run([ROOT / ".venv" / "bin" / "python", EXAMPLES / "notebooks" / "make_insects.py", tmp_path, "--few"], check=True)
    for kind, channel in (("ladybird", 0), ("beetle", 2)):
        for path in sorted((tmp_path / "validation" / kind).glob("*.png")):
            picture = numpy.asarray(Image.open(path), dtype=float)
            mask = numpy.asarray(Image.open(tmp_path / "masks" / "validation" / kind / path.name)) > 127
            share = picture[..., channel] / (picture.sum(axis=2) + 1)
            assert 0.01 < mask.mean() < 0.3 and share[mask].mean() > share[~mask].mean() + 0.1
