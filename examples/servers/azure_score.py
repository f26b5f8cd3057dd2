# SPDX-License-Identifier: Apache-2.0
"""Azure's inference server: numbers as {"input_data":{"data"}}, pictures as {"input_data":{"columns","data"}} or
{"input":[{"image"}]}; the answers are those of a service and of AutoML."""
import json

from onnx_model import OnnxModel

LABELS = [f"class {i}" for i in range(1000)]
model = None


def init():
    global model
    model = OnnxModel()


def automl(probabilities):
    """Sorted by score, as AutoML answers."""
    order = (-probabilities).argsort(axis=1)
    return [{"probs": p[o].tolist(), "labels": [LABELS[i] for i in o]} for p, o in zip(probabilities, order)]


def run(raw):
    body = json.loads(raw)
    if "input" in body:
        probabilities = model.score([model.decode(row["image"]) for row in body["input"]])
        return {"output": [{"Scored Labels": int(p.argmax()), "Scored Probabilities": p.tolist()}
                           for p in probabilities]}
    data = body["input_data"]
    if "columns" in data:
        return automl(model.score([model.decode(text) for text in data["data"]]))
    return model.score(data["data"]).tolist()
