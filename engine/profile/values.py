"""Convert values as written by users and profiles to typed option values."""

from __future__ import annotations

import math
import re
from typing import Any

from engine.errors import UsageError, nearest
from engine.profile.component import Option
from engine.text import cut

_TRUE = {"yes", "on", "true", "1"}
_FALSE = {"no", "off", "false", "0"}
_SIZE = re.compile(r"^\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)\s*$")
_LARGEST = 2**80
"""Bytes."""
_FACTOR = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_FACTOR |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def coerce(option: Option, value: Any, where: str) -> Any:
    """Return `value` as the option's type. Raises UsageError that names `where` it was given."""
    if value is None:
        return None
    typed = _typed(option, value, where)
    members = typed if option.type == "list" else (typed,)
    for member in members:
        if option.choices and member not in option.choices:
            raise UsageError(
                f"{where}: '{member}' is not a value of the option '{option.name}'",
                nearest(str(member), (str(choice) for choice in option.choices)),
            )
    if option.type in ("int", "float"):
        _refuse_outside(option, typed, where)
    return typed


def _refuse_outside(option: Option, typed: float, where: str) -> None:
    least, most = option.minimum, option.maximum
    if not abs(typed) < math.inf:
        raise UsageError(f"{where}: '{typed}' is no figure for '{option.name}'", _range(option))
    if least is not None and typed < least:
        raise UsageError(f"{where}: {_shown(typed)} is too small for '{option.name}'", _range(option))
    if most is not None and typed > most:
        raise UsageError(f"{where}: {_shown(typed)} is too large for '{option.name}'", _range(option))


def _range(option: Option) -> str:
    least = "" if option.minimum is None else f"at least {option.minimum:.12g}"
    most = "" if option.maximum is None else f"at most {option.maximum:.12g}"
    return f"{' and '.join(filter(None, (least, most))) or 'a number that is finite'} {option.unit}".rstrip()


def _shown(value: float) -> str:
    return cut(str(value), 24)


def parse_size(text: object) -> int | None:
    """Return bytes for `17.4 MB` or `2 GiB`; None if it is not a size."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text if 0 <= text <= _LARGEST else None
    match = _SIZE.match(text) if isinstance(text, str) else None
    found = float(match[1]) * _FACTOR[match[2]] if match else math.inf
    return round(found) if found <= _LARGEST else None


def _typed(option: Option, value: Any, where: str) -> Any:
    if option.type in ("text", "path"):
        return _text(option, value, where)
    if option.type == "list":
        return _members(option, value, where)
    if option.type == "bool":
        return _flag(option, value, where)
    try:
        if isinstance(value, bool):
            raise ValueError
        return int(str(value)) if option.type == "int" else float(value)
    except (TypeError, ValueError, OverflowError):
        kind = "a whole number" if option.type == "int" else "a number"
        raise UsageError(
            f"{where}: '{cut(str(value), 40)}' is not {kind}", f"'{option.name}' is {kind} {option.unit}".rstrip()
        ) from None


def _members(option: Option, value: Any, where: str) -> tuple[Any, ...]:
    """Return the distinct members of a list; a text is split at commas."""
    members = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
    if not isinstance(members, list | tuple) or any(isinstance(one, list | dict | tuple) for one in members):
        raise UsageError(f"{where}: '{option.name}' takes a list", "write one,two")
    return tuple(dict.fromkeys(members))


def _text(option: Option, value: Any, where: str) -> str:
    if isinstance(value, list | dict | tuple):
        raise UsageError(f"{where}: '{option.name}' takes one text", "write a single value")
    return str(value)


def _flag(option: Option, value: Any, where: str) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise UsageError(f"{where}: '{value}' is neither yes nor no", f"write --{option.name}=yes or =no")
