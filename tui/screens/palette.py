"""The list of all actions; the screen may change while it opens."""

from __future__ import annotations

from contextlib import suppress

from textual import events
from textual.command import CommandPalette

from tui.screens.dialogs import Window


class Palette(CommandPalette, Window[None]):
    """Textual's palette. Keys that were typed ahead may change the screen below it before it is there."""

    def _on_mount(self, event: events.Mount) -> None:
        """Close where the screen has changed; otherwise Textual's own handler runs next."""
        if not self.is_active:
            event.prevent_default()
            self.call_later(self._give_up)

    def _action_command_list(self, action: str) -> None:
        """Move in the list; Textual's own can't move by a page before the list has been laid out."""
        with suppress(KeyError):
            super()._action_command_list(action)

    async def _give_up(self) -> None:
        for stack in self.app._screen_stacks.values():
            if self in stack:
                stack.remove(self)
        await self.remove()
