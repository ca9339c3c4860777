"""Read YAML with source positions, so that errors name file, line, key path and the nearest valid spelling.

PyYAML's composed nodes carry their positions; `safe_load` would discard them.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ProfileError, nearest

if TYPE_CHECKING:
    import yaml

MOST_BYTES = 1 << 24
MOST_VALUES = 100_000
"""Limit per file, aliases expanded. Shipped files have some thousand."""
DEEPEST = 50
"""Nesting limit of lists and mappings. Shipped files have about six."""
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError)
"""What PyYAML raises in addition to YAMLError for a value that is invalid for its tag, or nested too deeply."""
_MISREAD = re.compile(r":|^[-+]?0[0-9_]")
"""Numbers that YAML 1.1 reads in base 60 (1:30 is 90) or 8 (010 is 8)."""
_SURROGATE = "\\ud"
"""How the escape of a surrogate begins, in lower case."""


@dataclass(frozen=True)
class SourceLocation:
    """A position in a profile."""

    file: str
    line: int
    path: str
    """Keys from the top of the file, joined by dots: `variations.full.needs`."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f" ({self.path})" if self.path else "")


class Value:
    """A YAML value with its position."""

    __slots__ = ("node", "place")

    def __init__(self, node: yaml.Node, place: SourceLocation) -> None:
        self.node = node
        self.place = place

    def wrong(self, found: str, remedy: str) -> ProfileError:
        """Return an error about this position, for the caller to raise."""
        return ProfileError(f"{self.place}: {found}", remedy)

    def plain(self) -> Any:
        """Return the JSON value: str, int, float, bool, None, list or dict with text keys."""
        import yaml  # noqa: PLC0415  (start-up: only who reads a profile pays for it)

        if isinstance(self.node, yaml.MappingNode):
            return {key: value.plain() for key, value in self.items()}
        if isinstance(self.node, yaml.SequenceNode):
            return [value.plain() for value in self]
        return _scalar(self)

    def text(self) -> str:
        """Return a text. Raises ProfileError for anything else."""
        value = self.plain()
        if not isinstance(value, str):
            raise self.wrong(f"{_kind(value)} where a text is expected", "put it in quotes")
        return value

    def flag(self) -> bool:
        """Return a boolean. Raises ProfileError for anything else."""
        value = self.plain()
        if not isinstance(value, bool):
            raise self.wrong(f"{_kind(value)} where true or false is expected", "write true or false")
        return value

    def words(self) -> tuple[str, ...]:
        """Return a list of texts; a single text is split at commas, as on the command line."""
        value = self.plain()
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        if isinstance(value, list):
            return tuple(item.text() for item in self)
        raise self.wrong(f"{_kind(value)} where a list of words is expected", "write [one, two] or 'one,two'")

    def __iter__(self) -> Iterator[Value]:
        import yaml  # noqa: PLC0415

        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong(f"{_kind(self.plain())} where a list is expected", "write [one, two]")
        for number, child in enumerate(self.node.value):
            yield Value(child, self._inner(f"[{number}]", child))

    def items(self) -> list[tuple[str, Value]]:
        """Return the pairs of a mapping in file order. Raises ProfileError for a duplicate key."""
        import yaml  # noqa: PLC0415

        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong(f"{_kind(self.plain())} where a mapping is expected", "write key: value")
        pairs: dict[str, Value] = {}
        for key_node, child in self.node.value:
            key = str(key_node.value)
            place = self._inner(f".{key}", key_node)
            if key in pairs:
                raise ProfileError(f"{place}: the key '{key}' stands twice", "keep one of them")
            pairs[key] = Value(child, place)
        return list(pairs.items())

    def section(self, allowed: Iterable[str], required: Iterable[str] = ()) -> dict[str, Value]:
        """Return a mapping whose keys are all known. Raises ProfileError with the nearest spelling otherwise."""
        known = tuple(allowed)
        found = dict(self.items())
        for key, value in found.items():
            if key not in known:
                raise value.wrong(f"unknown key '{key}'", nearest(key, known))
        for key in required:
            if key not in found:
                raise self.wrong(f"the key '{key}' is missing", "add it")
        return found

    def _inner(self, step: str, node: yaml.Node) -> SourceLocation:
        path = (self.place.path + step).lstrip(".")
        return SourceLocation(self.place.file, node.start_mark.line + 1, path)


