"""The Run screen."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Static

from tui.screens.base import DeckScreen
from tui.widgets.pane import Pane


class RunScreen(DeckScreen):
    """Not there yet."""

    MODE = "run"

    def body(self) -> Iterable[Widget]:
        """Yield what stands between the first and the last line."""
        yield Pane("run", Static("", markup=False))

    def watch_job(self, job: object) -> None:
        """Follow a job."""
