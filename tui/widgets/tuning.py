"""The table of a tuning as a chart: a bar for each candidate, and which were chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.content import Content

from engine.explore.tuning import CandidateRow, Pick, TuningReport, origin, picks
from engine.text import clean, date_time, short_path
from tui.terminal import Glyphs
from tui.widgets.run_views import drawn_bar

Parts = list[tuple[str, str]]

_BEFORE = 44
"""Cells of the columns before the bar."""
_COMFORT = 12
"""Where a bar would have fewer cells than this, the scenarios behind it are cut to some letters."""
_LETTERS = 3
_LEAST = 6
_GAP = 2
_NAME = 14


def drawn(found: TuningReport, width: int, glyphs: Glyphs) -> Content:
    """Draw what was measured and what was chosen, in so many cells."""
    candidates = found.candidates()
    letters = None if width - _BEFORE - _longest(candidates, None) >= _COMFORT else _LETTERS
    room = max(width - _BEFORE - _longest(candidates, letters), _LEAST)
    head = f"{'workers':8}{'batch':>5}  {'pinned':6}  {'ms/batch':>8}  {'samples/s':>9}  "
    parts: Parts = [(f"{_what(found)}\n", "$dim")]
    parts += [("workers: sessions × threads per session; bars: samples/s\n\n", "$dim")]
    parts += [(f"{head}{'':{room}}chosen for\n", "$dim")]
    for candidate in candidates:
        parts += _candidate(candidate, room, glyphs, letters)
    parts += [("\n", "")]
    for pick in picks(found):
        parts += _pick(pick, width)
    return Content.assemble(*parts, *_kept(found))


def _what(found: TuningReport) -> str:
    kind = "tuned" if found.thorough else "quick measurement; inferdeck tune takes minutes"
    if found.kept is not None and not found.thorough:
        kind = f"taken from the run configuration of {clean(found.sut)}"
    return f"{date_time(found.made)}  {kind}"


def _candidate(candidate: CandidateRow, room: int, glyphs: Glyphs, letters: int | None) -> Parts:
    style = "bold" if candidate.chosen else "$dim" if candidate.dropped else ""
    figures = (
        f"{candidate.workers:8}{candidate.batch:>5}  {candidate.pinned:6}  "
        f"{candidate.batch_ms:>8}  {candidate.samples_per_second:>9}  "
    )
    bar = drawn_bar(candidate.share, room - _GAP, glyphs)
    colour = "$good" if candidate.chosen else "$dim" if candidate.dropped else "$mark"
    return [(figures, style), (f"{bar:{room}}", colour), (f"{candidate.label(letters)}\n", style)]


def _longest(candidates: Sequence[CandidateRow], letters: int | None) -> int:
    return max(len("chosen for"), *(len(candidate.label(letters)) for candidate in candidates))


def _pick(pick: Pick, width: int) -> Parts:
    """Text that does not fit after the workers goes below them."""
    fits = _NAME + len(pick.workers) + 2 + len(pick.reaches) <= width
    between = "  " if fits else "\n" + " " * _NAME
    return [(f"{pick.scenario:{_NAME}}", "$dim"), (pick.workers, "bold"), (f"{between}{pick.reaches}\n", "")]


def _kept(found: TuningReport) -> Parts:
    file = short_path(Path(found.file)) if found.file else ""
    if found.kept is not None:
        return [(f"\nsaved in {file}\n", "$good"), (origin(found.kept), "$dim")]
    if found.thorough:
        lost = f"{file or 'no run configuration'} does not have it: inferdeck tune --again measures and writes it again"
        return [(f"\n{lost}", "$todo")]
    return []
