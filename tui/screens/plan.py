"""Plan: choices on one side, the resolved tree on the other, updated with every change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from engine.errors import InferdeckError
from engine.plan.choices import Choice, choices
from engine.plan.selection import Selection
from engine.profile.component import Query
from engine.text import clean, cut, duration, shell_line, size
from tui.actions import Action, bindings
from tui.screens.base import DeckScreen
from tui.screens.dialogs import Question, Reading
from tui.screens.path_window import WritePath
from tui.screens.plan_editing import Editor, look_at_results, systems
from tui.screens.plan_texts import reasons, title_text, totals_text
from tui.screens.preflight_window import Preflight
from tui.screens.probing import before_run, feasibility_text
from tui.widgets.choice_list import ChoiceList
from tui.widgets.pane import Pane
from tui.widgets.tree import PlanTree

if TYPE_CHECKING:
    from engine.jobs.jobs import Job
    from engine.survey.prepare import Prepared

FIRST = Selection(
    Query(("app", "mlperf", "inference", "reference", "python"), ("resnet50", "onnxruntime", "cpu", "test"))
)
"""The selection before anything was chosen."""

KEPT = 50
"""Number of changes that can be undone."""


@dataclass(frozen=True)
class _Draft:
    """The current selection."""

    selection: Selection
    output: str = ""


class PlanScreen(DeckScreen):
    """Choose, see the resolved plan, run."""

    MODE = "plan"
    ABOUT = (
        "Choose what to run on one side; the other side shows the resolved plan: every component with its options, "
        "whether this machine has it already, how large it is, how long it takes, and why it is there. "
        "Nothing runs before r. The command below does the same."
    )
    ACTIONS = (
        Action("e", "edit", "change", "change the choice under the cursor; in the tree: what that component can be"),
        Action("w", "why", "why", "why the node under the cursor is there: who chose it, what else was possible"),
        Action("r", "run", "run", "start the job; a question first says how long it takes"),
        Action("v", "vary", "explore", "mark values of choices to vary, and search the space for the best points"),
        Action("u", "undo", "undo", "undo the last change"),
        Action("y", "copy", "copy command", "copy the equivalent command to the terminal's clipboard"),
        Action("s", "save", "save", "save the choices as a recipe"),
        Action("f", "preflight", "preflight", "what a checker would reject of a submission with these choices"),
        Action("p", "probe", "feasible?", "how long each run takes and whether it can be valid; measured if needed"),
        Action("slash", "find", "filter", "show only nodes that contain these words; Esc shows all"),
        Action("space", "fold", "fold", "close or open the branch under the cursor"),
        Action("o", "output", "results folder", "choose where the results go"),
    )
    BINDINGS: ClassVar = [*bindings(ACTIONS), ("escape", "all", "show all")]
    DEFAULT_CSS = """
    PlanScreen #sides { height: 1fr; layout: grid; grid-size: 1 2; grid-rows: 9 1fr; }
    PlanScreen.-wide #sides { grid-size: 2 1; grid-columns: 38 1fr; grid-rows: 1fr; }
    PlanScreen #choices-pane, PlanScreen #right, PlanScreen #tree-pane { height: 100%; }
    PlanScreen #why-pane { display: none; height: 10; }
    PlanScreen #why { text-wrap: nowrap; text-overflow: ellipsis; }
    PlanScreen.-wide #why-pane { display: block; }
    PlanScreen.-wide #tree-pane { height: 1fr; }
    PlanScreen #choices, PlanScreen #tree { height: 1fr; text-wrap: nowrap; scrollbar-gutter: stable; }
    PlanScreen #totals { height: auto; color: $dim; }
    PlanScreen #filter { display: none; }
    PlanScreen #filter.-open { display: block; }
    PlanScreen #command { height: 2; padding: 0 1; color: $dim; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.draft = _Draft(FIRST)
        self.before: list[_Draft] = []
        self.prepared: Prepared | None = None

    def body(self) -> Iterable[Widget]:
        """Yield the choices, the tree with its totals, and the command."""
        line = Input(placeholder="words to find in the tree", id="filter")
        line.cursor_blink = False
        yield Container(
            Pane(
                "choices",
                ChoiceList(id="choices"),
                id="choices-pane",
                help="A star marks what you chose; the rest is automatic. Enter or e shows the values, each with its "
                "meaning, or why it is not available.",
            ),
            Vertical(
                Pane(
                    "what will happen",
                    PlanTree(id="tree"),
                    line,
                    Static(id="totals", markup=False),
                    id="tree-pane",
                    help="Every component of the plan, dependencies below what needs them. cached: in the store. "
                    "found: on this machine. to fetch, to build, to run: to do. missing, conflict: to be fixed first; "
                    "w says how.",
                ),
                Pane("why", Static(id="why", markup=False), id="why-pane"),
                id="right",
            ),
            id="sides",
        )
        yield Static(id="command", markup=False)

    def ready(self) -> None:
        """Show the first plan."""
        self._resolve()
        self.query_one(ChoiceList).focus()

    def shown(self) -> None:
        """Survey the machine again."""
        self._resolve()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the command; choices and tree fit themselves."""
        super().on_resize(event)
        if self.prepared is not None:
            self.query_one("#command", Static).update(self._command_line(self.prepared))

    def choose(self, selection: Selection, output: str = "") -> None:
        """Load a selection, from a recipe or an earlier run."""
        self._take(_Draft(selection, output))

    def _take(self, draft: _Draft) -> None:
        if draft == self.draft:
            return
        self.before = [*self.before[-KEPT:], self.draft]
        self.draft = draft
        self._resolve()

    def _resolve(self) -> None:
        if self.deck.opened:
            self.run_worker(self._prepare, thread=True, group="resolve", exclusive=True, exit_on_error=False)

    def _prepare(self) -> None:
        from engine.survey.prepare import prepare  # noqa: PLC0415  (start-up: paint first)

        draft = self.draft
        try:
            prepared = prepare(self.deck.place, draft.selection, output=draft.output)
        except InferdeckError as error:
            self.deck.call_from_thread(self._refused, draft, error)
            return
        self.deck.call_from_thread(self._show, draft, prepared)

    def _refused(self, draft: _Draft, error: InferdeckError) -> None:
        """Go back to the last selection that could be resolved, and show the error."""
        if draft is self.draft and self.before:
            self.draft = self.before.pop()
            self._resolve()
        self.deck.say_error(error)

    def _show(self, draft: _Draft, prepared: Prepared) -> None:
        if draft is not self.draft:
            return
        self.prepared = prepared
        self.query_one(ChoiceList).show(self._choices(prepared))
        self.query_one(PlanTree).show(prepared)
        self.query_one("#totals", Static).update(totals_text(prepared))
        self.query_one("#command", Static).update(self._command_line(prepared))
        self.header().set_texts(title=clean(title_text(prepared)))

    def _choices(self, prepared: Prepared) -> tuple[Choice, ...]:
        return choices(prepared.workplace.catalog, prepared.plan, systems(prepared))

    def _command_line(self, prepared: Prepared) -> Content:
        width = max(self.size.width - 11, 20)
        words = clean(self._words(prepared))
        first, second = words[:width], cut(words[width:], width)
        return Content.assemble(("same as: ", "$dim"), (f"{first}\n         {second}", "$secondary"))

    def _words(self, prepared: Prepared) -> str:
        return shell_line(("inferdeck", *prepared.command()))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter changes a choice, or shows why a node is there."""
        self.action_act("edit" if isinstance(event.option_list, ChoiceList) else "why")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Describe the node under the cursor, where there is room."""
        if isinstance(event.option_list, PlanTree) and self.has_class("-wide"):
            self._tell_why()

    def _tell_why(self) -> None:
        node = self.query_one(PlanTree).node
        if self.prepared is None or node is None:
            return
        self.query_one("#why-pane", Pane).rename(f"why: {clean(self.prepared.plan.nodes[node].title)}")
        self.query_one("#why", Static).update(reasons(self.prepared, node))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter the tree with every key."""
        self.query_one(PlanTree).filter(event.value)

    def on_input_submitted(self, _: Input.Submitted) -> None:
        """Go to what was found."""
        self.query_one(PlanTree).focus()

    def why_not(self, name: str) -> str | None:
        """Actions need a plan; running needs one without problems."""
        if self.prepared is None:
            return "the plan is still being made"
        if name in ("run", "probe") and self.prepared.seen.problems():
            node, seen = self.prepared.seen.problems()[0]
            return f"it can't run yet: {node}: {seen.text}. {seen.remedy}"
        if name == "undo" and not self.before:
            return "nothing to undo"
        if name == "fold" and not self.query_one(PlanTree).has_focus:
            return "folding works in the tree: Tab goes there"
        return None

    def do_edit(self) -> None:
        """Ask for another value, or for what to change of the component under the cursor."""
        assert self.prepared is not None
        prepared = replace(self.prepared, selection=self.draft.selection)
        editor = Editor(self.deck, prepared, self.draft.output, self._chosen)
        if self.query_one(PlanTree).has_focus:
            editor.node(self.query_one(PlanTree).node)
        elif (choice := self.query_one(ChoiceList).choice) is not None:
            editor.choice(choice)
        else:
            self.deck.say("there is no choice under the cursor")

    def _chosen(self, selection: Selection) -> None:
        self._take(_Draft(selection, self.draft.output))

    def do_why(self) -> None:
        """Show why a node is there."""
        node = self.query_one(PlanTree).node
        if self.prepared is not None and node is not None:
            self.deck.push_screen(Reading(clean(self.prepared.plan.nodes[node].title), reasons(self.prepared, node)))

    def do_run(self) -> None:
        """Ask, then start the job."""
        from engine.jobs import measuring  # noqa: PLC0415
        from engine.survey.feasibility import feasibility, is_valid_style  # noqa: PLC0415

        assert self.prepared is not None
        totals = self.prepared.seen.totals
        where = self.draft.output or "the job's own folder"
        text = (
            f"{totals.to_do} steps to do: about {duration(totals.prepare_seconds) or '0:00'} to prepare and "
            f"{duration(totals.run_seconds) or '0:00'} to measure; {size(totals.fetch_bytes)} to fetch.\n"
            f"Results go to {where}.\nThe job continues without this screen or connection."
        )
        answers = [("run", "run it"), ("back", "cancel")]
        if is_valid_style(self.prepared):
            text += before_run(feasibility(self.prepared))
        if holder := measuring.holder():
            text += f"\nIt waits for {holder} before it measures."
            answers.insert(1, ("now", "run and measure at once: results are marked as disturbed"))
        self.deck.push_screen(Question("run", text, answers), self._answered)

    def _answered(self, answer: str | None) -> None:
        from engine.jobs.start import begin  # noqa: PLC0415

        if answer in ("run", "now") and self.prepared is not None:
            self._start(partial(begin, replace(self.prepared, now=answer == "now")))

    def do_probe(self) -> None:
        """Show what the runs need; where this machine's speed is unknown, offer to measure it."""
        from engine.jobs.preparation import begin_probe  # noqa: PLC0415
        from engine.survey.feasibility import feasibility, probe_nodes  # noqa: PLC0415

        prepared = self.prepared
        assert prepared is not None

        def answered(answer: str | None) -> None:
            if answer == "measure":
                self._start(partial(begin_probe, prepared))

        text = feasibility_text(feasibility(prepared))
        if not probe_nodes(prepared):
            self.deck.push_screen(Reading("feasible?", text))
            return
        answers = [("measure", "measure this machine's speed: about 20 s, after fetching")]
        self.deck.push_screen(Question("feasible?", text, [*answers, ("back", "cancel")]), answered)

    def _start(self, begin: Callable[[], Job]) -> None:
        """Start a job in a thread and show it."""
        start = partial(self._begin, begin)
        self.run_worker(start, thread=True, group="begin", exclusive=True, exit_on_error=False)

    def _begin(self, begin: Callable[[], Job]) -> None:
        try:
            job = begin()
        except InferdeckError as error:
            self.deck.call_from_thread(self.deck.say_error, error)
            return
        self.deck.call_from_thread(self.deck.go_run, job)

    def do_vary(self) -> None:
        """Ask what to vary, for what and how long, and start an exploration."""
        from tui.screens.explore_start import start_exploration  # noqa: PLC0415

        assert self.prepared is not None
        start_exploration(self.deck, self.prepared)

    def do_undo(self) -> None:
        """Undo the last change."""
        self.draft = self.before.pop()
        self._resolve()

    def do_copy(self) -> None:
        """Copy the command line."""
        assert self.prepared is not None
        self.deck.copy_to_clipboard(self._words(self.prepared))
        self.deck.say("copied the command")

    def do_save(self) -> None:
        """Save a recipe."""
        from tui.screens.recipes import save_recipe  # noqa: PLC0415

        save_recipe(self.deck, self.draft.selection)

    def do_preflight(self) -> None:
        """Show what the checker would reject."""
        from engine.survey.plan_preflight import expected  # noqa: PLC0415

        assert self.prepared is not None
        self.deck.push_screen(Preflight(expected(self.prepared)), self._go_to)

    def _go_to(self, where: str | None) -> None:
        """Put the cursor on the choice, or on the node, that a preflight row is about."""
        rows, tree = self.query_one(ChoiceList), self.query_one(PlanTree)
        kind, _, name = (where or "").partition(" ")
        if kind == "node":
            tree.go_to(name)
            tree.focus()
        elif where:
            rows.go_to(where)
            rows.focus()

    def do_find(self) -> None:
        """Open the filter."""
        line = self.query_one("#filter", Input)
        line.add_class("-open")
        line.focus()

    def action_all(self) -> None:
        """Remove the filter."""
        line = self.query_one("#filter", Input)
        line.value = ""
        line.remove_class("-open")
        self.query_one(PlanTree).focus()

    def do_fold(self) -> None:
        """Close or open a branch."""
        self.query_one(PlanTree).fold()

    def do_output(self) -> None:
        """Ask for the results folder."""

        def taken(value: str | None) -> None:
            if value is not None:
                self._take(_Draft(self.draft.selection, value))

        about = "a folder; empty: the job's own folder"
        self.deck.push_screen(WritePath("results folder", about, self.draft.output, look_at_results), taken)
