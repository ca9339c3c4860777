"""Writes a deep learning recommendation model as ONNX (Naumov et al. 2019), with the weights of PyTorch's DLRM_Net.

The bottom layers turn the dense features into a vector as wide as those of the tables. All pairs of the 27 vectors are
multiplied; the products, the lower triangle row by row, follow the dense vector into the top layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from engine.networks.convnet import ConvNet, tensor
from engine.tasks.criteo_files import CATEGORICAL, DENSE
from engine.tasks.dlrm_form import Form

Array = np.ndarray[Any, np.dtype[Any]]
Weights = Callable[[str, tuple[int, ...]], Array]
"""Name and shape of a tensor → its values, float32."""
Store = Callable[[str, Array], onnx.TensorProto]
"""Name and values of a tensor → how the model refers to it."""

INPUTS, OUTPUT = ("dense_x", "indices"), "probability"


def inside(name: str, values: Array) -> onnx.TensorProto:
    """Store a tensor in the model itself."""
    return numpy_helper.from_array(np.ascontiguousarray(values), name)


def build(form: Form, weights: Weights, *, name: str, store: Store = inside, wrap: bool = False) -> onnx.ModelProto:
    """Return the model: `dense_x` float32 [B,13], `indices` int64 [26,B] → `probability` float32 [B,1].

    `store` makes the tensor of a table; they are asked for one at a time and none is kept. `wrap`: an index is taken
    modulo the rows of its table, for tables that were cut.
    """
    net = _Dlrm(form, weights, store)
    dense = net.layers(INPUTS[0], "bot_l", form.bottom)
    features = net.interaction(dense, net.vectors(INPUTS[1], wrap=wrap))
    net.node("Sigmoid", [net.layers(features, "top_l", form.top, last_is_linear=True)], OUTPUT)
    inputs = [tensor(INPUTS[0], "float32", ["pairs", DENSE]), tensor(INPUTS[1], "int64", [CATEGORICAL, "pairs"])]
    return net.model(name, inputs, [tensor(OUTPUT, "float32", ["pairs", form.top[-1]])])


class _Dlrm(ConvNet):
    """The graph under construction."""

    def __init__(self, form: Form, weights: Weights, store: Store) -> None:
        super().__init__()
        self._form, self._values, self._store = form, weights, store
        self._shapes = form.shapes()

    def layers(self, x: str, name: str, units: tuple[int, ...], *, last_is_linear: bool = False) -> str:
        """Add fully connected layers, each but perhaps the last with a rectifier."""
        for number in range(len(units)):
            layer = f"{name}.{2 * number}"
            x = self.dense(x, layer, self._trained(f"{layer}.weight"), self._trained(f"{layer}.bias"))
            if not last_is_linear or number < len(units) - 1:
                x = self.node("Relu", [x], f"{layer}.relu")
        return x

    def vectors(self, indices: str, *, wrap: bool) -> list[str]:
        """Add the tables; return the vector [B,width] of each."""
        if wrap:
            rows = self.weight("tables.rows", np.array(self._form.tables, np.int64)[:, None])
            indices = self.node("Mod", [indices, rows], "indices.wrapped")
        found = []
        for number in range(len(self._form.tables)):
            name = f"emb_l.{number}"
            place = self.weight(f"{name}.place", np.array(number, np.int64))
            own = self.node("Gather", [indices, place], f"{name}.indices", axis=0)
            found.append(self.node("Gather", [self._table(f"{name}.weight"), own], name, axis=0))
        return found

    def interaction(self, dense: str, vectors: list[str]) -> str:
        """Add the products of all pairs of vectors; return them behind the dense vector, [B,width+products]."""
        form, count = self._form, len(vectors) + 1
        shape = self.weight("vectors.shape", np.array([-1, count, form.width], np.int64))
        rows = self.node("Concat", [dense, *vectors], "vectors.joined", axis=1)
        stacked = self.node("Reshape", [rows, shape], "vectors")
        turned = self.node("Transpose", [stacked], "vectors.turned", perm=[0, 2, 1])
        products = self.node("MatMul", [stacked, turned], "products")
        flat = self.weight("products.shape", np.array([-1, count * count], np.int64))
        lower = self.weight("products.lower", np.flatnonzero(np.tri(count, k=-1)).astype(np.int64))
        kept = self.node("Gather", [self.node("Reshape", [products, flat], "products.flat"), lower], "kept", axis=1)
        return self.node("Concat", [dense, kept], "features", axis=1)

    def _trained(self, name: str) -> Array:
        values = self._values(name, self._shapes[name])
        assert values.shape == self._shapes[name], name
        return values

    def _table(self, name: str) -> str:
        values = self._trained(name)
        self._weights[name] = self._store(name, values)
        self.parameters += values.size
        return name
