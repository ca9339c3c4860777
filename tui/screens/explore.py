"""Explore: the explorations of the design space, the newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.design_space import exploration_folders
from engine.errors import InferdeckError
from engine.text import clean, shell_line
from tui.actions import Action, bindings
from tui.screens.base import DeckScreen
from tui.screens.dialogs import Question
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from engine.design_space.exploration_follower import ExplorationFollower
    from engine.design_space.explorations import ExplorationState
    from tui.deck import Deck

T = TypeVar("T")
INTERVAL = 1.0
"""Seconds between two looks at the explorations."""


class ExploreScreen(DeckScreen):
    """List explorations; Enter opens one."""

    MODE = "explore"
    ABOUT = (
        "Explore lists the explorations of this machine, the newest first. An exploration varies choices of a plan, "
        "measures the resulting points within a budget, and finds those that nothing beats. It is a process of its "
        "own: leaving this screen, or losing the connection, never stops it. v on the Plan screen starts one."
    )
    ACTIONS = (
        Action("o", "open", "open", "trials, front and effects of the exploration under the cursor; Enter, too"),
        Action("n", "new", "new", "go to the plan, where v starts an exploration"),
        Action("s", "stop", "stop", "stop the exploration after its present trial"),
        Action("r", "resume", "resume", "go on with the exploration"),
        Action("y", "copy", "copy command", "copy the command that starts or goes on with the exploration"),
    )
    BINDINGS: ClassVar = bindings(ACTIONS)
    DEFAULT_CSS = """
    ExploreScreen #explorations-pane { height: 1fr; }
    ExploreScreen #columns { height: 1; }
    ExploreScreen #explorations { height: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    ExploreScreen #about-pane { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, ExplorationState] = {}
        self.loaded = False
        self._followers: dict[str, ExplorationFollower] = {}
        self._damaged: dict[str, str] = {}
        self._drawn: tuple[object, ...] = ()

    def body(self) -> Iterable[Widget]:
        """Yield the list and what the exploration under the cursor is about."""
        yield Pane(
            "explorations",
            Static(id="columns", markup=False),
            OptionList(id="explorations", markup=False),
            id="explorations-pane",
            help="Measured: points that have a trial, of those in the space. Time: used, or left while it runs. "
            "Best: of the first objective.",
        )
        yield Pane("about", VerticalScroll(Static(id="about", markup=False)), id="about-pane")

    def on_mount(self) -> None:
        """Put the focus on the list, and look for changes."""
        self.query("#explorations").focus()
        self.set_interval(INTERVAL, self._look)

    def shown(self) -> None:
        """Look at the explorations."""
        self._look()

    def _look(self) -> None:
        if self.deck.opened and self.is_current:
            self.run_worker(self._read, thread=True, group="explorations", exclusive=True, exit_on_error=False)

    def _read(self) -> None:
        names = exploration_folders.names(self.deck.place.folders)
        found: dict[str, ExplorationState] = {}
        damaged: dict[str, str] = {}
        for name in names:
            try:
                found[name] = self._state(name)
            except InferdeckError as error:
                damaged[name] = error.what
        ordered = sorted(found.values(), key=lambda one: -one.spec.created)
        self.deck.call_from_thread(self._show, {one.name: one for one in ordered}, damaged)

    def _state(self, name: str) -> ExplorationState:
        """Return the state of an exploration; only what was appended to its log is read."""
        from engine.design_space.exploration_follower import ExplorationFollower  # noqa: PLC0415  (numpy)

        folder = exploration_folders.root(self.deck.place.folders) / name
        follower = self._followers.setdefault(name, ExplorationFollower(folder))
        return follower.look() if follower.changed or follower.state is None else follower.state

    def _show(self, found: Mapping[str, ExplorationState], damaged: Mapping[str, str]) -> None:
        from tui.widgets.exploration_views import HOW_TO_EXPLORE, LIST_HEADER, list_line  # noqa: PLC0415  (numpy)

        self.found, self._damaged, self.loaded = dict(found), dict(damaged), True
        running = sum(one.running for one in found.values())
        self.header().set_texts(title=_many(len(found)), running=f"{running} running" if running else "")
        options = self.query_one("#explorations", OptionList)
        lines = [(name, list_line(one, options.size.width)) for name, one in found.items()]
        lines += [(name, _damaged_line(name, reason)) for name, reason in damaged.items()]
        drawn = (*lines,)
        if drawn == self._drawn and lines:
            return
        self._drawn = drawn
        self.query_one("#columns", Static).update(Content.styled(LIST_HEADER if lines else "", "$dim"))
        at = options.highlighted_option.id if options.highlighted_option is not None else None
        options.clear_options()
        options.add_options([Option(line, id=name) for name, line in lines])
        names = [name for name, _ in lines]
        if names:
            options.highlighted = names.index(at) if at in names else 0
        else:
            self.query_one("#about-pane", Pane).rename("how to start")
            self.query_one("#about", Static).update(HOW_TO_EXPLORE)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the lines."""
        super().on_resize(event)
        self._drawn = ()
        if self.loaded:
            self.call_after_refresh(self._show, self.found, self._damaged)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Tell what the exploration under the cursor is about."""
        from tui.widgets.exploration_views import list_details  # noqa: PLC0415  (numpy)

        name = event.option_id or ""
        one = self.found.get(name)
        self.query_one("#about-pane", Pane).rename(clean(name))
        text = list_details(one) if one is not None else Content(clean(self._damaged.get(name, "")))
        self.query_one("#about", Static).update(text)

    def on_option_list_option_selected(self, _: OptionList.OptionSelected) -> None:
        """Open an exploration."""
        self.action_act("open")

    @property
    def current(self) -> ExplorationState | None:
        """The exploration under the cursor."""
        option = self.query_one("#explorations", OptionList).highlighted_option
        return self.found.get(option.id or "") if option is not None else None

    def why_not(self, name: str) -> str | None:
        """Return what an action needs."""
        if name == "new":
            return None
        if not self.loaded:
            return "the explorations are still being read"
        one = self.current
        if one is None:
            return "there is no exploration yet: v on the Plan screen (2) starts one"
        return why_not(name, one)

    def do_open(self) -> None:
        """Show trials, front and effects."""
        assert self.current is not None
        self.deck.go_exploration(self.current.name)

    def do_new(self) -> None:
        """Go to the plan."""
        self.deck.say("v on the Plan screen starts an exploration of its choices")
        self.run_worker(self.deck.run_action("switch_mode('plan')"), exit_on_error=False)

    def do_stop(self) -> None:
        """Ask, then stop after the present trial."""
        assert self.current is not None
        ask_stop(self.deck, self.current)

    def do_resume(self) -> None:
        """Go on."""
        assert self.current is not None
        resume(self.deck, self.current.name)

    def do_copy(self) -> None:
        """Copy the command."""
        assert self.current is not None
        copy_command(self.deck, self.current.spec.command)


