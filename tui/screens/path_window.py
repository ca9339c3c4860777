"""Dialog for a path: Tab completes it, and what is there is shown while it is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from engine.text import clean, cut
from tui.path_completion import completed
from tui.screens.choosing import Write
from tui.widgets.pane import Pane

_SHOWN = 8
"""Names that are listed."""


class WritePath(Write):
    """Enter a path. `look` returns what is found there, and runs in a thread: a folder may be large or far away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back"),
        Binding("tab", "complete", "complete", priority=True),
    ]

    def __init__(self, title: str, about: str, value: str, look: Callable[[str], str]) -> None:
        super().__init__(title, about, value, lambda _: "")
        self.look = look

    def compose(self) -> ComposeResult:
        """Show the question, the input line, the names that fit, and what is there."""
        line = Input(self.value)
        line.cursor_blink = False
        names, found = Static("", id="names", markup=False), Static("", id="wrong", markup=False)
        pane = Pane(self.asked, Static(self.about, markup=False), line, names, found)
        pane.border_subtitle = "Tab complete · Enter choose · Esc back"
        yield pane

    def on_input_changed(self, event: Input.Changed) -> None:
        """List the names that fit, and look at what is there."""
        names = completed(event.value)[1] if event.value else ()
        more = f"  and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        text = "  ".join(cut(clean(one), 30) for one in names[:_SHOWN]) + more
        self.query_one("#names", Static).update(Content.styled(text, "$dim"))
        self.query_one("#wrong", Static).update("")
        if event.value:
            self.run_worker(lambda: self._look(event.value), thread=True, exclusive=True, exit_on_error=False)

    def _look(self, value: str) -> None:
        text = self.look(value)
        self.app.call_from_thread(self._show, value, text)

    def _show(self, value: str, text: str) -> None:
        if self.is_mounted and self.query_one(Input).value == value:
            self.query_one("#wrong", Static).update(Content.styled(clean(text), "$todo"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Accept the path."""
        self.dismiss(event.value.rstrip("/") or event.value)

    def action_complete(self) -> None:
        """Add what is common to all names that fit."""
        line = self.query_one(Input)
        line.value = completed(line.value)[0]
        line.cursor_position = len(line.value)
