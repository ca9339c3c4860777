"""Dialogs for a choice: one value, several values, or a text. Unavailable values say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from engine.plan.choices import UNSET, Alternative, Choice
from engine.text import clean, fit
from tui.screens.dialogs import Window
from tui.widgets.pane import Pane

TAKE_BACK = "(automatic)"

Verdict = Callable[[str], str]
"""Returns why a value is not available; empty where it is."""
Here = Callable[[str], str]
"""Returns what a value needs on this machine, or why it can't run as things are; may be empty. Runs in a thread."""


class TakeOne(Window[str | None]):
    """Choose one value; the answer is None for Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "back")]

    def __init__(self, choice: Choice, verdict: Verdict, here: Here | None = None) -> None:
        super().__init__()
        self.choice = choice
        self.verdict = verdict
        self.here = here

    def compose(self) -> ComposeResult:
        """Show the values; unavailable ones stay visible, with the reason."""
        pane = Pane(self.choice.title, OptionList(*self._options(), markup=False))
        pane.border_subtitle = "Enter choose · Esc back"
        yield pane

    def _options(self) -> Sequence[Option]:
        options = []
        for one in self.choice.alternatives:
            reason = one.refused or self.verdict(one.value)
            options.append(Option(self._prompt(one, reason), id=one.value, disabled=bool(reason)))
        if self.choice.changed:
            options.append(Option(Content.styled(f"  {TAKE_BACK}", "$dim"), id=TAKE_BACK))
        return options

    def _prompt(self, one: Alternative, reason: str, note: str = "") -> Content:
        """Return the line of a value; `reason` says why it is not available, `note` what it needs on this machine."""
        width = max((len(other.value) for other in self.choice.alternatives), default=0) + 2
        text = f"not available: {clean(reason)}" if reason else clean(one.help)
        return Content.assemble(
            ("● " if one.value == self.choice.value else "  ", "$mark"),
            (fit(clean(one.value), width), "$dim" if reason else "bold"),
            (text, "$todo" if reason else "$dim"),
            (f"{'; ' if text else ''}{clean(note)}" if note else "", "$todo"),
        )

    def _look(self, here: Here, values: Sequence[Alternative]) -> None:
        """Add what each value needs on this machine. Runs in a thread."""
        for one in values:
            note = here(one.value)
            if not self.is_running:
                return
            if note:
                self.app.call_from_thread(self._add, one, note)

    def _add(self, one: Alternative, note: str) -> None:
        """Mark a value. It stays available: another choice, such as a smaller model, may make it run."""
        options = self.query(OptionList)
        if options:
            options.first().replace_option_prompt(one.value, self._prompt(one, "", note))

    def on_mount(self) -> None:
        """Put the cursor on the current value, and look at what the others need."""
        options = self.query_one(OptionList)
        if (here := self.here) is not None:
            free = [one for one in self.choice.alternatives if not options.get_option(one.value).disabled]
            self.run_worker(lambda: self._look(here, free), thread=True, exit_on_error=False)
        ids = [options.get_option_at_index(number).id for number in range(options.option_count)]
        options.highlighted = ids.index(self.choice.value) if self.choice.value in ids else 0
        options.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Accept the value."""
        self.dismiss(UNSET if event.option_id == TAKE_BACK else event.option_id)


class TakeSeveral(Window[str | None]):
    """Choose any number of values: Space marks, Enter accepts the marked ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back"),
        Binding("space", "mark", "mark", priority=True),
        Binding("enter", "take", "take", priority=True),
    ]

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.choice = choice
        self.marked = {one for one in choice.value.split(",") if one}

    def compose(self) -> ComposeResult:
        """Show the values with their marks."""
        pane = Pane(self.choice.title, Static(self.choice.help, markup=False), OptionList(markup=False))
        pane.border_subtitle = "Space mark · Enter choose · Esc back"
        yield pane

    def on_mount(self) -> None:
        """Draw the values."""
        self._draw(0)
        self.query(OptionList).focus()

    def _draw(self, at: int) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        for one in self.choice.alternatives:
            box = "[x]" if one.value in self.marked else "[ ]"
            options.add_option(Option(Content.assemble((f"{box} ", "$mark"), (clean(one.value), "bold")), id=one.value))
        options.highlighted = at

    def action_mark(self) -> None:
        """Mark or unmark the value under the cursor."""
        options = self.query_one(OptionList)
        if options.highlighted is not None and options.highlighted_option is not None:
            self.marked ^= {str(options.highlighted_option.id)}
            self._draw(options.highlighted)

    def action_take(self) -> None:
        """Accept the marked values, in list order."""
        self.dismiss(",".join(one.value for one in self.choice.alternatives if one.value in self.marked))


class Write(Window[str | None]):
    """Enter a text, validated while typing. Enter accepts it, Esc cancels."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "back")]

    def __init__(self, title: str, about: str, value: str, verdict: Verdict) -> None:
        super().__init__()
        self.asked = title
        self.about = about
        self.value = value
        self.verdict = verdict

    def compose(self) -> ComposeResult:
        """Show the question, the input line, and its error."""
        line = Input(self.value)
        line.cursor_blink = False
        pane = Pane(self.asked, Static(self.about, markup=False), line, Static("", id="wrong", markup=False))
        pane.border_subtitle = "Enter choose · Esc back"
        yield pane

    def on_mount(self) -> None:
        """Let the keys go to the line."""
        self.query(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the error of the input at once."""
        self.query_one("#wrong", Static).update(Content.styled(clean(self.verdict(event.value)), "$todo"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Accept the text, unless it is invalid."""
        if not self.verdict(event.value):
            self.dismiss(event.value)


def window(choice: Choice, verdict: Verdict, here: Here | None = None) -> ModalScreen[str | None]:
    """Return the dialog for a choice."""
    if choice.kind == "several":
        return TakeSeveral(choice)
    if choice.kind == "one" and choice.alternatives:
        return TakeOne(choice, verdict, here)
    unit = f" ({choice.unit})" if choice.unit else ""
    return Write(choice.title, f"{choice.help}{unit}", choice.value, lambda text: verdict(text) if text else "")
