"""A small transducer of random weights, as three ONNX graphs in the form of engine/tasks/rnnt_program.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from engine.backends.base import Array
from engine.tasks.speech_manifest import BLANK

FEATURES, HIDDEN, WIDTH, LAYERS = 24, 10, 6, 2
ENCODED = 2 * HIDDEN
FLOAT, INT64, INT32 = int(TensorProto.FLOAT), int(TensorProto.INT64), int(TensorProto.INT32)


_End = tuple[int, list[str | int]]
"""Type and sizes of an input or output."""


def _ends(named: Mapping[str, _End]) -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info(name, kind, sizes) for name, (kind, sizes) in named.items()]


class _Graph:
    """A graph under construction, of random weights."""

    def __init__(self, seed: int) -> None:
        self._draw = np.random.Generator(np.random.PCG64(seed))
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, values: Array) -> str:
        self._constants.append(numpy_helper.from_array(values, name))
        return name

    def weights(self, name: str, *shape: int, scale: float = 1.0) -> str:
        return self.constant(name, (scale * self._draw.normal(size=shape)).astype(np.float32))

    def node(self, kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]

    def lstm(self, x: str, name: str, width: int, hidden: int, lengths: str = "", state: tuple[str, ...] = ()) -> str:
        weights = [self.weights(f"{name}.{one}", 1, 4 * hidden, size) for one, size in (("w", width), ("r", hidden))]
        bias = self.weights(f"{name}.b", 1, 8 * hidden, scale=0.2)
        outputs = [f"{name}.y", f"{name}.hidden", f"{name}.cell"]
        return self.node("LSTM", [x, *weights, bias, lengths, *state], outputs, hidden_size=hidden)

    def save(self, path: Path, inputs: Mapping[str, _End], outputs: Mapping[str, _End]) -> Path:
        graph = helper.make_graph(self._nodes, path.stem, _ends(inputs), _ends(outputs), self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, str(path))
        return path


def write(folder: Path, seed: int = 1, *, blank: float = 1.0, features: int = FEATURES) -> dict[str, str]:
    """Write the graphs; returns their paths by name. `blank` is added to the blank's logit."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {"encoder": _encoder(folder, seed, features), "prediction": _prediction(folder, seed + 1)}
    made["joint"] = _joint(folder, seed + 2, blank)
    return {name: str(path) for name, path in made.items()}


def _encoder(folder: Path, seed: int, features: int) -> Path:
    """An LSTM whose frames are joined in twos; past the end of a sample all is zero."""
    net = _Graph(seed)
    net.node("Cast", ["lengths"], ["short"], to=INT32)
    net.node(
        "Squeeze", [net.lstm("x", "lstm", features, HIDDEN, "short"), net.constant("one", np.array([1]))], ["every"]
    )
    net.node("Shape", ["every"], ["count"], start=0, end=1)
    net.node("Mod", ["count", net.constant("two", np.array([2]))], ["odd"])
    net.node(
        "Concat",
        [net.constant("none", np.zeros(3, np.int64)), "odd", net.constant("nothing", np.zeros(2, np.int64))],
        ["pads"],
        axis=0,
    )
    net.node("Pad", ["every", "pads"], ["even"])
    net.node("Transpose", ["even"], ["samples"], perm=[1, 0, 2])
    net.node("Reshape", ["samples", net.constant("joined", np.array([0, -1, ENCODED]))], ["encoded"])
    net.node("Add", ["lengths", "one"], ["up"])
    net.node("Div", ["up", "two"], ["encoded_lengths"])
    return net.save(
        folder / "encoder.onnx",
        {"x": (FLOAT, ["T", "B", features]), "lengths": (INT64, ["B"])},
        {"encoded": (FLOAT, ["B", "U", ENCODED]), "encoded_lengths": (INT64, ["B"])},
    )


def _prediction(folder: Path, seed: int) -> Path:
    net = _Graph(seed)
    net.constant(
        "table", np.concatenate([net._draw.normal(size=(BLANK, WIDTH)), np.zeros((1, WIDTH))]).astype(np.float32)
    )
    net.node("Gather", ["table", "symbol"], ["embedded"])
    x = net.node("Unsqueeze", ["embedded", net.constant("first", np.array([0]))], ["step"])
    for state in ("hidden", "cell"):
        net.node("Split", [state], [f"{state}.{layer}" for layer in range(LAYERS)], axis=0)
    for layer in range(LAYERS):
        net.lstm(x, f"lstm{layer}", WIDTH, WIDTH, "", (f"hidden.{layer}", f"cell.{layer}"))
        x = f"lstm{layer}.hidden"
    net.node("Squeeze", [x, "first"], ["predicted"])
    for state in ("hidden", "cell"):
        net.node("Concat", [f"lstm{layer}.{state}" for layer in range(LAYERS)], [f"{state}_out"], axis=0)
    kept: _End = (FLOAT, [LAYERS, "B", WIDTH])
    return net.save(
        folder / "prediction.onnx",
        {"symbol": (INT64, ["B"]), "hidden": kept, "cell": kept},
        {"predicted": (FLOAT, ["B", WIDTH]), "hidden_out": kept, "cell_out": kept},
    )


def _joint(folder: Path, seed: int, blank: float) -> Path:
    net = _Graph(seed)
    bias = np.zeros(BLANK + 1, np.float32)
    bias[BLANK] = blank
    net.node("Concat", ["encoded", "predicted"], ["both"], axis=1)
    weights = net.weights("weights", ENCODED + WIDTH, BLANK + 1)
    net.node("Gemm", ["both", weights, net.constant("bias", bias)], ["logits"])
    return net.save(
        folder / "joint.onnx",
        {"encoded": (FLOAT, ["B", ENCODED]), "predicted": (FLOAT, ["B", WIDTH])},
        {"logits": (FLOAT, ["B", BLANK + 1])},
    )
