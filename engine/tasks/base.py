"""What a task is: raw sample → array, outputs → response bytes, accuracy log → score. It knows no backend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Responses:
    """What one batch answers: the bytes that LoadGen logs, sample after sample in one contiguous array."""

    data: Array
    """C-contiguous; its bytes are the responses one after another."""
    sizes: int | Sequence[int]
    """Bytes per sample: one number where all are alike, else one per sample (0 is an empty response)."""


@dataclass(frozen=True)
class Score:
    """What an accuracy log is worth."""

    text: str
    """The whole of accuracy.txt without its hash line, ending in a newline."""
    metric: str
    value: float
    """In the unit of the rules (per cent for accuracy, mAP, F1, AUC)."""
    good: int | None
    total: int


class Task(Protocol):
    """A task module: one file in engine/tasks that has these functions at its top level."""

    def preprocess(self, raw: Path, options: Mapping[str, Any], out: Array) -> None:
        """Write one preprocessed sample into `out`. Raises DataError naming the file when it cannot be read."""

    def respond(self, outputs: Sequence[Array], indices: Sequence[int], options: Mapping[str, Any]) -> Responses:
        """Turn a model's outputs for the samples `indices` (QSL indices, batch order) into response bytes."""

    def score(self, log: Path, labels: Path, options: Mapping[str, Any]) -> Score:
        """Score an accuracy log against labels. Raises DataError where either is not what it should be."""
