"""The program of a recurrent neural network transducer: features, encoder and greedy decoding of a whole batch.

Three graphs. `encoder`: `x` float32 [T,B,F], `lengths` int64 [B] → `encoded` float32 [B,U,E], `encoded_lengths` int64
[B]. `prediction`: `symbol` int64 [B] (-1 at the start), `hidden` and `cell` float32 [L,B,P] → `predicted` float32
[B,P], `hidden_out`, `cell_out`. `joint`: `encoded` float32 [B,E], `predicted` float32 [B,P] → `logits` [B,29].

Decoding is that of the rules' pytorch/decoders.py (v2.1), whose results are the same: the reference decodes one
utterance after another, and computes the prediction network anew for each frame. Here each utterance of a batch goes on
at its own pace, the prediction network runs for those that have a new symbol, and where few are left the joint network
is asked about several frames at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from engine.backends.base import Array, Binding, Shape
from engine.backends.graph import Graph
from engine.errors import DataError
from engine.tasks.base import Responses, Samples
from engine.tasks.speech_features import MOST_BANDS, SPLICE, Features, rows
from engine.tasks.speech_manifest import BLANK

MOST_SYMBOLS = 30
"""Of one encoded frame; then comes the next, whatever the joint network says."""
START = -1
"""What stands for the symbol before the first."""
AHEAD = 4
"""Rows of the joint network that take hardly longer than one: a few utterances ask about their next frames at once, for
the prediction network's answer stays the same over blanks."""
BUCKET = 8
"""Rows of features to whose multiple a batch is filled up, so that shapes recur."""

_NEEDED = "give a transducer of the graphs encoder, prediction and joint, in the form of engine/tasks/rnnt_program.py"


