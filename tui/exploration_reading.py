"""What the screen of an exploration shows, made outside its thread: how points stand, the chart, the list."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from textual.content import Content
from textual.geometry import Size

from engine.design_space.exploration_findings import Findings, findings
from engine.design_space.explorations import ExplorationState
from engine.design_space.trial_table import (
    TrialRow,
    chosen_columns,
    narrowing,
    trial_columns,
    trial_language,
    trial_rows,
)
from engine.errors import UsageError
from engine.explore.diagrams import Diagram
from engine.explore.filters import filtered
from engine.explore.table_columns import ordered
from tui.widgets import exploration_views
from tui.widgets.exploration_chart import drawable, drawn_chart
from tui.widgets.trial_table import TrialList

TextView = Literal["why", "effects", "notes"]
_TITLES = {"why": "why is this better", "effects": "main effects", "notes": "notes"}


@dataclass(frozen=True)
class ExplorationRead:
    """What a look at the log gave."""

    state: ExplorationState
    found: Findings | None
    """None until the points have been compared."""
    rows: Sequence[TrialRow]
    diagram: Diagram | None
    """The chart that is shown."""
    seconds: float
    """How long that took."""


def listed_only(state: ExplorationState) -> ExplorationRead:
    """Return the trials before their points are compared."""
    return ExplorationRead(state, None, trial_rows(state.exploration), None, 0.0)


def with_standings(state: ExplorationState, chart: int, begun: float) -> ExplorationRead:
    """Compare the points; `begun` is when the work on this look began, by the monotonic clock."""
    found = findings(state.exploration)
    rows = trial_rows(state.exploration, found)
    return ExplorationRead(state, found, rows, drawable(chart, found), time.monotonic() - begun)


def arranged(
    read: ExplorationRead, words: str, sort: str, keys: Sequence[str], *, units: bool
) -> tuple[TrialList, str]:
    """Return the trials that fit a filter, in the order of a column, and why the filter can't be applied."""
    exploration, fault = read.state.exploration, ""
    try:
        rows = filtered(read.rows, words, trial_language(exploration))
    except UsageError as error:
        rows, fault = list(read.rows), error.what
    by = trial_columns(exploration).get(sort)
    if by is not None:
        rows = ordered(rows, by)
    columns = chosen_columns(exploration, keys, units=units)
    return TrialList(rows, columns, narrowing(exploration), len(read.rows)), fault


@dataclass(frozen=True)
class Drawn:
    """What is below the trials."""

    title: str
    text: Content
    chart_title: str
    chart: Content | None
    """None where there is no room for it."""


def drawn_below(read: ExplorationRead, row: TrialRow | None, view: TextView, size: Size, *, ascii_only: bool) -> Drawn:
    """Draw the text, and the chart for a size."""
    found = read.found
    assert found is not None
    if view == "why":
        text = exploration_views.why(found, row) if row is not None else Content("")
    else:
        text = exploration_views.effects(found) if view == "effects" else exploration_views.notes(found)
    number = f": trial {row.trial.number}" if row is not None and view == "why" else ""
    chart, diagram = None, read.diagram
    if diagram is not None and size.width:
        chart = drawn_chart(read.state.exploration, diagram, row, size, ascii_only=ascii_only)
    return Drawn(f"{_TITLES[view]}{number}", text, diagram.title if diagram is not None else "", chart)
