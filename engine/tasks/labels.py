"""Parse text files that list images, with or without labels. Imports nothing heavy: plans read them too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from engine.errors import DataError
from engine.store.files import read_plain
from engine.text import clean, cut

LIMIT = 1 << 28
"""Maximum bytes of a list, far above any real one."""

Labels = list[tuple[str, int]]

_FORMAT = (
    "expected: one `NAME LABEL` per line, separated by a blank, LABEL from 0 to 999 as in ILSVRC 2012's val.txt; "
    "where labels count from 1, subtract 1 from each"
)
_NUMBER = re.compile(r"0*\d{1,3}", re.ASCII)
"""From 0 to 999: the classes of ImageNet-1k, which the rules count from 0."""
_WNID = re.compile(r"n\d{8}")
_ENDING = re.compile(r"\.[A-Za-z]\w*$")
_BREAK = re.compile(r"\r\n|\r|\n")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line of a list in UTF-8, without a byte order mark and trailing blank lines.

    Raises DataError if the file can't be read or is in another encoding.
    """
    try:
        data = read_plain(path, LIMIT)
    except OSError as error:
        raise DataError(
            f"{path}: the list cannot be read: {error.strerror}", "give a readable text file, such as val_map.txt"
        ) from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4096]:
        raise DataError(
            f"{path}:1: found text in UTF-16, or no text at all; expected UTF-8",
            f"convert it: iconv -f UTF-16 -t UTF-8 {path.name} > new.txt",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}:{number}: found the byte 0x{data[error.start]:02x}, which is not UTF-8",
            f"convert it: iconv -f ISO-8859-1 -t UTF-8 {path.name} > new.txt",
        ) from None
    if text := text.rstrip():
        yield from enumerate(_BREAK.split(text), start=1)


def image_name(name: str) -> str | None:
    """Return a file's name relative to the folder of the images, normalised; None if it leads out of it."""
    plain = PurePosixPath(name)
    if not name or "\0" in name or plain.is_absolute() or ".." in plain.parts or not plain.parts:
        return None
    return str(plain)


def read_names(path: Path) -> list[str]:
    """Return the names of a list, the first word of each line, in its order.

    Raises DataError naming a line that leads out of the folder of the images or is a duplicate.
    """
    seen: dict[str, int] = {}
    for number, line in lines(path):
        words = line.split()
        if words:
            _add(seen, words[0], path, number)
    return list(seen)


def read_val_map(path: Path) -> Labels:
    """Return names and labels of a val_map.txt in line order, `NAME LABEL` per line; a name may contain blanks.

    Raises DataError naming a line that is malformed, has a label out of range, or repeats a name.
    """
    seen: dict[str, int] = {}
    found: Labels = []
    for number, line in lines(path):
        name, label = _entry(path, number, line)
        found.append((_add(seen, name, path, number), label))
    if not found:
        raise DataError(f"{path}: it names no images", _FORMAT)
    return found


def _add(seen: dict[str, int], name: str, path: Path, number: int) -> str:
    plain = image_name(name)
    if plain is None:
        raise DataError(
            f"{path}:{number}: {_shown(name)} leads out of the folder of the images",
            "name the images relative to their folder",
        )
    first = seen.setdefault(plain, number)
    if first != number:
        raise DataError(
            f"{path}:{number}: {_shown(name)} is listed twice, first in line {first}", "keep one line for each image"
        )
    return plain


def _entry(path: Path, number: int, line: str) -> tuple[str, int]:
    """Return name and label of a line."""
    words = line.split()
    name, label = line.strip().rsplit(maxsplit=1) if len(words) > 1 else (line.strip(), "")
    if _NUMBER.fullmatch(label) and _is_name(name):
        return name, int(label)
    raise _wrong(path, number, _found(words, label))


def _is_name(name: str) -> bool:
    """Return whether this is one name: of several words the last must have a file extension."""
    return not name.startswith("#") and (len(name.split()) == 1 or bool(_ENDING.search(name)))


def _found(words: list[str], label: str) -> str:
    """Describe the content of a line that has no name and label."""
    first, line = words[0] if words else "", _shown(" ".join(words))
    cases = (
        (not words, "a blank line between others"),
        (first.startswith(("#", "//")), "a comment"),
        (len(words) == 1 and bool(re.search("[,;]", first)), f"columns separated by a comma or semicolon: {line}"),
        (len(words) == 1, f"a single column: {line}"),
        (bool(_WNID.fullmatch(label)), f"the WordNet id {label} instead of the number of a class"),
        (len(words) == 2 and first.isdigit(), f"the columns in the wrong order: {line}"),
        (len(words) > 2 and not _is_name(" ".join(words[:-1])), f"{len(words)} columns: {line}"),
        (bool(re.fullmatch(r"-?[0-9]+", label)), f"the label {_shown(label)}, which is out of range"),
    )
    return next((text for holds, text in cases if holds), f"the label {_shown(label)}, which is not a whole number")


def _shown(text: str) -> str:
    return repr(cut(clean(text), 60))


def _wrong(path: Path, number: int, found: str) -> DataError:
    return DataError(f"{path}:{number}: found {found}", _FORMAT)
