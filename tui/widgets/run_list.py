"""The runs, a row each: description, figures and verdict, in as many columns as fit."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.explore.columns import COLUMNS
from engine.explore.runs import Run
from engine.text import clean, cut, fit

STATES = {
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
LEAST = 2
"""Runs that can have something in common."""
_WIDE_FROM = 92
"""Cells from which there are columns for time and accuracy."""
_DAY = 86_400


@dataclass(frozen=True)
class _Layout:
    run: int
    when: int
    what: int
    accuracy: int
    state: int


_FIGURE, _STATE = 10, 8
DISTURBED = " ~"
"""After the state of a run that was disturbed; its details say by what."""


def _layout(width: int, runs: Sequence[Run]) -> _Layout:
    run = min(max((len(one.id) for one in runs), default=0) + 1, 26)
    when, accuracy = (12, 8) if width >= _WIDE_FROM else (0, 0)
    state = _STATE + (len(DISTURBED) if any(one.disturbed for one in runs) else 0)
    return _Layout(run, when, max(width - 2 - run - when - 2 * _FIGURE - accuracy - 1 - state, 4), accuracy, state)


class RunList(OptionList):
    """Shows runs; `run` is the one under the cursor, `marks` are those that were marked, in that order."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self.runs: tuple[Run, ...] = ()
        self.marks: list[str] = []
        self.common: tuple[str, ...] = ()
        """What all runs have in common; the rows leave it out."""
        self._empty = Content("")

    @property
    def run(self) -> Run | None:
        """The run under the cursor."""
        at = self.highlighted_option.id if self.highlighted_option is not None else None
        return next((run for run in self.runs if run.id == at), None)

    def show(self, runs: Sequence[Run], empty: Content) -> None:
        """Show runs; the cursor stays on its run. Where there are none, `empty` is shown."""
        at = self.highlighted_option.id if self.highlighted_option is not None else None
        self.runs = tuple(runs)
        self.common = common(self.runs)
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
    def columns(self) -> Content:
        """The names of the columns."""
        layout = _layout(self._room, self.runs)
        texts = [f"  {'run':{layout.run}}", f"{'when':{layout.when}}" if layout.when else ""]
        texts += [f"{'choices':{layout.what}}"[: layout.what], f"{'samples/s':>{_FIGURE}}"]
        texts += [f"{'p99 ms':>{_FIGURE}}", f"{'acc %':>{layout.accuracy}}" if layout.accuracy else "", " state"]
        return Content.styled("".join(texts), "$dim")

    @property
    def _room(self) -> int:
        return self.scrollable_content_region.width or self.size.width

    def _draw(self, at: str | None) -> None:
        self.clear_options()
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
        layout = _layout(self._room, self.runs)
        figures = f"{COLUMNS['samples_per_second'].text(run):>{_FIGURE}}{COLUMNS['latency_p99'].text(run):>{_FIGURE}}"
        accuracy = f"{COLUMNS['accuracy'].text(run):>{layout.accuracy}}" if layout.accuracy else ""
        when = f"{day(run.when, time.time()):{layout.when}}" if layout.when else ""
        return Content.assemble(
            (f"{MARK if run.id in self.marks else ' '} ", "bold $mark"),
            (fit(cut(clean(run.id), layout.run - 1), layout.run), "bold"),
            (when, "$dim"),
            (fit(cut(what(run, self.common), layout.what - 1), layout.what), ""),
            (f"{figures}{accuracy} ", ""),
            (f"{run.state + DISTURBED * bool(run.disturbed):{layout.state}}", state_style(run)),
        )


def state_style(run: Run) -> str:
    """Return the style of a run's state: a valid run that was disturbed is not green."""
    return "$todo" if run.disturbed and run.state == "VALID" else STATES[run.state]


def parts(run: Run) -> tuple[str, ...]:
    """Return what was measured in pieces, the most specific first."""
    choices = (f"{name}={value}" for name, value in run.choices.items())
    found = (run.model_name or run.benchmark, run.backend, run.style, *choices)
    return tuple(clean(part) for part in found if part)


def common(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the pieces that several runs have in common: shown once, they need no room in each row."""
    if len(runs) < LEAST:
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
