"""What steps say of their artifacts: one struct for each kind, for the step that makes it and those that read it.

Steps hand facts on as JSON values; `Artifact.read` (engine/step.py) is where they become one of these again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from engine.errors import DataError


class Ragged(msgspec.Struct, frozen=True):
    """The files of a tensor of which every sample has a length, or a shape, of its own."""

    values: str
    """Name of a .npy file [T, *shape]: the rows of all samples, one sample after another."""
    offsets: str
    """Name of a .npy file, int64 [N + 1]: sample i has the rows offsets[i] to offsets[i + 1]."""
    shapes: str = ""
    """Name of a .npy file, int64 [N, k], where a sample's rows have k dimensions: their sizes. Empty: one."""

    def within(self, folder: str) -> Ragged:
        """Return the same files by their paths."""
        return Ragged(*(f"{folder}/{name}" if name else "" for name in msgspec.structs.astuple(self)))


class OnLoad(msgspec.Struct, frozen=True, kw_only=True):
    """Samples of one tensor that are too large to keep: they are made when LoadGen asks for its set."""

    maker: str
    """`module:function`: (folder, options) → what writes one sample (QSL index, where to), on any thread."""
    options: dict[str, Any]
    """Of the maker."""
    folder: str = ""
    """Where the maker's own files are; empty in facts: the artifact's folder."""
    count: int
    shape: tuple[int, ...]
    """Of one sample."""
    dtype: str
    bytes: int
    """Of one sample."""


class CommonFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What any artifact may say of itself."""

    text: str = ""
    """For a person: what came of the step."""
    disturbed: str = ""
    """What other work did to a measurement, as a sentence; empty where nothing did."""
    environment: dict[str, Any] = {}
    """The Python environment that the artifact is (engine.system.isolation); empty where it is none."""


class DataFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A raw data set, or its labels."""

    images: str = ""
    """The folder of the samples' files, relative to the artifact's; or a whole path."""
    labels: str | None = None
    """The file with the labels, relative to the artifact's folder; None where it has none."""
    count: int | None = None
    """How many samples there are, where that is known."""


class ChosenFacts(DataFacts, frozen=True, kw_only=True):
    """Samples that were chosen for calibration."""

    what: str
    """Which they are, in words for the measurements file, without their number."""
    by_rules: bool
    """Whether they are one of the rules' lists, whole."""


class PackageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Files that were taken out of a package."""

    package: str
    version: str
    files: tuple[str, ...]
    """Relative to the artifact's folder."""


class SamplesFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A sample set: what LoadGen's query sample library serves, in QSL order, with what scoring needs beside it."""

    arrays: tuple[str | Ragged, ...] = ()
    """The tensors in the order of the model's inputs, relative to the artifact's folder: a .npy file [N, *shape], or
    the files of a ragged one. None where samples are made on load."""
    on_load: OnLoad | None = None
    """How samples are made that are not kept; None where they are."""
    count: int
    labels: str
    """What the task scores by, relative to the artifact's folder."""
    labelled: int | None = None
    """How many samples the labels name, the missing ones among them."""

    def paths(self, folder: Path) -> tuple[str | Ragged, ...]:
        """Return the tensors' files by their paths, given the artifact's folder."""
        return tuple(str(folder / one) if isinstance(one, str) else one.within(str(folder)) for one in self.arrays)

    def made(self, folder: Path) -> OnLoad | None:
        """Return how samples are made on load, given the artifact's folder; None where they are kept."""
        return msgspec.structs.replace(self.on_load, folder=str(folder)) if self.on_load is not None else None


class ChosenSamplesFacts(SamplesFacts, frozen=True, kw_only=True):
    """A sample set that was chosen for calibration."""

    labels: str = ""
    what: str
    """Which they are, in words for the measurements file, without their number."""
    by_rules: bool
    """Whether they are one of the rules' lists, whole."""


class CalibratedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a quantized model was calibrated with."""

    text: str
    by_rules: bool
    sha256: str
    """Over names and contents of the samples."""


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A model: its graphs and what the rules want to know of it."""

    model: str | dict[str, str]
    """The model file, relative to the artifact's folder, or a whole path; by name where it has several graphs."""
    outputs: tuple[str, ...] | dict[str, tuple[str, ...]] = ()
    """Names of the outputs that the task reads, by graph where there are several; empty means all."""
    task_options: dict[str, Any] = {}
    """What the task has to know to read the outputs."""
    sha256: str = ""
    """Over all files of the model, those with external data among them."""
    format: str = "onnx"
    starting_weights_filename: str = ""
    weight_data_types: str = "fp32"
    input_data_types: str = "fp32"
    retraining: str = "no"
    weight_transformations: str = "none"
    """As the five fields of those names in the measurements file."""
    stand_in: bool = False
    """Whether its weights are synthetic."""
    calibration: CalibratedFacts | None = None

    def paths(self, folder: Path) -> str | dict[str, str]:
        """Return the path of the model file, or those of its graphs by name, given the artifact's folder."""
        if isinstance(self.model, str):
            return str(folder / self.model)
        return {name: str(folder / file) for name, file in self.model.items()}

    @property
    def file(self) -> str:
        """The model file of a model of one graph. Raises DataError where it has several."""
        if isinstance(self.model, str):
            return self.model
        raise DataError(f"the model has several graphs: {', '.join(self.model)}", "give a model of one file")


class BackendFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A backend on this machine."""

    module: str
    version: str
    device: str = "cpu"
    settings: dict[str, str] = {}
    """The backend's own settings, by its own names."""
    measured: dict[str, str] = {}
    """What the measurements file says of what the backend makes of the weights."""
    environment: dict[str, Any] = {}
    """The Python environment that it lives in (engine.system.isolation); empty where that is inferdeck's own."""


class FoundFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A target of a system's run configuration that a search found."""

    target: float
    model: str
    """SHA-256 of the model that it was found with."""


class SutFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one system's run configuration says of one benchmark on one backend."""

    system: str
    figures: dict[str, float] = {}
    """By scenario."""
    found: dict[str, FoundFigure] = {}
    """By scenario, where a search found the figure."""


class TargetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A target that was searched for."""

    target: float


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A LoadGen run."""

    valid: bool | None = None
    """LoadGen's verdict; None in accuracy mode."""
    metric: str | None = None
    value: float | None = None
    unit: str = ""
