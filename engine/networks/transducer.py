"""Writes a recurrent neural network transducer as three ONNX graphs (Graves 2012): encoder, prediction and joint.

The form is that of the rules' RNN-T: an encoder of LSTMs which joins every two frames half-way, a prediction network
of LSTMs over the symbols so far, and a joint network of two linear layers. Weights go by the names, shapes and order
of gates (input, forget, cell, output; two biases) that PyTorch gives them in the rules' checkpoint.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper

from engine.errors import DataError
from engine.networks.convnet import ConvNet, tensor
from engine.store.files import digest, disk_errors, sha256_of
from engine.text import cut

Array = np.ndarray[Any, np.dtype[Any]]

STACK = 2
"""Frames that the encoder joins to one."""
GATES = 4

ENCODER, PREDICTION, JOINT = "encoder", "prediction", "joint"
OUTPUTS = {
    ENCODER: ("encoded", "encoded_lengths"),
    PREDICTION: ("predicted", "hidden_out", "cell_out"),
    JOINT: ("logits",),
}
"""Of each graph."""


@dataclass(frozen=True)
class TransducerConfig:
    """Sizes of the network; the defaults are those of the rules."""

    features: int = 240
    encoder: int = 1024
    before: int = 2
    """Layers of the encoder before it joins frames."""
    after: int = 3
    prediction: int = 320
    prediction_layers: int = 2
    joint: int = 512
    symbols: int = 29
    """The last one is the blank, which the prediction network never gets."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor of weights by its name."""
        return {
            **_lstm_shapes("encoder.pre_rnn.lstm", self.features, self.encoder, self.before),
            **_lstm_shapes("encoder.post_rnn.lstm", STACK * self.encoder, self.encoder, self.after),
            "prediction.embed.weight": (self.symbols - 1, self.prediction),
            **_lstm_shapes("prediction.dec_rnn.lstm", self.prediction, self.prediction, self.prediction_layers),
            **_linear_shapes("joint.net.0", self.encoder + self.prediction, self.joint),
            **_linear_shapes("joint.net.3", self.joint, self.symbols),
        }

    @property
    def parameters(self) -> int:
        """Elements of all weights."""
        return sum(prod(shape) for shape in self.shapes().values())


def _lstm_shapes(name: str, inputs: int, width: int, layers: int) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for layer in range(layers):
        found |= {
            f"{name}.weight_ih_l{layer}": (GATES * width, width if layer else inputs),
            f"{name}.weight_hh_l{layer}": (GATES * width, width),
            f"{name}.bias_ih_l{layer}": (GATES * width,),
            f"{name}.bias_hh_l{layer}": (GATES * width,),
        }
    return found


