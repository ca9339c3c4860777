"""A framed part of a screen that shows, not by colour alone, whether it has the focus."""

from __future__ import annotations

from textual import events
from textual.containers import Vertical

MARK = "› "
"""Before the title of the pane that has the focus: a word of the frame, so that it shows without colours, too."""


class Pane(Vertical):
    """A frame with a title. `help` describes its content; the help screen shows that of the focused pane."""

    DEFAULT_CSS = "Pane { height: auto; }"

    def __init__(self, title: str, *children: object, id: str | None = None, help: str = "") -> None:  # noqa: A002
        super().__init__(*children, id=id)  # type: ignore[arg-type]
        self.title = title
        self.about = help
        self._show()

    def rename(self, title: str) -> None:
        """Change the title."""
        self.title = title
        self._show()

    def on_descendant_focus(self, _: events.DescendantFocus) -> None:
        """Show the mark."""
        self._show()

    def on_descendant_blur(self, _: events.DescendantBlur) -> None:
        """Take the mark away."""
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        marked = self.is_attached and self.has_focus_within
        self.border_title = f"{MARK if marked else ''}{self.title}".replace("[", "\\[")
