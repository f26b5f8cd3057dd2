# SPDX-License-Identifier: Apache-2.0
"""SageMaker's multi-model server: POST /invocations with {"instances":[image, …]}, a NumPy file, a PNG or a JPEG file."""
import base64
import io
import json

import numpy as np
from onnx_model import OnnxModel

model = None


def handle(data, context):
    global model
    if model is None:
        model = OnnxModel()
    if data is None:
        return None
    return [{"predictions": [{"score": p.tolist(), "predicted_label": int(p.argmax())}
                             for p in model.score(images_of(data[0].get("body")))]}]


def images_of(body):
    """What a body is can be seen from how it begins."""
    if isinstance(body, (bytes, bytearray)) and body.startswith(b"\x93NUMPY"):
        return np.load(io.BytesIO(body), allow_pickle=False)
    if isinstance(body, (bytes, bytearray)) and body.startswith((b"\x89PNG", b"\xff\xd8")):
        return [model.decode(base64.b64encode(body))]
    return (json.loads(body) if isinstance(body, (bytes, bytearray, str)) else body)["instances"]
