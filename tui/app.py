"""The app: six screens over one workplace. It displays and asks; everything else is done by the engine."""

from __future__ import annotations

import time
import traceback
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, ScreenStackError, SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.worker import Worker, WorkerFailed, WorkerState

from engine.design_space.exploration_folders import root, running_explorations
from engine.errors import InferdeckError
from engine.store.files import user_error
from engine.store.folders import folders
from engine.text import clean_lines
from tui.deck import SMALLEST, SMALLEST_WINDOW, Message, NoticeSeverity
from tui.harmless import Harmless
from tui.settings import Settings
from tui.terminal import Terminal
from tui.theme import THEMES
from tui.widgets import header

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual.actions import ActionParseResult
    from textual.dom import DOMNode
    from textual.driver import Driver
    from textual.filter import LineFilter

    from engine.jobs.jobs import Job
    from engine.plan.selection import Selection
    from engine.survey.prepare import Workplace
    from tui.screens.base import DeckScreen

KEPT_MESSAGES = 200
_ERROR_S = 20.0
"""Seconds that an error notification stays: it has two lines to read, and the screen may still be starting."""
LOG = "screen.log"
"""In the state folder: the traceback of the last crash."""

ALWAYS = {"q": "leave", "ctrl+c": "leave", "ctrl+l": "repaint"}
"""Keys that work at any terminal size."""

HARMLESS = Harmless()


def _home() -> Screen[None]:
    from tui.screens.home import HomeScreen  # noqa: PLC0415  (start-up: a screen is imported when it is first shown)

    return HomeScreen()


def _plan() -> Screen[None]:
    from tui.screens.plan import PlanScreen  # noqa: PLC0415

    return PlanScreen()


def _run() -> Screen[None]:
    from tui.screens.run import RunScreen  # noqa: PLC0415

    return RunScreen()


def _results() -> Screen[None]:
    from tui.screens.results import ResultsScreen  # noqa: PLC0415

    return ResultsScreen()


def _submit() -> Screen[None]:
    from tui.screens.submit import SubmitScreen  # noqa: PLC0415

    return SubmitScreen()


def _explore() -> Screen[None]:
    from tui.screens.explore import ExploreScreen  # noqa: PLC0415

    return ExploreScreen()


VI_KEYS = (("j", "down"), ("k", "up"), ("G", "end"), ("ctrl+d", "page_down"), ("ctrl+u", "page_up"))
"""vi's keys → moves. They work where a screen has no action of its own on the key, and never in a line of text."""
MOVES = {
    "down": ("cursor_down", "scroll_down"),
    "up": ("cursor_up", "scroll_up"),
    "end": ("last", "scroll_end"),
    "page_down": ("page_down", "scroll_page_down"),
    "page_up": ("page_up", "scroll_page_up"),
}
"""Move → Textual's actions for it; the first that the focused widget has is taken."""


