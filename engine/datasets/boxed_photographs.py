"""The boxes on eleven real pictures that come with inferdeck, in the file format of the rules' OpenImages.

The file holds the rules' 264 categories under their own numbers, and behind them those that only one detector here
tells apart. The pictures are not in it: packages carry them.
"""

import hashlib
from importlib.resources import as_file, files

import msgspec

from engine import codec
from engine.errors import DataError

FILE = "eleven_pictures_boxes.json"
SHA256 = "ffd44586454d00a0fd88baf11aebf16e982b44bc1217d41a1e0fea31dacf5000"

RULES = 264
"""So many categories the rules' OpenImages has: 0 to 263."""


class BoxedImage(msgspec.Struct, frozen=True):
    """One picture: its name in the data set, and the file of a package that it is."""

    file_name: str
    width: int
    height: int
    member: str


class Category(msgspec.Struct, frozen=True):
    """One class under the number that labels and annotations have for it."""

    id: int
    name: str


class Boxes(msgspec.Struct, frozen=True):
    """What the file says, less the boxes themselves."""

    images: tuple[BoxedImage, ...]
    categories: tuple[Category, ...]

    def number(self, name: str) -> int:
        """Return the number of a category. Raises ValueError where there is none of that name."""
        for one in self.categories:
            if one.name == name:
                return one.id
        raise ValueError(f"{FILE} has no category {name}")


def contents() -> bytes:
    """Return the file as it is. Raises DataError where the installed file is not the one that was shipped."""
    with as_file(files("profiles") / "data" / FILE) as source:
        data = source.read_bytes() if source.is_file() else b""
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise DataError(f"profiles/data/{FILE} is damaged: its checksum differs", "install inferdeck again")
    return data


def boxes() -> Boxes:
    """Return which pictures and categories there are. Raises DataError as `contents` does."""
    return codec.decode(contents(), type=Boxes)
