"""Writes Whisper (Radford et al. 2022) as two ONNX graphs: `encoder`, and `decoder`, which is one step of decoding.

encoder: `mel` float32 [B,bands,2T] → for each layer of the decoder `key_L` float32 [B,heads,size,T] and `value_L`
[B,heads,T,size], to which the decoder attends.

decoder: `token` int64 [B], `place` int64 [1], `mask` float32 [P] (0 where something was said, else very negative), for
each layer `key_L` and `value_L` as above, `past_key_L` float32 [B,heads,size,P] and `past_value_L` [B,heads,P,size]
→ `next` int64 [B] (the likeliest token), and for each layer `new_key_L` and `new_value_L` float32 [B,heads,size], which
belong into the past at `place`. The past has a fixed size, so that the same buffers serve every step.

Weights go by the names, shapes and order that CTranslate2 gives them: matrices [out,in]; query, key and value as one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from engine.errors import DataError
from engine.networks.bert_graph import inside
from engine.networks.convnet import ConvNet, tensor
from engine.store.files import digest, sha256_of

Array = np.ndarray[Any, np.dtype[Any]]
Shape = list[int | str]
WeightStore = Callable[[str, Array], onnx.TensorProto]
"""Name and values of a weight → how the model refers to it."""

OPSET = 17
EPSILON = 1e-5
ENCODER, DECODER = "encoder", "decoder"
LARGE = 1024
"""Elements from which on a weight may stand beside the graph."""


@dataclass(frozen=True)
class WhisperConfig:
    """Sizes of the network, as its weights have them."""

    bands: int
    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    frames: int
    """Of the encoder: half of those of the features."""
    tokens: int
    """Longest text."""
    vocabulary: int

    @property
    def size(self) -> int:
        """Of a head."""
        return self.width // self.heads


def config(weights: Mapping[str, Array]) -> WhisperConfig:
    """Return the sizes of the network. Raises DataError where a tensor is missing or does not fit."""
    try:
        width, bands, _ = weights["encoder/conv1/weight"].shape
        found = WhisperConfig(
            bands=bands,
            width=width,
            heads=int(weights["decoder/num_heads"]),
            encoder_layers=_layers(weights, ENCODER),
            decoder_layers=_layers(weights, DECODER),
            frames=len(weights["encoder/position_encodings/encodings"]),
            tokens=len(weights["decoder/position_encodings/encodings"]),
            vocabulary=len(weights["decoder/embeddings/weight"]),
        )
    except (KeyError, ValueError) as error:
        raise DataError(f"no Whisper: {error} is missing or of another shape", "give the weights of one") from None
    if not found.heads or width % found.heads:
        raise DataError(f"no Whisper: {width} values don't divide into {found.heads} heads", "give the weights of one")
    return found


def _layers(weights: Mapping[str, Array], part: str) -> int:
    return len(
        {name.split("/")[1] for name in weights if name.endswith("/ffn/linear_0/bias") and name.startswith(part)}
    )


def build(weights: Mapping[str, Array], *, name: str, store: WeightStore = inside) -> dict[str, onnx.ModelProto]:
    """Return both graphs by name; B and P are open. `store` makes the tensor of a weight, in the model or beside it.

    Raises DataError where a tensor is missing or does not fit.
    """
    form = config(weights)
    try:
        parts: dict[str, type[_Encoder | _Decoder]] = {ENCODER: _Encoder, DECODER: _Decoder}
        return {part: made(form, weights, store).built(name) for part, made in parts.items()}
    except (KeyError, ValueError) as error:
        raise DataError(f"no Whisper: {error} is missing or of another shape", "give the weights of one") from None


def graph_facts(weights: Mapping[str, Array], folder: Path, files: Sequence[str]) -> dict[str, Any]:
    """Return the facts of a model of both graphs, whose files are these in a folder."""
    parts = [f"{part}_{layer}" for layer in range(config(weights).decoder_layers) for part in ("key", "value")]
    return {
        "model": {part: f"{part}.onnx" for part in (ENCODER, DECODER)},
        "format": "onnx",
        "outputs": {ENCODER: parts, DECODER: ["next", *(f"new_{part}" for part in parts)]},
        "sha256": digest("\n".join(f"{file} {sha256_of(folder / file)}" for file in files)),
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "no",
    }


class _Part(ConvNet):
    """What encoder and decoder have in common."""

    def __init__(self, form: WhisperConfig, weights: Mapping[str, Array], store: WeightStore) -> None:
        super().__init__()
        self.form, self.source, self._store = form, weights, store

    def trained(self, name: str, shape: tuple[int, ...]) -> str:
        """Add a weight, float32. Raises KeyError where there is none, ValueError where it is of another shape."""
        if name in self._weights:
            return name
        values = self.source[name].astype(np.float32)
        if values.shape != shape:
            raise ValueError(f"{name} {list(values.shape)}, not {list(shape)},")
        return self.weight(name, values)

    def weight(self, name: str, values: Array) -> str:
        """Add an initializer; large ones go where `store` puts them."""
        self.parameters += values.size
        self._weights[name] = self._store(name, values) if values.size >= LARGE else inside(name, values)
        return name

    def whole(self, name: str, values: list[int]) -> str:
        """Add whole numbers, such as a shape."""
        return self.weight(name, np.array(values, np.int64))

    def norm(self, x: str, name: str) -> str:
        """Add a layer normalisation over the last axis."""
        shape = (self.form.width,)
        parts = [x, self.trained(f"{name}/gamma", shape), self.trained(f"{name}/beta", shape)]
        return self.node("LayerNormalization", parts, name, axis=-1, epsilon=EPSILON)

    def linear(self, x: str, name: str, outputs: int, inputs: int) -> str:
        """Add a linear layer over the last axis; the weight is stored [in,out]."""
        values = self.source[f"{name}/weight"].astype(np.float32)
        if values.shape != (outputs, inputs):
            raise ValueError(f"{name} {list(values.shape)}, not {[outputs, inputs]},")
        matrix = self.weight(f"{name}/matrix", np.ascontiguousarray(values.T))
        product = self.node("MatMul", [x, matrix], f"{name}/product")
        return self.node("Add", [product, self.trained(f"{name}/bias", (outputs,))], name)

    def gelu(self, x: str, name: str) -> str:
        """Add gelu, by the error function."""
        half = self.weight("half", np.array(0.5, np.float32))
        one = self.weight("one", np.array(1, np.float32))
        root = self.weight("root", np.array(sqrt(2), np.float32))
        error = self.node("Erf", [self.node("Div", [x, root], f"{name}.scaled")], f"{name}.erf")
        shared = self.node("Mul", [x, self.node("Add", [error, one], f"{name}.shifted")], f"{name}.both")
        return self.node("Mul", [shared, half], f"{name}.gelu")

    def feed_forward(self, x: str, name: str) -> str:
        """Add the two linear layers of a block, and what goes past them."""
        width = self.form.width
        inner = len(self.source[f"{name}/linear_0/bias"])
        hidden = self.linear(self.norm(x, f"{name}/layer_norm"), f"{name}/linear_0", inner, width)
        out = self.linear(self.gelu(hidden, f"{name}/linear_0"), f"{name}/linear_1", width, inner)
        return self.node("Add", [x, out], f"{name}/sum")

    def split(self, x: str, name: str, count: int) -> list[str]:
        """Add a split of the last axis into equal parts."""
        parts = [f"{name}.{part}" for part in range(count)]
        sizes = self.whole(f"{name}.sizes", [self.form.width] * count)
        self._nodes.append(onnx.helper.make_node("Split", [x, sizes], parts, name=f"{name}.split", axis=-1))
        return parts

    def shaped(self, x: str, name: str, shape: list[int]) -> str:
        """Add a change of shape; 0 keeps an axis."""
        return self.node("Reshape", [x, self.whole(f"{name}.shape", shape)], name)

    def heads(self, x: str, name: str, order: list[int]) -> str:
        """Add what makes heads of [B,T,width], with the axes B, T, head, size in this order."""
        split = self.shaped(x, f"{name}.heads", [0, -1, self.form.heads, self.form.size])
        return self.node("Transpose", [split], f"{name}.turned", perm=order)

    def scaled(self, query: str, name: str) -> str:
        """Add the division of a query by the root of its size."""
        scale = self.weight("scale", np.array(1 / sqrt(self.form.size), np.float32))
        return self.node("Mul", [query, scale], f"{name}.scaled")

    def finished(self, name: str, inputs: list[Any], outputs: list[Any]) -> onnx.ModelProto:
        """Return the model."""
        model = self.model(name, inputs, outputs)
        model.opset_import[0].version = OPSET
        return model

    def attended(self, form: WhisperConfig) -> list[tuple[str, Shape]]:
        """Return name and shape of what the decoder attends to, by layer."""
        shapes: tuple[tuple[str, Shape], ...] = (
            ("key", ["B", form.heads, form.size, form.frames]),
            ("value", ["B", form.heads, form.frames, form.size]),
        )
        return [(f"{part}_{layer}", shape) for layer in range(form.decoder_layers) for part, shape in shapes]


class _Encoder(_Part):
    def built(self, name: str) -> onnx.ModelProto:
        form = self.form
        x = self._convolved("mel", "encoder/conv1", form.bands, 1)
        x = self._convolved(x, "encoder/conv2", form.width, 2)
        x = self.node("Transpose", [x], "turned", perm=[0, 2, 1])
        places = self.trained("encoder/position_encodings/encodings", (form.frames, form.width))
        x = self.node("Add", [x, places], "placed")
        for layer in range(form.encoder_layers):
            x = self._attention(x, f"encoder/layer_{layer}/self_attention")
            x = self.feed_forward(x, f"encoder/layer_{layer}/ffn")
        x = self.norm(x, "encoder/layer_norm")
        for layer in range(form.decoder_layers):
            self._attended(x, layer)
        mel = tensor("mel", "float32", ["B", form.bands, 2 * form.frames])
        return self.finished(f"{name}-encoder", [mel], [tensor(one, "float32", s) for one, s in self.attended(form)])

    def _convolved(self, x: str, name: str, inputs: int, stride: int) -> str:
        width = self.form.width
        parts = [x, self.trained(f"{name}/weight", (width, inputs, 3)), self.trained(f"{name}/bias", (width,))]
        found = self.node("Conv", parts, name, kernel_shape=[3], pads=[1, 1], strides=[stride])
        return self.gelu(found, name)

    def _attention(self, x: str, name: str) -> str:
        width = self.form.width
        joined = self.linear(self.norm(x, f"{name}/layer_norm"), f"{name}/linear_0", 3 * width, width)
        query, key, value = self.split(joined, name, 3)
        scaled = self.scaled(self.heads(query, f"{name}.query", [0, 2, 1, 3]), name)
        scores = self.node("MatMul", [scaled, self.heads(key, f"{name}.key", [0, 2, 3, 1])], f"{name}.scores")
        shares = self.node("Softmax", [scores], f"{name}.shares", axis=-1)
        found = self.node("MatMul", [shares, self.heads(value, f"{name}.value", [0, 2, 1, 3])], f"{name}.found")
        turned = self.node("Transpose", [found], f"{name}.back", perm=[0, 2, 1, 3])
        out = self.linear(self.shaped(turned, f"{name}.joined", [0, -1, width]), f"{name}/linear_1", width, width)
        return self.node("Add", [x, out], f"{name}/sum")

    def _attended(self, x: str, layer: int) -> None:
        name, width = f"decoder/layer_{layer}/attention", self.form.width
        key, value = self.split(self.linear(x, f"{name}/linear_1", 2 * width, width), name, 2)
        for part, one, order in (("key", key, [0, 2, 3, 1]), ("value", value, [0, 2, 1, 3])):
            self.node("Identity", [self.heads(one, f"{name}.{part}", order)], f"{part}_{layer}")


class _Decoder(_Part):
    def built(self, name: str) -> onnx.ModelProto:
        form = self.form
        words = self.trained("decoder/embeddings/weight", (form.vocabulary, form.width))
        places = self.trained("decoder/position_encodings/encodings", (form.tokens, form.width))
        word = self.node("Gather", [words, "token"], "word", axis=0)
        x = self.node("Add", [word, self.node("Gather", [places, "place"], "where", axis=0)], "placed")
        for layer in range(form.decoder_layers):
            x = self._self_attention(x, layer)
            x = self._attention(x, layer)
            x = self.feed_forward(x, f"decoder/layer_{layer}/ffn")
        logits = self.node("Gemm", [self.norm(x, "decoder/layer_norm"), words], "logits", transB=1)
        self.node("ArgMax", [logits], "next", axis=-1, keepdims=0)
        heads, size = form.heads, form.size
        layers = range(form.decoder_layers)
        shapes: tuple[tuple[str, Shape], ...] = (("key", ["B", heads, size, "P"]), ("value", ["B", heads, "P", size]))
        past = [(f"past_{part}_{layer}", shape) for layer in layers for part, shape in shapes]
        new = [f"new_{part}_{layer}" for layer in layers for part, _ in shapes]
        numbers = [tensor("token", "int64", ["B"]), tensor("place", "int64", [1]), tensor("mask", "float32", ["P"])]
        inputs = [*numbers, *(tensor(one, "float32", shape) for one, shape in (*self.attended(form), *past))]
        outputs = [tensor("next", "int64", ["B"]), *(tensor(one, "float32", ["B", heads, size]) for one in new)]
        return self.finished(f"{name}-decoder", inputs, outputs)

    def _self_attention(self, x: str, layer: int) -> str:
        """Attend to the past and to the token itself."""
        name, form = f"decoder/layer_{layer}/self_attention", self.form
        joined = self.linear(self.norm(x, f"{name}/layer_norm"), f"{name}/linear_0", 3 * form.width, form.width)
        query, key, value = self.split(joined, name, 3)
        alone = [0, form.heads, 1, form.size]
        query = self.scaled(self.shaped(query, f"{name}.query", alone), name)
        own_key, own_value = self.shaped(key, f"{name}.key", alone), self.shaped(value, f"{name}.value", alone)
        for part, one in (("key", own_key), ("value", own_value)):
            self.shaped(one, f"new_{part}_{layer}", [0, form.heads, form.size])
        earlier = self.node("MatMul", [query, f"past_key_{layer}"], f"{name}.earlier")
        earlier = self.node("Add", [earlier, "mask"], f"{name}.masked")
        turned = self.node("Transpose", [own_key], f"{name}.turned", perm=[0, 1, 3, 2])
        now = self.node("MatMul", [query, turned], f"{name}.now")
        shares = self.node(
            "Softmax", [self.node("Concat", [earlier, now], f"{name}.scores", axis=-1)], f"{name}.shares", axis=-1
        )
        values = self.node("Concat", [f"past_value_{layer}", own_value], f"{name}.values", axis=2)
        return self._out(x, self.node("MatMul", [shares, values], f"{name}.found"), name, "linear_1")

    def _attention(self, x: str, layer: int) -> str:
        """Attend to what was heard."""
        name, form = f"decoder/layer_{layer}/attention", self.form
        query = self.linear(self.norm(x, f"{name}/layer_norm"), f"{name}/linear_0", form.width, form.width)
        query = self.scaled(self.shaped(query, f"{name}.query", [0, form.heads, 1, form.size]), name)
        scores = self.node("MatMul", [query, f"key_{layer}"], f"{name}.scores")
        shares = self.node("Softmax", [scores], f"{name}.shares", axis=-1)
        found = self.node("MatMul", [shares, f"value_{layer}"], f"{name}.found")
        return self._out(x, found, name, "linear_2")

    def _out(self, x: str, found: str, name: str, last: str) -> str:
        width = self.form.width
        out = self.linear(self.shaped(found, f"{name}.joined", [0, width]), f"{name}/{last}", width, width)
        return self.node("Add", [x, out], f"{name}/sum")
