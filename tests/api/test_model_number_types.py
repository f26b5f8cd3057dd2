# SPDX-License-Identifier: Apache-2.0
"""Models that take numbers of one type and shape only: what passed through the gateway is sent again as such numbers."""
import io
import json

import numpy
import pytest
from support.client import explained_prediction
from support.local_server import Handler, LocalServer

ROWS, COLUMNS = numpy.mgrid[:16, :16]
PIXELS = numpy.stack([ROWS * 15, COLUMNS * 15, (ROWS + COLUMNS) * 7], axis=-1)
HEAD = "Inference-Header-Content-Length"


def npy(array) -> bytes:
    out = io.BytesIO()
    numpy.save(out, array)
    return out.getvalue()


def brain(array) -> bytes:
    return (array.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()


def raw(kind, numbers) -> tuple[bytes, bytes]:
    head = {"inputs": [{"name": "x", "shape": [1, 16, 16, 3], "datatype": kind,
                        "parameters": {"binary_data_size": len(numbers)}}]}
    return json.dumps(head).encode(), numbers


# what is sent, whether it is a NumPy file, and how the model reads what comes: it fails on anything else
UNIT = PIXELS[None] / 255
MODELS = {
    "npy f2": (npy(UNIT.astype("<f2")), lambda a: a.astype(float) if a.dtype == "<f2" else None),
    "npy f4": (npy(PIXELS[None].astype("<f4")), lambda a: a / 255 if a.dtype == "<f4" else None),
    "npy f8": (npy(UNIT), lambda a: a if a.dtype == "<f8" else None),
    "npy of one image": (npy(PIXELS.astype("|u1")), lambda a: a[None] / 255 if a.shape == (16, 16, 3) else None),
    "npy answered": (npy(PIXELS[None].astype("|u1")), lambda a: a / 255),
    "FP16": (raw("FP16", UNIT.astype("<f2").tobytes()), lambda b: numpy.frombuffer(b, "<f2").astype(float)),
    "BF16": (raw("BF16", brain(PIXELS)), lambda b: (numpy.frombuffer(b, "<u2").astype("<u4") << 16).view("<f4") / 255),
}


class Picky(Handler):
    def do_POST(self):
        name = self.path.strip("/").replace("-", " ")
        _, read = MODELS[name]
        body, head = self.body(), int(self.headers.get(HEAD, 0))
        try:
            assert head or name.startswith("npy"), "as raw bytes only"
            x = read(body[head:] if head else numpy.load(io.BytesIO(body)))
            assert x is not None, "another type or shape"
            p = x.reshape(-1, 16, 16, 3)[:, :8].mean(axis=(1, 2, 3)).round(3)
        except (AssertionError, ValueError) as wrong:
            return self.answer(400, json.dumps({"error": str(wrong)}).encode())
        rows = numpy.stack([p, 1 - p], axis=1)
        if name == "npy answered":
            return self.answer(200, npy(rows), **{"Content-Type": "application/x-npy"})
        return self.answer(200, json.dumps({"predictions": rows.tolist()}).encode(), **{"Content-Type": "application/json"})


@pytest.fixture(scope="module")
def server():
    server = LocalServer(Picky)
    yield server
    server.stop()


@pytest.mark.parametrize("name", MODELS)
def test_numbers_are_sent_in_the_type_and_shape_that_was_logged(api, server, name):
    body, _ = MODELS[name]
    url = f"{server.url}/{name.replace(' ', '-')}"
    subscription_id = api.add_subscription(api.add_provider(url), url)
    api.enable_explanations(subscription_id, {"image": {"fill": "black", "segmentation": {"algorithm": "grid"}}})
    headers = {"Content-Type": "application/x-npy"}
    if isinstance(body, tuple):
        headers = {"Content-Type": "application/octet-stream", HEAD: str(len(body[0]))}
        body = b"".join(body)
    answer = api.request("POST", f"/v2/subscriptions/{subscription_id}/predictions", 200, data=body, headers=headers)
    [first, *_] = explained_prediction(api, subscription_id, answer)["classes"]
    half = len(first["weights"]) // 2       # zones from the top to the bottom, of which the model sees the upper ones
    upper, lower = numpy.abs(first["weights"][:half]), numpy.abs(first["weights"][half:])
    assert first["probability"] == pytest.approx(1 - UNIT[:, :8].mean(), abs=2e-3)
    assert upper.sum() == pytest.approx(UNIT[:, :8].mean(), abs=0.01) and lower.max() < 2e-3, first["weights"]
