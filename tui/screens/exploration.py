"""One exploration, live or ended: its trials, the front, why a point is better, main effects, notes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.containers import Horizontal, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from engine.design_space import trial_table
from engine.design_space.exploration_follower import ExplorationFollower
from engine.design_space.trial_table import (
    TrialRow,
)
from engine.errors import InferdeckError
from engine.explore.diagrams import Diagram
from engine.text import clean
from tui.actions import bindings
from tui.exploration_reading import Drawn, ExplorationRead, TextView, arranged, drawn_below, listed_only, with_standings
from tui.newest import Newest
from tui.screens import exploration_dialogs, explore
from tui.screens.base import DeckScreen
from tui.screens.dialogs import Question, Reading
from tui.widgets import exploration_views as views
from tui.widgets.exploration_actions import ACTIONS, why_not_trial
from tui.widgets.exploration_chart import FrontPane, charts, drawable
from tui.widgets.pane import Pane
from tui.widgets.trial_table import TrialList, TrialTable

if TYPE_CHECKING:
    pass

BEAT = 0.25
"""Seconds between two looks at the log: its size alone where nothing was appended."""
REST = 3.0
"""Multiple of the time that reading and comparing took, which is left to the keys before the next."""
SETTLED = 0.05
"""Seconds after which a cursor that moved counts as still."""
TYPED = 0.15
"""Seconds without a key after which a filter is applied."""
ABOUT_FILTER = "for example: standing:front sessions>2 state:failed -repeat"
PATIENCE = 60.0
"""Seconds after an error until the log is read again."""


class ExplorationScreen(DeckScreen):
    """Follows one exploration; Esc goes back to the list."""

    MODE = "explore"
    ABOUT = (
        "One exploration: its trials, and which points are on the front, dominated, or can't be told from it, by "
        "intervals and not by means. It only reads the log: leaving this screen never stops the exploration."
    )
    ACTIONS = ACTIONS
    BINDINGS: ClassVar = [*bindings(ACTIONS), ("escape", "back", "back")]
    DEFAULT_CSS = """
    ExplorationScreen #status { height: 2; padding: 0 1; text-wrap: nowrap; }
    ExplorationScreen #trials-pane { height: 1fr; }
    ExplorationScreen #trials { height: 1fr; text-wrap: nowrap; }
    ExplorationScreen #filter { display: none; }
    ExplorationScreen #filter.-open { display: block; }
    ExplorationScreen #below { height: 1fr; }
    ExplorationScreen.-narrow #below { height: 12; }
    ExplorationScreen #chart-pane, ExplorationScreen #text-pane { width: 1fr; height: 100%; }
    ExplorationScreen #chart { text-wrap: nowrap; height: 1fr; }
    ExplorationScreen #text-scroll { height: 1fr; scrollbar-gutter: stable; }
    ExplorationScreen.-narrow.-text #chart-pane { display: none; }
    ExplorationScreen.-narrow.-chart #text-pane { display: none; }
    ExplorationScreen.-zoomed #trials-pane { display: none; }
    ExplorationScreen.-zoomed #below { height: 1fr; }
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.read: ExplorationRead | None = None
        self.words = ""
        self.fault = ""
        """Why the filter can't be applied; empty where it can."""
        self.sort = ""
        """Key of the column that is sorted by; empty: the newest first."""
        self.text: TextView = "why"
        self.chart = 0
        """Number of the chart that is shown."""
        self._follower = ExplorationFollower(folder)
        self._busy = False
        self._next = 0.0
        self._at = 0.0
        self._settling: Timer | None = None
        self._typing: Timer | None = None
        self._told = 0
        self._lists = Newest(self.deck, "list", self._show)
        self._drawings = Newest(self.deck, "draw", self._show_below)

    def body(self) -> Iterable[Widget]:
        """Yield the state, the trials, and below them the chart and the text."""
        line = Input(placeholder=ABOUT_FILTER, id="filter")
        line.cursor_blink = False
        yield Static(id="status", markup=False)
        yield Pane(
            "trials",
            TrialTable(id="trials"),
            line,
            id="trials-pane",
            help="A row per trial, the newest first. A figure is the trial's own; ± is half the interval of the mean "
            "of its point (95 %). Standing is that of the point, by all its trials. valid if longer: only its "
            "shortness makes it INVALID. Enter shows all that is known of a trial.",
        )
        yield Horizontal(
            FrontPane(),
            Pane(
                "why is this better",
                VerticalScroll(Static(id="text", markup=False), id="text-scroll"),
                id="text-pane",
                help="w: the point against the default and its neighbour on the front. e: main effects of each axis. "
                "n: noise, drift, disturbed trials, refused combinations.",
            ),
            id="below",
        )

    def on_mount(self) -> None:
        """Put the focus on the trials, and follow the log."""
        self.add_class("-chart")
        self.query(TrialTable).focus()
        self.header().set_texts(title=clean(self.folder.name))
        self.set_interval(BEAT, self._beat)

    def shown(self) -> None:
        """Read what is new."""
        self._beat()

    def _beat(self) -> None:
        """Look at the log, unless the last look is still worked on."""
        if not self.is_current or not self.deck.opened:
            return
        if not self._busy and time.monotonic() >= self._next and self._follower.changed:
            self._busy = True
            self.run_worker(self._look, thread=True, group="exploration", exit_on_error=False)
        elif self.read is not None and self.read.state.running and int(time.time()) != self._told:
            self._tell()

    def _look(self) -> None:
        """Read the log in a thread: first the trials, and once it is computed, how their points stand."""
        begun = time.monotonic()
        try:
            state = self._follower.look()
            if self.read is None and state.exploration.trials:
                self.deck.call_from_thread(self._take, listed_only(state))
            read = with_standings(state, self.chart, begun)
        except InferdeckError as error:
            self._next = time.monotonic() + PATIENCE
            self.deck.call_from_thread(self.deck.say_error, error)
        else:
            self.deck.call_from_thread(self._take, read)
        finally:
            self._busy = False

    def _take(self, read: ExplorationRead) -> None:
        self.read, self._at = read, time.monotonic()
        self._next = self._at + REST * read.seconds
        self.header().set_texts(running="running" if read.state.running else "")
        self._tell()
        self._list()

    def _tell(self) -> None:
        """Show the state, and the time that is left."""
        assert self.read is not None
        self._told = int(time.time())
        line = self.query_one("#status", Static)
        line.update(views.status(self.read.state, time.monotonic() - self._at, max(line.size.width - 2, 20)))

    def _list(self) -> None:
        """Filter and sort the trials in a thread."""
        if self.read is not None:
            keys = self.deck.settings.trial_columns or trial_table.USUAL
            is_wide = self.has_class("-wide")
            self._lists.ask(partial(arranged, self.read, self.words, self.sort, keys, units=is_wide))

    def _show(self, found: tuple[TrialList, str]) -> None:
        listed, self.fault = found
        self.query_one(TrialTable).show(listed)
        self._name_table()
        self._draw()

    def _name_table(self) -> None:
        table = self.query_one(TrialTable)
        listed = table.listed
        if listed is None:
            return
        pane = self.query_one("#trials-pane", Pane)
        fitting = f"{len(listed.rows):,} of {listed.total:,}" if self.words else f"{listed.total:,}"
        order = f", sorted by {self.sort}" if self.sort else ""
        fault = f" ({self.fault})" if self.fault else ""
        pane.rename(clean(f"trials: {fitting}{order}{fault}"))
        pane.border_subtitle = " · ".join(filter(None, (table.seen, *table.common))).replace("[", "\\[")

    def on_trial_table_highlighted(self, _: TrialTable.Highlighted) -> None:
        """Follow the cursor once it is still."""
        self._name_table()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLED, self._draw)

    def on_trial_table_selected(self, _: TrialTable.Selected) -> None:
        """Show all that is known of a trial."""
        row = self._row
        if row is not None and self.read is not None and self.read.found is not None:
            self.deck.push_screen(Reading(f"trial {row.trial.number}", views.why(self.read.found, row)))

    @property
    def _row(self) -> TrialRow | None:
        return self.query_one(TrialTable).row

    def _draw(self) -> None:
        """Draw the chart and the text in a thread."""
        if self.read is not None and self.read.found is not None:
            size = self.query_one(FrontPane).room
            is_ascii = self.deck.terminal.glyphs == "ascii"
            self._drawings.ask(partial(drawn_below, self.read, self._row, self.text, size, ascii_only=is_ascii))

    def _show_below(self, found: Drawn) -> None:
        pane = self.query_one("#text-pane", Pane)
        pane.rename(found.title)
        self.query_one("#text", Static).update(found.text)
        if found.chart is not None:
            self.query_one(FrontPane).show(found.chart_title, found.chart)

    def on_resize(self, event: events.Resize) -> None:
        """Fit what is drawn for a size."""
        super().on_resize(event)
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        if self.read is not None:
            self._tell()
            self._list()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter once nothing more is typed."""
        self.words = event.value
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(TYPED, self._list)

    def on_input_submitted(self, _: Input.Submitted) -> None:
        """Go to what was found."""
        self.query_one(TrialTable).focus()

    def why_not(self, name: str) -> str | None:
        """Return what an action needs."""
        if self.read is None:
            return "the exploration is still being read"
        if name in ("why", "promote", "job"):
            return why_not_trial(name, self._row)
        if name == "axis" and self.read.state.running:
            return "stop it first (s): what it does is fixed while it runs"
        if name in ("graph", "effects", "notes", "report") and self.read.found is None:
            return "the points are still being compared"
        return explore.why_not(name, self.read.state)

    def do_graph(self) -> None:
        """Show the chart, or ask for another one."""
        assert self.read is not None
        if not self._side("-chart"):
            return
        found = self.read.found
        assert found is not None

        def taken(answer: str | None) -> None:
            if answer is not None:
                self.chart = int(answer)
                explore.in_thread(self.deck, partial(drawable, self.chart, found), self._take_chart)

        answers = [(str(number), clean(title)) for number, (title, _) in enumerate(charts(found.exploration))]
        self.deck.push_screen(Question("chart", "The point under the cursor is marked.", answers), taken)

    def _take_chart(self, diagram: Diagram) -> None:
        if self.read is not None:
            self.read = replace(self.read, diagram=diagram)
            self._draw()

    def _side(self, name: str) -> bool:
        """Show chart or text where there is no room for both; return whether that one was shown before."""
        there = self.has_class("-wide") or self.has_class(name)
        self.remove_class("-chart", "-text")
        self.add_class(name)
        self.call_after_refresh(self._draw)
        return there

    def _show_text(self, view: TextView) -> None:
        self.text = view
        self.query_one("#text-scroll", VerticalScroll).scroll_home(animate=False)
        self._side("-text")

    def do_why(self) -> None:
        """Show why the point under the cursor is better."""
        self._show_text("why")

    def do_effects(self) -> None:
        """Show main effects."""
        self._show_text("effects")

    def do_notes(self) -> None:
        """Show notes."""
        self._show_text("notes")

    def do_zoom(self) -> None:
        """Show the lower pane alone."""
        self.toggle_class("-zoomed")
        self.call_after_refresh(self._fit)

    def do_promote(self) -> None:
        """Open the plan of the valid run and submission."""
        from engine.design_space.explorations import promoted  # noqa: PLC0415

        row = self._row
        assert self.read is not None
        assert row is not None
        self.deck.say(f"trial {row.trial.number}: its plan with the rules' durations; r there starts it")
        explore.in_thread(self.deck, partial(promoted, self.deck.place, self.read.state, row.trial), self.deck.go_plan)

    def do_stop(self) -> None:
        """Ask, then stop after the present trial."""
        assert self.read is not None
        explore.ask_stop(self.deck, self.read.state)

    def do_resume(self) -> None:
        """Go on."""
        explore.resume(self.deck, self.folder.name)

    def do_job(self) -> None:
        """Show the run of a trial."""
        from engine.jobs import jobs  # noqa: PLC0415

        row = self._row
        assert row is not None
        explore.in_thread(self.deck, partial(jobs.read, self.deck.place.folders.jobs / row.trial.job), self.deck.go_run)

    def do_find(self) -> None:
        """Open the filter."""
        line = self.query_one("#filter", Input)
        line.add_class("-open")
        line.focus()

    def do_order(self) -> None:
        """Ask for a column to sort by."""

        def taken(key: str) -> None:
            self.sort = key
            self._list()

        assert self.read is not None
        exploration_dialogs.ask_order(self.deck, self.read.state.exploration, taken)

    def do_columns(self) -> None:
        """Ask for the columns, and keep the choice."""
        exploration_dialogs.ask_columns(self.deck, self._list)

    def do_report(self) -> None:
        """Ask for the form, write the report, and say where it is."""
        assert self.read is not None
        exploration_dialogs.ask_report(self.deck, self.read.state.exploration)

    def do_axis(self) -> None:
        """Ask for an axis or more values of one, and go on."""
        from tui.screens.explore_start import ask_axis  # noqa: PLC0415

        assert self.read is not None
        ask_axis(self.deck, self.read.state.spec)

    def do_copy(self) -> None:
        """Copy the command of the point under the cursor, or of the exploration."""
        assert self.read is not None
        exploration, row = self.read.state.exploration, self._row
        command = exploration.commands.get(row.trial.point) if row is not None else None
        explore.copy_command(self.deck, command or exploration.command)

    def action_back(self) -> None:
        """Leave the filter, then the zoom, then the exploration."""
        line = self.query_one("#filter", Input)
        if line.has_class("-open"):
            line.value = ""
            line.remove_class("-open")
            self.query_one(TrialTable).focus()
        elif self.has_class("-zoomed"):
            self.do_zoom()
        else:
            self.app.pop_screen()
