"""Choose the columns of the list of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import SelectionList
from textual.widgets.selection_list import Selection

from engine.explore.columns import COLUMNS
from tui.screens.dialogs import Window
from tui.widgets.pane import Pane

ALWAYS = ("run", "state")
"""Columns that no list can do without."""


class ColumnChooser(Window[tuple[str, ...] | None]):
    """Mark columns; the result is their keys in table order, None for Esc. Empty: the default columns."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back"),
        Binding("enter", "take", "take", priority=True),
        Binding("d", "default", "default"),
    ]

    def __init__(self, chosen: Sequence[str]) -> None:
        super().__init__()
        self.chosen = frozenset(chosen)

    def compose(self) -> ComposeResult:
        """Show every column, the shown ones marked."""
        choices = [Selection(one.header, key, key in self.chosen) for key, one in COLUMNS.items() if key not in ALWAYS]
        pane = Pane("columns", SelectionList[str](*choices))
        pane.border_subtitle = "Space marks · Enter takes · d default · Esc back"
        yield pane

    def on_mount(self) -> None:
        """Let the arrows go to the columns."""
        self.query(SelectionList).focus()

    def action_take(self) -> None:
        """Answer with the marked columns."""
        marked = {*self.query_one(SelectionList).selected, *ALWAYS}
        self.dismiss(tuple(key for key in COLUMNS if key in marked))

    def action_default(self) -> None:
        """Answer with the default columns."""
        self.dismiss(())
