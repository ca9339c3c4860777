"""The program of Whisper: features, encoder, and greedy decoding of a whole batch, of the graphs of whisper_graph.py.

Every sample of a batch goes on until it has said the end of the text, or MOST_TOKENS, as in the rules' reference; those
that have ended are decoded with the others, and what they say then is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.backends.base import Array, Binding, TensorSpec
from engine.backends.graph import Graph
from engine.errors import DataError
from engine.tasks.base import Samples
from engine.tasks.whisper_features import FRAMES, LONGEST_AUDIO, LogMel

MOST_TOKENS = 200
"""Of an answer."""
EMPTY = np.float32(-1e30)
"""Score of a place of the past that holds nothing yet."""

_NEEDED = "give a model of the graphs encoder and decoder, in the form of engine/networks/whisper_graph.py"


class Whisper:
    """What one session runs. For one thread only."""

    def __init__(self, graphs: Mapping[str, Graph], samples: Samples, prompt: Sequence[int], end: int) -> None:
        """Raises DataError where the graphs are not those of Whisper, or a sample is longer than 30 s."""
        if sorted(graphs) != ["decoder", "encoder"]:
            raise DataError(f"the model has the graphs {', '.join(graphs)}", _NEEDED)
        self._encoder, self._decoder = graphs["encoder"], graphs["decoder"]
        if samples.lengths is None or samples.lengths.max() > LONGEST_AUDIO:
            raise DataError("the samples are no audio of at most 30 s", "prepare them as audio: int16 [samples]")
        self._mel = LogMel(_bands(self._encoder.inputs))
        self._sample, self._prompt, self._end = samples.sample, tuple(prompt), end
        self._shapes = {spec.name: spec.shape for spec in self._decoder.inputs}
        self._names = [spec.name for spec in self._decoder.inputs]
        self._told = [spec.name for spec in self._decoder.outputs]
        self._heard = [spec.name for spec in self._encoder.outputs]
        if not {"token", "place", "mask", *self._heard} <= set(self._names) or "next" not in self._told:
            raise DataError(f"the inputs of the decoder are {', '.join(self._names)}", _NEEDED)

    def prepare(self, max_batch: int) -> None:
        """Make the buffers for the largest batch. Raises DataError where it is too large."""
        self._encoder.bound(((max_batch, self._mel.bands, FRAMES),))
        self._bound(max_batch)

    def tokens(self, indices: Sequence[int]) -> list[list[int]]:
        """Return what is said in these samples, as tokens without the prompt and the end."""
        binding = self._encoder.bound(((len(indices), self._mel.bands, FRAMES),))
        for place, index in enumerate(indices):
            binding.inputs[0][place] = self._mel.of(self._sample(0, index))
        return self._said(dict(zip(self._heard, binding.run(), strict=True)), len(indices))

    def close(self) -> None:
        """Close the graphs."""
        self._encoder.close()
        self._decoder.close()

    def _bound(self, batch: int) -> Binding:
        sizes = {"token": (batch,), "place": (1,), "mask": (self._past,)}
        return self._decoder.bound(tuple(sizes.get(name) or self._sized(name, batch) for name in self._names))

    def _sized(self, name: str, batch: int) -> tuple[int, ...]:
        shape = self._shapes[name]
        return (batch, *(self._past if size is None else size for size in shape[1:]))

    @property
    def _past(self) -> int:
        return len(self._prompt) + MOST_TOKENS

    def _said(self, heard: Mapping[str, Array], batch: int) -> list[list[int]]:
        binding = self._bound(batch)
        inputs = dict(zip(self._names, binding.inputs, strict=True))
        for name, values in heard.items():
            inputs[name][:] = values
        for name, values in inputs.items():
            if name.startswith("past_"):
                values[:] = 0
        inputs["mask"][:] = EMPTY
        said: list[list[int]] = [[] for _ in range(batch)]
        going = np.ones(batch, bool)
        tokens = np.full(batch, self._prompt[0], np.int64)
        for place in range(self._past - 1):
            inputs["token"][:], inputs["place"][:] = tokens, place
            told = dict(zip(self._told, binding.run(), strict=True))
            if place + 1 < len(self._prompt):
                tokens = np.full(batch, self._prompt[place + 1], np.int64)
            else:
                tokens = told["next"].copy()
                going &= tokens != self._end
                for one in np.flatnonzero(going):
                    said[one].append(int(tokens[one]))
                if not going.any():
                    break
            _remember(inputs, told, place)
        return said


def _remember(inputs: Mapping[str, Array], told: Mapping[str, Array], place: int) -> None:
    """Put what a step made of its token into the past."""
    for name, values in told.items():
        if name.startswith("new_key"):
            inputs[f"past_{name.removeprefix('new_')}"][..., place] = values
        elif name.startswith("new_value"):
            inputs[f"past_{name.removeprefix('new_')}"][..., place, :] = values
    inputs["mask"][place] = 0


def _bands(inputs: Sequence[TensorSpec]) -> int:
    """Return the mel bands that the encoder takes. Raises DataError where it takes something else."""
    shape = inputs[0].shape if len(inputs) == 1 else ()
    if len(shape) != 3 or shape[1] is None or shape[2] != FRAMES:
        raise DataError(f"the encoder takes {[list(one.shape) for one in inputs]}, not [B,bands,{FRAMES}]", _NEEDED)
    return shape[1]
