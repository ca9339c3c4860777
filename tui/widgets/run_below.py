"""The pane below the list of runs: one run in full, a comparison, bars of one metric, or a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.explore import dots
from engine.explore.compare import Comparison
from engine.explore.diagrams import Diagram
from engine.explore.metrics import METRICS, RESULT, RunMetric
from engine.explore.origin import place
from engine.explore.runs import Run
from engine.text import clean
from tui.terminal import Glyphs
from tui.widgets.pane import Pane
from tui.widgets.run_views import TEACHING, bars, compared, details

View = Literal["run", "compare", "bars", "chart"]
RIGHT = 2
"""Cells that a text leaves free at its right."""
_LEAST = 40
_LEAST_HEIGHT = 8
_SERIES = ("$mark", "$good", "$todo", "$secondary", "$bad", "$primary", "bold", "")
_STYLES = {"bold": "bold", "dim": "$dim", "bad": "$bad", "": ""}


def content(drawn: Sequence[dots.Row]) -> Content:
    """Return a drawn chart in the colours of the theme."""
    parts: list[tuple[str, str]] = []
    for row in drawn:
        parts += [(text, _style(style)) for text, style in row]
        parts.append(("\n", ""))
    return Content.assemble(*parts)


def _style(name: str) -> str:
    return _SERIES[int(name.removeprefix("series "))] if name.startswith("series ") else _STYLES[name]


class RunBelow(Pane):
    """Shows its current content in the available width. `view` is which of the four that is."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(
            "run",
            VerticalScroll(Static(id="view", markup=False), id="view-scroll"),
            id="view-pane",
            help="The run under the cursor; after c the marked runs side by side; after b bars of one metric. "
            "Noise: the spread of runs with equal choices, or of the parts of each run where nothing was repeated.",
        )
        self.glyphs = glyphs
        self.view: View = "run"
        self.run: Run | None = None
        self.comparison: Comparison | None = None
        self.metric: RunMetric = METRICS[0]
        self.charted: Sequence[Run] = ()
        self.diagram: Diagram | None = None
        self.empty = False

    @property
    def compared(self) -> Comparison | None:
        """The comparison that is shown, where one is."""
        return self.comparison if self.view == "compare" else None

    def follow(self, run: Run | None, charted: Sequence[Run], *, empty: bool) -> None:
        """Take the run under the cursor and the runs for bars; `empty` where nothing was ever measured."""
        self.run, self.charted, self.empty = run, charted, empty
        self.draw()

    def compare(self, found: Comparison) -> None:
        """Show runs side by side."""
        self.comparison, self.view = found, "compare"
        self.query_one(VerticalScroll).scroll_home(animate=False)
        self.draw()

    def show_diagram(self, diagram: Diagram) -> None:
        """Show a chart of several runs."""
        self.diagram, self.view = diagram, "chart"
        self.query_one(VerticalScroll).scroll_home(animate=False)
        self.draw()

    def chart(self, charted: Sequence[Run]) -> bool:
        """Show bars of the metric that ranks the runs, then of the next; False where no run has a figure."""
        present = [one for one in METRICS if any(one.key in run.figures for run in charted)]
        if not present:
            return False
        if self.view != "bars":
            first = RESULT.get(charted[0].scenario)
            self.metric = first if first in present else present[0]
        else:
            at = present.index(self.metric) if self.metric in present else -1
            self.metric = present[(at + 1) % len(present)]
        self.view, self.charted = "bars", charted
        self.draw()
        return True

    def back(self) -> None:
        """Show the run under the cursor again."""
        self.view = "run"
        self.draw()

    def note(self, text: str) -> None:
        """Show a text in the frame, until something else is drawn."""
        self.border_subtitle = text.replace("[", "\\[")

    def draw(self) -> None:
        """Draw the content in the available width."""
        width = max(self.query_one(VerticalScroll).size.width - RIGHT, _LEAST)
        title, content = self._drawn(width)
        self.rename(title)
        self.query_one("#view", Static).update(content)
        self.note("" if self.view == "run" else "Esc back to the run")

    def _drawn(self, width: int) -> tuple[str, Content | str]:
        if self.compared is not None:
            title = "compare  " + " → ".join(clean(run.id) for run in self.compared.runs)
            return title, compared(self.compared, width)
        if self.view == "bars":
            return f"bars  {self.metric.title}", bars(self.charted, self.metric, width, self.glyphs)
        if self.view == "chart" and self.diagram is not None:
            height = max(self.query_one(VerticalScroll).size.height, _LEAST_HEIGHT)
            drawn = dots.rows(self.diagram, width, height, ascii_only=self.glyphs == "ascii")
            return f"chart  {self.diagram.title}", content(drawn)
        if self.run is not None:
            return f"run  {clean(self.run.id)}", details(self.run, str(place(self.run)), width)
        return ("how to start", TEACHING) if self.empty else ("run", "")
