"""Print the table of measured workers: one line per candidate, the choice for each scenario, where it is saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.cli.screen import Cell, Screen
from engine.explore.tuning import CandidateRow, Pick, TuningReport, kept_picks, origin, picks
from engine.profile.systems import Tuning
from engine.text import date_time, short_path

_BAR = 24
"""Width of the longest bar in cells where the output is no terminal."""
_BESIDE = 50
"""Cells used by the columns before the bar and the gaps between all columns."""
_LEAST, _MOST = 8, 60


def draw_kept(screen: Screen, tuned: dict[str, dict[str, Tuning]]) -> None:
    """Print the workers saved in a run configuration, by backend and benchmark, with date and versions."""
    for backend, benchmarks in tuned.items():
        for benchmark, kept in benchmarks.items():
            screen.line(f"{backend} {benchmark}: workers {origin(kept)}")
            _draw_picks(screen, kept_picks(kept))


def draw_workers(screen: Screen, found: TuningReport) -> None:
    """Print what was measured, one line per candidate, the choice for each scenario, and where it is saved."""
    screen.line(
        f"workers (sessions × threads) of {found.benchmark} on {found.backend}, {date_time(found.made)}", "bold"
    )
    heads, candidates = ("workers", "batch", "pinned", "ms a batch", "samples/s", "", "chosen for"), found.candidates()
    room = _BAR
    if screen.is_terminal:
        last = max(len(heads[-1]), *(len(candidate.label()) for candidate in candidates))
        room = max(min(screen.console.width - _BESIDE - last, _MOST), _LEAST)
    rows: list[list[Cell]] = [[(word, "dim") for word in heads]]
    screen.table([*rows, *(_row(candidate, room) for candidate in candidates)], right=(1, 3, 4))
    _draw_picks(screen, picks(found))
    file = short_path(Path(found.file)) if found.file else ""
    if found.kept is not None:
        screen.line(f"saved in {file}", "good")
        screen.line(f"  {origin(found.kept)}", "dim")
    elif found.thorough:
        screen.line(
            f"{file or 'no run configuration'} holds another tuning: --again measures again and saves it", "todo"
        )


def _row(candidate: CandidateRow, room: int) -> list[Cell]:
    style = "bold" if candidate.chosen else "dim" if candidate.dropped else ""
    bar = "█" * max(round(candidate.share * room), 1)
    texts = (
        candidate.workers,
        str(candidate.batch),
        candidate.pinned,
        candidate.batch_ms,
        candidate.samples_per_second,
        bar.ljust(room),
    )
    return [*((text, style) for text in texts), (candidate.label(), "good" if candidate.chosen else style)]


def _draw_picks(screen: Screen, chosen: Sequence[Pick]) -> None:
    screen.table([[(f"  {one.scenario}", "dim"), (one.workers, ""), (one.reaches, "")] for one in chosen])
