"""Actions of a screen: one record for the key binding, the key line, the help and the palette."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.binding import Binding, BindingType

_SHOWN = {"question_mark": "?", "slash": "/", "space": "Space", "enter": "Enter", "escape": "Esc", "tab": "Tab"}
_SHOWN |= {"plus": "+", "minus": "-"}


@dataclass(frozen=True)
class Action:
    """The action of a key. The screen has a method `do_NAME`, and `why_not` returns why it is not possible now."""

    key: str
    """As Textual names it: `r`, `slash`, `space`."""
    name: str
    label: str
    """One or two words for the key line."""
    help: str
    """A sentence for the help and the palette."""

    @property
    def shown_key(self) -> str:
        """The key as it is displayed."""
        return _SHOWN.get(self.key, self.key)


def bindings(actions: Sequence[Action]) -> list[BindingType]:
    """Return the key bindings for a screen: every action goes through `DeckScreen.action_act`."""
    return [Binding(one.key, f"act('{one.name}')", one.label, show=False) for one in actions]
