"""The runs, a row each, in as many columns as fit."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from textual import events
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.explore.columns import COLUMNS, LISTED, Column
from engine.explore.layout import GAP, TableLayout, layout
from engine.explore.runs import Run
from engine.text import clean, fit, fit_right

RUN_STATES = {
    "VALID": "$good",
    "passed": "$good",
    "done": "$dim",
    "INVALID": "bold $bad",
    "failed": "bold $bad",
    "damaged": "bold $todo",
}
MARK = "●"
SHOWN = 400
"""The most rows; the filter finds the others."""
_DAY = 86_400
_INDENT = 2
"""Cells of the mark before each row."""
DISTURBED_MARK = " ~"
"""After the state of a run that was disturbed; its details say by what."""
SHOWN_COLUMNS = tuple(key for key in LISTED if key not in ("why", "scored"))
"""Columns of the list, unless others were chosen; the reason of a state is in the pane below."""


def cell(column: Column, run: Run) -> str:
    """Return what a row shows: times short, a disturbed state with its mark."""
    if column.key == "when":
        return day(run.when, time.time())
    if column.key == "state":
        return run.state + DISTURBED_MARK * bool(run.disturbed)
    return clean(column.text(run))


class RunList(OptionList):
    """Shows runs; `run` is the one under the cursor, `marks` are those that were marked, in that order."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self.runs: tuple[Run, ...] = ()
        self.marks: list[str] = []
        self.chosen: tuple[str, ...] = SHOWN_COLUMNS
        """Keys of the columns that are shown as far as there is room."""
        self._empty = Content("")
        self._layout: TableLayout[Run] = TableLayout((), (), ())

    @property
    def run(self) -> Run | None:
        """The run under the cursor."""
        at = self.highlighted_option.id if self.highlighted_option is not None else None
        return next((run for run in self.runs if run.id == at), None)

    def show(self, runs: Sequence[Run], empty: Content) -> None:
        """Show runs; the cursor stays on its run. Where there are none, `empty` is shown."""
        at = self.highlighted_option.id if self.highlighted_option is not None else None
        self.runs = tuple(runs)
        self._empty = empty
        self._draw(at)

    def mark(self) -> None:
        """Mark or unmark the run under the cursor."""
        run = self.run
        if run is None or self.highlighted is None:
            return
        if run.id in self.marks:
            self.marks.remove(run.id)
        else:
            self.marks.append(run.id)
        self.replace_option_prompt_at_index(self.highlighted, self._line(run))

    def unmark(self) -> None:
        """Remove all marks."""
        self.marks.clear()
        self._draw(self.highlighted_option.id if self.highlighted_option is not None else None)

    def on_resize(self, _: events.Resize) -> None:
        """Fit the columns."""
        if self.runs:
            self._draw(self.highlighted_option.id if self.highlighted_option is not None else None)

    @property
    def common(self) -> tuple[str, ...]:
        """What all runs have in common; the rows leave it out."""
        return self._layout.common

    @property
    def columns(self) -> Content:
        """The names of the columns."""
        return Content.styled(" " * _INDENT + self._joined([one.header for one in self._layout.columns]), "$dim")

    def column_at(self, x: int) -> Column | None:
        """Return the column whose heading is at a cell of the line of headings; None beside them."""
        at = _INDENT
        for column, width in zip(self._layout.columns, self._layout.widths, strict=True):
            if at <= x < at + width:
                return column
            at += width + GAP
        return None

    def _joined(self, texts: Sequence[str]) -> str:
        return (" " * GAP).join(self._filled(texts))

    def _filled(self, texts: Sequence[str]) -> list[str]:
        found = zip(self._layout.columns, self._layout.widths, texts, strict=True)
        return [(fit_right if column.number else fit)(text, width) for column, width, text in found]

    @property
    def _room(self) -> int:
        return self.scrollable_content_region.width or self.size.width

    def _draw(self, at: str | None) -> None:
        self.clear_options()
        self._layout = layout(self.runs, [COLUMNS[key] for key in self.chosen], self._room - _INDENT, cell)
        if not self.runs:
            self.add_option(Option(self._empty, disabled=True))
            return
        shown = self.runs[:SHOWN]
        self.add_options([Option(self._line(run), id=run.id) for run in shown])
        if len(self.runs) > SHOWN:
            text = f"  … {len(self.runs) - SHOWN} more: / finds them"
            self.add_option(Option(Content.styled(text, "$dim"), disabled=True))
        ids = [run.id for run in shown]
        self.highlighted = ids.index(at) if at in ids else 0

    def _line(self, run: Run) -> Content:
        styles = {"run": "bold", "when": "$dim", "state": state_style(run), "result": "bold"}
        parts: list[tuple[str, str]] = [(f"{MARK if run.id in self.marks else ' '} ", "bold $mark")]
        texts = self._filled([cell(one, run) for one in self._layout.columns])
        for column, text in zip(self._layout.columns, texts, strict=True):
            parts += [(text, styles.get(column.key, "")), (" " * GAP, "")]
        return Content.assemble(*parts[:-1])


def state_style(run: Run) -> str:
    """Return the style of a run's state: a valid run that was disturbed is not green."""
    return "$todo" if run.disturbed and run.state == "VALID" else RUN_STATES[run.state]


def parts(run: Run) -> tuple[str, ...]:
    """Return what was measured in pieces, the most specific first."""
    choices = (f"{name}={value}" for name, value in run.choices.items())
    found = (run.model_name or run.benchmark, run.backend, run.style, *choices)
    return tuple(clean(part) for part in found if part)


def common(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the pieces that several runs have in common: shown once, they need no room in each row."""
    if len(runs) <= 1:
        return ()
    shared = set.intersection(*(set(parts(run)) for run in runs))
    return tuple(part for part in parts(runs[0]) if part in shared)


def what(run: Run, said: Collection[str] = ()) -> str:
    """Return what was measured, without the common pieces."""
    return " ".join(part for part in parts(run) if part not in said)


def day(when: float, now: float) -> str:
    """Write a time: of today by the hour, earlier by the day."""
    if not when:
        return "-"
    then = time.localtime(when)
    if time.localtime(now)[:3] == then[:3]:
        return time.strftime("today %H:%M", then)
    if time.localtime(now - _DAY)[:3] == then[:3]:
        return time.strftime("yest. %H:%M", then)
    return time.strftime("%Y-%m-%d", then)
