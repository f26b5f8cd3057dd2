# SPDX-License-Identifier: Apache-2.0
"""A model server in the test's own process, so that a test can hold its answers back, break them, and see who asked."""
import json
import threading
from http.server import BaseHTTPRequestHandler

import numpy
from support.local_server import LocalServer

HELD_SECONDS = 120


def by_brightness(image) -> float:
    """Probability of class 1: the left half of the image speaks for it, the right half against."""
    pixels = numpy.asarray(image, dtype=float)
    pixels = pixels / 255 if pixels.max(initial=0) > 1 else pixels
    middle = pixels.shape[1] // 2
    return float(numpy.clip(0.5 + 0.4 * (pixels[:, :middle].mean() - pixels[:, middle:].mean()), 0, 1))


def binary(image) -> list[float]:
    p = by_brightness(image)
    return [1 - p, p]


def three_classes(image) -> list[float]:
    """Linear in the image: class k likes colour channel k."""
    channel = numpy.asarray(image, dtype=float).mean(axis=(0, 1))
    shares = 0.2 + 0.1 * channel
    return [float(shares[0]), float(shares[1]), float(1 - shares[0] - shares[1])]


def wml_answer(images, probabilities=binary) -> dict:
    rows = []
    for image in images:
        p = probabilities(image)
        rows.append([p, int(numpy.argmax(p)), p])
    return {"predictions": [{"id": "dense_1", "fields": ["prediction", "prediction_classes", "probability"],
                             "values": rows}]}


class ModelInTest(LocalServer):
    """POST …/deployments/{id}/predictions as WML v4, GET /v1/deployments as a custom engine."""

    def __init__(self):
        self.asked = threading.Event()
        self.probabilities = binary
        self.broken = None          # callable(images) -> (status, body bytes), instead of an answer
        self.deployments = []       # what GET /v1/deployments lists
        self.before_listing = lambda: None
        self.calls = []             # (deployment id, X-Explaind-Task or None) in order of arrival
        self.headers = []           # of every POST
        self.images = {}            # scored, by X-Explaind-Task
        self._lock = threading.Lock()
        super().__init__(self._handler())

    def hold(self):
        """Scoring calls of explanations get no answer until `release`."""
        self.asked.clear()
        super().hold()

    def stick_after(self, calls):
        """Later ones get no answer until `release`."""
        answer = self.answer

        def stuck(path, headers, body):
            if len(self.calls) >= calls:
                self.open.clear()
            return answer(path, headers, body)

        self.answer = stuck

    def tasks_of(self, deployment_id) -> list[str]:
        """The explanations that asked this deployment, by their first call."""
        with self._lock:
            return list(dict.fromkeys(task for d, task in self.calls if d == deployment_id and task))

    def images_of(self, task_id) -> int:
        with self._lock:
            return self.images.get(task_id, 0)

    def answer(self, path, headers, body: bytes) -> tuple[int, bytes]:
        deployment_id = path.split("/deployments/")[1].split("/")[0]
        task = headers.get("X-Explaind-Task")
        images = json.loads(body)["input_data"][0]["values"]
        with self._lock:
            self.calls.append((deployment_id, task))
            self.headers.append(dict(headers))
            self.images[task] = self.images.get(task, 0) + len(images)
        if task:
            self.asked.set()
            self.open.wait(HELD_SECONDS)
            if self.broken:
                return self.broken(images)
        return 200, json.dumps(wml_answer(images, self.probabilities)).encode()

    def _handler(model):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def log_message(self, *arguments):
                pass

            def reply(self, status, body: bytes):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                model.before_listing()
                listing = {"count": len(model.deployments), "resources": model.deployments}
                self.reply(200, json.dumps(listing).encode())

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    self.reply(*model.answer(self.path, self.headers, body))
                except OSError:
                    self.close_connection = True

        return Handler


def deployment(url: str, guid: str) -> dict:
    """An element of a custom engine's list."""
    return {"metadata": {"guid": guid, "created_at": "2024-03-21T11:42:20.499Z",
                         "modified_at": "2024-03-21T11:42:20.499Z"},
            "entity": {"name": f"deployment {guid}", "type": "online",
                       "scoring_endpoint": {"url": f"{url}/ml/v4/deployments/{guid}/predictions"},
                       "asset": {"asset_id": f"asset-{guid}", "url": f"{url}/ml/v4/models/{guid}",
                                 "name": f"model {guid}", "asset_type": "model",
                                 "created_at": "2024-03-21T11:42:20.499Z"},
                       "asset_properties": {"model_type": "tensorflow_2.12"}}}
