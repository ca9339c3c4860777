"""Start an exploration of a plan: mark values, choose objectives and a budget, see what it costs, start."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from engine.errors import InferdeckError
from engine.explore.vary import Variable, checked, variables
from engine.plan.plan import Plan
from engine.plan.selection import Selection
from engine.text import clean, fit
from tui.screens.choosing import Write
from tui.screens.dialogs import Question, Window
from tui.screens.explore import in_thread
from tui.screens.varying import Values
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from pathlib import Path

    from engine.design_space.cost_plan import CostPlan
    from engine.design_space.exploration_request import ExplorationRequest
    from engine.design_space.exploration_spec import ExplorationSpec
    from engine.survey.prepare import Prepared
    from tui.deck import Deck

_LINES = (
    ("objectives", "Offline", "such as Offline accuracy min:latency_p99"),
    ("constraints", "", "for example: accuracy>=99% latency_p99<=15"),
    ("budget", "10m", "time in all: 45m, 2h; empty: no limit"),
    ("name", "", "empty: the next free one"),
)
"""What is written → its usual value, and what it means."""
_STYLES = {"bold": "bold", "dim": "$dim", "todo": "$todo", "": ""}


def start_exploration(deck: Deck, prepared: Prepared) -> None:
    """Ask what to vary in a plan, then what for and how long; show the plan of the exploration; start it."""
    found = variables(deck.place.catalog, prepared.plan)
    chosen = prepared.selection
    by_axis = {axis_name(one): one for one in found}

    def taken(words: Mapping[str, str] | None) -> None:
        if words is not None:
            _ask(deck, chosen, words)

    deck.push_screen(AxesWindow(deck, chosen, prepared.plan, by_axis), taken)


def axis_name(variable: Variable) -> str:
    """Return the name of the axis of a choice: `backend`, `workers.max_batch`."""
    choice = variable.choice
    name = choice.name or choice.title
    return f"{choice.dependency}.{name}" if choice.dependency else name


def _ask(deck: Deck, chosen: Selection, words: Mapping[str, str]) -> None:
    """Show what the exploration would do and cost, and ask."""
    from engine.design_space.axis_words import axes_of  # noqa: PLC0415  (numpy)
    from engine.design_space.exploration_request import ExplorationRequest, seconds_of  # noqa: PLC0415

    axes = [f"{name}={value}" for name, value in words.items() if name not in dict.fromkeys(one for one, *_ in _LINES)]

    def costed() -> tuple[ExplorationRequest, ExplorationSpec, CostPlan]:
        budget = words["budget"].strip()
        asked = ExplorationRequest(
            selection=chosen,
            name=words["name"].strip(),
            axes=axes_of(axes),
            objectives=tuple(words["objectives"].split()),
            constraints=tuple(words["constraints"].split()),
            budget=seconds_of(budget) if budget else None,
        )
        return asked, *_cost(deck, asked)

    in_thread(deck, costed, partial(_ask_start, deck))


def _cost(deck: Deck, asked: ExplorationRequest) -> tuple[ExplorationSpec, CostPlan]:
    from engine.design_space.cost_plan import cost_plan  # noqa: PLC0415
    from engine.design_space.exploration_request import specification  # noqa: PLC0415
    from engine.design_space.trial_jobs import TrialJobs  # noqa: PLC0415

    spec, space = specification(deck.place, asked)
    return spec, cost_plan(spec, TrialJobs(deck.place, spec, space), space)


def _ask_start(deck: Deck, found: tuple[ExplorationRequest, ExplorationSpec, CostPlan]) -> None:
    from engine.design_space import explorations  # noqa: PLC0415
    from engine.design_space.exploration_words import plan_lines  # noqa: PLC0415

    asked, spec, cost = found
    lines = [Content.styled(clean(text), _STYLES[style]) for text, style in plan_lines(spec, cost)]

    def begun(how: tuple[Path, str]) -> None:
        folder, _ = how
        deck.say(f"{folder.name} explores; it goes on without this screen")
        deck.go_exploration(folder.name)

    def answered(answer: str | None) -> None:
        if answer == "run":
            in_thread(deck, partial(explorations.begin, deck.place, asked), begun)

    answers = (("run", "start it"), ("back", "cancel"))
    deck.push_screen(Question("explore", Content("\n").join(lines), answers), answered)


def ask_axis(deck: Deck, spec: ExplorationSpec) -> None:
    """Ask for an axis or more values of one; show what that costs, and go on."""
    from engine.design_space.axis_words import axes_of, axis_text  # noqa: PLC0415
    from engine.design_space.explorations import with_axis  # noqa: PLC0415

    def verdict(text: str) -> str:
        try:
            axes_of([text])
        except InferdeckError as error:
            return f"{error.what}; {error.remedy}" if text else ""
        return ""

    def taken(text: str | None) -> None:
        if text:
            asked = with_axis(spec, axes_of([text])[0])
            in_thread(deck, lambda: (asked, *_cost(deck, asked)), partial(_ask_start, deck))

    now = "  ".join(axis_text(one) for one in spec.axes)
    about = f"NAME=V1,V2, NAME=1:64:log2 or NAME=LOW:HIGH:STEP; an axis that is there gets these values.\nNow: {now}"
    deck.push_screen(Write(f"add an axis to {spec.name}", about, "", verdict), taken)


class AxesWindow(Window[Mapping[str, str] | None]):
    """Mark values of choices, and say what for; the result has the values of each axis and the written lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back"),
        Binding("f2", "next", "next"),
    ]
    CSS = """
    AxesWindow #choices { height: auto; max-height: 9; text-wrap: nowrap; text-overflow: ellipsis; }
    AxesWindow .label { color: $dim; height: 1; }
    """

    def __init__(self, deck: Deck, chosen: Selection, plan: Plan, by_axis: Mapping[str, Variable]) -> None:
        super().__init__()
        self.deck, self.chosen, self.plan, self.by_axis = deck, chosen, plan, by_axis
        self.values: dict[str, tuple[str, ...]] = {}
        """The marked values by axis."""

    def compose(self) -> ComposeResult:
        """Show the choices, and a line for each thing to write."""
        parts: list[object] = [OptionList(id="choices", markup=False)]
        for name, usual, about in _LINES:
            line = Input(usual, id=name)
            line.cursor_blink = False
            parts += [Static(f"{name}: {about}", markup=False, classes="label"), line]
        pane = Pane("explore: what is varied", *parts)
        pane.border_subtitle = "Enter mark values · Tab next line · Enter there: what it costs · Esc back"
        yield pane

    def on_mount(self) -> None:
        """Show the choices."""
        self._draw(0)
        self.query(OptionList).focus()

    def _draw(self, at: int) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        width = max(map(len, self.by_axis), default=0) + 2
        for name, one in self.by_axis.items():
            marked = ",".join(self.values.get(name, ()))
            others = "  ".join(trial.value for trial in one.trials if not trial.refused) or "any number"
            parts = [
                ("[x] " if marked else "[ ] ", "$mark"),
                (fit(clean(name), width), "bold"),
                (clean(marked or others), "" if marked else "$dim"),
            ]
            options.add_option(Option(Content.assemble(*parts), id=name))
        options.highlighted = at if self.by_axis else None

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Mark values of a choice."""
        from engine.survey.prepare import chosen_round  # noqa: PLC0415

        name, at = event.option_id or "", event.option_index
        round_name = chosen_round(self.chosen)
        place = self.deck.place

        def taken(values: tuple[str, ...] | None) -> None:
            if values is not None:
                self.values[name] = values
                self._draw(at)

        def ask(shown: Variable) -> None:
            self.deck.push_screen(Values(shown, self.values.get(name, ())), taken)

        rules = place.rules(round_name)
        in_thread(self.deck, lambda: checked(place.catalog, self.chosen, self.by_axis[name], rules, round_name), ask)

    def on_input_submitted(self, _: Input.Submitted) -> None:
        """Go on."""
        self.action_next()

    def action_next(self) -> None:
        """Answer with the axes of which values are marked, and what is written."""
        axes = {name: ",".join(values) for name, values in self.values.items() if values}
        if not axes:
            self.deck.say("nothing is varied yet: Enter on a choice marks its values", "warning")
            return
        self.dismiss({**axes, **{name: self.query_one(f"#{name}", Input).value for name, *_ in _LINES}})
