"""`inferdeck tune`: how to share this machine out, measured for each scenario; and the table of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from engine.cli import arguments as words
from engine.cli import output, run
from engine.cli.screen import Cell, Screen
from engine.errors import UsageError
from engine.explore.tuning import Pick, TuningReport, Way, kept_picks, origin, picks
from engine.profile import systems
from engine.profile.catalog import load
from engine.store.folders import folders
from engine.survey.survey import age
from engine.text import short_path

VARIATION = "_tune"
_BAR = 24
"""Cells of the longest bar where the output is no terminal."""
_BESIDE = 50
"""Cells that the columns before the bar and the gaps between all take."""
_LEAST, _MOST = 8, 60


def tune_command(asked: words.Words) -> int:
    """Run a selection with `_tune`."""
    if "locked" in asked.values:
        raise UsageError("a locked plan is run as it is", "inferdeck run --locked FILE")
    asked = replace(asked, lists={**asked.lists, "tags": (*asked.lists.get("tags", ()), VARIATION)})
    return run.start(run.prepare(asked), asked)


def show_command(asked: words.Words) -> int:
    """Show what a system's run configuration keeps of an earlier tuning."""
    places = folders(asked.values.get("home"))
    known = load([*places.own_profiles, *asked.profiles])
    path, _ = systems.find(known.folders, asked.positional[0], "")
    screen, tuned = Screen(), systems.load_system(path).tuned
    if "json" in asked.flags:
        output.write_json(msgspec.to_builtins(tuned))
        return 0
    screen.line(str(path), "dim")
    if not tuned:
        screen.line(f"the workers of {path.stem} were never tuned; inferdeck tune --tags=... --sut={path.stem}", "todo")
    draw_kept(screen, tuned)
    return 0


def draw_kept(screen: Screen, tuned: dict[str, dict[str, systems.Tuning]]) -> None:
    """Print the workers that a run configuration holds: by backend and benchmark, with date and versions."""
    for backend, benchmarks in tuned.items():
        for benchmark, kept in benchmarks.items():
            screen.line(f"{backend} {benchmark}: workers {origin(kept)}")
            _draw_picks(screen, kept_picks(kept))


def draw(screen: Screen, found: TuningReport) -> None:
    """Print the table of what was measured, a line a way, what was chosen for each scenario, and where it is kept."""
    screen.line(f"workers (sessions × threads) of {found.benchmark} on {found.backend}, {age(found.made)}", "bold")
    heads, ways = ("workers", "batch", "pinned", "ms a batch", "samples/s", "", "chosen for"), found.ways()
    room = _BAR
    if screen.is_terminal:
        last = max(len(heads[-1]), *(len(way.said()) for way in ways))
        room = max(min(screen.console.width - _BESIDE - last, _MOST), _LEAST)
    rows: list[list[Cell]] = [[(word, "dim") for word in heads]]
    screen.table([*rows, *(_row(way, room) for way in ways)], right=(1, 3, 4))
    _draw_picks(screen, picks(found))
    file = short_path(Path(found.file)) if found.file else ""
    if found.kept is not None:
        screen.line(f"kept in {file}", "good")
        screen.line(f"  {origin(found.kept)}", "dim")
    elif found.thorough:
        screen.line(
            f"{file or 'no run configuration'} does not say so: with --again it is measured and written anew", "todo"
        )


def _row(way: Way, room: int) -> list[Cell]:
    style = "bold" if way.chosen else "dim" if way.dropped else ""
    bar = "█" * max(round(way.share * room), 1)
    texts = (way.workers, str(way.batch), way.pinned, way.batch_ms, way.samples_per_second, bar.ljust(room))
    return [*((text, style) for text in texts), (way.said(), "good" if way.chosen else style)]


def _draw_picks(screen: Screen, chosen: Sequence[Pick]) -> None:
    screen.table([[(f"  {one.scenario}", "dim"), (one.workers, ""), (one.reaches, "")] for one in chosen])
