"""Turn what a person or a profile wrote into a typed option value, or say why it is none."""

from __future__ import annotations

import re
from typing import Any

from engine.errors import UsageError, nearest
from engine.profile.component import Option

_TRUE = {"yes", "on", "true", "1"}
_FALSE = {"no", "off", "false", "0"}
_SIZE = re.compile(r"^\s*([0-9.]+)\s*(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)\s*$")
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
    if option.minimum is not None and typed < option.minimum:
        raise UsageError(f"{where}: {typed} is too small for '{option.name}'", f"at least {option.minimum:g}")
    return typed


def size(text: str | int) -> int | None:
    """Return bytes for `17.4 MB` or `2 GiB`; None where it is not a size."""
    if isinstance(text, int):
        return text
    match = _SIZE.match(text)
    return round(float(match[1]) * _FACTOR[match[2]]) if match else None


def _typed(option: Option, value: Any, where: str) -> Any:
    if option.type in ("text", "path"):
        return _text(option, value, where)
    if option.type == "list":
        members = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
        return tuple(dict.fromkeys(members))
    if option.type == "bool":
        return _flag(option, value, where)
    try:
        if isinstance(value, bool):
            raise ValueError
        return int(str(value)) if option.type == "int" else float(value)
    except (TypeError, ValueError):
        kind = "a whole number" if option.type == "int" else "a number"
        raise UsageError(
            f"{where}: '{value}' is not {kind}", f"'{option.name}' is {kind} {option.unit}".rstrip()
        ) from None


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
