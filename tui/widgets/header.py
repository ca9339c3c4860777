"""The header: the six screens, the title of this screen, and the running jobs."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.widgets import Static

MODES = (
    ("1", "home", "Home"),
    ("2", "plan", "Plan"),
    ("3", "run", "Run"),
    ("4", "results", "Results"),
    ("5", "submit", "Submit"),
    ("6", "explore", "Explore"),
)

NAME = " inferdeck  "
"""What stands before the tabs, where there is room."""


_WIDE = 100
"""Cells from which there is room for it."""


class Header(Static):
    """`now` is the screen's mode; the texts on the right are cut when there is no room."""

    def __init__(self, now: str) -> None:
        super().__init__(markup=False)
        self.now = now
        self.title = ""
        self.running = ""

    def set_texts(self, title: str | None = None, running: str | None = None) -> None:
        """Change the texts that are given."""
        new = (self.title if title is None else title, self.running if running is None else running)
        if new != (self.title, self.running):
            self.title, self.running = new
            self.refresh()

    @property
    def name_text(self) -> str:
        """What stands before the tabs in the width that there is."""
        return NAME if self.size.width >= _WIDE else " "

    def mode_at(self, x: int) -> str | None:
        """Return the mode of the tab in a column of the line; None beside the tabs."""
        at = len(self.name_text)
        for key, mode, label in MODES:
            width = len(key) + len(label) + 3
            if at <= x < at + width:
                return mode
            at += width
        return None

    async def on_click(self, event: events.Click) -> None:
        """Go to the screen whose tab was clicked."""
        mode = self.mode_at(event.x)
        if mode is not None and mode != self.now:
            await self.run_action(f"app.switch_mode('{mode}')")

    def render(self) -> Content:
        """Draw the line for the width that there is."""
        parts: list[tuple[str, str]] = [(self.name_text, "bold")]
        for key, mode, label in MODES:
            here = mode == self.now
            parts.append((f" {key} {label} ", "bold reverse" if here else "$dim"))
        used = sum(len(text) for text, _ in parts)
        room = self.size.width - used - 1
        right = self.running if len(self.running) <= room else ""
        room -= len(right) + 2
        middle = self.title if len(self.title) <= room else self.title[: max(0, room - 1)] + "…" if room > 8 else ""
        gap = self.size.width - used - len(middle) - len(right) - 3
        return Content.assemble(*parts, ("  " + middle, "$dim"), (" " * max(gap, 1), ""), (right, "bold $good"))
