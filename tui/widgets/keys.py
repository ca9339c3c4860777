"""The key line: the actions of this screen."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.widgets import Static

from tui.actions import Action

ALWAYS = (("?", "help", "app.help"), ("q", "quit", "app.leave"))
"""Key, label and action of what every screen has."""


class KeyLine(Static):
    """Shows as many actions as fit, the most important first, then help and quit."""

    def __init__(self, actions: Sequence[Action]) -> None:
        super().__init__(markup=False)
        self.actions = tuple(actions)

    def show(self, actions: Sequence[Action]) -> None:
        """Show other actions."""
        self.actions = tuple(actions)
        self.refresh()

    def _shown(self) -> list[tuple[str, str, str]]:
        """Return key, label and action of what fits."""
        room = self.size.width - 1 - sum(len(key) + len(label) + 3 for key, label, _ in ALWAYS)
        shown: list[tuple[str, str, str]] = []
        for action in self.actions:
            room -= len(action.shown_key) + len(action.label) + 3
            if room < 0:
                break
            shown.append((action.shown_key, action.label, f"screen.act('{action.name}')"))
        return [*shown, *ALWAYS]

    def action_at(self, x: int) -> str | None:
        """Return the action in a column of the line; None beside them."""
        at = 1
        for key, label, action in self._shown():
            width = len(key) + len(label) + 3
            if at <= x < at + width:
                return action
            at += width
        return None

    async def on_click(self, event: events.Click) -> None:
        """Do what was clicked."""
        action = self.action_at(event.x)
        if action is not None:
            await self.run_action(action)

    def render(self) -> Content:
        """Draw the line for the width that there is."""
        parts: list[tuple[str, str]] = [(" ", "")]
        for key, label, _ in self._shown():
            parts += [(key, "bold $mark"), (f" {label}  ", "$dim")]
        return Content.assemble(*parts)
