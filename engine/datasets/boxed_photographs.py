"""Shipped bounding boxes of eleven photographs, in the file format of the rules' OpenImages.

The file has the rules' 264 categories under their own numbers, followed by those that only one detector here
distinguishes. The images themselves are in packages.
"""

import hashlib
from importlib.resources import as_file, files

import msgspec

from engine import codec
from engine.errors import DataError

FILE = "eleven_pictures_boxes.json"
SHA256 = "ffd44586454d00a0fd88baf11aebf16e982b44bc1217d41a1e0fea31dacf5000"

RULES = 264
"""Number of categories of the rules' OpenImages: 0 to 263."""


class BoxedImage(msgspec.Struct, frozen=True):
    """An image: its name in the data set, and its file in a package."""

    file_name: str
    width: int
    height: int
    member: str


class Category(msgspec.Struct, frozen=True):
    """A class under its number in labels and annotations."""

    id: int
    name: str


class BoxedImages(msgspec.Struct, frozen=True):
    """The file's content without the boxes themselves."""

    images: tuple[BoxedImage, ...]
    categories: tuple[Category, ...]

    def number(self, name: str) -> int:
        """Return the number of a category. Raises ValueError for an unknown name."""
        for one in self.categories:
            if one.name == name:
                return one.id
        raise ValueError(f"{FILE} has no category {name}")


def contents() -> bytes:
    """Return the file's bytes. Raises DataError if the installed file is not the shipped one."""
    with as_file(files("profiles") / "data" / FILE) as source:
        data = source.read_bytes() if source.is_file() else b""
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise DataError(f"profiles/data/{FILE} is damaged: its checksum differs", "install inferdeck again")
    return data


def boxes() -> BoxedImages:
    """Return images and categories. Raises DataError as `contents` does."""
    return codec.decode(contents(), type=BoxedImages)
