"""Choose the columns of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.explore.columns import COLUMNS
from tui.screens.dialogs import Window
from tui.widgets.pane import Pane

ALWAYS = ("run", "state")
"""Columns that no list of runs can do without."""
RUN_TITLES = {key: one.header for key, one in COLUMNS.items()}


class ColumnChooser(Window[tuple[str, ...] | None]):
    """Mark columns; the result is their keys in table order, None for Esc. Empty: the default columns."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back"),
        Binding("space", "mark", "mark", priority=True),
        Binding("enter", "take", "take", priority=True),
        Binding("d", "default", "default"),
    ]

    def __init__(
        self, chosen: Sequence[str], titles: Mapping[str, str] = RUN_TITLES, always: Sequence[str] = ALWAYS
    ) -> None:
        super().__init__()
        self.titles, self.always = titles, always
        self.chosen = set(chosen)

    def compose(self) -> ComposeResult:
        """Show every column, the shown ones with a cross: their colour alone would not tell without colours."""
        rows = [Option(self._row(key), id=key) for key in self.titles if key not in self.always]
        pane = Pane("columns", OptionList(*rows, markup=False))
        pane.border_subtitle = "Space marks · Enter takes · d default · Esc back"
        yield pane

    def _row(self, key: str) -> Content:
        box = "[x] " if key in self.chosen else "[ ] "
        return Content.assemble((box, "$mark"), (self.titles[key], "bold" if key in self.chosen else ""))

    def on_mount(self) -> None:
        """Let the arrows go to the columns."""
        self.query(OptionList).focus()

    def action_mark(self) -> None:
        """Mark or unmark the column under the cursor."""
        options = self.query_one(OptionList)
        if options.highlighted_option is not None:
            key = str(options.highlighted_option.id)
            self.chosen ^= {key}
            options.replace_option_prompt(key, self._row(key))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Mark or unmark the column that was clicked."""
        self.action_mark()

    def action_take(self) -> None:
        """Answer with the marked columns."""
        self.dismiss(tuple(key for key in self.titles if key in self.chosen or key in self.always))

    def action_default(self) -> None:
        """Answer with the default columns."""
        self.dismiss(())
