"""The chart of an exploration: one objective against another with the front, or one by trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import permutations

from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static

from engine.design_space import front_charts
from engine.design_space.exploration import Exploration
from engine.design_space.exploration_findings import Findings
from engine.design_space.trial_table import TrialRow
from engine.explore import dots
from engine.explore.diagrams import Diagram, Series
from engine.text import clean
from tui.widgets.pane import Pane
from tui.widgets.run_below import content

_THIN = (160, 80)
"""Cells of a drawing, roughly, for which points are kept."""


class FrontPane(Pane):
    """Shows a chart, with a mark at the point under the cursor."""

    def __init__(self) -> None:
        super().__init__(
            "front",
            Static(id="chart", markup=False),
            id="chart-pane",
            help="One objective against another: a mark for each point. g changes the axes; the point under the "
            "cursor is marked.",
        )

    @property
    def room(self) -> Size:
        """Cells for the chart; none where it is not shown."""
        return self.query_one("#chart", Static).size

    def show(self, title: str, chart: Content) -> None:
        """Show a chart."""
        self.rename(clean(title))
        self.query_one("#chart", Static).update(chart)


def drawn_chart(
    exploration: Exploration, diagram: Diagram, row: TrialRow | None, size: Size, *, ascii_only: bool
) -> Content:
    """Draw a chart for a size."""
    if diagram.is_empty:
        return Content("nothing to draw yet")
    marked = diagram if row is None else _with_mark(diagram, row, exploration)
    return content(dots.rows(marked, size.width, size.height, ascii_only=ascii_only, compact=True))


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
