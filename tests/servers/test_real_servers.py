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
ENVIRONMENTS = {"mlserver": "several", "triton": "several", "sagemaker": "several", "fastapi": "several",
                "kserve": "kserve", "azure": "azure"}
START_SECONDS = 90

IMAGE = numpy.zeros((28, 28), dtype=numpy.uint8)
IMAGE[4:8, 6:22] = 230
for _row in range(8, 25):
    IMAGE[_row, 17 - (_row - 8) // 2:21 - (_row - 8) // 2] = 250 - _row
NUMBERS = IMAGE[..., None].tolist()


def png_file() -> bytes:
    out = io.BytesIO()
    Image.fromarray(IMAGE).save(out, "PNG")
    return out.getvalue()


def png() -> str:
    return base64.b64encode(png_file()).decode()


def tensor(data, datatype="FP32"):
    return {"inputs": [{"name": "image", "shape": [1, 28, 28, 1], "datatype": datatype, "data": data}]}


V2 = "/v2/models/classifier/infer"
V1 = "/v1/models/classifier:predict"
FLAT = tensor(IMAGE.ravel().tolist())

# server, protocol, encoding of the bodies: where, what was logged, what the subscription says
CELLS = {
    ("mlserver", "V2", "numbers, flat"): (V2, FLAT, {}),
    ("mlserver", "V2", "numbers, nested"): (V2, tensor([NUMBERS]), {}),
    ("mlserver", "V2", "numbers, UINT8"): (V2, tensor(IMAGE.ravel().tolist(), "UINT8"), {}),  # it takes no raw tensors
    ("triton", "V2", "numbers, flat"): (V2, FLAT, {"binary": "never"}),
    ("triton", "V2", "raw FP32"): (V2, FLAT, {"binary": "always"}),
    ("kserve", "V2", "numbers, flat"): (V2, FLAT, {"binary": "never"}),
    ("kserve", "V2", "raw FP32"): (V2, FLAT, {"binary": "always"}),
    ("kserve", "V2", "raw UINT8"): (V2, tensor(IMAGE.ravel().tolist(), "UINT8"), {}),
    ("kserve", "V2", "raw FP32, nested"): (V2, tensor([NUMBERS]), {"binary": "always"}),
    ("kserve", "V1", "numbers"): (V1, {"instances": [NUMBERS]}, {}),
    ("kserve", "V1", "PNG in base64"): (V1, {"instances": [{"image_bytes": {"b64": png()}}]}, {}),
    ("azure", "service", "numbers"): ("/score", {"input_data": {"data": [NUMBERS]}}, {}),
    ("azure", "AutoML", "PNG in base64"): ("/score", {"input_data": {"columns": ["image"], "data": [png()]}}, {}),
    ("azure", "service", "PNG in base64"): ("/score", {"input": [{"image": png()}]}, {}),
    ("sagemaker", "invocations", "numbers"): ("/invocations", {"instances": [NUMBERS]}, {}),
    ("sagemaker", "invocations", "NumPy file"): ("/invocations", {"instances": [NUMBERS]},
                                                 {"content_type": "application/x-npy"}),
    ("sagemaker", "invocations", "PNG file"): ("/invocations", {"instances": [NUMBERS]}, {"content_type": "image/png"}),
    ("sagemaker", "invocations", "JPEG file"): ("/invocations", {"instances": [NUMBERS]}, {"content_type": "image/jpeg"}),
    ("fastapi", "form", "PNG upload"): ("/classify", {"instances": [NUMBERS]}, {"form_field": "image"}),
    ("fastapi", "form", "JPEG upload"): ("/classify", {"instances": [NUMBERS]},
                                         {"form_field": "image", "content_type": "image/jpeg"}),
}
CONTENT_TYPES = {"raw": "application/octet-stream", "NumPy": "application/x-npy"}
ONE_A_REQUEST = {"PNG file": "image/png", "JPEG file": "image/jpeg",
                 "PNG upload": "multipart/form-data", "JPEG upload": "multipart/form-data"}
NEARLY = {"JPEG file": 0.02, "JPEG upload": 0.02}  # the format changes pixels a little


def content_type_of(encoding):
    return ONE_A_REQUEST.get(encoding) or CONTENT_TYPES.get(encoding.split()[0], "application/json")


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

    def wait(self, path, request, settings):
        field = settings.get("form_field")
        body = {"files": {field: ("image.png", png_file(), "image/png")}} if field else {"json": request}
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = requests.post(self.url + path, **body, timeout=10)
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
    lines = ["| server | protocol | encoding | batch | images scored | requests | images in a request | in flight "
             "| bytes sent | s |", "| " + " | ".join(["---"] * 10) + " |"]
    lines += [f"| {' | '.join(cell)} | {row['images']} | {row['requests']} | {row['batch']} | {row['in_flight']} "
              f"| {row['bytes_sent']:,} | {row['seconds']:.2f} |" for cell, row in rows.items()]
    (build_dir() / "servers.md").write_text("\n".join(lines) + "\n")


def explain(api, url, request, response, settings) -> dict:
    """Logs the transaction and has it explained: the attributions."""
    body = api.subscription_body(api.add_provider(url), url, "d", "multiclass")
    body["asset_properties"] = {"explaind": settings}
    subscription_id = api.post("/v2/subscriptions", body)["metadata"]["id"]
    api.enable_explanations(subscription_id)
    records = f"/v2/data_sets/{api.data_set_of(subscription_id)}/records"
    [scoring_id] = api.post(records, [{"request": request, "response": response}])["scoring_ids"]
    [task_id] = api.post("/v2/explanation_tasks", {"scoring_ids": [scoring_id]})["metadata"]["explanation_task_ids"]
    task = wait_for(api, task_id)
    assert task["entity"]["status"]["state"] == "finished", task
    return api.get(f"/v2/explanation_tasks/{task_id}/attributions")["entity"]


@pytest.mark.parametrize("batch", ["one", "found"])
@pytest.mark.parametrize("cell", CELLS, ids=" ".join)
def test_the_same_explanation_whichever_server_encoding_and_batch(api, servers, table, tmp_path_factory, cell, batch):
    server, _, encoding = cell
    path, request, settings = CELLS[cell]
    if not python_of(server).exists():
        pytest.skip(f"{server} is not installed; scripts/setup --servers brings it")
    if server not in servers:
        servers[server] = Server(server, tmp_path_factory.mktemp("servers"))
    response = servers[server].wait(path, request, settings)
    more = {"batch": 1} if batch == "one" else {}
    entity = explain(api, servers[server].url + path, request, response, settings | more)
    model = entity["model"]
    assert model["content_type"] == content_type_of(encoding)
    assert (model["batch"] == 1) if batch == "one" or encoding in ONE_A_REQUEST else (model["batch"] >= 1)
    row = table.setdefault((*cell, batch), model | {"images": entity["sampling"]["calls"],
                                                    "seconds": entity["timing_ms"]["score"] / 1000,
                                                    "weights": entity["classes"][0]["weights"]})
    reference = next(iter(table.values()))
    numpy.testing.assert_allclose(row["weights"], reference["weights"], atol=NEARLY.get(encoding, 1e-6))
