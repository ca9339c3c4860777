"""Reads pictures as the rules' reference does, for every task that works on them."""

from pathlib import Path

import numpy as np

from engine.errors import DataError
from engine.store.files import read_plain
from engine.tasks.base import Array


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
