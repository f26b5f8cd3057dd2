# SPDX-License-Identifier: Apache-2.0
"""Writes a sequential Keras CNN (.h5) as ONNX with h5py and onnx alone.

    keras_h5_to_onnx.py MODEL.h5 OUT.onnx

Layers: Conv2D, MaxPooling2D, Flatten, Dense, Dropout, Activation. A single sigmoid at the end becomes [1 - p, p].
"""
import argparse
import json
from pathlib import Path

import h5py
import numpy as np

from graph import Graph

ACTIVATIONS = {"relu": ("Relu", {}), "sigmoid": ("Sigmoid", {}), "softmax": ("Softmax", {"axis": 1}),
               "tanh": ("Tanh", {})}


def weights_of(file, name):
    group = file["model_weights"][name]
    names = [n.decode() if isinstance(n, bytes) else n for n in group.attrs["weight_names"]]
    return [np.asarray(group[n]) for n in names]


def activate(graph, name):
    if name != "linear":
        operator, attributes = ACTIVATIONS[name]
        graph.add(operator, **attributes)


def padding(config):
    return {"auto_pad": "SAME_UPPER" if config["padding"] == "same" else "VALID"}


def conv2d(graph, config, weights):
    kernel, bias = weights
    graph.add("Conv", kernel.transpose(3, 2, 0, 1).copy(), bias, strides=config["strides"], **padding(config))
    activate(graph, config["activation"])


def max_pooling(graph, config, _):
    graph.add("MaxPool", kernel_shape=config["pool_size"], strides=config["strides"], **padding(config))


def flatten(graph, *_):
    graph.add("Transpose", perm=[0, 2, 3, 1])
    graph.add("Flatten", axis=1)


def dense(graph, config, weights):
    graph.add("Gemm", *weights)
    activate(graph, config["activation"])


LAYERS = {"Conv2D": conv2d, "MaxPooling2D": max_pooling, "Flatten": flatten, "Dense": dense,
          "Dropout": lambda *_: None, "Activation": lambda graph, config, _: activate(graph, config["activation"])}


def convert(source, target):
    with h5py.File(source, "r") as file:
        layers = json.loads(file.attrs["model_config"])["config"]
        layers = layers["layers"] if isinstance(layers, dict) else layers
        graph = Graph(Path(source).stem, layers[0]["config"]["batch_input_shape"][1:])
        graph.add("Transpose", perm=[0, 3, 1, 2])
        for layer in layers:
            config = layer["config"]
            has_weights = layer["class_name"] in ("Conv2D", "Dense")
            LAYERS[layer["class_name"]](graph, config, weights_of(file, config["name"]) if has_weights else None)
    classes = layers[-1]["config"]["units"]
    if classes == 1:
        p = graph.last
        graph.last = graph.constant(np.float32(1))
        graph.add("Sub", p)
        graph.add("Concat", p, axis=1)
        classes = 2
    graph.save(target, classes)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    convert(arguments.source, arguments.target)


if __name__ == "__main__":
    main()
