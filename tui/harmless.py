"""The last filter before the terminal: no character that a widget shows can control the terminal.

Text from outside is cleaned where it is read (engine/text.py); this filter catches what was missed.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from engine.text import still


class Harmless(LineFilter):
    """Removes terminal control characters from every line; cells keep their places."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the line; it is the same one where all can be printed, as nearly always."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [Segment(still(text), style, control) for text, style, control in segments]
