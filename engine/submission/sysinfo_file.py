"""The file of `mlperf-sysinfo` with the profile `inference`: a description of a system in the fields of the rules.

It is one JSON object, with a block on how it was captured. A file of its profile `endpoints` is nested, and has other
fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

import engine
from engine.errors import DataError
from engine.profile.rounds import Round
from engine.store.files import read_plain
from engine.text import clean

BLOCK = "mlperf_sysinfo"
"""Key of the block on how the file was captured."""
NESTED = "node_types"
"""Key that only a file of the profile endpoints has."""
LARGEST = 1 << 20

_STARTER = re.compile(r"changeme|^insert\b.*\bhere$|^<.*>$", re.IGNORECASE)
"""Text of a starter file that nobody has filled in."""


class Imported(NamedTuple):
    """What a file says of a system."""

    description: dict[str, str]
    unknown: tuple[str, ...]
    """Fields that the round does not have, which are left out."""
    unfilled: tuple[str, ...]
    """Fields that still hold the starter file's text, which are left empty."""


def read_description(path: Path, rules: Round) -> Imported:
    """Return what a file says, in the fields of a round; a required field that it lacks is empty.

    Raises DataError where it is no such file, is nested, or describes only a part of its system.
    """
    found = _object(path)
    block = found.get(BLOCK)
    if NESTED in found:
        what = f"{clean(str(path))} is of the profile endpoints"
        raise DataError(what, "capture it with the profile inference: mlperf-sysinfo init inference")
    if isinstance(block, dict) and block.get("complete") is False:
        answered = f"{block.get('nodes_collected', '?')} of {block.get('nodes_expected', '?')} nodes"
        raise DataError(f"{clean(str(path))} is a partial capture: {clean(answered)} answered", "capture it again")
    values = {name: _value(value) for name, value in found.items() if isinstance(value, str | int | float | bool)}
    fields = (*rules.system.required, *rules.system.network, *rules.system.optional)
    known = {name: value for name, value in values.items() if name in fields}
    unfilled = tuple(name for name, value in known.items() if _STARTER.search(value.strip()))
    lacking = dict.fromkeys(rules.system.required, "")
    unknown = tuple(name for name in found if name not in fields and name != BLOCK)
    return Imported({**lacking, **known, **dict.fromkeys(unfilled, "")}, unknown, unfilled)


def file_of(description: Mapping[str, Any], rules: Round) -> dict[str, Any]:
    """Return a description as such a file: counts as numbers, and the block."""
    nodes = _number(str(description.get("number_of_nodes", "1")))
    count = nodes if isinstance(nodes, int) else 1
    block = {
        "profile": "inference",
        "profile_round": rules.name.removeprefix("v"),
        "shape": "flat",
        "nodes_expected": count,
        "nodes_collected": count,
        "complete": True,
        "written_by": f"inferdeck {engine.VERSION}",
    }
    return {**{name: _number(str(value)) for name, value in description.items()}, BLOCK: block}


def _object(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(read_plain(path, LARGEST), type=dict[str, Any])
    except OSError as error:
        raise DataError(f"{clean(str(path))} cannot be read: {error.strerror or error}", "check the path") from error
    except msgspec.DecodeError as error:
        what = f"{clean(str(path))} is no file of mlperf-sysinfo: {error}"
        raise DataError(what, "give the JSON file that `mlperf-sysinfo capture` writes") from None


def _value(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: str) -> str | int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value
