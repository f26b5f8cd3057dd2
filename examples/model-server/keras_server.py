#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves a Keras image classifier (.keras) with the interfaces of server.py, Watson Machine Learning v4 among them.

    keras_server.py --model FILE.keras [the options of server.py]
"""
import os
import sys
import threading
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import server  # noqa: E402


class KerasModel(server.Images):
    def __init__(self, path, labels):
        self.model = keras.models.load_model(path)
        self.shape = self.model.input_shape[1:]
        self.name, self.labels = Path(path).stem, labels
        self.lock = threading.Lock()
        self.run(np.zeros((1, *self.shape), dtype=np.float32))

    def run(self, values):
        with self.lock:
            return np.asarray(self.model.predict_on_batch(values))


if __name__ == "__main__":
    options = server.options(__doc__, ".keras file: NHWC images in, probabilities out")
    sys.exit(server.serve(lambda labels: KerasModel(options.model, labels), options))
