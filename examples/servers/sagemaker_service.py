# SPDX-License-Identifier: Apache-2.0
"""SageMaker's multi-model server: POST /invocations with {"instances":[image, …]}."""
import json

from onnx_model import OnnxModel

model = None


def handle(data, context):
    global model
    if model is None:
        model = OnnxModel()
    if data is None:
        return None
    body = data[0].get("body")
    body = json.loads(body) if isinstance(body, (bytes, bytearray, str)) else body
    return [{"predictions": [{"score": p.tolist(), "predicted_label": int(p.argmax())}
                             for p in model.score(body["instances"])]}]
