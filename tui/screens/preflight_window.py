"""Dialog with what a checker would reject; Enter on a row goes to the choice that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.text import clean
from tui.screens.dialogs import Window
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from engine.submission.preflight import Expected

_STYLES = {"error": "bold $bad", "warning": "$todo", "note": "$dim"}


class Preflight(Window[str | None]):
    """Show the predicted findings; the answer is the `choice` of one of them, None for Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "back")]

    def __init__(self, found: Sequence[Expected]) -> None:
        super().__init__()
        self.found = list(found)

    def compose(self) -> ComposeResult:
        """Show a row for each finding, with its remedy below."""
        rows = [Option(_row(one)) for one in self.found]
        nothing = Option("no problem found; what only a run shows is not checked", disabled=True)
        pane = Pane("preflight", OptionList(*(rows or [nothing]), markup=False))
        pane.border_subtitle = "Enter go to the choice · Esc back"
        yield pane

    def on_mount(self) -> None:
        """Let the arrows go to the rows."""
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with the choice that the finding is about."""
        self.dismiss(self.found[event.option_index].choice or None)


def _row(one: Expected) -> Content:
    mark = " ›" if one.choice else ""
    remedy = f"\n{'':9}{clean(one.remedy)}{mark}"
    return Content.assemble((f"{one.severity:9}", _STYLES[one.severity]), (clean(one.what), ""), (remedy, "$dim"))
