# SPDX-License-Identifier: Apache-2.0
"""A small writer of ONNX graphs: one call a layer."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """Layers in the order they are added; `last` is the name of the newest output."""

    def __init__(self, name, shape):
        self.name = name
        self.nodes, self.constants = [], []
        self.input = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", *shape])
        self.last = "image"

    def constant(self, values):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, operator, *inputs, **attributes):
        """Adds a layer on top of `last`; `inputs` are names or further constants behind it."""
        names = [self.last] + [x if isinstance(x, str) else self.constant(x) for x in inputs]
        self.last = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [self.last], **attributes))
        return self.last

    def save(self, path, classes):
        """Names the last output "probabilities" and writes the model."""
        self.nodes[-1].output[0] = "probabilities"
        output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", classes])
        graph = helper.make_graph(self.nodes, self.name, [self.input], [output], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8,
                                  producer_name="explaind examples")
        onnx.checker.check_model(model)
        onnx.save(model, str(path))
