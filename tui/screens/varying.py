"""Sweep one choice of a run: which choice, which values, how long it takes, then run them in sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from engine.errors import InferdeckError
from engine.plan.selection import Selection
from engine.text import clean, cut, duration, fit
from tui.screens.dialogs import Question, Window
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from engine.explore.runs import Run
    from engine.explore.vary import Variable
    from engine.survey.prepare import Prepared
    from tui.deck import Deck


@dataclass(frozen=True)
class _Start:
    """The run that is varied, and its choices that can be."""

    run: Run
    selection: Selection
    variables: tuple[Variable, ...]


def vary(deck: Deck, run: Run) -> None:
    """Ask what to vary and with which values; then start the jobs, or open the first in the plan."""

    def read() -> None:
        from engine.explore.vary import narrowed, variables  # noqa: PLC0415
        from engine.survey.prepare import resolved  # noqa: PLC0415

        try:
            selection = narrowed(run)
            start = _Start(run, selection, variables(deck.place.catalog, resolved(deck.place, selection).plan))
        except InferdeckError as error:
            deck.call_from_thread(deck.say_error, error)
            return
        deck.call_from_thread(_ask_choice, deck, start)

    deck.run_worker(read, thread=True, group="vary", exclusive=True, exit_on_error=False)


def _ask_choice(deck: Deck, start: _Start) -> None:
    by_key = {one.choice.key: one for one in start.variables}
    width = max(len(one.choice.title) for one in start.variables) + 2
    room = max(min(deck.size.width * 8 // 10, 100) - width - 6, 10)
    answers = [(key, f"{one.choice.title:{width}}{cut(_values(one), room)}") for key, one in by_key.items()]

    def taken(key: str | None) -> None:
        if key is not None:
            _ask_values(deck, start, by_key[key])

    text = f"of {start.run.id}; everything else stays the same"
    deck.push_screen(Question("vary one choice", text, answers), taken)


def _values(one: Variable) -> str:
    words = [f"({trial.value})" if trial.now else trial.value for trial in one.trials if not trial.refused]
    return "  ".join(words) or "any number"


def _ask_values(deck: Deck, start: _Start, variable: Variable) -> None:
    from engine.explore.vary import checked  # noqa: PLC0415
    from engine.survey.prepare import chosen_round  # noqa: PLC0415

    round_name = chosen_round(start.selection)
    shown = checked(deck.place.catalog, start.selection, variable, deck.place.rules(round_name), round_name)

    def taken(values: tuple[str, ...] | None) -> None:
        if values:
            _prepare(deck, start, shown, values)

    deck.push_screen(Values(shown), taken)


def _prepare(deck: Deck, start: _Start, variable: Variable, values: Sequence[str]) -> None:
    """Survey the machine for each, in a thread; then ask."""

    def context() -> None:
        from engine.explore.vary import sweep  # noqa: PLC0415
        from engine.survey.prepare import prepare  # noqa: PLC0415

        try:
            selections = sweep(deck.place.catalog, start.selection, variable, values)
            found = [prepare(deck.place, one) for one in selections]
        except InferdeckError as error:
            deck.call_from_thread(deck.say_error, error)
            return
        deck.call_from_thread(_ask_start, deck, found, variable, values)

    deck.run_worker(context, thread=True, group="vary", exclusive=True, exit_on_error=False)


def _ask_start(deck: Deck, found: Sequence[Prepared], variable: Variable, values: Sequence[str]) -> None:
    lines = []
    total = 0.0
    width = max(map(len, values)) + 2
    for value, one in zip(values, found, strict=True):
        totals = one.seen.totals
        seconds = totals.prepare_seconds + totals.run_seconds
        total += seconds
        problems = one.seen.problems()
        unknown = f" + {totals.unknown_times} steps of unknown duration" if totals.unknown_times else ""
        took = f"can't run: {problems[0][1].text}" if problems else f"about {duration(seconds) or '0:00'}{unknown}"
        lines.append(f"{variable.choice.title} {clean(value):{width}}{clean(took)}")
    jobs = "1 job" if len(found) == 1 else f"{len(found)} jobs, one after another"
    text = "\n".join([*lines, f"{jobs}: about {duration(total) or '0:00'} in all. They need no terminal."])
    answers = [("run", f"run {jobs}"), ("plan", "open the first in Plan"), ("back", "cancel")]

    def answered(answer: str | None) -> None:
        if answer == "run":
            deck.run_worker(
                lambda: start_jobs(deck, found), thread=True, group="vary", exclusive=True, exit_on_error=False
            )
        elif answer == "plan":
            deck.go_plan(found[0].selection)

    deck.push_screen(Question("run the sweep", text, answers), answered)


def start_jobs(deck: Deck, found: Sequence[Prepared]) -> None:
    """Start jobs one after another, outside the screen's thread, and say which."""
    deck.run_worker(lambda: _begin(deck, found), thread=True, group="begin", exclusive=True, exit_on_error=False)


