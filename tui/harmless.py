"""The last gate before the terminal: whatever a widget shows, no character of it steers the terminal.

Texts from outside are cleaned where they are taken in (engine/text.py); here nothing is let through that was forgotten.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from engine.text import still


class Harmless(LineFilter):
    """Takes what steers a terminal out of every line; the cells keep their places."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the line; it is the same one where all can be printed, as nearly always."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [Segment(still(text), style, control) for text, style, control in segments]
