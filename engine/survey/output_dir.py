"""The folder for results: what is already in it, and whether it can be written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from engine.errors import UsageError
from engine.harness.spec import REPORT
from engine.text import clean

REPLACED = ".replaced"
"""Subfolder of the results to which replaced runs are moved."""


def replacing(results: Path, places: Iterable[Path]) -> str:
    """Return what happens to finished runs in the places of new ones; empty where there are none."""
    held = [place.relative_to(results) for place in places if (place / REPORT).is_file()]
    if not held:
        return ""
    of = ", ".join(sorted({"/".join(place.parts[:2]) for place in held}))
    runs = "1 finished run" if len(held) == 1 else f"{len(held)} finished runs"
    return (
        f"{results} already holds {runs} of {of}: each is moved to {results / REPLACED}/TIME when a new one "
        "replaces it; another --output_dir keeps both"
    )


def refuse_place(place: Path) -> None:
    """Raise UsageError where the results folder can't be created or written: before a measurement, not after it."""
    there = next(one for one in (place, *place.parents) if os.path.lexists(one))
    if not there.is_dir():
        what = "is not a folder"
    elif not os.access(there, os.W_OK | os.X_OK):
        what = "is not writable"
    else:
        return
    raise UsageError(
        f"no results can be kept in {clean(str(place))}: {clean(str(there))} {what}", "give another --output_dir=DIR"
    )
