"""Pinned runs: for each benchmark and scenario the one run that others are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from engine import codec
from engine.explore.metrics import RESULT
from engine.explore.runs import Run
from engine.store.files import locked, read_plain, write_atomic
from engine.store.folders import Folders

FILE: Final = "pins.json"
_LARGEST: Final = 1 << 20


def question(run: Run) -> str:
    """Return what a run measures: runs are compared with a pinned one of the same benchmark and scenario."""
    return f"{run.benchmark} {run.scenario}"


def read_pins(folders: Folders) -> dict[str, str]:
    """Return the ids of the pinned runs by question; none where nothing was pinned or the file is damaged."""
    try:
        return codec.decode(read_plain(folders.state / FILE, _LARGEST), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}


def pin_run(folders: Folders, run: Run) -> str:
    """Pin a run; returns the id of the run that was pinned for its question before, or ""."""
    return _changed(folders, question(run), run.id)


def unpin_run(folders: Folders, run: Run) -> str:
    """Remove the pin of a run's question; returns the id of the run that was pinned, or ""."""
    return _changed(folders, question(run), "")


def pinned(run: Run, runs: Iterable[Run], pins: Mapping[str, str]) -> Run | None:
    """Return the pinned run that a run is compared with; None where there is none, or it is the run itself."""
    wanted = pins.get(question(run))
    return next((one for one in runs if one.id == wanted and one.id != run.id), None)


def with_changes(runs: Iterable[Run], pins: Mapping[str, str]) -> list[Run]:
    """Return the runs with the change of their result against the pinned run, in per cent of it."""
    listed = list(runs)
    base = {one.id: one for one in listed if one.id in pins.values()}
    return [_with_change(run, base.get(pins.get(question(run), ""))) for run in listed] if base else listed


def _with_change(run: Run, base: Run | None) -> Run:
    metric = RESULT.get(run.scenario)
    if base is None or metric is None or run.mode != "performance":
        return run
    if base.id == run.id:
        return msgspec.structs.replace(run, pinned=True)
    before, after = base.figures.get(metric.key), run.figures.get(metric.key)
    return msgspec.structs.replace(run, change=100 * (after - before) / before) if before and after else run


def _changed(folders: Folders, key: str, run: str) -> str:
    path = folders.state / FILE
    with locked(path.with_suffix(".lock")):
        pins = read_pins(folders)
        before = pins.pop(key, "")
        write_atomic(path, codec.encode({**pins, **({key: run} if run else {})}))
    return before
