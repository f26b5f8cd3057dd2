# SPDX-License-Identifier: Apache-2.0
"""Real model servers with the same model: each is recognised from a logged transaction, and all give one explanation.

Needs `scripts/setup --servers`. The table of what was measured is written to servers.md in the build directory.
"""
import base64
import contextlib
import io
import os
import random
import signal
import socket
import subprocess
import time

import numpy
import pytest
import requests
from PIL import Image
from support.client import wait_for
from support.paths import EXAMPLES, MODELS, ROOT, build_dir

DIGITS = MODELS / "digits.onnx"
ENVIRONMENTS = {"mlserver": "several", "triton": "several", "sagemaker": "several", "kserve": "kserve",
                "azure": "azure"}
START_SECONDS = 90

IMAGE = numpy.zeros((28, 28), dtype=numpy.uint8)
IMAGE[4:8, 6:22] = 230
for _row in range(8, 25):
    IMAGE[_row, 17 - (_row - 8) // 2:21 - (_row - 8) // 2] = 250 - _row
NUMBERS = IMAGE[..., None].tolist()


def png() -> str:
    out = io.BytesIO()
    Image.fromarray(IMAGE).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def tensor(data, datatype="FP32"):
    return {"inputs": [{"name": "image", "shape": [1, 28, 28, 1], "datatype": datatype, "data": data}]}


V2 = "/v2/models/classifier/infer"
V1 = "/v1/models/classifier:predict"
CELLS = {
    "mlserver flat": ("mlserver", V2, tensor(IMAGE.ravel().tolist())),
    "mlserver nested": ("mlserver", V2, tensor([NUMBERS])),
    "triton flat": ("triton", V2, tensor(IMAGE.ravel().tolist())),
    "kserve V2 flat": ("kserve", V2, tensor(IMAGE.ravel().tolist())),
    "kserve V2 UINT8": ("kserve", V2, tensor(IMAGE.ravel().tolist(), "UINT8")),
    "kserve V1 numbers": ("kserve", V1, {"instances": [NUMBERS]}),
    "kserve V1 png": ("kserve", V1, {"instances": [{"image_bytes": {"b64": png()}}]}),
    "azure numbers": ("azure", "/score", {"input_data": {"data": [NUMBERS]}}),
    "azure automl png": ("azure", "/score", {"input_data": {"columns": ["image"], "data": [png()]}}),
    "azure png": ("azure", "/score", {"input": [{"image": png()}]}),
    "sagemaker numbers": ("sagemaker", "/invocations", {"instances": [NUMBERS]}),
}


def python_of(server):
    return ROOT / ".cache" / "servers" / ENVIRONMENTS[server] / "bin" / "python"


def free_port() -> int:
    """The first of three free ones, below those that the system gives out: one of the servers refuses these."""
    for port in random.sample(range(20000, 30000, 5), 50):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for i in range(3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port + i))
            return port
    pytest.fail("no free ports")


class Server:
    """One real server, started when it is first asked for."""

    def __init__(self, name, directory):
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self.log = directory / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [python_of(name), EXAMPLES / "servers" / "start.py", name, "--model", DIGITS, "--port", str(port)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)

    def wait(self, path, request):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = requests.post(self.url + path, json=request, timeout=10)
                if answer.status_code == 200:
                    return answer.json()
            except requests.RequestException:
                pass
            time.sleep(0.5)
        pytest.fail(f"no answer within {START_SECONDS} s:\n{self.log.read_text(errors='replace')[-3000:]}")

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(20)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    running = {}
    yield running
    for server in running.values():
        server.stop()


@pytest.fixture(scope="module")
def table():
    rows = {}
    yield rows
    lines = ["| server and encoding | images scored | requests | images in a request | in flight | bytes sent | s |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    lines += [f"| {name} | {row['images']} | {row['requests']} | {row['batch']} | {row['in_flight']} "
              f"| {row['bytes_sent']:,} | {row['seconds']:.2f} |" for name, row in rows.items()]
    (build_dir() / "servers.md").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("name", CELLS)
def test_the_same_explanation_whichever_server_and_encoding(api, servers, table, tmp_path_factory, name):
    kind, path, request = CELLS[name]
    if not python_of(kind).exists():
        pytest.skip(f"{kind} is not installed; scripts/setup --servers brings it")
    if kind not in servers:
        servers[kind] = Server(kind, tmp_path_factory.mktemp("servers"))
    response = servers[kind].wait(path, request)
    provider_id = api.add_provider(servers[kind].url)
    body = api.subscription_body(provider_id, servers[kind].url + path, "d", "multiclass")
    subscription_id = api.post("/v2/subscriptions", body)["metadata"]["id"]
    api.enable_explanations(subscription_id)
    records = f"/v2/data_sets/{api.data_set_of(subscription_id)}/records"
    [scoring_id] = api.post(records, [{"request": request, "response": response}])["scoring_ids"]
    [task_id] = api.post("/v2/explanation_tasks", {"scoring_ids": [scoring_id]})["metadata"]["explanation_task_ids"]
    task = wait_for(api, task_id)
    assert task["entity"]["status"]["state"] == "finished", task
    entity = api.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]
    first = table.setdefault(name, entity["model"] | {"images": entity["sampling"]["calls"], "seconds": entity["timing_ms"]["score"] / 1000,
                                                      "weights": entity["classes"][0]["weights"]})
    reference = next(iter(table.values()))
    numpy.testing.assert_allclose(first["weights"], reference["weights"], atol=1e-6)
