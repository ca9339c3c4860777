"""The line of headings above a list; a click on one is a message."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import Static


class Headings(Static):
    """Shows the names of columns."""

    class Clicked(Message):
        """A heading was clicked, in this cell of the line."""

        def __init__(self, x: int) -> None:
            super().__init__()
            self.x = x

    def on_click(self, event: events.Click) -> None:
        """Pass on where it was."""
        self.post_message(self.Clicked(event.x))
