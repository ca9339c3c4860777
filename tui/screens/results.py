"""Results: every finished run of every job; below, the selected run, a comparison, or bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from engine.errors import InferdeckError, UsageError
from engine.explore import export
from engine.explore.columns import COLUMNS, column
from engine.explore.filters import matching
from engine.explore.origin import place
from engine.explore.pins import pin_run, question, unpin_run
from engine.explore.runs import Run, fold
from engine.explore.table_columns import ordered
from engine.plan.selection_syntax import selection_of
from tui.actions import Action, bindings
from tui.screens.base import DeckScreen
from tui.screens.charting import ask_chart
from tui.screens.column_chooser import ColumnChooser
from tui.screens.dialogs import Reading
from tui.screens.exporting import ask_export, ask_order
from tui.screens.removing import ask_removal
from tui.screens.repeating import ask_again
from tui.settings import save
from tui.widgets.headings import Headings
from tui.widgets.pane import Pane
from tui.widgets.run_below import RunBelow
from tui.widgets.run_list import SHOWN_COLUMNS, RunList
from tui.widgets.run_views import NONE_FITS, NOTHING_MEASURED, everything

INTERVAL = 5.0
"""Seconds between two polls for new runs."""
PAIR = 2
ABOUT_FILTER = "for example: scenario:server state:invalid p99<10 -r-0003"

_READING = "the runs are still being read"


class ResultsScreen(DeckScreen):
    """List, compare, chart, export, repeat, vary."""

    MODE = "results"
    ABOUT = (
        "Results lists every finished run of every job, the newest first, with LoadGen's verdict. Mark two or more "
        "with Space and compare them with c: what differs, what is the same, and whether a change is above the "
        "noise of repeated runs. Nothing here changes a result."
    )
    ACTIONS = (
        Action("space", "mark", "mark", "mark or unmark the run under the cursor; the first marked is the baseline"),
        Action("c", "compare", "compare", "what differs between the marked runs, and which changes are above noise"),
        Action("v", "vary", "vary", "sweep one choice of this run: measure other values"),
        Action("r", "again", "again", "measure again: the choices of this run in Plan, or its scenario several times"),
        Action("slash", "find", "filter", "show only runs that match: words, -word, scenario:offline, p99<10"),
        Action("x", "export", "export", "write the list, or the comparison, as text, CSV, JSON or Markdown"),
        Action("b", "bars", "bars", "bar chart of one metric over the marked runs, or all listed; again: next metric"),
        Action("g", "graph", "chart", "a chart of the marked runs, or all listed: Pareto, latencies, over time, trend"),
        Action("o", "order", "sort", "sort the list by a column"),
        Action("t", "columns", "columns", "choose the columns of the list; the choice is kept"),
        Action("a", "missing", "add missing", "plan the measurement that is missing from the comparison"),
        Action("p", "pictures", "pictures", "draw the first samples of this run with truth and answer"),
        Action("m", "pin", "pin", "make this run the baseline of its benchmark and scenario; again removes the pin"),
        Action("d", "remove", "remove", "archive or delete the job of this run; a question says what is lost"),
        Action("y", "copy", "copy", "copy the path of this run's files, or the comparison as text"),
    )
    BINDINGS: ClassVar = [*bindings(ACTIONS), ("escape", "back", "back")]
    CSS = """
    ResultsScreen #runs-pane { height: 16; }
    ResultsScreen.-narrow #runs-pane { height: 9; }
    ResultsScreen #runs { height: 1fr; scrollbar-gutter: stable; }
    ResultsScreen #columns { height: 1; }
    ResultsScreen #filter { display: none; }
    ResultsScreen #filter.-open { display: block; }
    ResultsScreen #view-pane { height: 1fr; }
    ResultsScreen #view-scroll { height: 1fr; scrollbar-gutter: stable; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.known: tuple[Run, ...] = ()
        self.loaded = False
        self.words = ""
        self.fault = ""
        """Why the filter can't be applied; empty where it can."""
        self.sort = "when"

    def body(self) -> Iterable[Widget]:
        """Yield the list with its filter, and the pane below it."""
        line = Input(placeholder=ABOUT_FILTER, id="filter")
        line.cursor_blink = False
        yield Pane(
            "runs",
            Headings(id="columns", markup=False),
            RunList(id="runs"),
            line,
            id="runs-pane",
            help="A row per measured scenario of a job; accuracy and compliance runs are shown in the row of the "
            "performance run. VALID and INVALID are LoadGen's verdicts; damaged: some of its files can't be read. "
            "Enter shows the details of a run.",
        )
        yield RunBelow(self.deck.terminal.glyphs)

    def on_mount(self) -> None:
        """Put the focus on the list, and poll for new runs."""
        self.query_one(RunList).chosen = (
            tuple(key for key in self.deck.settings.columns if key in COLUMNS) or SHOWN_COLUMNS
        )
        self.query(RunList).focus()
        self.set_interval(INTERVAL, self._look)

    def shown(self) -> None:
        """Poll for new runs."""
        self._look()

    def _look(self) -> None:
        if self.deck.opened and self.is_current:
            self.run_worker(self._read, thread=True, group="runs", exclusive=True, exit_on_error=False)

    def _read(self) -> None:
        from engine.explore.history import all_runs  # noqa: PLC0415  (start-up: paint first)

        found = tuple(fold(all_runs(self.deck.place.folders)))
        self.deck.call_from_thread(self._take, found)

    def _take(self, found: tuple[Run, ...]) -> None:
        if self.loaded and found == self.known:
            return
        self.loaded, self.known = True, found
        ids = {run.id for run in found}
        runs = self.query_one(RunList)
        runs.marks = [one for one in runs.marks if one in ids]
        self._list()

    def listed(self) -> list[Run]:
        """The runs that match the filter, in the chosen order; all of them while the filter is not complete."""
        try:
            found = matching(self.known, self.words)
            self.fault = ""
        except UsageError as error:
            found, self.fault = list(self.known), error.what
        return found if self.sort == "when" else ordered(found, column(self.sort))

    def marked(self) -> list[Run]:
        """The marked runs, in the order in which they were marked."""
        by_id = {run.id: run for run in self.known}
        return [by_id[one] for one in self.query_one(RunList).marks if one in by_id]

    def _list(self) -> None:
        listed, runs = self.listed(), self.query_one(RunList)
        runs.show(listed, NONE_FITS if self.known else NOTHING_MEASURED)
        self.query_one("#columns", Static).update(runs.columns if listed else "")
        order = "" if self.sort == "when" else f", sorted by {COLUMNS[self.sort].header}"
        fitting = f"{len(listed)} of {len(self.known)}" if self.words else str(len(self.known))
        fitting += f" ({self.fault})" if self.fault else ""
        pane = self.query_one("#runs-pane", Pane)
        pane.rename(f"runs: {fitting}{order}" if self.known else "runs")
        pane.border_subtitle = f"all: {' · '.join(runs.common)}".replace("[", "\\[") if runs.common else ""
        self._show_count()
        self._draw()

    def _show_count(self) -> None:
        count = len(self.marked())
        self.header().set_texts(
            title=f"{count} marked of {len(self.known)} runs" if count else f"{len(self.known)} runs"
        )

    def on_resize(self, event: object) -> None:
        """Fit what is drawn for a width."""
        super().on_resize(event)  # type: ignore[arg-type]
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        runs = self.query_one(RunList)
        self.query_one("#columns", Static).update(runs.columns if runs.runs else "")
        self._draw()

    def on_option_list_option_highlighted(self, _: OptionList.OptionHighlighted) -> None:
        """Follow the cursor, unless a comparison is shown."""
        if self._below().view == "run":
            self._draw()

    def on_option_list_option_selected(self, _: OptionList.OptionSelected) -> None:
        """Show the details of a run."""
        run = self.query_one(RunList).run
        if run is not None:
            self.deck.push_screen(Reading(run.id, everything(run, str(place(run)))))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter with every key."""
        self.words = event.value
        self._list()

    def on_input_submitted(self, _: Input.Submitted) -> None:
        """Go to what was found."""
        self.query_one(RunList).focus()

    def _below(self) -> RunBelow:
        return self.query_one(RunBelow)

    def _draw(self) -> None:
        """Pass the run under the cursor to the pane below."""
        charted, empty = self._charted(), self.loaded and not self.known
        self._below().follow(self.query_one(RunList).run, charted, empty=empty)

    def _charted(self) -> Sequence[Run]:
        return self.marked() or self.listed()

    def why_not(self, name: str) -> str | None:
        """Return what an action needs."""
        if not self.known:
            return "nothing has been measured yet: 1 then t runs a first job" if self.loaded else _READING
        run = self.query_one(RunList).run
        if name in ("mark", "again", "vary", "pictures", "pin", "remove") and run is None:
            return "no run is under the cursor"
        if name in ("again", "vary") and run is not None and not run.command:
            return f"the choices of {run.id} are not known: its job's plan can't be read"
        if name == "compare" and len(self._to_compare()) < PAIR:
            return f"Space marks runs; comparing needs two or more, {len(self.marked())} marked, or a pinned run (m)"
        return self._why_not_missing() if name == "missing" else None

    def _why_not_missing(self) -> str | None:
        if self._below().compared is None:
            return "compare two marked runs first (c); a then plans what one of them is missing"
        return None if self._missing() else "all of these runs have the same measurements"

    def _missing(self) -> list[tuple[str, ...]]:
        found = self._below().compared
        return [one.words for one in found.missing if one.words] if found is not None else []

    def do_mark(self) -> None:
        """Mark a run, and move to the next."""
        runs = self.query_one(RunList)
        runs.mark()
        if runs.has_focus and runs.highlighted is not None and runs.highlighted + 1 < len(runs.runs):
            runs.action_cursor_down()
        self._show_count()

    def do_compare(self) -> None:
        """Compare the marked runs; one alone, or the one under the cursor, with the pinned one."""
        marked = self._to_compare()
        self.run_worker(
            lambda: self._compare(marked), thread=True, group="compare", exclusive=True, exit_on_error=False
        )

    def _to_compare(self) -> list[Run]:
        """The marked runs; with fewer than two, the pinned run and this one."""
        marked, run = self.marked(), self.query_one(RunList).run
        if len(marked) >= PAIR:
            return marked
        one = marked[0] if marked else run
        base = next((other for other in self.known if other.pinned and one and question(other) == question(one)), None)
        return [base, one] if base is not None and one is not None and base.id != one.id else marked

    def _compare(self, marked: Sequence[Run]) -> None:
        from engine.explore.compare import compare  # noqa: PLC0415
        from engine.explore.history import all_runs  # noqa: PLC0415

        found = compare(marked, all_runs(self.deck.place.folders))
        self.deck.call_from_thread(self._below().compare, found)

    def do_bars(self) -> None:
        """Draw bars of the metric that ranks the runs, then of the next ones."""
        if not self._below().chart(self._charted()):
            self.deck.say("none of these runs has a value", "warning")

    def do_graph(self) -> None:
        """Ask for a chart of the marked runs, and draw it below."""
        ask_chart(self.deck, self._charted(), self._below().show_diagram)

    def do_again(self) -> None:
        """Ask how to measure a run again: with its choices in the plan, or repeated."""
        run = self.query_one(RunList).run
        assert run is not None
        command = run.command
        ask_again(self.deck, run, lambda: self._plan(command))

    def do_missing(self) -> None:
        """Go to the plan with the first measurement that is missing."""
        self._plan(self._missing()[0])

    def _plan(self, words: Sequence[str]) -> None:
        selection, output = selection_of(words)
        self.deck.go_plan(selection, output)

    def do_vary(self) -> None:
        """Choose what to vary, then the values."""
        from tui.screens.varying import vary  # noqa: PLC0415

        run = self.query_one(RunList).run
        assert run is not None
        vary(self.deck, run)

    def do_pin(self) -> None:
        """Pin the run under the cursor, or remove its pin."""
        run = self.query_one(RunList).run
        assert run is not None
        (unpin_run if run.pinned else pin_run)(self.deck.place.folders, run)
        self.deck.say(
            f"{question(run)} has no pinned run" if run.pinned else f"results of {question(run)} are compared with it"
        )
        self._look()

    def do_remove(self) -> None:
        """Ask whether to archive or delete the job of the run under the cursor."""
        run = self.query_one(RunList).run
        assert run is not None
        ask_removal(self.deck, run, self.known, self._look)

    def do_pictures(self) -> None:
        """Show samples with truth and answer."""
        from tui.screens.looking import look_at  # noqa: PLC0415

        run = self.query_one(RunList).run
        assert run is not None
        look_at(self.deck, run)

    def do_find(self) -> None:
        """Open the filter."""
        line = self.query_one("#filter", Input)
        line.add_class("-open")
        line.focus()

    def do_order(self) -> None:
        """Ask for a column to sort by."""

        def taken(key: str | None) -> None:
            if key is not None:
                self.sort = key
                self._list()

        ask_order(self.deck, taken)

    def on_headings_clicked(self, event: Headings.Clicked) -> None:
        """Sort by the column whose heading was clicked; again: the newest first."""
        found = self.query_one(RunList).column_at(event.x)
        if found is not None:
            self.sort = "when" if self.sort == found.key else found.key
            self._list()

    def do_columns(self) -> None:
        """Ask for the columns of the list, and keep the choice in the settings."""

        def taken(keys: tuple[str, ...] | None) -> None:
            if keys is None:
                return
            self.query_one(RunList).chosen = keys or SHOWN_COLUMNS
            self._list()
            self.deck.settings = msgspec.structs.replace(self.deck.settings, columns=keys)
            try:
                save(self.deck.place.folders.config, self.deck.settings)
            except InferdeckError as error:
                self.deck.say_error(error)

        self.deck.push_screen(ColumnChooser(self.query_one(RunList).chosen), taken)

    def do_export(self) -> None:
        """Ask for the form, write the file, and show where it is."""
        comparing = self._below().compared is not None
        what = "the comparison" if comparing else f"{len(self.listed())} runs"
        name = "comparison" if comparing else "results"
        ask_export(self.deck, what, name, self._exported, lambda path: self._below().note(f"written: {path}"))

    def _exported(self, as_: export.Format) -> str:
        found = self._below().compared
        return export.comparison(found, as_) if found is not None else export.listing(self.listed(), as_)

    def do_copy(self) -> None:
        """Copy the comparison, or the path of the run's files."""
        run = self.query_one(RunList).run
        if self._below().compared is not None:
            self.deck.copy_to_clipboard(self._exported("text"))
            self.deck.say("copied the comparison")
        elif run is not None:
            self.deck.copy_to_clipboard(str(place(run)))
            self.deck.say(f"copied the path:\n{place(run)}")

    def action_back(self) -> None:
        """Leave the filter, then the comparison or the bars, then the marks."""
        line = self.query_one("#filter", Input)
        if line.has_class("-open"):
            line.value = ""
            line.remove_class("-open")
            self.query_one(RunList).focus()
        elif self._below().view != "run":
            self._below().back()
        else:
            self.query_one(RunList).unmark()
            self._show_count()
