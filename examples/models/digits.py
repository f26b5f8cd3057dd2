# SPDX-License-Identifier: Apache-2.0
"""Trains a small one-channel, ten-class model on the handwritten digits that come with scikit-learn, and writes it as ONNX.

    digits.py OUT.onnx

The 1797 digits are 8 x 8 with values 0-16; the model takes 28 x 28 x 1 images of 0-255. Takes a few seconds and gives the
same file on the same machine.
"""
import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from graph import Graph

SIDE = 28


def enlarge(images):
    """8 x 8 of 0-16 to 28 x 28 of 0-255, nearest neighbour."""
    index = np.arange(SIDE) * 8 // SIDE
    return np.rint(images[:, index][:, :, index] * (255 / 16))


def train():
    digits = load_digits()
    pixels = enlarge(digits.images).reshape(-1, SIDE * SIDE) / 255
    train_x, test_x, train_y, test_y = train_test_split(pixels, digits.target, test_size=0.25, random_state=0)
    model = MLPClassifier((64,), alpha=1e-3, max_iter=60, random_state=0, early_stopping=True)
    model.fit(train_x, train_y)
    return model, model.score(test_x, test_y)


def build(model, path):
    graph = Graph("digits", [SIDE, SIDE, 1])
    graph.add("Flatten", axis=1)
    graph.add("Div", np.float32(255))
    for weights, bias in zip(model.coefs_[:-1], model.intercepts_[:-1]):
        graph.add("Gemm", weights.astype(np.float32), bias.astype(np.float32))
        graph.add("Relu")
    graph.add("Gemm", model.coefs_[-1].astype(np.float32), model.intercepts_[-1].astype(np.float32))
    graph.add("Softmax", axis=1)
    graph.save(path, 10)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args()
    model, accuracy = train()
    build(model, arguments.model)
    print(f"digits: {accuracy:.1%} of the held-out images right")


if __name__ == "__main__":
    main()
