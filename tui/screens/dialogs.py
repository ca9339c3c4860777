"""Dialogs: a question, and a text to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.text import clean, clean_lines
from tui.widgets.pane import Pane

T = TypeVar("T")


class Window(ModalScreen[T]):
    """A dialog. It closes once: keys that were typed ahead close nothing else."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close the window with an answer, if it is still the one in front."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class Question(Window[str | None]):
    """Ask; the result is the key of the chosen line, None for Esc. It never times out."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "back")]

    def __init__(self, title: str, text: Content | str, answers: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.asked = title
        self.text = text if isinstance(text, Content) else clean_lines(text)
        self.answers = tuple(answers)

    def compose(self) -> ComposeResult:
        """Show the text and the answers below it; the first is the safe one."""
        options = [Option(Content(clean(label)), id=key) for key, label in self.answers]
        yield Pane(self.asked, Static(self.text, markup=False), Static(""), OptionList(*options, markup=False))

    def on_mount(self) -> None:
        """Let the arrows go to the answers."""
        self.query(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        self.dismiss(event.option_id)


class Reading(Window[None]):
    """Show a text of any length; Esc goes back. `y` copies it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss(None)", "back"),
        Binding("y", "copy", "copy"),
    ]

    def __init__(self, title: str, text: Content | str) -> None:
        super().__init__()
        self.asked = title
        self.text = text if isinstance(text, Content) else Content(clean_lines(text))

    def compose(self) -> ComposeResult:
        """Show the text in a frame that scrolls."""
        pane = Pane(self.asked, VerticalScroll(Static(self.text)))
        pane.border_subtitle = "Esc back · y copy"
        yield pane

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.query(VerticalScroll).focus()

    def action_copy(self) -> None:
        """Copy the text to the terminal's clipboard."""
        self.app.copy_to_clipboard(self.text.plain)
        self.app.notify("copied", markup=False)
