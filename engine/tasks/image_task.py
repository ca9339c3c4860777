"""What tasks that work on pictures have in common: their functions, and reading as the rules' reference does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from engine.errors import DataError
from engine.store.files import read_plain
from engine.tasks.base import Array


@dataclass(frozen=True)
class Sample:
    """One labelled picture of a data set."""

    name: str
    """Its file, relative to the folder of the pictures."""
    size: tuple[int, int] | None = None
    """Width and height in pixels that the labels state; None where they don't."""


class ImageTask(Protocol):
    """What a task module has, too, whose samples engine/tasks/image_preparation.py prepares."""

    LABELS: str
    """Name of the file with the labels of the prepared samples."""

    def samples(self, labels: Path) -> Sequence[Sample]:
        """Return what a file of labels names, in its order, which is that of the QSL. Raises DataError."""

    def keep(self, labels: Path, indices: Sequence[int], target: Path) -> None:
        """Write the labels of these samples, by their place in `samples`, in this order."""

    def sample_shape(self, options: Mapping[str, Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return shape and dtype of one prepared sample."""

    def preprocess(self, raw: Path, options: Mapping[str, Any], out: Array) -> tuple[int, int]:
        """Write one prepared sample into `out`; returns width and height of the picture as it was read.

        Raises DataError naming the file when it cannot be read.
        """


def read(raw: Path) -> Array:
    """Return the picture as RGB uint8 [H,W,3], turned as its EXIF orientation says; grey, CMYK and alpha become RGB.

    A JPEG is decoded in full: decoding it at half its size is quicker but gives other pixels than the
    reference (by up to 19 of 255 in pictures twice as large as is needed). Raises DataError naming the file where it is
    not a whole picture.
    """
    import cv2  # noqa: PLC0415  (only preprocessing needs it, and a LoadGen run loads the tasks too)

    try:
        data = np.frombuffer(read_plain(raw), np.uint8)
    except OSError as error:
        raise DataError(f"{raw}: the picture cannot be read: {error.strerror}", "fetch the data set again") from error
    # From memory, because from a file OpenCV fills up a truncated JPEG with grey and says nothing.
    if not data.size:
        raise DataError(f"{raw}: the file is empty", "fetch the data set again")
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if picture is None:
        raise DataError(f"{raw}: truncated, or not a picture", "fetch the data set again")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