def _begin(deck: Deck, found: Sequence[Prepared]) -> None:
    from engine.explore.sweep import begin_all  # noqa: PLC0415

    try:
        made = begin_all(found)
    except InferdeckError as error:
        deck.call_from_thread(deck.say_error, error)
        return
    names = made[0].id if len(made) == 1 else f"{made[0].id} to {made[-1].id}"
    deck.call_from_thread(deck.say, f"Started {names}. Press 3 to watch; results appear here.")


class Values(Window[tuple[str, ...] | None]):
    """Choose one value or several: Space marks, Enter accepts the marked ones, or else the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back"),
        Binding("space", "mark", "mark"),
        Binding("enter", "take", "take", priority=True),
    ]
    DEFAULT_CSS = """
    Values #more { margin: 1 0 0 0; }
    """

    def __init__(self, variable: Variable, marked: Sequence[str] = ()) -> None:
        super().__init__()
        self.variable = variable
        self.marked = list(marked)

    def compose(self) -> ComposeResult:
        """Show the values, and for a number a line for others."""
        one = self.variable
        unit = f" ({one.choice.unit})" if one.choice.unit else ""
        parts: list[object] = [Static(f"{one.choice.help}{unit}", markup=False)] if one.choice.help else []
        if one.trials:
            parts.append(OptionList(markup=False))
        if one.free:
            line = Input(placeholder="other numbers, with commas between", id="more")
            line.cursor_blink = False
            parts.append(line)
        pane = Pane(f"vary {one.choice.title}", *parts)
        pane.border_subtitle = "Space mark · Enter next · Esc back"
        yield pane

    def on_mount(self) -> None:
        """Draw the values, with the cursor on the first that is not the current one."""
        if self.variable.trials:
            others = [number for number, one in enumerate(self.variable.trials) if not one.now and not one.refused]
            self._draw(others[0] if others else 0)
            self.query(OptionList).focus()
        else:
            self.query(Input).focus()

    def _draw(self, at: int) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        width = max(len(one.value) for one in self.variable.trials) + 2
        for one in self.variable.trials:
            box = "[x] " if one.value in self.marked else "[ ] "
            text = f"not available: {one.refused}" if one.refused else "as measured" if one.now else one.help
            parts = [
                (box, "$mark" if not one.refused else "$dim"),
                (fit(clean(one.value), width), "$dim" if one.refused else "bold"),
                (clean(text), "$todo" if one.refused else "$dim"),
            ]
            options.add_option(Option(Content.assemble(*parts), id=one.value, disabled=bool(one.refused)))
        options.highlighted = at

    def action_mark(self) -> None:
        """Mark or unmark the value under the cursor."""
        if not self.variable.trials:
            return
        options = self.query_one(OptionList)
        at = options.highlighted_option
        if options.highlighted is None or at is None or not at.id:
            return
        if at.id in self.marked:
            self.marked.remove(at.id)
        else:
            self.marked.append(at.id)
        self._draw(options.highlighted)

    def action_take(self) -> None:
        """Accept the marked and typed values; without either, the one under the cursor."""
        written = self.query_one(Input).value if self.variable.free else ""
        found = [*self.marked, *(word.strip() for word in written.split(",") if word.strip())]
        if not found and self.variable.trials:
            at = self.query_one(OptionList).highlighted_option
            found = [at.id] if at is not None and at.id else []
        if found:
            self.dismiss(tuple(dict.fromkeys(found)))
