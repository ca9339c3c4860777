"""Shared parts of tasks with images: their interface, and image decoding as in the rules' reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from engine.errors import DataError
from engine.store.files import read_plain
from engine.tasks.base import Array
from engine.tasks.image_form import ImageForm


@dataclass(frozen=True)
class Sample:
    """A labelled image of a data set."""

    name: str
    """Its file, relative to the folder of the images."""
    size: tuple[int, int] | None = None
    """Width and height in pixels as in the labels; None if not given."""


class ImageTask(Protocol):
    """The further functions of a task module whose samples engine/tasks/image_preparation.py prepares."""

    LABELS: str
    """Name of the label file of the prepared samples."""

    def samples(self, labels: Path) -> Sequence[Sample]:
        """Return the samples of a label file, in its order, which is that of the QSL. Raises DataError."""

    def keep(self, labels: Path, indices: Sequence[int], target: Path) -> None:
        """Write the labels of these samples, by their index in `samples`, in this order."""

    def preprocess(self, raw: Path, form: ImageForm, out: Array) -> tuple[int, int]:
        """Preprocess one sample into `out`, an array of the form; return width and height of the decoded image.

        Raises DataError naming an unreadable file.
        """


def read(raw: Path) -> Array:
    """Return the image as RGB uint8 [H,W,3], rotated by its EXIF orientation; grey, CMYK and alpha become RGB.

    A JPEG is decoded at full size: decoding at half size is faster but gives other pixels than the reference (by up to
    19 of 255 in images twice as large as needed). Raises DataError naming a file that is not a complete image.
    """
    import cv2  # noqa: PLC0415  (only preprocessing needs it, and a LoadGen run loads the tasks too)

    try:
        data = np.frombuffer(read_plain(raw), np.uint8)
    except OSError as error:
        raise DataError(f"{raw}: the image cannot be read: {error.strerror}", "fetch the data set again") from error
    # From memory: reading a file, OpenCV silently fills a truncated JPEG with grey.
    if not data.size:
        raise DataError(f"{raw}: the file is empty", "fetch the data set again")
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f"{raw}: truncated, or not an image", "fetch the data set again")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
