"""Transcription by Whisper: audio of up to 30 seconds → text → accuracy log → word error rate, as from round v5.1 on.

Features and the filling up to 30 seconds are part of what is timed, so a sample is audio as it was recorded. A response
is the lower-case text as symbols of ALPHABET, int64, as in the rules' reference; LoadGen is told its number of tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.graph import Graph
from engine.step import Step
from engine.tasks import speech_manifest, speech_recognition, whisper_features
from engine.tasks.base import Array, Responses, Samples, Score, TaskOptions
from engine.tasks.byte_tokens import ByteTokens, read_vocabulary
from engine.tasks.english_text import normalised
from engine.tasks.transcripts import SYMBOL_BYTES, score_of
from engine.tasks.whisper_program import Whisper
from engine.tasks.word_errors import distance, joined

ALPHABET = speech_manifest.ALPHABET + "0123456789$¢£€%+-"
"""The symbols of a response, by their index."""


class WhisperOptions(TaskOptions, frozen=True, kw_only=True):
    """What the task needs to know of a model."""

    prompt: tuple[int, ...]
    """The tokens that come before the text: language and what to do."""
    end: int
    """The token that ends the text."""
    vocabulary: str
    """Path of its tokenizer.json."""


OPTIONS = WhisperOptions


def prepare(step: Step) -> dict[str, Any]:
    """Write the audio of utterances of at most 30 s; otherwise as that of speech_recognition."""
    return speech_recognition.prepare(step, whisper_features.SECONDS)


class Transcriber:
    """What one session runs. For one thread only."""

    def __init__(self, model: Whisper, vocabulary: ByteTokens) -> None:
        self._model, self._vocabulary = model, vocabulary
        self.prepare, self.close = model.prepare, model.close

    def infer(self, indices: Sequence[int]) -> Responses:
        """Return the symbols of these samples, int64, and how many tokens each has."""
        tokens = self._model.tokens(indices)
        found = [symbols(self._vocabulary.text(one)) for one in tokens]
        data = np.array([*chain.from_iterable(found)], np.int64)
        # LoadGen takes a response without tokens for an error.
        return Responses(data, [SYMBOL_BYTES * len(one) for one in found], [max(len(one), 1) for one in tokens])


def symbols(text: str) -> list[int]:
    """Return a text as indices of ALPHABET: lower-case, without other signs."""
    return [ALPHABET.index(one) for one in text.lower().strip() if one in ALPHABET]


def program(graphs: Mapping[str, Graph], samples: Samples, model: WhisperOptions) -> Transcriber:
    """Return the program of a session. Raises DataError where graphs, samples or vocabulary are not Whisper's."""
    return Transcriber(Whisper(graphs, samples, model.prompt, model.end), read_vocabulary(Path(model.vocabulary)))


def cost(samples: Samples, model: WhisperOptions) -> Array | None:
    """Return what each sample costs, int64 [N]: samples of audio, by which the length of a text goes."""
    return samples.lengths


def score(log: Path, labels: Path) -> Score:
    """Return the word error rate over the samples that a log answers, in the form of the rules' accuracy_eval.py.

    Both texts are normalised first (engine/tasks/english_text.py). Where a sample was answered twice, its first answer
    counts. Raises DataError for malformed logs and manifests, and a log that answers no word.
    """
    utterances = speech_manifest.read(labels, whisper_features.SECONDS)
    poor = "audio in another order does this, or a vocabulary of another model"
    return score_of(log, labels, utterances, ALPHABET, _errors, poor=poor)


def _errors(text: str, transcript: str) -> tuple[int, int]:
    """Return the errors of a text, and the words of its transcript."""
    right = normalised(transcript).split()
    return distance(*joined(normalised(text).split(), right)), len(right)
