"""What a task is: samples → outputs → response bytes, and accuracy log → score. It knows no backend."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from engine.backends.base import TensorSpec
from engine.step import Artifact

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
    warning: str = ""
    """Why the figure may be wrong: it is what chance would give, or labels that belong to something else."""


@dataclass(frozen=True, kw_only=True)
class CalibrationSet:
    """The samples that a model is calibrated with, in the form that its graph takes."""

    count: int
    text: str
    """How many and which they are, in words for the measurements file."""
    by_rules: bool
    """Whether they are one of the rules' lists, whole."""
    sha256: str
    """Over their contents."""
    batches: Callable[[Sequence[TensorSpec]], Iterator[Mapping[str, Array]]]
    """Inputs of the graph → batches by the inputs' names, in order, few in memory at a time: one sample a batch, or as
    many as the graph fixes, the last batch filled up with samples that it has seen. Raises DataError where samples do
    not fit or can't be used."""
    unit: str = "samples"
    """What they are called."""


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
    """A task module: one file in engine/tasks with these functions at its top level.

    It may have more: `program`, in place of `respond` (engine/tasks/programs.py MakeProgram), `cost` (`CostOf`), and
    `calibration` (`CalibrationOf`), where a model is not calibrated with prepared samples. How its samples are prepared
    is no part of this: a component names a function for it.
    """

    def respond(self, outputs: Sequence[Array], indices: Sequence[int], options: Mapping[str, Any]) -> Responses:
        """Turn a model's outputs for the samples `indices` (QSL indices, batch order) into response bytes."""

    def score(self, log: Path, labels: Path, options: Mapping[str, Any]) -> Score:
        """Score the samples that an accuracy log answers against their labels.

        The log of an accuracy run answers all samples; that of TEST01 some of them, some more than once: the first
        answer to each counts, and samples without one count for nothing, so that the score is that of this part of the
        data set. Raises DataError where log or labels are not what they should be.
        """


CostOf = Callable[[Samples, Mapping[str, Any]], Array]
"""Samples and options of the task → what each sample costs, int64 [N], in a unit of the task (tokens, windows)."""

CalibrationOf = Callable[[Artifact, Mapping[str, Any]], CalibrationSet]
"""What a step of calibration left, and the options of the quantized model's component → its calibration set."""