def _linear_shapes(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def checked(weights: Mapping[str, Array], form: TransducerConfig) -> dict[str, Array]:
    """Return the weights as float32, in the order of `form.shapes()`.

    Raises DataError where a tensor is missing, too many, of another shape or type, or holds what is no number.
    """
    wanted = form.shapes()
    for names, fault in ((wanted.keys() - weights.keys(), "lacks"), (weights.keys() - wanted.keys(), "has besides")):
        if names:
            raise _misfit(f"it {fault} {_listed(names)}")
    for name, shape in wanted.items():
        values = weights[name]
        if values.shape != shape:
            raise _misfit(f"{name} has the shape {list(values.shape)}, not {list(shape)}")
        if values.dtype not in (np.float32, np.float16) or not np.isfinite(values).all():
            raise _misfit(f"{name} ({values.dtype}) holds what is no floating-point number")
    return {name: weights[name].astype(np.float32, copy=False) for name in wanted}


def _misfit(what: str) -> DataError:
    return DataError(f"the weights are not those of this transducer: {what}", "give the whole checkpoint of the model")


def _listed(names: Iterable[str]) -> str:
    first, *others = sorted(names)
    return cut(first, 200) + (f" and {len(others)} more" if others else "")


def save(graphs: Mapping[str, onnx.ModelProto], folder: Path) -> dict[str, Any]:
    """Write each graph as `NAME.onnx` and return the facts `model`, `outputs` and `sha256` (over all of them)."""
    files = {part: f"{part}.onnx" for part in graphs}
    with disk_errors(folder):
        for part, graph in graphs.items():
            onnx.save(graph, folder / files[part])
    sums = "\n".join(f"{file} {sha256_of(folder / file)}" for file in files.values())
    return {
        "model": files,
        "format": "onnx",
        "outputs": {part: list(outputs) for part, outputs in OUTPUTS.items()},
        "sha256": digest(sums),
        "task_options": {},
    }


def build(form: TransducerConfig, weights: Mapping[str, Array], *, name: str) -> dict[str, onnx.ModelProto]:
    """Return the three graphs by name; `weights` are float32, as `form.shapes()` says. Dimensions B and T are open.

    encoder: `x` float32 [T,B,features], `lengths` int64 [B] (1...T) → `encoded` float32 [B,ceil(T/2),E], of no meaning
    past the end of each sample, and `encoded_lengths` int64 [B]. A sample's results don't depend on what else is in the
    batch: each step of the network depends on earlier ones only, and the frame behind the last, which an odd number of
    frames is joined with, is set to zero. The LSTMs don't get the lengths: OpenVINO would run them step by step.

    prediction: `symbol` int64 [B], -1 (or the blank) at the start, `hidden` and `cell` float32 [layers,B,P], zeros at
    the start → `predicted` float32 [B,P], `hidden_out`, `cell_out`.

    joint: `encoded` float32 [B,E], `predicted` float32 [B,P] → `logits` float32 [B,symbols].
    """
    return {part: build_part(part, form, weights, name=name) for part in OUTPUTS}


def build_part(part: str, form: TransducerConfig, weights: Mapping[str, Array], *, name: str) -> onnx.ModelProto:
    """Return one of the graphs of `build`; of the weights it needs its own."""
    graphs = {ENCODER: _encoder, PREDICTION: _prediction, JOINT: _joint}
    return graphs[part](form, weights, f"{name}-{part}")


def _encoder(form: TransducerConfig, weights: Mapping[str, Array], name: str) -> onnx.ModelProto:
    net = _Recurrent(weights)
    x, lengths = "x", "lengths"
    for layer in range(form.before):
        x = net.layer(x, "encoder.pre_rnn.lstm", layer).every
    steps = net.steps(x)
    x = net.stacked(net.ended(x, steps, lengths), steps, form.encoder)
    net.halved(lengths)
    for layer in range(form.after):
        x = net.layer(x, "encoder.post_rnn.lstm", layer).every
    net.node("Transpose", [x], "encoded", perm=[1, 0, 2])
    inputs = [tensor("x", "float32", ["T", "B", form.features]), tensor("lengths", "int64", ["B"])]
    outputs = [tensor("encoded", "float32", ["B", "T2", form.encoder]), tensor("encoded_lengths", "int64", ["B"])]
    return net.model(name, inputs, outputs)


def _prediction(form: TransducerConfig, weights: Mapping[str, Array], name: str) -> onnx.ModelProto:
    net = _Recurrent(weights)
    layers = range(form.prediction_layers)
    before = {state: net.apart(state, form.prediction_layers) for state in ("hidden", "cell")}
    x, after = net.embedded("symbol", form.prediction), []
    for layer in layers:
        state = (before["hidden"][layer], before["cell"][layer])
        after.append(net.layer(x, "prediction.dec_rnn.lstm", layer, state=state))
        x = after[-1].hidden
    net.node("Squeeze", [x, net.whole("first", 0)], "predicted")
    net.node("Concat", [one.hidden for one in after], "hidden_out", axis=0)
    net.node("Concat", [one.cell for one in after], "cell_out", axis=0)
    kept: list[int | str] = [form.prediction_layers, "B", form.prediction]
    inputs = [tensor("symbol", "int64", ["B"]), tensor("hidden", "float32", kept), tensor("cell", "float32", kept)]
    outputs = [
        tensor("predicted", "float32", ["B", form.prediction]),
        tensor("hidden_out", "float32", kept),
        tensor("cell_out", "float32", kept),
    ]
    return net.model(name, inputs, outputs)


def _joint(form: TransducerConfig, weights: Mapping[str, Array], name: str) -> onnx.ModelProto:
    net = _Recurrent(weights)
    x = net.node("Concat", ["encoded", "predicted"], "both", axis=1)
    first, last = "joint.net.0", "joint.net.3"
    x = net.node("Relu", [net.dense(x, first, weights[f"{first}.weight"], weights[f"{first}.bias"])], "positive")
    net.dense(x, "logits", weights[f"{last}.weight"], weights[f"{last}.bias"])
    inputs = [tensor("encoded", "float32", ["B", form.encoder]), tensor("predicted", "float32", ["B", form.prediction])]
    return net.model(name, inputs, [tensor("logits", "float32", ["B", form.symbols])])


@dataclass(frozen=True)
class _Layer:
    """Names of a layer's results: of every step [T,B,H], and hidden and cell state [1,B,H] after the last one."""

    every: str
    hidden: str
    cell: str


class _Recurrent(ConvNet):
    """A graph of LSTMs under construction, of weights by PyTorch's names."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        super().__init__()
        self._trained = weights

    def layer(self, x: str, name: str, number: int, *, state: tuple[str, str] = ("", "")) -> _Layer:
        """Add a layer over x [T,B,I]."""
        rows = f"{name}.weight_ih_l{number}", f"{name}.weight_hh_l{number}"
        biases = [self._trained[f"{name}.bias_{kind}_l{number}"] for kind in ("ih", "hh")]
        inputs = [x, *(self.weight(one, onnx_gates(self._trained[one])[None]) for one in rows)]
        bias = np.concatenate([onnx_gates(one) for one in biases])[None]
        inputs += [self.weight(f"{name}.bias_l{number}", bias), "", *state]
        width = bias.shape[1] // (2 * GATES)
        results = [f"{name}.l{number}{part}" for part in ("", ".hidden", ".cell")]
        while not inputs[-1]:
            inputs.pop()
        self._nodes.append(helper.make_node("LSTM", inputs, results, name=results[0], hidden_size=width))
        every = self.node("Squeeze", [results[0], self.whole("directions", 1)], f"{results[0]}.every")
        return _Layer(every, *results[1:])

    def whole(self, name: str, *values: int) -> str:
        """Add a constant int64 [n]."""
        return self.weight(name, np.array(values, np.int64))

    def ended(self, x: str, steps: str, lengths: str) -> str:
        """Add what sets x [T,B,H] to zero past the lengths [B]; `steps` is T, [1]."""
        count = self.node("Squeeze", [steps, self.whole("scalar", 0)], "count")
        start, one = (self.weight(name, np.array(value)) for name, value in (("first.step", 0), ("one.step", 1)))
        step = self.node("Unsqueeze", [self.node("Range", [start, count, one], "range"), self.whole("aside", 1)], "row")
        within = self.node("Unsqueeze", [self.node("Less", [step, lengths], "less"), self.whole("behind", 2)], "within")
        return self.node("Where", [within, x, self.weight("zero", np.zeros(1, np.float32))], "ended")

    def steps(self, x: str) -> str:
        """Add what counts the steps of [T,B,H]: int64 [1]."""
        return self.node("Slice", [self.node("Shape", [x], "shape"), self.whole("at", 0), self.whole("to", 1)], "T")

    def stacked(self, x: str, steps: str, width: int) -> str:
        """Add what joins every STACK frames of [T,B,H], the last ones with zeros: [ceil(T/STACK),B,STACK*H]."""
        stack = self.whole("stack", STACK)
        over = self.node("Mod", [self.node("Neg", [steps], "minus"), stack], "missing")
        none = self.whole("none", 0, 0)
        pads = self.node("Concat", [self.whole("before", 0, 0, 0), over, none], "pads", axis=0)
        padded = self.node("Pad", [x, pads], "padded")
        samples = self.node("Transpose", [padded], "samples", perm=[1, 0, 2])
        joined = self.node("Reshape", [samples, self.whole("joined.shape", 0, -1, STACK * width)], "joined")
        return self.node("Transpose", [joined], "stacked", perm=[1, 0, 2])

    def halved(self, lengths: str) -> str:
        """Add what makes `encoded_lengths`, the lengths in joined frames."""
        up = self.node("Add", [lengths, self.whole("round", STACK - 1)], "lengths.up")
        return self.node("Div", [up, self.whole("stack.lengths", STACK)], "encoded_lengths")

    def embedded(self, symbol: str, width: int) -> str:
        """Add what makes [1,B,P] of symbols [B]. The row behind the last symbol's is zero: that of the start."""
        table = np.concatenate([self._trained["prediction.embed.weight"], np.zeros((1, width), np.float32)])
        rows = self.node("Gather", [self.weight("prediction.embed.weight", table), symbol], "embedded", axis=0)
        return self.node("Unsqueeze", [rows, self.whole("step", 0)], "embedded.step")

    def apart(self, state: str, layers: int) -> list[str]:
        """Add what makes [1,B,P] for each layer of [layers,B,P]."""
        results = [f"{state}.l{number}" for number in range(layers)]
        self._nodes.append(helper.make_node("Split", [state], results, name=f"{state}.apart", axis=0))
        return results


def onnx_gates(values: Array) -> Array:
    """Return a tensor [4H, ...] of PyTorch's gates (input, forget, cell, output) in ONNX's order (i, o, f, c)."""
    entry, forget, cell, output = np.split(values, GATES)
    return np.concatenate([entry, output, forget, cell])
