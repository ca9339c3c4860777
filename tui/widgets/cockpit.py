"""The panes of the Run screen: side by side where there is room, one at a time otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from engine.jobs.fold import Measurement
from engine.jobs.window import Figures
from engine.system.live import Live
from tui.follow import Scene
from tui.terminal import Glyphs
from tui.widgets import live_rows
from tui.widgets.board import Board
from tui.widgets.chart import Chart, Line, Plot
from tui.widgets.pane import Pane
from tui.widgets.step_list import StepList

RunPhase = Literal["preparing", "measuring", "over"]

VALUES = 60
"""Values over the width of a chart."""

_PAGES: dict[RunPhase, tuple[str, ...]] = {
    "preparing": ("steps", "events", "machine"),
    "measuring": ("throughput", "latency", "percentiles", "steps", "machine", "events"),
    "over": ("outcome", "steps", "events"),
}
_CHARTS = ("throughput", "latency")
_BELOW = ("percentiles", "machine")
_EVENTS: dict[RunPhase, int] = {"preparing": 10, "measuring": 6, "over": 5}
"""Rows of the events where other panes are shown too."""
_LOW = 8
"""A chart of fewer rows is a low one."""

HELP = {
    "progress": "Progress, end conditions, and the expected verdict. LoadGen alone decides.",
    "throughput": "Completed queries (Offline: samples) per second. The dashed line is the target. "
    "An axis that does not begin at 0 says so.",
    "latency": "Latency of the samples: the 50th, 90th and 99th percentile of each stretch of time, from below. The "
    "dashed line is the limit of Server.",
    "percentiles": "Latency percentiles of the last 5 seconds and of the whole run, from a histogram with an error of "
    "0.2 %. Bold is the percentile that is the result, or is held against the limit.",
    "steps": "Steps: done, running, waiting. The arrows choose a step; Enter or l shows its log.",
    "machine": "Load of the whole machine now, and the share of it that this display causes.",
    "events": "What happened, the newest last. Enter shows all of it.",
    "outcome": "The results of the job, or why it failed.",
}


def pages(phase: RunPhase, *, narrow: bool, latency: bool) -> tuple[str, ...]:
    """Return the panes that Tab goes through. In a small terminal some are below the charts instead."""
    left_out = (set(_BELOW) if narrow and phase == "measuring" else set()) | (set() if latency else {"latency"})
    return tuple(page for page in _PAGES[phase] if page not in left_out)


def visible(phase: RunPhase, front: str, *, narrow: bool, latency: bool) -> set[str]:
    """Return the panes that are on the screen."""
    if not narrow:
        return {"progress", *pages(phase, narrow=False, latency=latency)}
    return {"progress", front, *(_BELOW if front in _CHARTS else ())}


class Cockpit(Vertical):
    """All panes; `place` shows those that fit, the draw methods fill them."""

    DEFAULT_CSS = """
    Cockpit #progress { height: 5; }
    Cockpit #stage, Cockpit #middle { height: 1fr; }
    Cockpit #stage Pane, Cockpit #middle Pane { height: 1fr; width: 1fr; }
    Cockpit #middle #percentiles { width: 42; }
    Cockpit #middle #machine { width: 34; }
    Cockpit #stage Board { height: 1; }
    Cockpit StepList { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.progress, self.percentiles = Board(), Board()
        self.machine, self.events = Board(), Board()
        self.steps = StepList()
        self.throughput, self.latency = Chart(glyphs), Chart(glyphs)
        self.throughput_line, self.latency_line = Board(), Board()
        self.outcome_text = Static(markup=False)
        self.outcome = VerticalScroll(self.outcome_text)
        self.mains: dict[str, Widget] = {
            "throughput": self.throughput,
            "latency": self.latency,
            "percentiles": self.percentiles,
            "steps": self.steps,
            "machine": self.machine,
            "events": self.events,
            "outcome": self.outcome,
        }
        for one in self.mains.values():
            one.can_focus = True
        self._arranged: object = None

    def compose(self) -> ComposeResult:
        """Lay the panes out."""
        yield self._pane("progress", "progress", self.progress)
        with Horizontal(id="stage"):
            yield self._pane("outcome", "outcome", self.outcome)
            yield self._pane("throughput", "throughput", self.throughput_line, self.throughput)
            yield self._pane("latency", "latency ms", self.latency_line, self.latency)
        with Horizontal(id="middle"):
            yield self._pane("percentiles", "percentiles ms", self.percentiles)
            yield self._pane("steps", "steps", self.steps)
            yield self._pane("machine", "machine", self.machine)
        yield self._pane("events", "events", self.events)

    def _pane(self, name: str, title: str, *children: Widget) -> Pane:
        return Pane(title, *children, id=name, help=HELP[name])

    def place(self, phase: RunPhase, front: str, *, narrow: bool, latency: bool) -> None:
        """Show the panes of this phase."""
        wanted = (phase, front if narrow else "", narrow, latency)
        if wanted == self._arranged:
            return
        self._arranged = wanted
        shown = visible(phase, front, narrow=narrow, latency=latency)
        for pane in self.query(Pane):
            pane.display = pane.id in shown
        stage, middle = self.query_one("#stage"), self.query_one("#middle")
        stage.display = bool(shown & {*_CHARTS, "outcome"})
        middle.display = bool(shown & {"percentiles", "steps", "machine"})
        middle.styles.height = "1fr" if not stage.display else 8 if narrow or phase == "over" else 10
        machine = self.query_one("#machine")
        machine.styles.width = "1fr" if narrow else None
        only = narrow and front == "events"
        self.query_one("#events").styles.height = "1fr" if only else _EVENTS[phase]
        row = pages(phase, narrow=narrow, latency=latency)
        for number, name in enumerate(row):
            after = row[(number + 1) % len(row)]
            self.query_one(f"#{name}").border_subtitle = f"Tab: {after}" if narrow else None

    def draw_numbers(self, scene: Scene) -> None:
        """Draw what changes often."""
        rows = live_rows.progress_rows(scene, self.progress.size.width, self.glyphs)
        self.progress.show(rows)
        measured = scene.state.measurement
        if measured is not None:
            self.percentiles.show(live_rows.percentile_rows(measured))

    def draw_slow(self, scene: Scene, live: Live, cost: float | None) -> None:
        """Draw what changes seldom: steps, machine, events."""
        self.steps.show(scene.steps, scene.now)
        self.machine.show(live_rows.machine_rows(live, scene.state.measurement, cost, self.glyphs))
        width, height = self.events.size
        notes = scene.state.notes[-height:] if height else ()
        self.events.show(live_rows.note_row(note, width) for note in notes)

    def draw_charts(self, measured: Measurement, points: Sequence[Figures], seconds: int) -> None:
        """Draw the measurement over time, at so many seconds per point."""
        rules = measured.rules
        if points and points[-1].seconds < seconds / 2:
            points = points[:-1]
        span = f"{seconds * VALUES} s" if seconds * VALUES < 120 else f"{seconds * VALUES // 60} min"
        rates = tuple(None if one.rate is None else one.rate / rules.samples_per_query for one in points)
        target = None if rules.target_unit == "ms" else rules.target
        self.throughput.show(
            Plot((Line(rates, "mark"),), VALUES, f"{span} ago", target, "target", "good", from_zero=False)
        )
        self.throughput_line.show((live_rows.throughput_row(measured),))
        drawn = live_rows.FEWER_LINES if self.latency.size.height < _LOW else live_rows.LATENCY_LINES
        lines = tuple(
            Line(tuple(None if (ns := one.latency(part)) is None else ns / 1e6 for one in points), style)
            for _, part, style in drawn
        )
        bound = None if rules.bound_ns is None else rules.bound_ns / 1e6
        self.latency.show(Plot(lines, VALUES, f"{span} ago", bound))
        self.latency_line.show((live_rows.latency_row(measured, drawn),))
        unit = "samples/s" if rules.scenario == "Offline" else "queries/s"
        self.name_pane("throughput", f"throughput {unit}, last {span}")
        self.name_pane("latency", f"latency ms, last {span}")

    def name_pane(self, name: str, title: str) -> None:
        """Give a pane another title."""
        pane = self.query_one(f"#{name}", Pane)
        if pane.title != title:
            pane.rename(title)
