"""Read the bounding boxes of a detection data set: COCO's detection JSON as the rules export OpenImages.

Everything is validated while reading. Annotations of another version look alike, and a score against them would be
plausible and wrong.
"""

from codecs import BOM_UTF8
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import numpy as np

from engine import codec
from engine.errors import DataError
from engine.store.files import read_plain
from engine.tasks.base import Array

OTHER_VERSION = "take the complete annotations of this round for these images"

T = TypeVar("T")

_Id = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Number = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
_Category = Annotated[int, msgspec.Meta(ge=0, lt=2**24)]
"""Exactly representable in a response's float32."""
_Pixels = Annotated[int, msgspec.Meta(ge=1, le=2**31)]


class Image(msgspec.Struct, frozen=True):
    """An image of the data set."""

    id: _Id
    file_name: str
    """Relative to the folder of the images, inside it."""
    width: _Pixels
    height: _Pixels


class _Class(msgspec.Struct, frozen=True):
    id: _Category
    name: str


class _Object(msgspec.Struct, frozen=True):
    id: _Number
    """COCO's scoring treats a match with number 0 as none."""
    image_id: _Id
    category_id: _Category
    bbox: tuple[float, float, float, float]
    area: float
    iscrowd: Literal[0, 1]


class _File(msgspec.Struct, frozen=True):
    images: list[Image]
    annotations: list[_Object]
    categories: list[_Class]


@dataclass(frozen=True)
class Boxes:
    """The images of a data set, in QSL order, and the n boxes on them, in file order."""

    images: Sequence[Image]
    categories: Array
    """int64, ascending from 0: all categories of boxes and detections."""
    names: Mapping[int, str]
    """Of the categories."""
    image: Array
    """int64 [n]: the box's image, as index in `images`."""
    category: Array
    """int64 [n]."""
    box: Array
    """float64 [n,4]: left, top, width, height in pixels."""
    area: Array
    """float64 [n]: as in the file; it decides whether an object is small, medium or large."""
    crowd: Array
    """bool [n]: one box around a group, whose matches count neither for nor against a model."""


def read(path: Path) -> Boxes:
    """Return the content of an annotations file. Raises DataError naming the position of an invalid entry.

    A box that is partly outside its image is kept unchanged, as by the rules' scoring.
    """
    try:
        file = codec.decode(_bytes(path), type=_File)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise DataError(f"{path}: not COCO's detection annotations: {error}", OTHER_VERSION) from error
    _check_lists(path, file)
    place = {image.id: number for number, image in enumerate(file.images)}
    categories = {one.id for one in file.categories}
    for number, found in enumerate(file.annotations):
        if found.image_id not in place:
            raise _fault(path, "annotations", number, f"there is no image {found.image_id}")
        if found.category_id not in categories:
            raise _fault(path, "annotations", number, f"there is no category {found.category_id}")
    boxes = Boxes(
        images=file.images,
        categories=np.array(sorted(categories), np.int64),
        names={one.id: one.name for one in file.categories},
        image=np.array([place[found.image_id] for found in file.annotations], np.int64),
        category=np.array([found.category_id for found in file.annotations], np.int64),
        box=np.array([found.bbox for found in file.annotations], np.float64).reshape(-1, 4),
        area=np.array([found.area for found in file.annotations], np.float64),
        crowd=np.array([found.iscrowd for found in file.annotations], np.bool_),
    )
    _check_boxes(path, boxes)
    return boxes


def keep(path: Path, indices: Sequence[int], target: Path) -> None:
    """Write the annotations of these images, by their index in the file, in this order.

    Every entry is kept byte for byte, including unknown fields; so are all categories. Raises DataError if `read` would
    refuse the file.
    """
    boxes = read(path)
    whole = codec.decode(_bytes(path), type=dict[str, msgspec.Raw])
    images, annotations = (codec.decode(whole[name], type=list[msgspec.Raw]) for name in ("images", "annotations"))
    on_these = np.flatnonzero(np.isin(boxes.image, np.asarray(indices, np.int64)))
    kept: dict[str, Any] = {
        **whole,
        "images": [images[index] for index in indices],
        "annotations": [annotations[index] for index in on_these],
    }
    target.write_bytes(codec.encode(kept))


def _bytes(path: Path) -> bytes:
    try:
        return read_plain(path).removeprefix(BOM_UTF8)
    except OSError as error:
        raise DataError(f"{path}: the annotations cannot be read: {error.strerror}", OTHER_VERSION) from error


def _check_lists(path: Path, file: _File) -> None:
    """Raise DataError for duplicate entries, unknown images, or categories not counted from 0."""
    for name, entries in (("images", file.images), ("categories", file.categories)):
        if not entries:
            raise DataError(f"{path}: `{name}` is empty", OTHER_VERSION)
    _unique(path, "images", "id", (image.id for image in file.images))
    _unique(path, "images", "file name", (image.file_name for image in file.images))
    _unique(path, "categories", "id", (one.id for one in file.categories))
    _unique(path, "annotations", "id", (found.id for found in file.annotations))
    for number, image in enumerate(file.images):
        if not _inside(image.file_name):
            raise _fault(path, "images", number, f"the file name {image.file_name!r} leads out of the images' folder")
    if first := min(one.id for one in file.categories):
        raise DataError(
            f"{path}: the categories are counted from {first}, the rules count from 0: every class would be another",
            "take the annotations of this round: other versions of the tool that exports them count from 1",
        )


def _unique(path: Path, name: str, what: str, values: Iterable[Hashable]) -> None:
    seen = set()
    for number, value in enumerate(values):
        if value in seen:
            raise _fault(path, name, number, f"the {what} {value!r} is there already")
        seen.add(value)


def _inside(name: str) -> bool:
    """Return whether the name is a normalised relative path below a folder, on any operating system."""
    plain = PurePosixPath(name)
    windows = PureWindowsPath(name)
    return (
        str(plain) == name
        and name != "."
        and "\0" not in name
        and "\\" not in name
        and ".." not in plain.parts
        and not plain.is_absolute()
        and not windows.drive
    )


def _check_boxes(path: Path, boxes: Boxes) -> None:
    """Raise DataError for boxes that are not finite, or that cannot be on their image."""
    left, top, width, height = boxes.box.T
    sizes = np.array([(image.width, image.height) for image in boxes.images], np.float64)[boxes.image]
    numbers = np.isfinite(boxes.box).all(1) & np.isfinite(boxes.area)
    _none(path, ~numbers, "a number of the box is not finite")
    _none(path, (width < 0) | (height < 0) | (boxes.area < 0), "the box has a negative size")
    outside = (left > sizes[:, 0]) | (top > sizes[:, 1]) | (left + width < 0) | (top + height < 0)
    _none(path, outside, "the box is outside its image")


def _none(path: Path, bad: Array, what: str) -> None:
    if bad.any():
        raise _fault(path, "annotations", int(bad.argmax()), what)


def _fault(path: Path, name: str, number: int, what: str) -> DataError:
    return DataError(f"{path}: {name}[{number}]: {what}", OTHER_VERSION)
