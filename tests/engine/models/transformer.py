"""A small transformer for tests: three int64 inputs, attention, a feed-forward part and two logits per token."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from engine.backends.base import Array

WORDS = 50
INPUTS = ("input_ids", "input_mask", "segment_ids")


def transformer(
    *, layers: int = 2, hidden: int = 32, inner: int = 64, length: int | str = "L", batch: int | str = "N"
) -> onnx.ModelProto:
    """Return a graph of opset 13 with random weights; inputs int64 [batch, length], output [batch, length, 2]."""
    made = _Made(np.random.default_rng(5))
    made.weight("words", (WORDS, hidden), 1.0)
    made.weight("segments", (2, hidden), 1.0)
    x = made.node("Add", made.node("Gather", "words", "input_ids"), made.node("Gather", "segments", "segment_ids"))
    mask = made.node("Cast", "input_mask", to=TensorProto.FLOAT)
    mask = made.node("Mul", made.node("Sub", mask, made.constant(np.float32(1))), made.constant(np.float32(1e4)))
    mask = made.node("Unsqueeze", mask, made.constant(np.array([1], np.int64)))
    for number in range(layers):
        query, key, value = (made.dense(x, f"{number}.{one}", hidden, hidden) for one in ("q", "k", "v"))
        scores = made.node("MatMul", query, made.node("Transpose", key, perm=[0, 2, 1]))
        scores = made.node("Mul", scores, made.constant(np.float32(hidden**-0.5)))
        attended = made.node("MatMul", made.node("Softmax", made.node("Add", scores, mask), axis=-1), value)
        x = made.node("Add", x, made.dense(attended, f"{number}.o", hidden, hidden))
        grown = made.node("Relu", made.dense(x, f"{number}.up", hidden, inner))
        x = made.node("Add", x, made.dense(grown, f"{number}.down", inner, hidden))
    made.dense(x, "logits", hidden, 2, output="logits")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, [batch, length]) for name in INPUTS]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, length, 2])]
    graph = helper.make_graph(made.nodes, "transformer", inputs, outputs, made.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def features(count: int, length: int, seed: int) -> tuple[Array, Array, Array]:
    """Return the three inputs of so many samples, each int64 [count, length]; the ends are masked."""
    random = np.random.default_rng(seed)
    words = random.integers(0, WORDS, (count, length))
    own = random.integers(length // 2, length + 1, count)
    mask = (np.arange(length) < own[:, None]).astype(np.int64)
    segments = (np.arange(length) > own[:, None] // 3).astype(np.int64) * mask
    return words * mask, mask, segments


class _Made:
    def __init__(self, random: np.random.Generator) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._random = random

    def weight(self, name: str, shape: tuple[int, ...], scale: float) -> str:
        values = self._random.standard_normal(shape, np.float32) * np.float32(scale)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def constant(self, value: Array | np.float32) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(value), f"constant.{len(self.weights)}"))
        return self.weights[-1].name

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"{operator}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def dense(self, x: str, name: str, inside: int, outside: int, output: str = "") -> str:
        weight = self.weight(f"{name}.weight", (inside, outside), inside**-0.5)
        bias = self.weight(f"{name}.bias", (outside,), 0.1)
        return self.node("Add", self.node("MatMul", x, weight), bias, output=output)
