"""Where results are going to be put: what is there already, and whether anything can be."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from engine.errors import UsageError
from engine.harness.spec import REPORT
from engine.text import clean

REPLACED = ".replaced"
"""The folder, among the results, to which what was there before is moved."""


def replacing(results: Path, places: Iterable[Path]) -> str:
    """Say what becomes of finished runs that lie where new ones go; empty where there are none."""
    held = [place.relative_to(results) for place in places if (place / REPORT).is_file()]
    if not held:
        return ""
    of = ", ".join(sorted({"/".join(place.parts[:2]) for place in held}))
    runs = "1 finished run" if len(held) == 1 else f"{len(held)} finished runs"
    return (
        f"{results} holds {runs} of {of} already: each is moved to {results / REPLACED}/TIME as soon as a new one "
        "takes its place; another --output_dir leaves both where they are"
    )


def refuse_place(place: Path) -> None:
    """Raise UsageError where no folder of results can be made: better now than after a measurement."""
    there = next(one for one in (place, *place.parents) if os.path.lexists(one))
    if not there.is_dir():
        what = "is no folder"
    elif not os.access(there, os.W_OK | os.X_OK):
        what = "may not be written to"
    else:
        return
    raise UsageError(
        f"no results can be kept in {clean(str(place))}: {clean(str(there))} {what}", "write another --output_dir=DIR"
    )
