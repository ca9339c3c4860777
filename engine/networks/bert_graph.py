"""Writes BERT with a head for answer spans as ONNX (Devlin et al. 2019), in the operators of opset 11.

Layer normalisation and gelu are spelled out in the elementary operators that an export from PyTorch has at that opset,
in the order in which engines look for them to fuse them again. The batch and the length are both open: position
embeddings are cut to the length of the input.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from engine.networks.convnet import ConvNet, tensor

Array = np.ndarray[Any, np.dtype[Any]]
Weights = Callable[[str, tuple[int, ...]], Array]
"""Name and shape of a tensor → its values, float32. Matrices are [in, out]."""

Store = Callable[[str, Array], onnx.TensorProto]
"""Name and values of a tensor → how the model refers to it."""

OPSET, IR_VERSION = 11, 6

INPUTS = ("input_ids", "input_mask", "segment_ids")
OUTPUTS = ("output_start_logits", "output_end_logits")
"""The names of the rules' model."""

EPSILON = 1e-12
HIDDEN_FROM_SIGHT = -10_000.0
"""What is added to the scores of the tokens that only fill up."""


@dataclass(frozen=True)
class BertConfig:
    """Sizes of the network; the defaults are BERT-Large, uncased."""

    layers: int = 24
    hidden: int = 1024
    heads: int = 16
    feed_forward: int = 4096
    vocabulary: int = 30_522
    positions: int = 512
    segments: int = 2

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor of weights by its name, in the order in which the graph uses them."""
        width = self.hidden
        found: dict[str, tuple[int, ...]] = {
            "embeddings.word": (self.vocabulary, width),
            "embeddings.position": (self.positions, width),
            "embeddings.segment": (self.segments, width),
            **_norm("embeddings.norm", width),
        }
        for number in range(self.layers):
            name = f"layer{number}"
            for part in ("query", "key", "value", "output"):
                found |= _linear(f"{name}.{part}", width, width)
            found |= _norm(f"{name}.attention.norm", width)
            found |= _linear(f"{name}.inner", width, self.feed_forward)
            found |= _linear(f"{name}.outer", self.feed_forward, width)
            found |= _norm(f"{name}.norm", width)
        return found | _linear("answer", width, len(OUTPUTS))

    @property
    def parameters(self) -> int:
        """Elements of all weights."""
        return sum(prod(shape) for shape in self.shapes().values())


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (inputs, outputs), f"{name}.bias": (outputs,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.scale": (width,), f"{name}.shift": (width,)}


def inside(name: str, values: Array) -> onnx.TensorProto:
    """Store a tensor in the model itself."""
    return numpy_helper.from_array(np.ascontiguousarray(values).reshape(values.shape), name)


def build(form: BertConfig, weights: Weights, *, name: str, store: Store = inside) -> onnx.ModelProto:
    """Return the model: inputs `INPUTS` int64 [B,L], outputs `OUTPUTS` float32 [B,L]; L at most `form.positions`.

    `store` makes the tensor of a weight, inside the model or beside it; weights are asked for one at a time, in the
    order of `form.shapes()`, and none is kept.
    """
    net = _Bert(form, weights, store)
    net.answer(net.encoded())
    places: list[int | str] = ["batch", "length"]
    model = net.model(
        name, [tensor(one, "int64", places) for one in INPUTS], [tensor(one, "float32", places) for one in OUTPUTS]
    )
    # ONNX Runtime joins a sum with the normalisation behind it only where it knows that both terms have three axes.
    model.graph.value_info.extend(tensor(one, "float32", [*places, width]) for one, width in net.widths.items())
    model.ir_version = IR_VERSION
    model.opset_import[0].version = OPSET
    return model


class _Bert(ConvNet):
    """The graph under construction."""

    def __init__(self, form: BertConfig, weights: Weights, store: Store) -> None:
        super().__init__()
        self._form, self._values, self._store = form, weights, store
        self._shapes = form.shapes()
        self.widths: dict[str, int] = {}
        """Of results [B,L,width], by their names."""

    def encoded(self) -> str:
        """Add embeddings and all layers; return the last hidden state [B,L,H]."""
        x, mask = self._embedded(), self._mask()
        for number in range(self._form.layers):
            x = self._layer(x, mask, f"layer{number}")
        return x

    def answer(self, x: str) -> None:
        """Add the head: the logits of first and last token."""
        logits = self._linear(x, "answer")
        halves = ["answer.start", "answer.end"]
        self._nodes.append(helper.make_node("Split", [logits], halves, name="answer.split", axis=-1, split=[1, 1]))
        for half, output in zip(halves, OUTPUTS, strict=True):
            self.node("Squeeze", [half], output, axes=[-1])

    def _embedded(self) -> str:
        ids, _, segments = INPUTS
        word = self.node("Gather", [self._trained("embeddings.word"), ids], "embeddings.words", axis=0)
        length = self.node(
            "Gather", [self.node("Shape", [ids], "shape"), self._whole("axis.length", 1)], "length", axis=0
        )
        end = self.node("Unsqueeze", [length], "end", axes=[0])
        table = self._trained("embeddings.position")
        position = self.node(
            "Slice", [table, self._whole("begin", [0]), end, self._whole("axis.first", [0])], "embeddings.places"
        )
        segment = self.node("Gather", [self._trained("embeddings.segment"), segments], "embeddings.segments", axis=0)
        both = self.node("Add", [word, position], "embeddings.placed")
        return self._norm(self.node("Add", [both, segment], "embeddings.sum"), "embeddings.norm")

    def _mask(self) -> str:
        """Add what makes 0 of a token that counts and a large negative number of one that fills up, [B,1,1,L]."""
        wide = self.node(
            "Unsqueeze", [self.node("Unsqueeze", [INPUTS[1]], "mask.heads", axes=[1])], "mask.wide", axes=[2]
        )
        seen = self.node("Cast", [wide], "mask.float", to=onnx.TensorProto.FLOAT)
        filled = self.node("Sub", [self._number("one", 1.0), seen], "mask.filled")
        return self.node("Mul", [filled, self._number("mask.weight", HIDDEN_FROM_SIGHT)], "mask")

    def _layer(self, x: str, mask: str, name: str) -> str:
        mixed = self._linear(self._attention(x, mask, name), f"{name}.output")
        x = self._norm(self.node("Add", [mixed, x], f"{name}.attention.sum"), f"{name}.attention.norm")
        inner = self._gelu(self._linear(x, f"{name}.inner"), f"{name}.gelu")
        outer = self._linear(inner, f"{name}.outer")
        return self._norm(self.node("Add", [outer, x], f"{name}.sum"), f"{name}.norm")

    def _attention(self, x: str, mask: str, name: str) -> str:
        size = self._form.hidden // self._form.heads
        query = self._heads(self._linear(x, f"{name}.query"), f"{name}.query", [0, 2, 1, 3])
        key = self._heads(self._linear(x, f"{name}.key"), f"{name}.key", [0, 2, 3, 1])
        value = self._heads(self._linear(x, f"{name}.value"), f"{name}.value", [0, 2, 1, 3])
        product = self.node("MatMul", [query, key], f"{name}.product")
        scaled = self.node("Div", [product, self._number("head.root", sqrt(size))], f"{name}.scaled")
        masked = self.node("Add", [scaled, mask], f"{name}.masked")
        shares = self.node("Softmax", [masked], f"{name}.shares", axis=3)
        mixed = self.node("MatMul", [shares, value], f"{name}.mixed")
        apart = self.node("Transpose", [mixed], f"{name}.mixed.tokens", perm=[0, 2, 1, 3])
        return self.node("Reshape", [apart, self._whole("tokens.shape", [0, 0, self._form.hidden])], f"{name}.joined")

    def _heads(self, x: str, name: str, order: list[int]) -> str:
        """Add what makes one matrix for each head of [B,L,H], its axes in this order."""
        heads = self._form.heads
        shape = self._whole("heads.shape", [0, 0, heads, self._form.hidden // heads])
        return self.node("Transpose", [self.node("Reshape", [x, shape], f"{name}.split")], f"{name}.heads", perm=order)

    def _linear(self, x: str, name: str) -> str:
        product = self.node("MatMul", [x, self._trained(f"{name}.weight")], f"{name}.product")
        self.widths[name] = self._shapes[f"{name}.bias"][0]
        return self.node("Add", [product, self._trained(f"{name}.bias")], name)

    def _gelu(self, x: str, name: str) -> str:
        part = self.node(
            "Erf", [self.node("Div", [x, self._number("root.two", sqrt(2))], f"{name}.root")], f"{name}.erf"
        )
        share = self.node("Add", [part, self._number("one", 1.0)], f"{name}.share")
        return self.node("Mul", [self.node("Mul", [x, share], f"{name}.double"), self._number("half", 0.5)], name)

    def _norm(self, x: str, name: str) -> str:
        centred = self.node("Sub", [x, self.node("ReduceMean", [x], f"{name}.mean", axes=[-1])], f"{name}.centred")
        square = self.node("Pow", [centred, self._number("two", 2.0)], f"{name}.square")
        variance = self.node("ReduceMean", [square], f"{name}.variance", axes=[-1])
        safe = self.node("Add", [variance, self._number("epsilon", EPSILON)], f"{name}.safe")
        unit = self.node("Div", [centred, self.node("Sqrt", [safe], f"{name}.deviation")], f"{name}.unit")
        scaled = self.node("Mul", [unit, self._trained(f"{name}.scale")], f"{name}.scaled")
        self.widths[name] = self._form.hidden
        return self.node("Add", [scaled, self._trained(f"{name}.shift")], name)

    def _trained(self, name: str) -> str:
        """Add a tensor of weights."""
        values = self._values(name, self._shapes[name])
        assert values.shape == self._shapes[name], name
        assert values.dtype == np.float32, name
        self._weights[name] = self._store(name, values)
        self.parameters += values.size
        return name

    def _number(self, name: str, value: float) -> str:
        return self._constant(name, np.array(value, np.float32))

    def _whole(self, name: str, values: int | Sequence[int]) -> str:
        return self._constant(name, np.array(values, np.int64))

    def _constant(self, name: str, values: Array) -> str:
        """Add what is no parameter, once."""
        if name not in self._weights:
            self._weights[name] = inside(name, values)
        return name
