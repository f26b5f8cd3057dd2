#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves an ONNX image classifier the way model servers do: Watson Machine Learning, OpenScale's custom engines, KServe.

    server.py --model FILE.onnx [--labels FILE] [--host ADDRESS] [--port 0] [--url URL] [--deployment NAME]
              [--user U --password P]

Speaks, all at once:
    POST /ml/v4/deployments/{id}/predictions            WML v4
    POST /v3/wml_instances/{i}/deployments/{d}/online   WML v3
    POST /v1/deployments/{id}/online                    custom engine, with Basic authentication when --user is given
    POST /v1/models/{m}:predict                         KServe V1, TensorFlow Serving: numbers, or base64 PNG and JPEG
    POST /v2/models/{m}/infer                           Open Inference Protocol V2: JSON, or raw tensors behind it
    POST /invocations                                   SageMaker: JSON, a NumPy file, or one PNG or JPEG file
    POST /score                                         Azure: numbers, or base64 as AutoML takes it
    GET  /v1/deployments, /ml/v4/deployments            what is deployed
"""
import argparse
import base64
import hmac
import io
import json
import re
import signal
import socket
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from PIL import Image

MAX_BODY = 64 << 20
WML_V4 = re.compile(r"^/ml/v4/deployments/[^/]+/predictions$")
WML_V3 = re.compile(r"^/v3/wml_instances/[^/]+/deployments/[^/]+/online$")
CUSTOM = re.compile(r"^/v1/deployments/[^/]+/online$")
KSERVE_V1 = re.compile(r"^/v1/models/[^/]+:predict$")
HEAD_LENGTH = "Inference-Header-Content-Length"
NUMPY_TYPES = {"FP32": "<f4", "FP64": "<f8", "UINT8": "u1", "INT32": "<i4", "INT64": "<i8"}
INFERENCE_V2 = re.compile(r"^/v2/models/[^/]+(/versions/[^/]+)?/infer$")


class BadRequest(Exception):
    """What is wrong with a request, in words for its sender."""


class Images:
    """What all models here have in common; `shape` and `labels` are set, `run` scores a batch."""

    def score(self, images):
        """Probabilities of a list of images, one row each."""
        try:
            values = np.asarray(images, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise BadRequest(f"values: not an array of images: {error}") from error
        if values.ndim == 3:
            values = values[..., None]
        wanted = tuple(self.shape)
        if values.shape[1:] != wanted:
            raise BadRequest(f"values: images of shape {list(wanted)} are expected, not {list(values.shape[1:])}")
        answer = self.run(values)
        return np.concatenate([1 - answer, answer], axis=1) if answer.shape[1] == 1 else answer

    def decode(self, text):
        """A PNG or JPEG in base64 as an image."""
        try:
            picture = Image.open(io.BytesIO(base64.b64decode(text)))
            values = np.asarray(picture.convert("L" if self.shape[-1] == 1 else "RGB"), dtype=np.float32)
        except (OSError, TypeError, ValueError) as error:
            raise BadRequest(f"not a picture in base64: {error}") from error
        return values.reshape(*values.shape[:2], self.shape[-1])


class Model(Images):
    """An ONNX classifier: one image input, probabilities out."""

    def __init__(self, path, labels):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]
        self.shape = self.input.shape[1:]
        self.name = Path(path).stem
        self.labels = labels

    def run(self, values):
        return self.session.run(None, {self.input.name: values})[0]


def table(model, probabilities):
    """The answer of WML to a Keras model: prediction, class, probability."""
    rows = [[p.tolist(), int(p.argmax()), p.tolist()] for p in probabilities]
    return {"id": model.name, "fields": ["prediction", "prediction_classes", "probability"], "values": rows}


def custom_table(model, probabilities):
    labels = model.labels or [str(i) for i in range(probabilities.shape[1])]
    rows = [[p.tolist(), labels[int(p.argmax())], float(p.max())] for p in probabilities]
    return {"fields": ["probabilities", "prediction", "prediction_probability"], "labels": labels, "values": rows}


def member(body, name):
    if not isinstance(body, dict) or name not in body:
        raise BadRequest(f"{name}: is missing")
    return body[name]


def kserve_v1(model, body):
    """{"instances": [image or {"b64"} or {"image_bytes": {"b64"}}, …]}"""
    def image(instance):
        return model.decode(instance.get("image_bytes", instance).get("b64")) if isinstance(instance, dict) else instance

    return {"predictions": model.score([image(i) for i in member(body, "instances")]).tolist()}


def inference_v2(model, body):
    """{"inputs": [{"name", "shape", "datatype", "data"}]}"""
    tensors = member(body, "inputs")
    if not isinstance(tensors, list) or len(tensors) != 1:
        raise BadRequest("inputs: one tensor is expected")
    try:
        data = tensors[0].get("raw", ()) if "raw" in tensors[0] else member(tensors[0], "data")
        images = np.asarray(data, dtype=np.float32).reshape(member(tensors[0], "shape"))
    except (TypeError, ValueError) as error:
        raise BadRequest(f"inputs[0]: {error}") from error
    probabilities = model.score(images)
    return {"model_name": model.name, "outputs": [
        {"name": "probabilities", "shape": list(probabilities.shape), "datatype": "FP32",
         "data": probabilities.ravel().tolist()}]}


def with_raw_tensor(body, head_length):
    """A V2 request whose tensor stands behind its JSON text."""
    request = json.loads(body[:head_length])
    [tensor] = request["inputs"]
    if len(body) - head_length != tensor["parameters"]["binary_data_size"]:
        raise BadRequest("inputs[0]: binary_data_size is not what came")
    tensor["raw"] = np.frombuffer(body[head_length:], dtype=NUMPY_TYPES[tensor["datatype"]])
    return request


def as_raw_tensor(answer):
    """A V2 answer as JSON text and the bytes behind it."""
    [tensor] = answer["outputs"]
    raw = np.asarray(tensor.pop("data"), dtype=np.float32).tobytes()
    tensor["parameters"] = {"binary_data_size": len(raw)}
    return json.dumps(answer).encode(), raw


def sagemaker(model, body):
    """Numbers as JSON, or the pixels that came in a file."""
    probabilities = model.score(body if isinstance(body, np.ndarray) else member(body, "instances"))
    return {"predictions": [{"score": p.tolist(), "predicted_label": int(p.argmax())} for p in probabilities]}


def azure(model, body):
    """A service's own numbers, or AutoML's pictures, whose answers are sorted by score."""
    data = member(body, "input_data")
    if "columns" not in data:
        return model.score(member(data, "data")).tolist()
    probabilities = model.score([model.decode(text) for text in member(data, "data")])
    labels = model.labels or [str(i) for i in range(probabilities.shape[1])]
    return [{"probs": p[order].tolist(), "labels": [labels[i] for i in order]}
            for p, order in zip(probabilities, (-probabilities).argsort(axis=1))]


# path: what answers there, given the model and the body
OTHERS = [(KSERVE_V1, kserve_v1), (INFERENCE_V2, inference_v2), (re.compile("^/invocations$"), sagemaker),
          (re.compile("^/score$"), azure)]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "explaind-example-model"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, *_):
        pass

    def reply(self, status, body, raw_output=False):
        head, raw = as_raw_tensor(body) if raw_output else (json.dumps(body).encode(), b"")
        data = head + raw
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream" if raw else "application/json")
        self.send_header("Content-Length", str(len(data)))
        if raw:
            self.send_header(HEAD_LENGTH, str(len(head)))
        self.send_header("X-Global-Transaction-Id", self.headers.get("X-Global-Transaction-Id") or uuid.uuid4().hex)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="model"')
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def error(self, status, message):
        self.reply(status, {"trace": uuid.uuid4().hex, "errors": [{"code": "example", "message": message}]})

    def allowed(self):
        if not self.server.credentials:
            return True
        given = self.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), self.server.credentials)

    def body(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            raise BadRequest(f"the body has {length} bytes; {MAX_BODY} are accepted")
        data, media = self.rfile.read(length), self.headers.get("Content-Type")
        try:
            if media == "application/x-npy":
                return np.load(io.BytesIO(data), allow_pickle=False)
            if media in ("image/png", "image/jpeg"):
                return self.server.model.decode(base64.b64encode(data))[None]
            if self.headers.get(HEAD_LENGTH):
                return with_raw_tensor(data, int(self.headers[HEAD_LENGTH]))
            return json.loads(data)
        except (ValueError, KeyError, OSError) as error:
            raise BadRequest(f"the body is not JSON: {error}") from error

    def predict(self, path, body):
        model = self.server.model
        for pattern, answer in OTHERS:
            if pattern.match(path):
                return answer(model, body)
        if WML_V4.match(path):
            element = member(body, "input_data")
            if not isinstance(element, list) or len(element) != 1:
                raise BadRequest("input_data: one element is expected")
            return {"predictions": [table(model, model.score(member(element[0], "values")))]}
        if WML_V3.match(path):
            answer = table(model, model.score(member(body, "values")))
            return {"fields": answer["fields"], "values": answer["values"]}
        return custom_table(model, model.score(member(body, "values")))

    def do_POST(self):
        path = self.path.split("?")[0]
        known = [WML_V4, WML_V3, CUSTOM, *(pattern for pattern, _ in OTHERS)]
        if not any(pattern.match(path) for pattern in known):
            return self.error(404, f"there is nothing at {path}")
        if CUSTOM.match(path) and not self.allowed():
            self.rfile.read(min(MAX_BODY, int(self.headers.get("Content-Length") or 0)))
            return self.error(401, "user name or password is wrong")
        try:
            body = self.body()
            raw_output = isinstance(body, dict) and (body.get("parameters") or {}).get("binary_data_output") is True
            return self.reply(200, self.predict(path, body), raw_output)
        except BadRequest as error:
            return self.error(400, str(error))

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/v1/deployments":
            if not self.allowed():
                return self.error(401, "user name or password is wrong")
            return self.reply(200, {"count": 1, "resources": [self.server.deployment()]})
        if path == "/ml/v4/deployments":
            return self.reply(200, {"resources": [self.server.wml_deployment()]})
        if path == "/labels":
            return self.reply(200, {"labels": self.server.model.labels or []})
        return self.error(404, f"there is nothing at {path}")


class Server(ThreadingHTTPServer):
    """The listening socket, and what is deployed."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, url, model, name, credentials):
        super().__init__(address, Handler)
        self.url = url or "http://{}:{}".format(*self.server_address)
        self.model, self.name = model, name
        self.credentials = credentials and b"Basic " + base64.b64encode(credentials.encode())

    def deployment(self):
        now = "2024-01-01T00:00:00.000Z"
        return {"metadata": {"guid": self.name, "created_at": now, "modified_at": now},
                "entity": {"name": self.name, "type": "online",
                           "scoring_endpoint": {"url": f"{self.url}/v1/deployments/{self.name}/online"},
                           "asset": {"asset_id": self.model.name, "name": self.model.name, "asset_type": "model",
                                     "url": f"{self.url}/v1/models/{self.model.name}", "created_at": now},
                           "asset_properties": {"model_type": "onnx", "runtime_environment": "onnxruntime"}}}

    def wml_deployment(self):
        url = f"{self.url}/ml/v4/deployments/{self.name}/predictions"
        return {"metadata": {"id": self.name, "name": self.name, "created_at": "2024-01-01T00:00:00.000Z"},
                "entity": {"name": self.name, "online": {}, "asset": {"id": self.model.name},
                           "status": {"state": "ready", "online_url": {"url": url}}}}

    def process_request(self, request, client_address):
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().process_request(request, client_address)


def serve(load, arguments):
    """Serves the model that `load` gives for a list of labels, until SIGTERM."""
    labels = arguments.labels.read_text().splitlines() if arguments.labels else None
    credentials = f"{arguments.user}:{arguments.password}" if arguments.user else None
    server = Server((arguments.host, arguments.port), arguments.url, load(labels), arguments.deployment, credentials)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"model server listening on {server.url}", flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    server.server_close()
    return 0


def options(description, model_help):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help=model_help)
    parser.add_argument("--labels", type=Path, help="text file with one class name a line")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8500, help="0 takes a free one (default 8500)")
    parser.add_argument("--url", help="how clients reach this server, when not at the address it listens on")
    parser.add_argument("--deployment", default="example", help="id and name of the deployment (default example)")
    parser.add_argument("--user", help="custom engine: wanted user name")
    parser.add_argument("--password", default="", help="custom engine: wanted password")
    return parser.parse_args()


def main():
    arguments = options(__doc__, "ONNX file: NHWC images in, probabilities out")
    return serve(lambda labels: Model(arguments.model, labels), arguments)


if __name__ == "__main__":
    sys.exit(main())
