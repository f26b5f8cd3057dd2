# SPDX-License-Identifier: Apache-2.0
"""NVIDIA Triton through PyTriton: the Open Inference Protocol V2, JSON and binary, with server-side batching."""
import os

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from onnx_model import OnnxModel

model = OnnxModel()
port = int(os.environ["PORT"])


@batch
def infer(image):
    return {"probabilities": model.score(image)}


config = TritonConfig(http_address="127.0.0.1", http_port=port, grpc_address="127.0.0.1", grpc_port=port + 1,
                      metrics_port=port + 2)
with Triton(config=config) as triton:
    triton.bind(model_name="classifier", infer_func=infer, strict=False,
                inputs=[Tensor(name="image", dtype=np.float32, shape=tuple(model.shape))],
                outputs=[Tensor(name="probabilities", dtype=np.float32, shape=(-1,))],
                config=ModelConfig(max_batch_size=64))
    triton.serve()
