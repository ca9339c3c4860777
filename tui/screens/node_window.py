"""Dialog with the choices of one component of a plan: its variations, options, version and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.plan.choices import Choice
from engine.text import clean, cut, fit
from tui.screens.dialogs import Window
from tui.widgets.pane import Pane

_TITLE = 24


class NodeWindow(Window[Choice | None]):
    """Pick what to change of a component; the answer is None for Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "back")]
    DEFAULT_CSS = """
    NodeWindow OptionList { text-wrap: nowrap; text-overflow: ellipsis; }
    NodeWindow #about { min-height: 2; }
    """

    def __init__(self, title: str, choices: Sequence[Choice], beside: str = "") -> None:
        """`beside` says what else a change reaches."""
        super().__init__()
        self.asked = title
        self.choices = {one.key: one for one in choices}
        self.beside = beside

    def compose(self) -> ComposeResult:
        """Show a row for each choice, with its value and meaning."""
        rows = [Option(_row(one), id=one.key) for one in self.choices.values()]
        beside, about = Static(self.beside, id="beside", markup=False), Static("", id="about", markup=False)
        pane = Pane(self.asked, beside, OptionList(*rows, markup=False), about)
        pane.border_subtitle = "Enter change · Esc back"
        yield pane

    def on_mount(self) -> None:
        """Let the arrows go to the rows."""
        self.query_one("#beside").display = bool(self.beside)
        self.query_one(OptionList).focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show what the choice under the cursor means."""
        choice = self.choices[event.option_id or ""]
        now = next((one.help for one in choice.alternatives if one.value == choice.value), "")
        self.query_one("#about", Static).update(Content.styled(clean(choice.help or now or choice.unit), "$dim"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with the choice."""
        self.dismiss(self.choices[event.option_id or ""])


def _row(choice: Choice) -> Content:
    unit = f" {choice.unit}" if choice.unit and choice.value else ""
    return Content.assemble(
        ("*" if choice.changed else " ", "$mark"),
        (fit(cut(choice.title, _TITLE - 1), _TITLE), "$dim"),
        (clean(choice.value) or "-", "bold" if choice.changed else ""),
        (unit, "$dim"),
    )
