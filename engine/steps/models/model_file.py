"""Models as files: downloaded by URL and checksum, or the user's own; with the facts that a run needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from engine.errors import DataError, nearest
from engine.formats import onnx_files
from engine.step import Options, Step, SurveyContext, SurveyResult
from engine.store.files import digest, open_plain
from engine.submission.provenance import MEASUREMENTS
from engine.tasks.listing import readable, stamp
from engine.text import clean

CLASSES_WITH_BACKGROUND = 1001
"""Number of classes of ImageNet graphs with a background class at 0, for which class = label + 1."""


TASK_OPTIONS = ("label_offset", "image_size")
"""Options of a model's component that its task needs, where the component has them."""

SAVED_MODEL_FILE = "saved_model.pb"
"""The file that identifies a SavedModel folder."""


class ModelOptions(Options, frozen=True, kw_only=True):
    """A model to download: options of a download, and what a run needs to know of the file."""

    url: tuple[str, ...]
    """URLs; the first counts as the origin of the weights."""
    format: Literal["onnx", "tf"]
    outputs: tuple[str, ...]
    label_offset: int | UnsetType | None = UNSET
    """Classification: added to a label to get a class. UNSET where the model is not a classifier."""
    image_size: int | UnsetType | None = UNSET
    """Detection: side in pixels of the square image that boxes refer to. UNSET where the model is not a detector."""
    member: str | UnsetType = UNSET
    """The model in an archive that is unpacked; UNSET where the file is the model."""
    weight_data_types: str | UnsetType = UNSET
    input_data_types: str | UnsetType = UNSET
    retraining: str | UnsetType = UNSET
    weight_transformations: str | UnsetType = UNSET


class FileOptions(Options, frozen=True, kw_only=True):
    """The user's own model file. One of `label_offset` and `image_size` is declared, by its task."""

    path: str | None
    format: Literal["onnx", "tf"]
    outputs: tuple[str, ...] | None
    """None takes the graph's outputs."""
    label_offset: int | UnsetType | None = UNSET
    """None derives it from the number of classes."""
    image_size: int | UnsetType | None = UNSET
    """None takes the side of the graph's input."""


def fetch_model(step: Step) -> dict[str, Any]:
    """Download a model. Facts: `model`, `format`, `outputs`, `task_options`, `sha256`, and the origin of the
    weights."""
    from engine.steps.download import download  # noqa: PLC0415  (a survey fetches nothing, and a plan must be instant)

    facts = download(step)
    options = step.read_options(ModelOptions)
    known = msgspec.to_builtins(options)  # without what is not declared
    model = facts["file"] if options.member is UNSET else options.member
    if not (step.output / model).exists():
        raise DataError(f"{facts['file']} holds no {model}", "check the URL: it may be another archive")
    found = {"model": model, "sha256": facts["sha256"], "starting_weights_filename": options.url[0]}
    found |= {name: known[name] for name in ("format", *MEASUREMENTS) if name in known}
    found["task_options"] = {name: known[name] for name in TASK_OPTIONS if name in known}
    return {**found, "outputs": list(options.outputs)}


def survey_file(context: SurveyContext) -> SurveyResult:
    """Check that the file exists and has the backend's format; its content is read when the job runs."""
    options = context.read_options(FileOptions)
    given = options.path
    if not given:
        return SurveyResult("missing", text="no model file given", remedy="--model_path=FILE")
    path = Path(given).expanduser().absolute()
    with readable(path):
        if not path.exists():
            return SurveyResult(
                "missing", text=f"there is no model file {clean(str(path))}", remedy="check --model_path"
            )
        if _format(path) != options.format:
            return SurveyResult("conflict", text=_misfit(path, options.format), remedy=_REMEDIES[_format(path)])
        identity = digest("\n".join(f"{one} {stamp(one.stat())}" for one in _files(path)))
    return SurveyResult("run", identity=identity, text=clean(str(path)))


def _files(path: Path) -> list[Path]:
    """Return the files of a model: all of a folder, else the file and its external data.

    Raises DataError where one is missing or can't be read.
    """
    if path.is_dir():
        return sorted(one for one in path.rglob("*") if one.is_file())
    if path.suffix == ".onnx":
        return onnx_files.files(path)
    open_plain(path).close()
    return [path]


def read_file(step: Step) -> dict[str, Any]:
    """Use the user's model file in place, with its checksum; options not given are read from the graph.

    Raises DataError where the backend can't read the file.
    """
    options = step.read_options(FileOptions)
    path, format_ = Path(options.path or "").expanduser().absolute(), options.format
    with readable(path):
        if _format(path) != format_:
            raise DataError(_misfit(path, format_), _REMEDIES[_format(path)])
        files = _files(path)
        outputs, sha256 = _read_onnx(path) if format_ == "onnx" else _read_tensorflow(path)
    if not outputs:
        raise DataError(f"{path} has no outputs", "give another file")
    wanted, task_options = _reader(options)(options, path, outputs)
    return {
        "model": str(path),
        "format": format_,
        "outputs": wanted,
        "task_options": task_options,
        "sha256": sha256,
        "files": [one.relative_to(path.parent).as_posix() for one in files],
        "starting_weights_filename": path.name,
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "unknown",
        "weight_transformations": "unknown: a file given by the user",
    }


