"""Base of all screens: header, key line, actions with a reason when unavailable, minimum size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static
from textual.worker import Worker

from engine.errors import InferdeckError
from tui.actions import Action
from tui.deck import SMALLEST, Deck
from tui.widgets.header import Header
from tui.widgets.keys import KeyLine


class DeckScreen(Screen[None]):
    """A screen of the deck. Subclasses give MODE, ABOUT, ACTIONS, BINDINGS = bindings(ACTIONS), `body`, `ready`."""

    MODE: ClassVar[str]
    ABOUT: ClassVar[str] = ""
    """What the screen is for, in a few sentences: the top of its help."""
    ACTIONS: ClassVar[tuple[Action, ...]] = ()

    _composed = False
    _is_ready = False

    @property
    def deck(self) -> Deck:
        """The app, as screens see it."""
        return cast("Deck", self.app)

    def compose(self) -> ComposeResult:
        """Lay out the lines around the body."""
        yield Header(self.MODE)
        with Vertical(id="body"):
            yield from self.body()
        yield KeyLine(self.ACTIONS)
        yield Static(id="tiny", markup=False)

    def body(self) -> Iterable[Widget]:
        """Yield the widgets between header and key line."""
        raise NotImplementedError

    def ready(self) -> None:
        """The workplace (`self.deck.place`) has been read; called once."""

    def shown(self) -> None:
        """The screen is shown, possibly again: read what may have changed."""

    def why_not(self, name: str) -> str | None:
        """Return why an action is not possible now; None where it is."""
        return None

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Report every exception that a worker raised."""
        self.deck.report_failure(event)

    def on_mount(self) -> None:
        """Continue at once where the workplace is ready. Textual calls it after the subclass's on_mount."""
        self._composed = True
        self.go_on()

    def go_on(self) -> None:
        """Call `ready` once both the workplace and the widgets exist."""
        if self._composed and self.deck.opened and not self._is_ready:
            self._is_ready = True
            self.ready()
            self.shown()

    def on_screen_resume(self) -> None:
        """Call `arrived`."""
        if self._is_ready:
            self.shown()

    def on_resize(self, event: events.Resize) -> None:
        """Show the minimum size where the terminal is too small. The screen behind keeps its layout and cursor."""
        tiny = event.size.width < SMALLEST.width or event.size.height < SMALLEST.height
        page = self.query_one("#tiny", Static)
        page.display = tiny
        if tiny:
            page.update(
                f"needs 80x24, is {event.size.width}x{event.size.height}; q quits, jobs continue\n"
                "inferdeck watch --plain shows a job in any size"
            )

    def action_act(self, name: str) -> None:
        """Run a key's action, or show why it is not possible now."""
        reason = self.why_not(name)
        if reason is not None:
            self.deck.say(reason, "warning")
            return
        try:
            getattr(self, f"do_{name}")()
        except InferdeckError as error:
            self.deck.say_error(error)

    def header(self) -> Header:
        """The first line."""
        return self.query_one(Header)