class _Part:
    """One graph with its tensors by name."""

    def __init__(self, graphs: Mapping[str, Graph], name: str, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Raises DataError where there is no such graph, or its tensors have other names."""
        if name not in graphs:
            raise DataError(f"the model has the graphs {', '.join(graphs)}, and no {name}", _NEEDED)
        self.graph = graphs[name]
        self._name = name
        self._inputs = self._places(inputs, [spec.name for spec in self.graph.inputs], "inputs")
        self._outputs = self._places(outputs, [spec.name for spec in self.graph.outputs], "outputs")
        self._specs = {spec.name: spec for spec in (*self.graph.inputs, *self.graph.outputs)}

    def _places(self, wanted: Sequence[str], found: Sequence[str], what: str) -> list[int]:
        if sorted(wanted) != sorted(found):
            given = f"the {what} of the graph {self._name} are {', '.join(found)}"
            raise DataError(f"{given}, not {', '.join(wanted)}", _NEEDED)
        return [found.index(one) for one in wanted]

    def sizes(self, tensor: str, dimensions: int, *axes: int) -> tuple[int, ...]:
        """Return sizes of a tensor. Raises DataError where it has other dimensions, or leaves one of these open."""
        shape = self._specs[tensor].shape
        sizes = [shape[axis] for axis in axes] if len(shape) == dimensions else [None]
        if None in sizes:
            raise DataError(f"'{tensor}' of the graph {self._name} is {list(shape)}", _NEEDED)
        return tuple(size for size in sizes if size is not None)

    def bound(self, *shapes: Shape) -> tuple[Binding, list[Array]]:
        """Return the binding of these shapes and its inputs, both in the order of the names."""
        ordered: list[Shape] = [()] * len(shapes)
        for place, shape in zip(self._inputs, shapes, strict=True):
            ordered[place] = shape
        binding = self.graph.bound(tuple(ordered))
        return binding, [binding.inputs[place] for place in self._inputs]

    def run(self, binding: Binding) -> list[Array]:
        """Return the outputs in the order of the names."""
        found = binding.run()
        return [found[place] for place in self._outputs]


class Transducer:
    """What one session runs. For one thread only."""

    def __init__(self, graphs: Mapping[str, Graph], samples: Samples) -> None:
        """Raises DataError where graphs or samples are not those of a transducer."""
        self._encoder = _Part(graphs, "encoder", ("x", "lengths"), ("encoded", "encoded_lengths"))
        self._width = _width(self._encoder)
        self._features = Features(self._width // SPLICE)
        self._decoder = GreedyDecoder(graphs)
        self._sample = samples.sample
        self._longest = _longest(samples)

    def prepare(self, max_batch: int) -> None:
        """Make the buffers for the largest batch of the longest samples. Raises DataError where it is too large."""
        self._bound(max_batch, self._longest)
        self._decoder.prepare(max_batch)

    def infer(self, indices: Sequence[int]) -> Responses:
        """Return the symbols of these samples, int64."""
        features = [self._features.of(self._sample(0, index)) for index in indices]
        found = self._decoder.decode(*self._encoded(features))
        return Responses(np.array([*chain.from_iterable(found)], np.int64), [8 * len(one) for one in found])

    def close(self) -> None:
        """Close the graphs."""
        self._encoder.graph.close()
        self._decoder.close()

    def _encoded(self, features: Sequence[Array]) -> tuple[Array, Array]:
        """Return what the encoder makes of a batch: float32 [B,U,E], and how many frames of each, int64 [B]."""
        binding, (x, lengths) = self._bound(len(features), max(map(len, features)))
        for place, one in enumerate(features):
            x[: len(one), place] = one
            x[len(one) :, place] = 0
            lengths[place] = len(one)
        encoded, count = self._encoder.run(binding)
        return encoded, count

    def _bound(self, batch: int, longest: int) -> tuple[Binding, list[Array]]:
        return self._encoder.bound((-(-longest // BUCKET) * BUCKET, batch, self._width), (batch,))


def _width(encoder: _Part) -> int:
    """Return the features of a row that the encoder takes. Raises DataError where they are not SPLICE frames."""
    (width,) = encoder.sizes("x", 3, 2)
    if width % SPLICE or width > SPLICE * MOST_BANDS:
        what = f"the encoder takes {width} features: not {SPLICE} frames of at most {MOST_BANDS} mel bands"
        raise DataError(what, _NEEDED)
    return width


def _longest(samples: Samples) -> int:
    """Return the rows of features of the longest sample. Raises DataError where samples are no audio."""
    if samples.lengths is None:
        raise DataError("the samples have all one shape", "prepare them as audio of its own length: int16 [samples]")
    return int(rows(samples.lengths).max())


class _State:
    """What the prediction network knows of each utterance of a batch."""

    def __init__(self, batch: int, layers: int, width: int) -> None:
        self.predicted = np.empty((batch, width), np.float32)
        self.hidden = np.zeros((layers, batch, width), np.float32)
        self.cell = np.zeros((layers, batch, width), np.float32)


class GreedyDecoder:
    """Greedy decoding with the graphs `prediction` and `joint`."""

    def __init__(self, graphs: Mapping[str, Graph]) -> None:
        """Raises DataError where the graphs are not those of a transducer."""
        self._prediction = _Part(
            graphs, "prediction", ("symbol", "hidden", "cell"), ("predicted", "hidden_out", "cell_out")
        )
        self._joint = _Part(graphs, "joint", ("encoded", "predicted"), ("logits",))
        self._layers, self._width = self._prediction.sizes("hidden", 3, 0, 2)
        (self._encoded,) = self._joint.sizes("encoded", 2, 1)
        (symbols,) = self._joint.sizes("logits", 2, 1)
        if symbols != BLANK + 1:
            what = f"the joint network gives {symbols} logits; there are {BLANK} symbols and the blank"
            raise DataError(what, _NEEDED)

    def prepare(self, max_batch: int) -> None:
        """Make the buffers for the largest batch."""
        self._bound_prediction(max_batch)
        self._bound_joint(max(max_batch, AHEAD))

    def close(self) -> None:
        """Close both graphs."""
        self._prediction.graph.close()
        self._joint.graph.close()

    def decode(self, encoded: Array, lengths: Array) -> list[list[int]]:
        """Return the symbols of each utterance, given its encoded frames: float32 [B,U,E], and how many, int64 [B].

        For each frame the most likely symbol is taken until it is the blank, or MOST_SYMBOLS were taken; of equal
        logits the first.
        """
        batch = len(encoded)
        state = _State(batch, self._layers, self._width)
        self._advance(state, np.arange(batch), np.full(batch, START, np.int64))
        said: list[list[int]] = [[] for _ in range(batch)]
        frame, of_frame = np.zeros(batch, np.int64), np.zeros(batch, np.int64)
        going = np.flatnonzero(lengths > 0)
        while len(going):
            left = np.minimum(lengths[going] - frame[going], max(AHEAD // len(going), 1))
            best = self._best_ahead(encoded, state.predicted, going, frame[going], left)
            blanks = np.minimum((best != BLANK).argmax(axis=1), left)
            of_frame[going[blanks > 0]] = 0
            frame[going] += blanks
            speaks = blanks < left
            if speaks.any():
                speaking, symbols = going[speaks], best[speaks, blanks[speaks]]
                for one, symbol in zip(speaking.tolist(), symbols.tolist(), strict=True):
                    said[one].append(symbol)
                of_frame[speaking] += 1
                self._advance(state, speaking, symbols)
                done = speaking[of_frame[speaking] == MOST_SYMBOLS]
                frame[done] += 1
                of_frame[done] = 0
            going = going[frame[going] < lengths[going]]
        return said

    def _best_ahead(self, encoded: Array, predicted: Array, who: Array, frame: Array, left: Array) -> Array:
        """Return the most likely symbols of the next frames of some utterances, with what is predicted now.

        `left` are the frames of each. int64 [n, max(left) + 1]: a frame too many says BLANK, and the last column what
        is no blank, so that each row has one.
        """
        most = int(left.max())
        best = np.full((len(who), most + 1), BLANK, np.int64)
        best[:, most] = START
        rows, ahead = np.nonzero(np.arange(most) < left[:, None])
        best[rows, ahead] = self._best(encoded[who[rows], frame[rows] + ahead], predicted[who[rows]])
        return best

    def _advance(self, state: _State, who: Array, symbols: Array) -> None:
        """Tell the prediction network the next symbol of some utterances."""
        count = len(who)
        binding, (symbol, hidden, cell) = self._bound_prediction(count)
        symbol[:count] = symbols
        hidden[:, :count] = state.hidden[:, who]
        cell[:, :count] = state.cell[:, who]
        predicted, hidden_out, cell_out = self._prediction.run(binding)
        state.predicted[who] = predicted[:count]
        state.hidden[:, who] = hidden_out[:, :count]
        state.cell[:, who] = cell_out[:, :count]

    def _best(self, encoded: Array, predicted: Array) -> Array:
        """Return the most likely symbol of each of these frames, int64 [n]."""
        count = len(encoded)
        binding, inputs = self._bound_joint(count)
        inputs[0][:count] = encoded
        inputs[1][:count] = predicted
        (logits,) = self._joint.run(binding)
        best: Array = logits[:count].argmax(axis=1)
        return best

    def _bound_prediction(self, count: int) -> tuple[Binding, list[Array]]:
        batch = rounded(count)
        state = (self._layers, batch, self._width)
        return self._prediction.bound((batch,), state, state)

    def _bound_joint(self, count: int) -> tuple[Binding, list[Array]]:
        batch = rounded(count)
        return self._joint.bound((batch, self._encoded), (batch, self._width))


def rounded(count: int) -> int:
    """Return a batch of at least so many, of which there are few: at most four between a power of two and the next.

    What fills it up is left over from an earlier run. Utterances of a batch end one by one, and a graph keeps a limited
    number of bindings.
    """
    step: int = 1 << max(count.bit_length() - 3, 0)
    return -(-count // step) * step