def _format(path: Path) -> str:
    """Return the format by file name: `onnx`, `tf` (a frozen graph, or a SavedModel folder) or another."""
    if path.suffix == ".pb" or (path / SAVED_MODEL_FILE).is_file():
        return "tf"
    return "onnx" if path.suffix == ".onnx" else "other"


_REMEDIES = {
    "onnx": "ONNX Runtime reads it: use _onnxruntime",
    "tf": "TensorFlow reads it: add _tf to the tags",
    "other": "give a model that ends in .onnx, or with _tf one that ends in .pb or the folder of a SavedModel",
}
"""By the format that the file name implies."""


def _misfit(path: Path, wanted: str) -> str:
    return f"{path} is not {'an ONNX file' if wanted == 'onnx' else 'a TensorFlow model'}"


_Output = tuple[str, tuple[int | None, ...], bool]
"""Name, dimensions (None or 0 where dynamic), and whether it holds integers."""


def _reader(options: FileOptions) -> Callable[..., tuple[list[str], dict[str, Any]]]:
    """Return the function that reads a graph's outputs, by the component's options."""
    if options.image_size is not UNSET:
        return _detector
    return _plain if options.label_offset is UNSET else _classifier


def _plain(options: FileOptions, path: Path, outputs: list[_Output]) -> tuple[list[str], dict[str, Any]]:
    """Return the outputs to read: the named ones, or all. Such a task needs no further options."""
    wanted, known = list(options.outputs or ()), [name for name, _, _ in outputs]
    for name in wanted:
        if name not in known:
            raise DataError(
                f"{path} has no output '{name}'", f"{nearest(name, known)}; name them: --adr.model.outputs=A,B,C"
            )
    return wanted or known, {}


def _classifier(options: FileOptions, _: Path, outputs: list[_Output]) -> tuple[list[str], dict[str, Any]]:
    """Return the output to read, and the task options of its classes."""
    chosen, offset = _class_output(outputs)
    given = options.label_offset
    return list(options.outputs or [chosen]), {"label_offset": given if isinstance(given, int) else offset}


def _detector(options: FileOptions, path: Path, outputs: list[_Output]) -> tuple[list[str], dict[str, Any]]:
    """Return the outputs to read, and the side in pixels of the square image that boxes refer to."""
    wanted, _ = _plain(options, path, outputs)
    return wanted, {"image_size": options.image_size or _side(path)}


def _side(path: Path) -> int:
    """Return the side of an ONNX detector's input image. Raises DataError where it is dynamic."""
    import onnx  # noqa: PLC0415  (heavy, and only a running step needs it)

    graph = onnx.load(str(path), load_external_data=False).graph
    weights = {one.name for one in graph.initializer}
    shapes = [
        [size.dim_value for size in one.type.tensor_type.shape.dim] for one in graph.input if one.name not in weights
    ]
    for batch, *sides in shapes:
        if batch in (0, 1) and len(sides) == 3 and sides[1] == sides[2] > 0:
            return int(sides[1])
    raise DataError(
        f"{path} takes {shapes}, not one square image [1,3,S,S]",
        "give the size that its boxes refer to: --adr.model.image_size=S",
    )


def _class_output(outputs: list[_Output]) -> tuple[str, int]:
    """Return the output to read and the offset of its classes: integers are the class itself, floats are scores."""
    classes = [name for name, _, whole in outputs if whole]
    sizes = [shape[-1] for _, shape, _ in outputs if len(shape) == 2]
    background = CLASSES_WITH_BACKGROUND in sizes or (bool(classes) and not sizes)
    return (classes or [name for name, _, _ in outputs])[0], int(background)


def _read_onnx(path: Path) -> tuple[list[_Output], str]:
    """Return outputs and checksum of an ONNX model: of its one file, or over the checksums of all its files."""
    import onnx  # noqa: PLC0415  (heavy, and only a running step needs it)
    from google.protobuf.message import DecodeError  # noqa: PLC0415

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except DecodeError:
        raise DataError(f"{path} is not an ONNX model", "give another file") from None
    found: list[_Output] = []
    for one in graph.output:
        tensor = one.type.tensor_type
        whole = tensor.elem_type in (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
        found.append((one.name, tuple(dim.dim_value for dim in tensor.shape.dim), whole))
    return found, onnx_files.checksum(path)


def _read_tensorflow(path: Path) -> tuple[list[_Output], str]:
    """Return outputs and checksum of a frozen graph or a SavedModel."""
    from engine.backends.frozen_graph import FrozenGraph, saved_model_checksum  # noqa: PLC0415  (imports TensorFlow)

    specs = [one.spec for one in FrozenGraph.read(path).outputs]
    return [(spec.name, spec.shape, spec.dtype in ("int64", "int32")) for spec in specs], saved_model_checksum(path)
