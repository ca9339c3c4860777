"""The interface of a task: samples → outputs → response bytes, and accuracy log → score. Independent of backends."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import msgspec
import numpy as np

from engine.backends.base import TensorSpec
from engine.errors import DataError
from engine.step import Artifact

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Responses:
    """The responses of a batch: the bytes that LoadGen logs, concatenated in one contiguous array."""

    data: Array
    """C-contiguous; its bytes are the responses in order."""
    sizes: int | Sequence[int]
    """Bytes per sample: one number if all are equal, else one per sample (0 is an empty response)."""
    tokens: Sequence[int] = ()
    """Tokens per sample, of a model that generates text; none of others."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """The score of an accuracy log."""

    text: str
    """The text of accuracy.txt without its hash line, ending in a newline."""
    metric: str
    value: float
    """In `unit`."""
    good: int | None
    total: int
    unit: str = "%"
    """As the rules print it: per cent for accuracy, mAP, F1 and AUC; empty for a plain number such as a Dice score."""
    higher_is_better: bool = True
    warning: str = ""
    """Why the score may be wrong: chance level, or labels of something else."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Further figures, by the names under which they become facts of the scoring step (`wer`)."""


@dataclass(frozen=True, kw_only=True)
class CalibrationSet:
    """The samples that a model is calibrated with, in the format of its graph's inputs."""

    count: int
    text: str
    """Number and description, for the measurements file."""
    by_rules: bool
    """Whether they are a complete calibration list of the rules."""
    sha256: str
    """Over their contents."""
    batches: Callable[[Sequence[TensorSpec]], Iterator[Mapping[str, Array]]]
    """Inputs of the graph → batches by the inputs' names, in order, few in memory at a time: one sample a batch, or as
    many as the graph fixes, the last batch padded with earlier samples. Raises DataError for samples that do not match
    the inputs or are invalid."""
    unit: str = "samples"
    """What the samples are called."""


class Samples(Protocol):
    """The prepared samples that a program works on, by QSL index."""

    lengths: Array | None
    """Rows of each sample in the first ragged tensor, int64 [N]; None if all samples have one shape."""
    shapes: Array | None
    """Sizes of each sample in the first ragged tensor, int64 [N,k]; None if its samples have one dimension, or all have
    one shape."""

    def check(self, inputs: Sequence[TensorSpec]) -> None:
        """Raise DataError if the samples do not match these inputs of a model."""

    def gather(self, indices: Sequence[int], outs: Sequence[Array]) -> None:
        """Copy samples into the first rows of `outs`, one array per tensor; ragged samples are padded with 0."""

    def sample(self, number: int, index: int) -> Array:
        """Return tensor `number` of a sample in its own shape: a read-only view."""


class Task(Protocol):
    """A task module: one file in engine/tasks with these functions at its top level.

    Optional: ONE_THREAD, names of graphs that run on one thread in every session; OPTIONS, a subclass of
    TaskOptions, of which `respond`, `program` and `cost` get the values for a model as the argument `model`.

    Optional functions: `program` or `shared_program`, in place of `respond` (engine/tasks/programs.py), `cost`
    (`CostOf`), and `calibration` (`CalibrationOf`), if a model is not calibrated with prepared samples. Sample
    preparation is not part of the interface: a component names a function for it.
    """

    def respond(self, outputs: Sequence[Array], indices: Sequence[int], model: Any) -> Responses:
        """Convert a model's outputs for the samples `indices` (QSL indices, batch order) to response bytes."""

    def score(self, log: Path, labels: Path) -> Score:
        """Score the samples answered in an accuracy log against their labels.

        The log of an accuracy run answers all samples; that of TEST01 some of them, some more than once: the first
        answer to each counts, and the score is that of the answered subset. Raises DataError for an invalid log or
        invalid labels.
        """


CostOf = Callable[[Samples, Any], Array]
"""Samples and the task's OPTIONS → cost of each sample, int64 [N], in a unit of the task (tokens, windows)."""

CalibrationOf = Callable[[Artifact, Mapping[str, Any]], CalibrationSet]
"""A calibration step's artifact, and the options of the quantized model's component → its calibration set."""


class TaskOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a task needs to know of a model: nothing, unless a subclass declares it."""


def model_options(task: ModuleType, known: Mapping[str, Any]) -> TaskOptions:
    """Return a model's task options as the task's OPTIONS. Raises DataError if they don't fit."""
    kind: type[TaskOptions] = getattr(task, "OPTIONS", TaskOptions)
    try:
        return msgspec.convert(dict(known), kind)
    except msgspec.ValidationError as error:
        what = f"the model's task options do not fit: {error}"
        raise DataError(what, f"see OPTIONS in {task.__name__}") from None
