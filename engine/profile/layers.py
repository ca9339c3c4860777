"""YAML files that extend another one and say only what differs.

`extends: v2.1` at the top names the file beneath. Mappings are merged key by key, and `key: null` removes a key of the
file beneath. Other values are replaced, but a list also by `{add: [...], remove: [...]}`. Every value keeps the
position where it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine.profile import document
from engine.profile.document import Value

EXTENDS = "extends"
_CHANGES = {"add", "remove"}


class Layered(Value):
    """A mapping over one of the file beneath."""

    __slots__ = ("_pairs", "beneath")

    def __init__(self, own: Value, beneath: Value) -> None:
        super().__init__(own.node, own.place)
        self.beneath = beneath
        self._pairs: dict[str, Value] | None = None

    def items(self) -> list[tuple[str, Value]]:
        """Return the pairs of both: those beneath first, with the own values in their place, then the new ones."""
        if self._pairs is None:  # merged once: each layer asks the one beneath
            own, pairs = dict(super().items()), dict(self.beneath.items())
            for key, value in own.items():
                if key in pairs and is_null(value):
                    del pairs[key]
                else:
                    pairs[key] = over(value, pairs[key]) if key in pairs else value
            self._pairs = pairs
        return list(self._pairs.items())


class ChangedList(Value):
    """A list of the file beneath with values added and removed."""

    __slots__ = ("beneath",)

    def __init__(self, own: Value, beneath: Value) -> None:
        super().__init__(own.node, own.place)
        self.beneath = beneath

    def plain(self) -> Any:
        """Return the changed list."""
        return [value.plain() for value in self]

    def __iter__(self) -> Iterator[Value]:
        changes = dict(super().items())
        removed = {value.plain(): value for value in changes.get("remove", ())}
        for value in self.beneath:
            if removed.pop(value.plain(), None) is None:
                yield value
        for name, value in removed.items():
            raise value.wrong(f"'{name}' is not in the list of the file beneath", "remove it here")
        yield from changes.get("add", ())


def over(own: Value, beneath: Value) -> Value:
    """Return a value laid over another."""
    if not _is_mapping(own):
        return own
    if _is_mapping(beneath):
        return Layered(own, beneath)
    return ChangedList(own, beneath) if _is_list(beneath) and {key for key, _ in own.items()} <= _CHANGES else own


def read(path: Path, find: Callable[[str], Path | None], seen: tuple[Path, ...] = ()) -> tuple[Value, list[Value]]:
    """Read a file laid over those that it extends; return the whole, and each file for itself, the lowest first.

    `find` returns the file of a name, None where there is none. Raises ProfileError for a file that extends itself or
    nothing that there is, and as `document.read`.
    """
    top = document.read(path)
    name = dict(top.items()).get(EXTENDS)
    if name is None:
        return top, [top]
    beneath = find(name.text())
    if beneath is None:
        raise name.wrong(f"there is no file '{name.text()}' to extend", "check the spelling")
    if beneath in (path, *seen):
        raise name.wrong(f"{path.stem} extends itself", "extend an earlier one")
    whole, layers = read(beneath, find, (*seen, path))
    return Layered(top, whole), [*layers, top]


def _is_mapping(value: Value) -> bool:
    import yaml  # noqa: PLC0415  (start-up: only who reads a profile pays for it)

    return isinstance(value.node, yaml.MappingNode) and not isinstance(value, ChangedList)


def _is_list(value: Value) -> bool:
    import yaml  # noqa: PLC0415

    return isinstance(value, ChangedList) or isinstance(value.node, yaml.SequenceNode)


def is_null(value: Value) -> bool:
    """Return whether a value is null, which removes a key of the file beneath."""
    return not isinstance(value.node.value, list) and value.plain() is None
