"""The app as screens and windows see it: they depend on this protocol, and the app depends on them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from textual.geometry import Size

if TYPE_CHECKING:
    from textual.actions import ActionParseResult
    from textual.dom import DOMNode
    from textual.screen import Screen, ScreenResultCallbackType
    from textual.worker import Worker, WorkType

    from engine.errors import InferdeckError
    from engine.jobs.jobs import Job
    from engine.plan.selection import Selection
    from engine.survey.prepare import Workplace
    from tui.settings import Settings
    from tui.terminal import Terminal

SMALLEST = Size(80, 23)
"""A terminal of 80x24 less the status line of a multiplexer."""
SMALLEST_WINDOW = Size(40, 10)
"""What a window over a screen needs."""

NoticeSeverity = Literal["information", "warning", "error"]
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Message:
    """A notification, kept because it disappears from the screen."""

    at: float
    """Seconds since the epoch."""
    severity: NoticeSeverity
    text: str


class Deck(Protocol):
    """The app as screens see it. The second part is Textual's own, as far as screens use it."""

    terminal: Terminal
    settings: Settings
    messages: deque[Message]
    no_color: bool
    """Textual's: whether the user wants no colours (NO_COLOR)."""
    theme: Any
    """Textual's reactive: the name of the theme."""

    @property
    def opened(self) -> bool:
        """Whether the workplace has been read."""

    @property
    def place(self) -> Workplace:
        """The workplace; only after `opened`."""

    def open_place(self) -> None:
        """Read the profiles again, in a thread."""

    def say(self, text: str, severity: NoticeSeverity = "information") -> None:
        """Show a notification and keep it in `messages`."""

    def say_error(self, error: InferdeckError) -> None:
        """Show an error and its remedy."""

    def report_failure(self, event: Worker.StateChanged) -> None:
        """Show the error of a worker; re-raise it where it is a bug."""

    def go_plan(self, chosen: Selection, output: str = "") -> None:
        """Go to the Plan screen with a selection."""

    def go_run(self, job: Job, *, guided: bool = False) -> None:
        """Go to the Run screen and follow a job."""

    def go_exploration(self, name: str) -> None:
        """Go to the Explore screen and follow an exploration."""

    def go_guide(self) -> None:
        """Go to the guide of a submission."""

    def action_help(self) -> None:
        """Explain the screen, the focused pane and the keys."""

    def action_leave(self) -> None:
        """Quit; jobs continue."""

    @property
    def size(self) -> Size:
        """Cells of the terminal."""

    def push_screen(
        self, screen: Screen[_Result] | str, callback: ScreenResultCallbackType[_Result] | None = None
    ) -> object:
        """Show a window; `callback` gets its result."""

    def switch_mode(self, mode: str) -> object:
        """Go to a screen by its name."""

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run the action of a key."""

    def run_worker(
        self,
        work: WorkType[_Result],
        *,
        group: str = "default",
        exit_on_error: bool = True,
        exclusive: bool = False,
        thread: bool = False,
    ) -> object:
        """Run a coroutine, or a function in a thread."""

    def call_from_thread(self, callback: Callable[..., _Result], *args: Any, **kwargs: Any) -> object:
        """Call a function on the event loop and wait for it."""

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text to the clipboard as it is shown."""
