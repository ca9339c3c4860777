"""Dialog for one field of a form: validated while typing, with a list of suggested values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from engine.submission.describe import NOT_APPLICABLE
from engine.submission.form import Field
from engine.text import clean
from tui.screens.dialogs import Window
from tui.widgets.pane import Pane

WIDEST, FRAME = 100, 8
"""Cells of the window (inferdeck.tcss), and of what is around a text in it."""

Judge = Callable[[str], Field]
"""Returns the field as it would be with another value."""


class AnswerWindow(Window[str | None]):
    """Ask for one value; the result is None for Esc. Invalid values are rejected."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back"),
        Binding("down", "below", "values", show=False),
    ]
    DEFAULT_CSS = """
    Answer Pane { height: auto; }
    Answer #judged { height: 2; }
    Answer #about { color: $dim; }
    """

    def __init__(self, field: Field, judge: Judge) -> None:
        super().__init__()
        self.field = field
        self.judge = judge

    def compose(self) -> ComposeResult:
        """Show the question, an input line or the allowed values, and suggestions."""
        pane = Pane(clean(self.field.label), *self._inside())
        pane.border_subtitle = "Enter choose · Esc back"
        yield pane

    def _inside(self) -> Iterator[Widget]:
        yield Static(clean(self.field.rule), id="about", markup=False)
        if self.field.picks:
            yield Static("", markup=False)
            yield OptionList(*self._picks(), markup=False)
            return
        line = Input(self.field.value)
        line.cursor_blink = False
        yield line
        yield Static("", id="judged", markup=False)
        offered = list(self._offered())
        if offered:
            yield OptionList(*offered, markup=False)

    def _picks(self) -> Iterator[Option]:
        width = max(len(pick.value) for pick in self.field.picks) + 2
        room = min(self.app.size.width * 8 // 10, WIDEST) - FRAME - width
        for pick in self.field.picks:
            text = clean(f"not available: {pick.refused}" if pick.refused else pick.help)
            lines = wrap(text, room) or [""]
            parts = [
                ("● " if pick.value == self.field.value else "  ", "$mark"),
                (f"{pick.value:{width}}", "$dim" if pick.refused else "bold"),
                (("\n" + " " * (width + 2)).join(lines), "$todo" if pick.refused else "$dim"),
            ]
            yield Option(Content.assemble(*parts), id=pick.value, disabled=bool(pick.refused))

    def _offered(self) -> Iterator[Option]:
        presets = {self.field.detected: "detected on this machine", NOT_APPLICABLE: "does not apply"}
        if self.field.verdict not in ("empty", "warning") and NOT_APPLICABLE not in self.field.rule:
            del presets[NOT_APPLICABLE]
        for value, text in presets.items():
            if value and value != self.field.value:
                yield Option(Content.assemble((clean(value), "bold"), (f"  {text}", "$dim")), id=value)

    def on_mount(self) -> None:
        """Put the focus on the input."""
        if not self.field.picks:
            self.query(Input).focus()
            self._say(self.field.value)
            return
        options = self.query_one(OptionList)
        ids = [options.get_option_at_index(number).id for number in range(options.option_count)]
        options.highlighted = ids.index(self.field.value) if self.field.value in ids else 0
        options.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Validate the input at once."""
        self._say(event.value)

    def _say(self, value: str) -> None:
        found = self.judge(value)
        style = {"problem": "$bad", "ok": "$good"}.get(found.verdict, "$todo")
        text = "; ".join(clean(part) for part in (found.said, found.remedy) if part) or "ok"
        self.query_one("#judged", Static).update(Content.styled(text, style))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Accept the input, unless it is invalid."""
        if self.judge(event.value).verdict != "problem":
            self.dismiss(event.value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Accept a suggested value."""
        self.dismiss(event.option_id)

    def action_below(self) -> None:
        """Move from the input line to the suggestions."""
        found = self.query(OptionList)
        if found:
            found.first().focus()