class InferdeckApp(App[None]):
    """inferdeck's terminal UI."""

    CSS_PATH = "inferdeck.tcss"
    MODES = {  # noqa: RUF012  (as Textual declares it)
        "home": _home,
        "plan": _plan,
        "run": _run,
        "results": _results,
        "submit": _submit,
        "explore": _explore,
    }
    DEFAULT_MODE = "home"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"switch_mode('{mode}')", label, show=False) for key, mode, label in header.MODES),
        Binding("question_mark", "help", "help", show=False),
        Binding("colon", "command_palette", "all actions", show=False),
        Binding("q", "leave", "quit", show=False),
        Binding("ctrl+l", "repaint", "redraw the screen", show=False),
        Binding("ctrl+c", "leave", "quit", show=False, priority=True),
        *(Binding(key, f"move('{name}')", name, show=False) for key, name in VI_KEYS),
    ]

    def __init__(
        self,
        terminal: Terminal,
        settings: Settings | None = None,
        *,
        home: str | None = None,
        driver: type[Driver] | None = None,
        wrong: InferdeckError | None = None,
    ) -> None:
        """`wrong` is an error to show once the screen is up: the settings could not be read."""
        super().__init__(driver_class=driver)
        self.terminal = terminal
        self.settings = settings or Settings()
        self._home = home
        self._wrong = wrong
        self._place: Workplace | None = None
        self.messages: deque[Message] = deque(maxlen=KEPT_MESSAGES)
        self.exit_messages: list[str] = []
        """Printed on the terminal after the app has ended: running jobs, and how to come back to them."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self.settings.theme

    @property
    def opened(self) -> bool:
        """Whether the workplace has been read."""
        return self._place is not None

    @property
    def place(self) -> Workplace:
        """The workplace; only after `opened`."""
        assert self._place is not None
        return self._place

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Remove terminal control characters from every line of every widget."""
        return [HARMLESS, *super().get_line_filters()]

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Report every exception that a worker raised."""
        self.report_failure(event)

    def report_failure(self, event: Worker.StateChanged) -> None:
        """Show errors that a user can fix; anything else is a bug and ends the screen (jobs continue)."""
        if event.state is not WorkerState.ERROR:
            return
        error = event.worker.error
        if error is None:
            return
        shown = user_error(error)
        if shown is None:
            raise error
        self.say_error(shown)

    def _handle_exception(self, error: Exception) -> None:
        """Exit normally where a screen that is closing, or was never composed, has no widgets."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        if not (self._exit and isinstance(cause, NoMatches | ScreenStackError)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Leave after a bug: the traceback goes to a log, one line to the terminal. Textual calls it while it handles
        the exception."""
        path = folders(self._home).state / LOG
        message = f"a bug ended the screen; jobs continue. Details: {path}"
        first = message not in self.exit_messages
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w" if first else "a", encoding="utf-8", errors="backslashreplace") as log:
                log.write(traceback.format_exc())
        except OSError:
            self.exit_messages.append(traceback.format_exc())
        if first:
            self.exit_messages.append(message)
        self._close_messages_no_wait()

    def on_mount(self) -> None:
        """Draw the first frame, then read the profiles."""
        self.call_after_refresh(self.open_place)

    def open_place(self) -> None:
        """Read the profiles away from the event loop."""
        self.run_worker(self._read_place, thread=True, group="place", exclusive=True, exit_on_error=False)

    def _read_place(self) -> None:
        from engine.survey.prepare import workplace  # noqa: PLC0415  (start-up: paint first)

        try:
            place = workplace(self._home)
        except InferdeckError as error:
            self.call_from_thread(self.say_error, error)
        else:
            self.call_from_thread(self._opened, place)
        if self._wrong is not None:
            self.call_from_thread(self.say_error, self._wrong)
            self._wrong = None

    def _opened(self, place: Workplace) -> None:
        again = self.opened
        self._place = place
        for screen in self._deck_screens():
            screen.go_on()
            if again and screen is self.screen:
                screen.shown()

    def _deck_screens(self) -> Iterable[DeckScreen]:
        from tui.screens.base import DeckScreen  # noqa: PLC0415

        return [one for one in self.screen_stack if isinstance(one, DeckScreen)]

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text to the clipboard as it is shown."""
        super().copy_to_clipboard(clean_lines(text))

    def say(self, text: str, severity: NoticeSeverity = "information") -> None:
        """Show a notification and keep it: `messages` in the palette lists them."""
        text = clean_lines(text)
        self.messages.append(Message(time.time(), severity, text))
        self.notify(text, severity=severity, timeout=_ERROR_S if severity == "error" else None, markup=False)

    def say_error(self, error: InferdeckError) -> None:
        """Show an error and its remedy."""
        self.say(f"{error.what}\n{error.remedy}" if error.remedy else error.what, "error")

    async def open_plan(self, chosen: Selection, output: str = "") -> None:
        """Go to the Plan screen with a selection."""
        from tui.screens.plan import PlanScreen  # noqa: PLC0415

        await self.switch_mode("plan")
        if isinstance(self.screen, PlanScreen):
            self.screen.choose(chosen, output)

    async def open_run(self, job: Job, *, guided: bool = False) -> None:
        """Go to the Run screen and follow a job; `guided` where the guide started it."""
        from tui.screens.run import RunScreen  # noqa: PLC0415

        await self.switch_mode("run")
        if isinstance(self.screen, RunScreen):
            self.screen.watch_job(job, guided=guided)

    def go_plan(self, chosen: Selection, output: str = "") -> None:
        """Go to the Plan screen with a selection."""
        self.run_worker(self.open_plan(chosen, output), exit_on_error=False)

    def go_run(self, job: Job, *, guided: bool = False) -> None:
        """Go to the Run screen and follow a job; `guided` where the guide started it."""
        self.run_worker(self.open_run(job, guided=guided), exit_on_error=False)

    async def open_exploration(self, name: str) -> None:
        """Go to the Explore screen and follow an exploration."""
        await self.switch_mode("explore")
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        from tui.screens.exploration import ExplorationScreen  # noqa: PLC0415

        await self.push_screen(ExplorationScreen(root(self.place.folders) / name))

    def go_exploration(self, name: str) -> None:
        """Go to the Explore screen and follow an exploration."""
        self.run_worker(self.open_exploration(name), exit_on_error=False)

    def go_guide(self) -> None:
        """Go to the guide of a submission."""
        self.run_worker(self.run_action("switch_mode('submit')"), exit_on_error=False)

    def action_command_palette(self) -> None:
        """List all actions."""
        from tui.screens.palette import Palette  # noqa: PLC0415

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run a key's action, unless the app is closing: a screen that opens then is never composed."""
        return not self._exit and await super().run_action(action, default_namespace, namespaces)

    async def on_event(self, event: events.Event) -> None:
        """Where the terminal is too small, disable all keys but quit and redraw."""
        if isinstance(event, events.InputEvent) and not event.is_forwarded and not self._has_room():
            if isinstance(event, events.Key) and event.key in ALWAYS:
                await self.run_action(ALWAYS[event.key])
            return
        await super().on_event(event)

    def _has_room(self) -> bool:
        from tui.screens.base import DeckScreen  # noqa: PLC0415

        least = SMALLEST if isinstance(self.screen, DeckScreen) else SMALLEST_WINDOW
        return self.size.width >= least.width and self.size.height >= least.height

    def action_repaint(self) -> None:
        """Redraw the screen, after another program wrote to the terminal."""
        from tui.driver import DiffDriver  # noqa: PLC0415

        if isinstance(self._driver, DiffDriver):
            self._driver.repaint()
        else:
            self.refresh(repaint=True, layout=True)

    async def action_move(self, how: str) -> None:
        """Move in the focused list or text, as vi's keys do; where it can't move so, nothing happens."""
        focused = self.focused
        for action in MOVES[how]:
            if focused is not None and hasattr(focused, f"action_{action}"):
                await focused.run_action(action)
                return

    def action_help(self) -> None:
        """Explain the screen, the focused pane and the keys."""
        from tui.screens.help import help_of  # noqa: PLC0415

        self.push_screen(help_of(self.screen))

    def action_leave(self) -> None:
        """Quit; jobs continue, and how to come back is printed."""
        if self._place is not None:
            from engine.jobs import jobs  # noqa: PLC0415

            with suppress(InferdeckError):  # jobs that can't be listed are no reason to stay
                self.exit_messages += [
                    f"{job.id} continues; come back with: inferdeck, or: inferdeck attach {job.id}"
                    for job in jobs.all_jobs(self._place.folders)
                    if job.state == "running"
                ]
                self.exit_messages += [
                    f"{name} continues; come back with: inferdeck, or: inferdeck explore watch {name}"
                    for name in running_explorations(self._place.folders)
                ]
        self.exit()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """All actions of this screen, for the palette."""
        from tui.screens.help import commands  # noqa: PLC0415

        return commands(self, screen)
