"""The window that shows how the workers of a job were chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from engine.explore.tuning import TuningReport, of_job
from tui.follow import Scene
from tui.screens.dialogs import Window
from tui.terminal import Glyphs
from tui.widgets.pane import Pane
from tui.widgets.tuning import drawn

if TYPE_CHECKING:
    from tui.deck import Deck

_SCROLLBAR = 1
_LEAST = 60


class TuningWindow(Window[None]):
    """Shows the table in the available width; Esc closes it, `y` copies it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,t", "dismiss(None)", "back"),
        Binding("y", "copy", "copy"),
    ]
    CSS = "TuningWindow > #tuning { width: 96%; max-width: 110; }"

    def __init__(self, found: TuningReport, glyphs: Glyphs) -> None:
        super().__init__()
        self.found = found
        self.glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Show the table in a frame that scrolls."""
        title = f"workers: {self.found.benchmark} on {self.found.backend}"
        pane = Pane(title, VerticalScroll(Static(id="ways", markup=False)), id="tuning")
        pane.border_subtitle = "Esc back · y copy"
        yield pane

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.query(VerticalScroll).focus()

    def on_resize(self) -> None:
        """Draw for the new width, which the layout knows when this is over."""
        self.call_after_refresh(self._draw)

    def action_copy(self) -> None:
        """Copy the table to the terminal's clipboard."""
        self.app.copy_to_clipboard(drawn(self.found, self._width(), self.glyphs).plain)
        self.app.notify("copied", markup=False)

    def _draw(self) -> None:
        self.query_one("#ways", Static).update(drawn(self.found, self._width(), self.glyphs))

    def _width(self) -> int:
        return max(self.query_one("#tuning").content_size.width - _SCROLLBAR, _LEAST)


def show(deck: Deck, scene: Scene) -> None:
    """Read the table in a thread, and show it."""
    spec = scene.job.spec

    def look() -> None:
        found = of_job(spec, deck.place.folders)
        if found is None:
            deck.call_from_thread(deck.say, "the store does not have that table any more", "warning")
        else:
            deck.call_from_thread(deck.push_screen, TuningWindow(found, deck.terminal.glyphs))

    deck.run_worker(look, thread=True, group="tuning", exclusive=True, exit_on_error=False)
