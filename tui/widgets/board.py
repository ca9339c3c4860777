"""Lines of text that change often: only the lines that did change are drawn again.

A line is a row of runs, a run a text and the name of its style. Every cell gets a style with a background, because
Textual's NO_COLOR filter can't do with less, and blanks take the style of what is before them, so that a line has few
pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

TextRun = tuple[str, str]
"""A text and its style: words out of `bold`, `reverse` and the names of the theme's colours, `bold good`."""
Row = tuple[TextRun, ...]

EMPTY_ROW: Row = ()
_ATTRIBUTES = ("bold", "reverse", "underline")


def row(*runs: TextRun) -> Row:
    """Return a row; runs of nothing are left out."""
    return tuple(run for run in runs if run[0])


class Painter:
    """Makes strips of rows with the colours of a widget; it remembers the styles of a theme."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._styles: dict[tuple[str, str], Style] = {}

    def strip(self, line: Row, width: int) -> Strip:
        """Draw a row in exactly so many cells; what is too long is cut."""
        segments, room = [], width
        for text, name in line:
            length = cell_len(text)
            cut = text if length <= room else set_cell_size(text, room)
            segments.append(Segment(cut, self._style(name)))
            room -= min(length, room)
            if not room:
                break
        if room:
            segments.append(Segment(" " * room, self._style("")))
        return Strip(segments, width)

    def _style(self, name: str) -> Style:
        key = (self._widget.app.theme, name)
        if key not in self._styles:
            base = self._widget.rich_style
            colours = self._widget.app.theme_variables
            for word in name.split():
                base += Style.parse(word) if word in _ATTRIBUTES else Style(color=colours[word])
            self._styles[key] = base
        return self._styles[key]


class Resized(Message):
    """What fills a widget depends on its size, and that has changed."""


class Board(Widget):
    """Shows rows as they are given; what is too much for its size is left out."""

    DEFAULT_CSS = """
    Board { width: 1fr; height: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._rows: tuple[Row, ...] = ()
        self._painter = Painter(self)

    @property
    def text(self) -> str:
        """What is shown, without colours."""
        return "\n".join("".join(text for text, _ in line) for line in self._rows)

    def show(self, rows: Iterable[Row]) -> None:
        """Show these rows; only those that differ are drawn."""
        new = tuple(rows)
        changed = [number for number in range(max(len(new), len(self._rows))) if _differ(new, self._rows, number)]
        self._rows = new
        if changed:
            self.refresh(*(Region(0, number, self.size.width, 1) for number in changed if number < self.size.height))

    def on_resize(self) -> None:
        """Ask to be filled again."""
        self.post_message(Resized())

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        return self._painter.strip(self._rows[y] if y < len(self._rows) else EMPTY_ROW, self.size.width)


def _differ(new: Sequence[Row], old: Sequence[Row], number: int) -> bool:
    return (new[number] if number < len(new) else EMPTY_ROW) != (old[number] if number < len(old) else EMPTY_ROW)
