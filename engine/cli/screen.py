"""Print lines for users: rich draws on a terminal, plain text goes elsewhere, and outside text is never interpreted.

rich is imported only where something is drawn, so that help and JSON are instant.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from engine.text import cells as text_cells
from engine.text import clean, clean_lines, fit, fit_right

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

_STYLES = {"good": "green", "todo": "yellow", "bad": "red", "dim": "dim", "bold": "bold", "": ""}
_SERIES = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")
_STYLES |= {f"series {number}": colour for number, colour in enumerate(_SERIES)}

_SLOW = 3.0
"""Seconds after which a waiting message is printed."""

Cell = tuple[str, str]
"""Text and the name of its style."""
Colour = tuple[int, int, int]
"""Red, green and blue."""


@contextmanager
def notice_if_slow(text: str) -> Iterator[None]:
    """Write a line to standard error if the block takes longer than _SLOW seconds."""
    late = threading.Timer(_SLOW, lambda: sys.stderr.write(f"inferdeck: {clean(text)}\n"))
    late.daemon = True
    late.start()
    try:
        yield
    finally:
        late.cancel()


class Screen:
    """Output of the command line."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.is_terminal = self.out.isatty() and os.environ.get("TERM") != "dumb"
        self._console: Console | None = None
        self._live: Live | None = None

    def line(self, text: str = "", style: str = "") -> None:
        """Print a line, or each line of a text that has several."""
        for one in clean_lines(text).split("\n"):
            self.cells([(one, style)])

    def cells(self, cells: Sequence[Cell], *, crop: bool = False) -> None:
        """Print styled pieces of one line; on a terminal it is wrapped or cropped at the edge."""
        if self.is_terminal:
            from rich.text import Text  # noqa: PLC0415

            drawn = Text.assemble(*(_styled(cell) for cell in cells))
            self.console.print(drawn, no_wrap=crop, overflow="ellipsis" if crop else None)
        else:
            self._plain("".join(clean(text) for text, _ in cells))

    def table(
        self, rows: Sequence[Sequence[Cell]], *, right: Sequence[int] = (), widths: Sequence[int] | None = None
    ) -> None:
        """Print rows in columns; `right` columns are right-aligned.

        On a terminal texts are cut to `widths`; without widths no figure is cut, and the last column wraps.
        """
        if not rows:
            return
        if self.is_terminal and widths is None:
            self._drawn_table(rows, right)
            return
        if self.is_terminal and widths is not None:
            for row in rows:
                self.cells(_padded(row, widths, right), crop=True)
            return
        texts = [[clean(text) for text, _ in row] for row in rows]
        widths = [max(map(text_cells, column)) for column in zip(*texts, strict=True)]
        for row_texts in texts:
            filled = [
                fit_right(text, width) if column in right else fit(text, width)
                for column, (text, width) in enumerate(zip(row_texts, widths, strict=True))
            ]
            self._plain("  ".join(filled))

    @property
    def in_colour(self) -> bool:
        """Whether colours are shown: a terminal that has them, and no NO_COLOR."""
        return self.is_terminal and self.console.color_system is not None and not self.console.no_color

    def pixels(self, rows: Sequence[Sequence[tuple[str, Colour, Colour]]]) -> None:
        """Print lines of characters, each with its colours, on a terminal; it shows the nearest that it has."""
        from rich.color import Color  # noqa: PLC0415
        from rich.style import Style  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        for row in rows:
            line = Text(no_wrap=True)
            for text, fore, back in row:
                line.append(text, Style(color=Color.from_rgb(*fore), bgcolor=Color.from_rgb(*back)))
            self.console.print(line)

    def status(self, text: str) -> None:
        """Keep one status line below the log up to date; an empty text removes it. Terminals only."""
        if not text:
            if self._live is not None:
                self._live.stop()
                self._live = None
            return
        from rich.live import Live  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        drawn = Text(clean(text), no_wrap=True, overflow="ellipsis")
        if self._live is None:
            self._live = Live(drawn, console=self.console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(drawn, refresh=True)

    @property
    def console(self) -> Console:
        """Return the rich console: colours as the terminal allows, none with NO_COLOR, and no markup."""
        if self._console is None:
            from rich.console import Console  # noqa: PLC0415

            class Steady(Console):
                """A console that never hides the cursor, so nothing has to be restored if a signal ends the process."""

                def show_cursor(self, show: bool = True) -> bool:
                    return False

            self._console = Steady(file=self.out, markup=False, highlight=False, emoji=False)
        return self._console

    def _drawn_table(self, rows: Sequence[Sequence[Cell]], right: Sequence[int]) -> None:
        from rich.table import Table  # noqa: PLC0415

        table = Table.grid(padding=(0, 2, 0, 0))
        last = len(rows[0]) - 1
        for column in range(last + 1):
            table.add_column(
                justify="right" if column in right else "left",
                no_wrap=column != last,
                overflow="ellipsis",
                min_width=_figures_width(rows, column) if column in right else None,
            )
        for row in rows:
            table.add_row(*(_text(cell) for cell in row))
        self.console.print(table)

    def _plain(self, text: str) -> None:
        self.out.write(text.rstrip() + "\n")
        self.out.flush()


def _padded(row: Sequence[Cell], widths: Sequence[int], right: Sequence[int]) -> list[Cell]:
    found: list[Cell] = []
    for column, ((text, style), width) in enumerate(zip(row, widths, strict=True)):
        fill = fit_right if column in right else fit
        found += [(fill(clean(text), width), style), ("  ", "")]
    return found[:-1]


def _figures_width(rows: Sequence[Sequence[Cell]], column: int) -> int:
    return max(text_cells(clean(row[column][0])) for row in rows)


def _styled(cell: Cell) -> tuple[str, str]:
    return clean(cell[0]), _STYLES[cell[1]]


def _text(cell: Cell) -> Text:
    from rich.text import Text  # noqa: PLC0415

    return Text(*_styled(cell))
