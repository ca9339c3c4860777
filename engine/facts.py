"""Facts about artifacts: one struct for each kind, used by the step that makes it and by those that read it.

Steps return facts as JSON values; `Artifact.read` (engine/step.py) decodes them to one of these structs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from engine.errors import DataError


class Ragged(msgspec.Struct, frozen=True):
    """Files of a ragged tensor: every sample has its own length or shape."""

    values: str
    """Name of a .npy file [T, *shape]: the rows of all samples, one sample after another."""
    offsets: str
    """Name of a .npy file, int64 [N + 1]: sample i has the rows offsets[i] to offsets[i + 1]."""
    shapes: str = ""
    """Name of a .npy file, int64 [N, k], of the sizes where a sample's rows have k own dimensions. Empty for one
    dimension."""

    def within(self, folder: str) -> Ragged:
        """Return the same files with absolute paths."""
        return Ragged(*(f"{folder}/{name}" if name else "" for name in msgspec.structs.astuple(self)))


class OnLoad(msgspec.Struct, frozen=True, kw_only=True):
    """Samples of one tensor that are too large to keep: they are generated when LoadGen asks for its set."""

    maker: str
    """`module:function`: (folder, options) → a thread-safe function that writes one sample (QSL index, output
    array)."""
    options: dict[str, Any]
    """Options of the maker."""
    folder: str = ""
    """Where the maker's own files are; empty in facts: the artifact's folder."""
    count: int
    shape: tuple[int, ...]
    """Shape of one sample."""
    dtype: str
    bytes: int
    """Bytes of one sample."""


class CommonFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that any artifact may have."""

    text: str = ""
    """For the user: the step's result."""
    disturbed: str = ""
    """How other work disturbed a measurement, as a sentence; empty if it did not."""
    version: Any = ""
    """Of the package that it comes from, a text; a step of the user's own may mean something else by it."""
    environment: dict[str, Any] = {}
    """The Python environment in the artifact (engine.system.isolation); empty if it is none."""


class DataFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A raw data set, or its labels."""

    images: str = ""
    """The folder of the samples' files, relative to the artifact's; or a whole path."""
    labels: str | None = None
    """The file with the labels, relative to the artifact's folder; None if there are none."""
    count: int | None = None
    """Number of samples, if known."""


class CasesFacts(DataFacts, frozen=True, kw_only=True):
    """Scans, a folder each."""

    cases: tuple[str, ...] = ()
    """Folders in QSL order; empty: all that are there, in the order of their names."""
    nifti: bool = False
    """Whether they are NIfTI files."""


class ChosenFacts(DataFacts, frozen=True, kw_only=True):
    """Samples that were chosen for calibration."""

    what: str
    """Description for the measurements file, without the number of samples."""
    by_rules: bool
    """Whether they are a complete calibration list of the rules."""


class InstalledFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A package of the running Python."""

    package: str
    version: str


class PackageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Files that were extracted from a package."""

    package: str
    version: str
    files: tuple[str, ...]
    """Relative to the artifact's folder."""


class SamplesFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A sample set: what LoadGen's query sample library serves, in QSL order, and what scoring needs."""

    arrays: tuple[str | Ragged, ...] = ()
    """The tensors in the order of the model's inputs, relative to the artifact's folder: a .npy file [N, *shape], or
    the files of a ragged one. Empty where samples are made on load."""
    on_load: OnLoad | None = None
    """How samples that are not stored are made; None if they are stored."""
    count: int
    labels: str
    """The file that the task scores against, relative to the artifact's folder."""
    labelled: int | None = None
    """How many samples the labels name, including missing ones."""

    def paths(self, folder: Path) -> tuple[str | Ragged, ...]:
        """Return the tensors' files with paths in the artifact's folder."""
        return tuple(str(folder / one) if isinstance(one, str) else one.within(str(folder)) for one in self.arrays)

    def made(self, folder: Path) -> OnLoad | None:
        """Return how samples are made on load, with the artifact's folder filled in; None if they are stored."""
        return msgspec.structs.replace(self.on_load, folder=str(folder)) if self.on_load is not None else None


class ChosenSamplesFacts(SamplesFacts, frozen=True, kw_only=True):
    """A sample set that was chosen for calibration."""

    labels: str = ""
    what: str
    """Description for the measurements file, without the number of samples."""
    by_rules: bool
    """Whether they are a complete calibration list of the rules."""


QUANTIZATION = "quantization to int8"
"""What `weight_transformations` of a model that was quantized here says."""

NO_ACCURACY = "INT8 MADE HERE: speed only, accuracy not shown"
"""Notice to show with the speed of a model that was quantized here, where no accuracy run is beside it."""


class CalibratedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a quantized model was calibrated with."""

    text: str
    by_rules: bool
    sha256: str
    """Over names and contents of the samples."""


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A model: its graphs and what the rules require to be reported."""

    model: str | dict[str, str]
    """The model file, relative to the artifact's folder, or an absolute path; by name for several graphs."""
    outputs: tuple[str, ...] | dict[str, tuple[str, ...]] = ()
    """Names of the outputs that the task reads, by graph for several; empty means all."""
    task_options: dict[str, Any] = {}
    """Options that the task needs to interpret the outputs."""
    task_files: dict[str, str] = {}
    """Further options: files in the artifact's folder, such as a vocabulary."""
    sha256: str = ""
    """Over all files of the model, including external data."""
    format: str = "onnx"
    starting_weights_filename: str = ""
    weight_data_types: str = "fp32"
    input_data_types: str = "fp32"
    retraining: str = "no"
    weight_transformations: str = "none"
    """This and the following fields: the measurements file's five fields of those names."""
    shared_bytes: int = 0
    """Bytes of external data that the backend maps into memory as it is, once for all sessions."""
    stand_in: bool = False
    """Whether its weights are synthetic."""
    calibration: CalibratedFacts | None = None

    def options(self, folder: Path) -> dict[str, Any]:
        """Return the options of the task, with its files in the artifact's folder."""
        return {**self.task_options, **{name: str(folder / file) for name, file in self.task_files.items()}}

    def paths(self, folder: Path) -> str | dict[str, str]:
        """Return the path of the model file, or those of its graphs by name, in the artifact's folder."""
        if isinstance(self.model, str):
            return str(folder / self.model)
        return {name: str(folder / file) for name, file in self.model.items()}

    @property
    def file(self) -> str:
        """The model file of a model of one graph. Raises DataError if there are several."""
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
    """What the measurements file states about the backend's treatment of the weights."""
    environment: dict[str, Any] = {}
    """The Python environment that it runs in (engine.system.isolation); empty for inferdeck's own."""


class FoundFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A target of a system's run configuration that a search found."""

    target: float
    model: str
    """SHA-256 of the model that the search ran with."""


class SutFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A system's run configuration for one benchmark on one backend."""

    system: str
    figures: dict[str, float] = {}
    """By scenario."""
    found: dict[str, FoundFigure] = {}
    """By scenario, where a search found the figure."""


class TargetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A target found by a search."""

    target: float


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A LoadGen run."""

    valid: bool | None = None
    """LoadGen's verdict; None in accuracy mode."""
    metric: str | None = None
    value: float | None = None
    unit: str = ""
