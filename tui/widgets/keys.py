"""The key line: the actions of this screen."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from tui.actions import Action

ALWAYS = (("?", "help"), ("q", "quit"))


class KeyLine(Static):
    """Shows as many actions as fit, the most important first, then help and quit."""

    def __init__(self, actions: Sequence[Action]) -> None:
        super().__init__(markup=False)
        self.actions = tuple(actions)

    def show(self, actions: Sequence[Action]) -> None:
        """Show other actions."""
        self.actions = tuple(actions)
        self.refresh()

    def render(self) -> Content:
        """Draw the line for the width that there is."""
        room = self.size.width - 1
        always = [(key, label) for key, label in ALWAYS]
        room -= sum(len(key) + len(label) + 3 for key, label in always)
        shown: list[tuple[str, str]] = []
        for action in self.actions:
            room -= len(action.shown_key) + len(action.label) + 3
            if room < 0:
                break
            shown.append((action.shown_key, action.label))
        parts: list[tuple[str, str]] = [(" ", "")]
        for key, label in [*shown, *always]:
            parts += [(key, "bold $mark"), (f" {label}  ", "$dim")]
        return Content.assemble(*parts)
