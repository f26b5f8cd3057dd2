# SPDX-License-Identifier: Apache-2.0
"""The container images, built and run as a container runtime would run them; takes minutes and downloads packages."""
import os
import shutil
import subprocess

import pytest
from support.paths import ROOT

TOOLS = ("buildah", "mmdebstrap", "jq", "ip")
SECONDS = 1800


@pytest.mark.skipif(os.environ.get("EXPLAIND_FULL") != "1", reason="takes minutes; comes with --full")
@pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces as root")
@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
def test_images_are_built_and_run_with_nothing_to_spare(tmp_path):
    done = subprocess.run([ROOT / "docker" / "build", "--smoke", tmp_path], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    for image in ("explaind", "explaind-example-model"):
        assert f"{image}: healthy, process 1 of user 10001, capabilities 0000000000000000" in done.stdout
        assert f"{image}: exit status 0 after SIGTERM" in done.stdout
