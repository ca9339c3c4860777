"""A transducer's program in its plainest form: greedy decoding and word errors, one utterance at a time.

Nothing here is fast. It is what the training measures with, and tests.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime

from engine.networks.transducer import TransducerConfig

Array = np.ndarray[Any, np.dtype[Any]]

ALPHABET = " abcdefghijklmnopqrstuvwxyz'"
"""By symbol; the blank is the number behind the last one."""
MOST_SYMBOLS = 30
"""Of one frame of the encoder."""

Run = Callable[[Mapping[str, Array]], Sequence[Array]]
"""Runs a graph: inputs by name → its outputs in order."""


@dataclass(frozen=True)
class Decoder:
    """Greedy decoding with the three graphs of engine.networks.transducer, as the rules' reference does it."""

    encoder: Run
    prediction: Run
    joint: Run
    form: TransducerConfig

    def symbols(self, features: Array) -> list[list[int]]:
        """Return the symbols of every frame of the encoder, for features [T,F]."""
        encoded, _ = self.encoder({"x": features[:, None], "lengths": np.array([len(features)])})
        zeros = np.zeros((self.form.prediction_layers, 1, self.form.prediction), np.float32)
        predicted, hidden, cell = self.prediction({"symbol": np.array([-1]), "hidden": zeros, "cell": zeros})
        found: list[list[int]] = []
        for frame in encoded[0]:
            found.append([])
            while len(found[-1]) < MOST_SYMBOLS:
                [logits] = self.joint({"encoded": frame[None], "predicted": predicted})
                symbol = int(logits[0].argmax())
                if symbol == self.form.symbols - 1:
                    break
                found[-1].append(symbol)
                fed = {"symbol": np.array([symbol]), "hidden": hidden, "cell": cell}
                predicted, hidden, cell = self.prediction(fed)
        return found


def decoder(graphs: Mapping[str, bytes], form: TransducerConfig) -> Decoder:
    """Return the decoder of three ONNX graphs."""
    return Decoder(**{name: _runner(graph) for name, graph in graphs.items()}, form=form)


def _runner(graph: bytes) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return lambda feeds: session.run(None, dict(feeds))


def indices(text: str) -> list[int]:
    """Return the symbols of a transcript."""
    return [ALPHABET.index(letter) for letter in text]


def text_of(symbols: Iterable[int]) -> str:
    """Return the transcript of symbols."""
    return "".join(ALPHABET[symbol] for symbol in symbols)
