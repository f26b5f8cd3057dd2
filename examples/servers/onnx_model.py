# SPDX-License-Identifier: Apache-2.0
"""An ONNX image classifier as every server here uses it: images in, probabilities out."""
import base64
import io
import os

import numpy as np
import onnxruntime
from PIL import Image


class OnnxModel:
    """One thread, so that an image has the same probabilities whichever server asks."""

    def __init__(self, path=None):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = path or os.environ["MODEL_FILE"]
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]
        self.shape = [int(side) for side in self.input.shape[1:]]

    def score(self, images) -> np.ndarray:
        """`images`: n x H x W x C, or n x H x W for one channel."""
        values = np.asarray(images, dtype=np.float32).reshape(-1, *self.shape)
        answer = self.session.run(None, {self.input.name: values})[0]
        return np.concatenate([1 - answer, answer], axis=1) if answer.shape[1] == 1 else answer

    def picture(self, file: bytes) -> np.ndarray:
        """A PNG or JPEG, as the model's input."""
        mode = "L" if self.shape[-1] == 1 else "RGB"
        picture = Image.open(io.BytesIO(file)).convert(mode)
        return np.asarray(picture, dtype=np.float32).reshape(self.shape)

    def decode(self, text: str) -> np.ndarray:
        """The same in base64."""
        return self.picture(base64.b64decode(text))
