"""The trials of an exploration, a row each; only the rows that are seen are drawn, however many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.design_space.trial_table import TrialColumn, TrialRow
from engine.explore.layout import GAP, Narrowing, TableLayout, layout
from engine.text import clean, fit, fit_right

SAMPLED = 200
"""Rows by whose texts the columns get their widths."""
_SHORT = {"on the front": "on front", "indistinguishable": "indistinct", "valid if longer": "valid if longer"}
_STYLES: Mapping[str, str] = {
    "on the front": "bold $good",
    "indistinguishable": "$todo",
    "dominated": "$dim",
    "valid": "$good",
    "valid if longer": "$todo",
    "breaks": "$bad",
    "failed": "bold $bad",
    "refused": "$dim",
}


@dataclass(frozen=True)
class TrialList:
    """What the table shows."""

    rows: Sequence[TrialRow]
    """In the order in which they are shown."""
    columns: Sequence[TrialColumn]
    narrowing: Narrowing
    total: int
    """Trials in all, filtered out or not."""


class TrialTable(Static, can_focus=True):
    """Shows trials; `row` is the one under the cursor."""

    class Highlighted(Message):
        """The cursor is on another trial."""

    class Selected(Message):
        """Enter was pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor_up", show=False),
        Binding("down", "cursor_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("home", "first", show=False),
        Binding("end", "last", show=False),
        Binding("enter", "select", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self.listed: TrialList | None = None
        self.at = 0
        """Number of the row under the cursor, from the top of the list."""
        self._top = 0
        self._layout: TableLayout[TrialRow] = TableLayout((), (), ())
        self._fitted = -1

    @property
    def row(self) -> TrialRow | None:
        """The row under the cursor."""
        rows = self.listed.rows if self.listed is not None else ()
        return rows[self.at] if self.at < len(rows) else None

    @property
    def common(self) -> tuple[str, ...]:
        """What all trials have in common; the rows leave it out."""
        return self._layout.common

    @property
    def seen(self) -> str:
        """Which rows are seen: `1-12 of 10,000`."""
        count = len(self.listed.rows) if self.listed is not None else 0
        last = min(self._top + self._room, count)
        return f"{self._top + 1:,}-{last:,} of {count:,}" if count > self._room else ""

    def show(self, listed: TrialList) -> None:
        """Show trials; the cursor stays on its trial, or at the top where the newest one comes."""
        now = self.row
        self.listed = listed
        if self.at and now is not None:
            number = now.trial.number
            self.at = next((at for at, row in enumerate(listed.rows) if row.trial.number == number), self.at)
        self.at = max(min(self.at, len(listed.rows) - 1), 0)
        self._fitted = -1
        self._scroll()

    def on_resize(self, _: events.Resize) -> None:
        """Keep the cursor in sight."""
        self._scroll()

    def on_focus(self) -> None:
        """Show the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Show the cursor as that of another pane."""
        self.refresh()

    @property
    def _room(self) -> int:
        return max(self.size.height - 1, 1)

    def _scroll(self) -> None:
        count = len(self.listed.rows) if self.listed is not None else 0
        top = min(max(self._top, self.at - self._room + 1), self.at)
        self._top = max(min(top, count - self._room), 0)
        self.refresh()
        self.post_message(self.Highlighted())

    def action_cursor_up(self) -> None:
        """Go to the row above."""
        self._go(self.at - 1)

    def action_cursor_down(self) -> None:
        """Go to the row below."""
        self._go(self.at + 1)

    def action_page_up(self) -> None:
        """Go up by a page."""
        self._go(self.at - self._room)

    def action_page_down(self) -> None:
        """Go down by a page."""
        self._go(self.at + self._room)

    def action_first(self) -> None:
        """Go to the first row."""
        self._go(0)

    def action_last(self) -> None:
        """Go to the last row."""
        self._go(1 << 60)

    def action_select(self) -> None:
        """Ask for the trial under the cursor."""
        if self.row is not None:
            self.post_message(self.Selected())

    def _go(self, to: int) -> None:
        count = len(self.listed.rows) if self.listed is not None else 0
        at = max(min(to, count - 1), 0)
        if at != self.at:
            self.at = at
            self._scroll()

    def on_click(self, event: events.Click) -> None:
        """Go to the row under the pointer."""
        if event.y:
            self._go(self._top + event.y - 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down."""
        event.stop()
        self._go(self.at + 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up."""
        event.stop()
        self._go(self.at - 1)

    def render(self) -> Content:
        """Draw the names of the columns and the rows in sight."""
        listed = self.listed
        if listed is None:
            return Content.styled("reading…", "$dim")
        if not listed.rows:
            text = "no trial fits the filter" if listed.total else "no trial has ended yet"
            return Content.styled(text, "$dim")
        self._fit(listed)
        headers = self._filled([one.header for one in self._layout.columns])
        lines = [Content.styled((" " * GAP).join(headers), "$dim")]
        for number in range(self._top, min(self._top + self._room, len(listed.rows))):
            lines.append(self._line(listed.rows[number], is_current=number == self.at))
        return Content("\n").join(lines)

    def _fit(self, listed: TrialList) -> None:
        if self._fitted != self.size.width:
            self._fitted = self.size.width
            step = max(len(listed.rows) // SAMPLED, 1)
            self._layout = layout(listed.rows[::step], listed.columns, self._fitted, _cell, listed.narrowing)

    def _filled(self, texts: Sequence[str]) -> list[str]:
        found = zip(self._layout.columns, self._layout.widths, texts, strict=True)
        return [(fit_right if column.number else fit)(text, width) for column, width, text in found]

    def _line(self, row: TrialRow, *, is_current: bool) -> Content:
        parts: list[tuple[str, str]] = []
        columns = self._layout.columns
        for column, text in zip(columns, self._filled([_cell(one, row) for one in columns]), strict=True):
            parts += [(text, "" if is_current else _style(column, row)), (" " * GAP, "")]
        line = Content.assemble(*parts[:-1])
        if not is_current:
            return line
        kind = "" if self.has_focus else "blurred-"
        room = " " * max(self.size.width - line.cell_length, 0)
        return (line + room).stylize(f"$block-cursor-{kind}foreground on $block-cursor-{kind}background")


def _cell(column: TrialColumn, row: TrialRow) -> str:
    text = column.text(row)
    return _SHORT.get(text, text) if column.key == "standing" else clean(text)


def _style(column: TrialColumn, row: TrialRow) -> str:
    if column.key == "trial":
        return "bold"
    if column.key in ("standing", "state"):
        return _STYLES.get(column.text(row), "")
    return "$dim" if column.key in ("kind", "reason", "note", "seconds") else ""
