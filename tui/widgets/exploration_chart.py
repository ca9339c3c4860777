"""The chart of an exploration: one objective against another with the front, or one by trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import permutations

from textual.widgets import Static

from engine.design_space import front_charts
from engine.design_space.exploration import Exploration
from engine.design_space.exploration_findings import Findings
from engine.design_space.trial_table import TrialRow
from engine.explore import dots
from engine.explore.diagrams import Diagram, Series
from engine.text import clean
from tui.terminal import Glyphs
from tui.widgets.pane import Pane
from tui.widgets.run_below import content

_THIN = (160, 80)
"""Cells of a drawing, roughly, for which points are kept."""


class FrontPane(Pane):
    """Draws a chart, with a mark at the point under the cursor."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(
            "front",
            Static(id="chart", markup=False),
            id="chart-pane",
            help="One objective against another: a mark for each point. g changes the axes; the point under the "
            "cursor is marked.",
        )
        self.glyphs = glyphs

    def draw(self, exploration: Exploration, diagram: Diagram, row: TrialRow | None) -> None:
        """Draw a chart."""
        chart = self.query_one("#chart", Static)
        if not chart.size.width:
            return
        self.rename(clean(diagram.title))
        if diagram.is_empty:
            chart.update("nothing to draw yet")
            return
        marked = diagram if row is None else _with_mark(diagram, row, exploration)
        size, is_ascii = chart.size, self.glyphs == "ascii"
        chart.update(content(dots.rows(marked, size.width, size.height, ascii_only=is_ascii, compact=True)))


def charts(exploration: Exploration) -> list[tuple[str, Callable[[Findings], Diagram]]]:
    """Return the charts to choose from: each objective against each other, each by trial, and drift."""
    wanted = exploration.objectives
    found: list[tuple[str, Callable[[Findings], Diagram]]] = [
        (f"{y.title} against {x.title}", partial(front_charts.front_chart, x=x, y=y))
        for x, y in permutations(wanted, 2)
    ]
    found += [(f"{one.title} by trial", partial(front_charts.progress_chart, objective=one)) for one in wanted]
    return [*found, ("drift of the baseline", front_charts.drift_chart)]


def drawable(number: int, found: Findings) -> Diagram:
    """Return a chart of `charts`, with no more points than can be seen: it is drawn again with every move."""
    return dots.thinned(charts(found.exploration)[number][1](found), *_THIN)


def _with_mark(diagram: Diagram, row: TrialRow, exploration: Exploration) -> Diagram:
    titles = {f"{one.title} {one.unit}".strip(): one.key for one in exploration.objectives}
    x, y = titles.get(diagram.x.title), titles.get(diagram.y.title)
    if y is None:
        return diagram
    if x is None:
        across: float | None = float(row.trial.number)
        up = row.trial.figures.get(y)
    elif row.stands is None:
        return diagram
    else:
        across, up = row.stands.figure(x), row.stands.figure(y)
    if across is None or up is None:
        return diagram
    mark = Series(f"trial {row.trial.number}", ((across, up),), role="selected")
    return replace(diagram, series=(*diagram.series, mark))
