# SPDX-License-Identifier: Apache-2.0
"""Reads the weights of a PyTorch checkpoint in its older single-file form, without PyTorch.

Such a file is a row of pickles (magic number, version, machine, the object, the keys of its storages) followed by the
storages' raw bytes. Unpickling runs no code of the file: only the few names a state dictionary needs are known.
"""
import pickle
from collections import OrderedDict

import numpy as np

DTYPES = {"FloatStorage": np.float32, "LongStorage": np.int64, "IntStorage": np.int32, "DoubleStorage": np.float64}


class _Storage:
    def __init__(self, dtype):
        self.dtype = dtype
        self.values = None


class _Tensor:
    def __init__(self, storage, offset, size, stride):
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def array(self):
        item = self.storage.values.itemsize
        view = self.storage.values[self.offset:]
        return np.lib.stride_tricks.as_strided(view, self.size, [s * item for s in self.stride]).copy()


def _rebuild(storage, offset, size, stride, *_):
    return _Tensor(storage, offset, size, stride)


class _Reader(pickle.Unpickler):
    storages: dict

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, reference):
        kind, dtype, key, *_ = reference
        if kind != "storage":
            raise pickle.UnpicklingError(f"unknown reference {kind}")
        return self.storages.setdefault(key, _Storage(dtype))


def load(path):
    """{name: array} of a checkpoint that holds a state dictionary."""
    storages = {}
    with open(path, "rb") as file:
        parts = []
        for _ in range(5):
            reader = _Reader(file)
            reader.storages = storages
            parts.append(reader.load())
        for key in parts[4]:
            count = int(np.frombuffer(file.read(8), np.int64)[0])
            dtype = np.dtype(storages[key].dtype)
            storages[key].values = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    return {name: tensor.array() for name, tensor in parts[3].items()}
