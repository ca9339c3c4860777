"""Calibration images, read and preprocessed by the model's task."""

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
from engine.step import Artifact, Options, read_options
from engine.store.files import read_plain
from engine.tasks.base import Array, CalibrationSet
from engine.tasks.image_form import ImageForm
from engine.tasks.image_task import ImageTask
from engine.tasks.labelled import collecting, refuse_bad
from engine.tasks.labels import read_names
from engine.tasks.listing import readable, shown
from engine.text import clean

LIST = "pictures.txt"
"""Names of the images, one a line, in the order they are used."""


class ChainOptions(Options, frozen=True):
    """How a model's calibration images are prepared."""

    preprocessing: str


@dataclass(frozen=True)
class CalibrationImages:
    """The calibration images of an artifact."""

    files: Sequence[Path]
    text: str
    """Description for the measurements file."""
    by_rules: bool
    """Whether they are a complete calibration list of the rules."""
    sha256: str
    """Over names and contents of the images."""

    @classmethod
    def of(cls, artifact: Artifact) -> CalibrationImages:
        """Read an artifact of engine.steps.models.calibration.

        Raises DataError for an empty list or a missing image.
        """
        chosen = artifact.read(ChosenFacts)
        files = listed_files(artifact.folder / LIST, artifact.folder / chosen.images)
        return cls(files, f"{len(files)} {chosen.what}", chosen.by_rules, _digest(files))


def calibration(task: ImageTask, chosen: Artifact, options: Mapping[str, Any]) -> CalibrationSet:
    """Return the calibration set of a task with images; option `preprocessing` names the preprocessing.

    Its batches raise DataError if the model's input is no square image, and for unusable images, naming all.
    """
    images, preprocessing = CalibrationImages.of(chosen), read_options(options, ChainOptions).preprocessing

    def batches(inputs: Sequence[TensorSpec]) -> Iterator[Mapping[str, Array]]:
        return _batches(task, images.files, preprocessing, inputs)

    return CalibrationSet(
        count=len(images.files),
        text=images.text,
        by_rules=images.by_rules,
        sha256=images.sha256,
        batches=batches,
        unit="images",
    )


def _batches(
    task: ImageTask, files: Sequence[Path], preprocessing: str, inputs: Sequence[TensorSpec]
) -> Iterator[Mapping[str, Array]]:
    """Yield preprocessed images, one at a time unless the model fixes a batch size.

    Batches of eight are no faster, and the activations of ResNet-50 took 2.2 GB instead of 0.6. The last batch of a
    fixed size is padded with earlier images: the ranges don't change.
    """
    image = _image(inputs)
    form = _form(image, preprocessing)
    size, count, bad = image.shape[0] or 1, len(files), dict[str, str]()
    for start in range(0, count, size):
        batch = np.empty((size, *form.shape), form.dtype)
        for place, slot in enumerate(batch, start=start):
            file = files[place % count]
            with collecting(bad, file, file.name):
                task.preprocess(file, form, slot)
        if bad:
            for file in files[start + size :]:  # name all unusable images at once
                with collecting(bad, file, file.name):
                    task.preprocess(file, form, batch[0])
            refuse_bad(bad, files[0].parent, count)
        yield {image.name: batch}
        del batch


def _image(inputs: Sequence[TensorSpec]) -> TensorSpec:
    if len(inputs) == 1:
        return inputs[0]
    names = ", ".join(one.name for one in inputs)
    raise DataError(
        f"the model has {len(inputs)} inputs ({names}), images fill one", "give a model with one image input"
    )


def _form(image: TensorSpec, preprocessing: str) -> ImageForm:
    """Return the form of the model's input images. Raises DataError if they are no square RGB images."""
    match image.shape:
        case (_, 3, int(size), int(width)) if size == width:
            return ImageForm(preprocessing=preprocessing, layout="NCHW", dtype=image.dtype, image_size=size)
        case (_, int(size), int(width), 3) if size == width:
            return ImageForm(preprocessing=preprocessing, layout="NHWC", dtype=image.dtype, image_size=size)
    raise DataError(
        f"the model's input '{image.name}' takes {list(image.shape)}, not square RGB images",
        "export it with a fixed image size: [N,3,S,S] or [N,S,S,3]",
    )


def listed_files(list_: Path, folder: Path) -> tuple[Path, ...]:
    """Return the images that a list names. Raises DataError if there are none, or any is missing."""
    files = tuple(folder / name for name in read_names(list_))
    if not files:
        raise DataError(f"{list_} names no images", "calibration needs some: a hundred are usual")
    with readable(folder):
        missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of the {len(files)} images that {list_.name} names are not in {clean(str(folder))}: "
            f"{shown(missing)}",
            "calibration needs every one of them: give the folder of the whole validation set",
        )
    return files


def _digest(files: Sequence[Path]) -> str:
    """Return a SHA-256 over the names and contents, in order. Raises DataError naming an unreadable file."""
    whole = hashlib.sha256()
    for path in files:
        with readable(path):
            whole.update(f"{path.name} {hashlib.sha256(read_plain(path)).hexdigest()}\n".encode())
    return whole.hexdigest()
