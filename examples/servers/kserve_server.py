# SPDX-License-Identifier: Apache-2.0
"""KServe's model server: V1 with numbers or pictures in base64, and the Open Inference Protocol V2."""
import os
import uuid

import kserve
import numpy as np
import uvicorn
from kserve import InferOutput, InferResponse

from onnx_model import OnnxModel


class Classifier(kserve.Model):
    def __init__(self, name):
        super().__init__(name)
        self.model = OnnxModel()
        self.ready = True

    def image_of(self, instance):
        if not isinstance(instance, dict):
            return np.asarray(instance, dtype=np.float32)
        return self.model.decode(instance.get("image_bytes", instance)["b64"])

    def predict(self, payload, headers=None, response_headers=None):
        if isinstance(payload, dict):
            return {"predictions": self.model.score([self.image_of(i) for i in payload["instances"]]).tolist()}
        probabilities = self.model.score(payload.inputs[0].as_numpy())
        output = InferOutput("probabilities", list(probabilities.shape), "FP32")
        output.set_data_from_numpy(probabilities, binary_data=False)
        return InferResponse(payload.id or str(uuid.uuid4()), self.name, [output])


def only_here():
    """The server has no switch for its address and would listen on all of them."""
    original = uvicorn.Config.__init__

    def on_loopback(self, *arguments, **named):
        named["host"] = "127.0.0.1"
        original(self, *arguments, **named)

    uvicorn.Config.__init__ = on_loopback


if __name__ == "__main__":
    only_here()
    kserve.ModelServer(http_port=int(os.environ["PORT"]), enable_grpc=False, workers=1,
                       enable_latency_logging=False).start([Classifier("classifier")])
