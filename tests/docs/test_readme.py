# SPDX-License-Identifier: Apache-2.0
"""What the README tells its readers to type, typed: real servers, a real model, a real photo."""
import base64
import importlib.util
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy
import pytest
import requests
from PIL import Image

from support.paths import EXAMPLES, MODELS, ROOT, program

READY_SECONDS = 60
CURL_SECONDS = 600


def blocks(kind):
    """The code blocks of the README that are marked as tested."""
    text = (ROOT / "README.md").read_text()
    return re.findall(rf"<!-- tested by tests/docs/test_readme.py: {kind} -->\n```\w+\n(.*?)```", text, re.S)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def demo_request():
    """The request that scripts/demo leaves in demo-output."""
    spec = importlib.util.spec_from_file_location("demo", EXAMPLES / "demo.py")
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    return {"input_data": [{"values": [demo.load_photo(None).tolist()]}]}


class Reader:
    """A folder as it is after scripts/demo, and two free ports in place of the README's."""

    def __init__(self, folder):
        self.folder, self.ports = folder, {"8080": free_port(), "8500": free_port()}
        for name in ("examples", ".cache"):
            (folder / name).symlink_to(ROOT / name)
        (folder / ".venv/bin").mkdir(parents=True)
        (folder / ".venv/bin/python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (folder / ".venv/bin/python").chmod(0o755)
        (folder / "build/release").mkdir(parents=True)
        (folder / "build/release/explaind").symlink_to(program("explaind"))
        (folder / "demo-output").mkdir()
        (folder / "demo-output/request.json").write_text(json.dumps(demo_request()))

    def text(self, block):
        for written, port in self.ports.items():
            block = block.replace(f"127.0.0.1:{written}", f"127.0.0.1:{port}").replace(f"--port {written}",
                                                                                       f"--port {port}")
        return block

    def start_servers(self):
        listen = f"--listen http://127.0.0.1:{self.ports['8080']} --data"
        script = self.text("".join(blocks("servers"))).replace("--data", listen) + "\nwait\n"
        self.servers = subprocess.Popen(["bash", "-c", script], cwd=self.folder, start_new_session=True,
                                        stdout=subprocess.DEVNULL, stderr=open(self.folder / "servers.log", "wb"))
        for url in (f"http://127.0.0.1:{self.ports['8080']}/health/live",
                    f"http://127.0.0.1:{self.ports['8500']}/v1/deployments"):
            wait_until_it_answers(url)

    def stop_servers(self):
        os.killpg(self.servers.pid, signal.SIGTERM)
        self.servers.wait(READY_SECONDS)

    def bash(self, script):
        return subprocess.run(["bash", "-euo", "pipefail", "-c", self.text(script)], cwd=self.folder, text=True,
                              capture_output=True, timeout=CURL_SECONDS)


def wait_until_it_answers(url):
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            return requests.get(url, timeout=5).raise_for_status()
        except requests.ConnectionError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    missing = [tool for tool in ("curl", "jq") if not shutil.which(tool)]
    assert not missing, f"{missing} not installed (scripts/setup --tests)"
    assert (MODELS / "efficientnet_lite0_128.onnx").exists()
    reader = Reader(tmp_path_factory.mktemp("readme"))
    reader.start_servers()
    yield reader
    reader.stop_servers()


def json_values(text):
    """All JSON values in what the commands printed."""
    decoder, at, values = json.JSONDecoder(), 0, []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        values.append(value)
    return values


def test_five_minutes_with_curl(reader):
    done = reader.bash("\n".join([*blocks("curl"), "echo AT A SHELL", *blocks("shell")]))
    assert done.returncode == 0, done.stdout + done.stderr
    answers, words = done.stdout.split("AT A SHELL")
    assert "16 zones, 256 model calls" in words and words.count("verdict: ") == 2
    assert min(Image.open(reader.folder / "heatmap.png").size) >= 256
    printed = json_values(answers)
    assert printed[0] == {"state": "active"} and printed[-1]["state"] == "finished"
    first, second = [value for value in printed if isinstance(value, dict) and "weights" in value]
    assert first["probability"] > second["probability"] > 0
    assert len(first["weights"]) == len(second["weights"]) == 16 and max(map(abs, first["weights"])) > 0.01
    with Image.open(reader.folder / "explanation.png") as sheet:
        assert sheet.width > 2.5 * sheet.height


def test_the_sdk_snippet(reader):
    script = reader.text("".join(blocks("python")))
    script += '''
entity = client.monitor_instances.get_explanation_tasks(task_id).result.entity
print(entity.explanations[0]["predictions"][0]["explanation"][0]["full_image"])
'''
    # The snippet asks again for an explanation that has ended: a new task, which takes a while.
    script = script.replace("print(client.monitor_instances.get_explanation_tasks(task_id)", '''
import time
while client.monitor_instances.get_explanation_tasks(task_id).result.entity.status.state == "in_progress":
    time.sleep(0.2)
print(client.monitor_instances.get_explanation_tasks(task_id)''', 1)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          cwd=reader.folder, timeout=CURL_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.strip().splitlines()
    assert lines[-2] == "finished"
    pane = numpy.asarray(Image.open(io.BytesIO(base64.b64decode(lines[-1]))))
    assert pane.shape == (128, 128, 3) and 0 < (pane.any(axis=2)).mean() < 1
