"""What a task is: raw sample → array, outputs → response bytes, accuracy log → score. It knows no backend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from engine.backends.base import TensorSpec

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Responses:
    """What one batch answers: the bytes that LoadGen logs, sample after sample in one contiguous array."""

    data: Array
    """C-contiguous; its bytes are the responses one after another."""
    sizes: int | Sequence[int]
    """Bytes per sample: one number where all are alike, else one per sample (0 is an empty response)."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """What an accuracy log is worth."""

    text: str
    """The whole of accuracy.txt without its hash line, ending in a newline."""
    metric: str
    value: float
    """In `unit`."""
    good: int | None
    total: int
    unit: str = "%"
    """As the rules print it: per cent for accuracy, mAP, F1 and AUC; empty for a plain number such as a Dice score."""
    higher_is_better: bool = True
    doubt: str = ""
    """Why the figure may be wrong: it is what chance would give, or labels that belong to something else."""


@dataclass(frozen=True)
class Sample:
    """One labelled picture of a data set."""

    name: str
    """Its file, relative to the folder of the pictures."""
    size: tuple[int, int] | None = None
    """Width and height in pixels that the labels state; None where they don't."""


class Samples(Protocol):
    """The prepared samples that a program works on, by QSL index."""

    lengths: Array | None
    """Rows of each sample in the first ragged tensor, int64 [N]; None where all samples have one shape."""

    def check(self, inputs: Sequence[TensorSpec]) -> None:
        """Raise DataError where the samples do not fit these inputs of a model."""

    def gather(self, indices: Sequence[int], outs: Sequence[Array]) -> None:
        """Copy samples into the first rows of `outs`, one array per tensor; what a ragged sample lacks is 0."""

    def sample(self, number: int, index: int) -> Array:
        """Return tensor `number` of a sample in its own shape: a view, not to be written to."""


class Task(Protocol):
    """A task module: one file in engine/tasks that has these functions at its top level."""

    LABELS: str
    """Name of the file with the labels of the preprocessed samples."""

    def samples(self, labels: Path) -> Sequence[Sample]:
        """Return what a file of labels names, in its order, which is that of the QSL. Raises DataError."""

    def keep(self, labels: Path, indices: Sequence[int], target: Path) -> None:
        """Write the labels of these samples, by their place in `samples`, in this order."""

    def sample_shape(self, options: Mapping[str, Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return shape and dtype of one preprocessed sample."""

    def preprocess(self, raw: Path, options: Mapping[str, Any], out: Array) -> tuple[int, int]:
        """Write one preprocessed sample into `out`; returns width and height of the picture as it was read.

        Raises DataError naming the file when it cannot be read.
        """

    def respond(self, outputs: Sequence[Array], indices: Sequence[int], options: Mapping[str, Any]) -> Responses:
        """Turn a model's outputs for the samples `indices` (QSL indices, batch order) into response bytes."""

    def score(self, log: Path, labels: Path, options: Mapping[str, Any]) -> Score:
        """Score the samples that an accuracy log answers against their labels.

        The log of an accuracy run answers all samples; that of TEST01 some of them, some more than once: the first
        answer to each counts, and samples without one count for nothing, so that the score is that of this part of the
        data set. Raises DataError where log or labels are not what they should be.
        """