def why_not(name: str, one: ExplorationState) -> str | None:
    """Return why an exploration can't be stopped or resumed."""
    if name == "stop" and not one.running:
        return f"{one.name} is not running"
    if name == "resume" and one.running:
        return f"{one.name} is running"
    return None


def ask_stop(deck: Deck, one: ExplorationState) -> None:
    """Ask, then stop an exploration after its present trial."""

    def answered(answer: str | None) -> None:
        from engine.design_space.explorations import stop  # noqa: PLC0415  (numpy)

        if answer != "yes":
            return
        try:
            stop(deck.place.folders, one.name)
        except InferdeckError as error:
            deck.say_error(error)
            return
        deck.say(f"{one.name} stops after the present trial; r goes on with it")

    text = "The present trial is finished first; nothing is lost, and r goes on with it."
    answers = (("no", "let it run"), ("yes", f"stop {one.name} after this trial"))
    deck.push_screen(Question(f"stop {one.name}?", text, answers), answered)


def resume(deck: Deck, name: str) -> None:
    """Go on with an exploration, in a thread."""
    from engine.design_space import explorations  # noqa: PLC0415  (numpy)

    in_thread(
        deck,
        partial(explorations.resume, deck.place.folders, name),
        lambda _: deck.say(f"{name} goes on"),
    )


def in_thread(deck: Deck, work: Callable[[], T], done: Callable[[T], object]) -> None:
    """Do work in a thread and call `done` with its result on the screen's; a person's errors are shown."""

    def run() -> None:
        try:
            found = work()
        except InferdeckError as error:
            deck.call_from_thread(deck.say_error, error)
            return
        deck.call_from_thread(done, found)

    deck.run_worker(run, thread=True, group="exploration-action", exclusive=True, exit_on_error=False)


def copy_command(deck: Deck, command: Sequence[str]) -> None:
    """Copy a command to the clipboard, and show it."""
    line = shell_line(("inferdeck", *command))
    deck.copy_to_clipboard(line)
    deck.say(f"copied the command:\n{line}")


def _damaged_line(name: str, reason: str) -> Content:
    return Content.assemble(("  ", ""), (clean(name), "bold"), ("  damaged  ", "bold $bad"), (clean(reason), "$dim"))


def _many(count: int) -> str:
    return f"{count} exploration{'s' * (count != 1)}"