def compose(text: str) -> yaml.Node | None:
    """Compose a YAML text. Raises yaml.YAMLError.

    A byte that is not UTF-8 is written as the escape of a surrogate, as in JSON (engine/codec.py). Only the slower
    loader reads one.
    """
    import yaml  # noqa: PLC0415

    if _SURROGATE in text.lower():
        return yaml.compose(text, Loader=yaml.SafeLoader)
    return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read(path: Path) -> Value:
    """Compose one YAML file. Raises ProfileError if it can't be read, is not YAML, or its aliases expand too far."""
    import yaml  # noqa: PLC0415

    place = SourceLocation(str(path), 1, "")
    try:
        node = compose(_text(path))
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}", "check the path and its permissions") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        reason = getattr(error, "problem", None) or "not a text in UTF-8"
        raise ProfileError(f"{path}:{line}: not YAML: {reason}", "mend the file at that line") from None
    except RecursionError:
        raise ProfileError(f"{path}: lists and mappings are nested too deeply", "write it flatter") from None
    if node is None:
        raise ProfileError(f"{place}: the file is empty", "write a profile or remove it")
    _weigh(node, str(path), {}, 0)
    return Value(node, place)


def _text(path: Path) -> str:
    """Return a regular file's text. Raises OSError for anything else, without blocking on a pipe."""
    seen = path.stat()
    if stat.S_ISDIR(seen.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(seen.st_mode) or seen.st_size > MOST_BYTES:
        raise OSError(errno.EINVAL, f"not a plain file of at most {MOST_BYTES:,} bytes")
    return path.read_text(encoding="utf-8-sig")


def _weigh(node: yaml.Node, file: str, known: dict[int, int], depth: int) -> int:
    """Return how many values a node has with all aliases expanded, visiting each once.

    Raises ProfileError with the line for too many or too deeply nested values, recursive nodes, and keys that are not
    plain text.
    """
    if not isinstance(node.value, list):
        return 1
    if id(node) in known:
        return known[id(node)]
    if depth > DEEPEST:
        raise _refused(node, file, f"found more than {DEEPEST} lists and mappings in each other", "write it flatter")
    known[id(node)] = MOST_VALUES + 1  # set until it is known, so that a recursive node counts as too large
    count = 1
    for child in node.value:
        value = child[1] if isinstance(child, tuple) else child
        count += _weigh(value, file, known, depth + 1) if isinstance(value.value, list) else 1
        if value is not child and isinstance(child[0].value, list):
            raise _refused(child[0], file, "found a list or mapping as a key", "write a text before the colon")
    if count > MOST_VALUES:
        what = f"found more than {MOST_VALUES:,} values where aliases (*name) stand for what they name"
        raise _refused(node, file, what, "take aliases of aliases away, and those of a value inside itself")
    known[id(node)] = count
    return count


def _refused(node: yaml.Node, file: str, found: str, remedy: str) -> ProfileError:
    return ProfileError(f"{file}:{node.start_mark.line + 1}: {found}", remedy)


def _scalar(value: Value) -> Any:
    import yaml  # noqa: PLC0415

    constructor = yaml.constructor.SafeConstructor()
    try:
        plain = constructor.construct_object(value.node, deep=True)
    except (yaml.YAMLError, *UNREADABLE) as error:
        raise value.wrong(f"this value can't be read: {error}", "use text, numbers, true, false or null") from None
    written = str(value.node.value)
    if isinstance(plain, int | float) and _MISREAD.search(written):
        raise value.wrong(
            f"without quotes, YAML reads {written} as {plain}",
            f"write {plain} if you mean it, else the number in decimal digits; a text in quotes",
        )
    if plain is None or isinstance(plain, str | int | float | bool):
        return plain
    return written


def _kind(value: Any) -> str:
    names = {
        dict: "a mapping",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return "nothing" if value is None else names.get(type(value), "a number")
