"""What differs between two rounds, from their data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from engine.profile.rounds import Round

_UNIMPORTANT = ("name", "extends", "published", "summary", "left", "styles")


class RoundChange(msgspec.Struct, frozen=True):
    """One difference."""

    kind: Literal["added", "removed", "changed"]
    place: str
    """Keys joined by dots: `benchmarks.resnet50.scenarios.datacenter`."""
    old: str
    new: str


def changes(old: Round, new: Round) -> list[RoundChange]:
    """Return what the second round adds, removes and changes, by section; of a whole benchmark only that."""
    before, after = (_plain(one) for one in (old, new))
    return [change for key in before | after for change in _changes(key, before.get(key), after.get(key))]


def _plain(rules: Round) -> dict[str, Any]:
    """Return the rules as JSON values, without what is empty."""
    plain: dict[str, Any] = msgspec.to_builtins(rules)
    return {key: _filled(value) for key, value in plain.items() if key not in _UNIMPORTANT}


def _filled(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _filled(inner) for key, inner in value.items() if inner not in (None, {}, [], (), "")}


def _changes(place: str, old: Any, new: Any) -> Iterator[RoundChange]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old | new:
            yield from _changes(f"{place}.{key}", old.get(key), new.get(key))
    elif old is None:
        yield RoundChange("added", place, "", _text(new))
    elif new is None:
        yield RoundChange("removed", place, _text(old), "")
    elif isinstance(old, list | tuple) and _is_list_of_words(old) and _is_list_of_words(new):
        gone, come = [one for one in old if one not in new], [one for one in new if one not in old]
        shown = (gone, come) if gone or come else (old, new)
        yield RoundChange("changed", place, *map(_text, shown))
    else:
        yield RoundChange("changed", place, _text(old), _text(new))


def _is_list_of_words(value: Any) -> bool:
    return isinstance(value, list | tuple) and not any(isinstance(one, dict) for one in value)


def _text(value: Any) -> str:
    """Return a value in one line; of a benchmark or another titled thing its title."""
    if isinstance(value, dict):
        return str(value.get("title") or ", ".join(f"{key} {_text(one)}" for key, one in value.items()))
    if isinstance(value, list | tuple):
        return (", " if _is_list_of_words(value) else "; ").join(map(_text, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
