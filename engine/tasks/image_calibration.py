"""The pictures that a model is calibrated with, read and made ready for the model as its task says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.base import TensorSpec
from engine.errors import DataError
from engine.facts import ChosenFacts
from engine.step import Artifact
from engine.store.files import read_plain
from engine.tasks.base import Array, CalibrationSet
from engine.tasks.image_task import ImageTask
from engine.tasks.labelled import collecting, refuse_bad
from engine.tasks.labels import read_names
from engine.tasks.listing import readable, shown
from engine.text import clean

LIST = "pictures.txt"
"""Names of the pictures, one a line, in the order they are used."""


@dataclass(frozen=True)
class CalibrationImages:
    """What an artifact of calibration pictures holds."""

    files: Sequence[Path]
    text: str
    """Which pictures they are, in words for the measurements file."""
    by_rules: bool
    """Whether they are one of the rules' lists, whole."""
    sha256: str
    """Over names and contents of the pictures."""

    @classmethod
    def of(cls, artifact: Artifact) -> CalibrationImages:
        """Read an artifact that engine.steps.calibration left.

        Raises DataError for an empty list or a picture that is gone.
        """
        chosen = artifact.read(ChosenFacts)
        files = listed_files(artifact.folder / LIST, artifact.folder / chosen.images)
        return cls(files, f"{len(files)} {chosen.what}", chosen.by_rules, _digest(files))


def calibration(task: ImageTask, chosen: Artifact, options: Mapping[str, Any]) -> CalibrationSet:
    """Return the calibration set of a task on pictures; option `preprocessing` says how they are made ready.

    Its batches raise DataError where the model takes no square pictures, and where pictures can't be used, which it
    names all.
    """
    pictures = CalibrationImages.of(chosen)

    def batches(inputs: Sequence[TensorSpec]) -> Iterator[Mapping[str, Array]]:
        return _batches(task, pictures.files, options["preprocessing"], inputs)

    return CalibrationSet(
        count=len(pictures.files),
        text=pictures.text,
        by_rules=pictures.by_rules,
        sha256=pictures.sha256,
        batches=batches,
        unit="pictures",
    )


def _batches(
    task: ImageTask, files: Sequence[Path], preprocessing: str, inputs: Sequence[TensorSpec]
) -> Iterator[Mapping[str, Array]]:
    """Make the pictures ready, one at a time where the model takes one.

    Eight at a time are no quicker, and the activations of ResNet-50 took 2.2 GB instead of 0.6. A model of a fixed
    batch gets its last one filled up with pictures that it has seen: no extreme moves.
    """
    image = _image(inputs)
    options = {"preprocessing": preprocessing, **_form(image)}
    shape, dtype = task.sample_shape(options)
    size, count, bad = image.shape[0] or 1, len(files), dict[str, str]()
    for start in range(0, count, size):
        batch = np.empty((size, *shape), dtype)
        for place, slot in enumerate(batch, start=start):
            file = files[place % count]
            with collecting(bad, file, file.name):
                task.preprocess(file, options, slot)
        if bad:
            for file in files[start + size :]:  # name all that can't be used at once
                with collecting(bad, file, file.name):
                    task.preprocess(file, options, batch[0])
            refuse_bad(bad, files[0].parent, count)
        yield {image.name: batch}
        del batch


def _image(inputs: Sequence[TensorSpec]) -> TensorSpec:
    if len(inputs) == 1:
        return inputs[0]
    names = ", ".join(one.name for one in inputs)
    raise DataError(f"the model has {len(inputs)} inputs ({names}), pictures fill one", "give a model of pictures")


def _form(image: TensorSpec) -> dict[str, Any]:
    """Return layout, size and type of the pictures that a model takes."""
    match image.shape:
        case (_, 3, int(height), int(width)) if height == width:
            return {"layout": "NCHW", "image_size": height, "dtype": image.dtype}
        case (_, int(height), int(width), 3) if height == width:
            return {"layout": "NHWC", "image_size": height, "dtype": image.dtype}
    raise DataError(
        f"the model's input '{image.name}' takes {list(image.shape)}, not square pictures of three colours",
        "export it with the size of its pictures fixed: [N,3,S,S] or [N,S,S,3]",
    )


def listed_files(list_: Path, folder: Path) -> tuple[Path, ...]:
    """Return the pictures that a list names. Raises DataError where it names none, or any that is not there."""
    files = tuple(folder / name for name in read_names(list_))
    if not files:
        raise DataError(f"{list_} names no pictures", "calibration needs some: a hundred are usual")
    with readable(folder):
        missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of the {len(files)} pictures that {list_.name} names are not in {clean(str(folder))}: "
            f"{shown(missing)}",
            "calibration needs every one of them: give the folder of the whole validation set",
        )
    return files


def _digest(files: Sequence[Path]) -> str:
    """Return a SHA-256 over the names and contents, in order. Raises DataError naming a file that can't be read."""
    whole = hashlib.sha256()
    for path in files:
        with readable(path):
            whole.update(f"{path.name} {hashlib.sha256(read_plain(path)).hexdigest()}\n".encode())
    return whole.hexdigest()
