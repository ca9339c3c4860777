"""Terminal cells: laying text out in them, and the shortest output that changes some of them.

Widths are those that Textual lays out by (rich.cells). A wide character lies in its first cell; the second holds the
empty text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rich.cells import split_graphemes

_ESC = "\x1b"
_NARROW = re.compile("[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u2500-\u25fc\u2800-\u28ff]*")
"""Characters that fill one cell each and join with nothing."""
_LONGEST_BRIDGE = 4
"""Unchanged cells that are drawn again rather than jumped over: the jump takes as many bytes."""


class Style(NamedTuple):
    """The style of a cell, as SGR parameters."""

    foreground: str = ""
    """`31` or `38;2;R;G;B`; empty is the terminal's own."""
    background: str = ""
    attributes: frozenset[str] = frozenset()
    """Codes that switch something on: `1` bold, `7` reverse, `4:3` curly underline."""
    link: str = ""
    """Parameters and target of OSC 8, `id=1;https://...`."""


Cell = tuple[str, Style]

PLAIN = Style()

_INVISIBLE_ON_BLANK = frozenset({"1", "2", "3"})
"""Attributes that a space does not show: bold, dim, italic."""

_COLOUR_WIDTH = {"2": 5, "5": 3}
_OFF = {
    "22": ("1", "2"),
    "23": ("3",),
    "24": ("4", "21"),
    "25": ("5", "6"),
    "27": ("7",),
    "28": ("8",),
    "29": ("9",),
    "54": ("51", "52"),
    "55": ("53",),
}


@lru_cache(4096)
def styled(style: Style, parameters: str) -> Style:
    """Return the style after `CSI parameters m`."""
    codes = parameters.split(";")
    foreground, background, attributes, link = style
    while codes:
        code = codes.pop(0)
        if code in ("", "0"):
            foreground, background, attributes = "", "", frozenset()
        elif code in ("38", "48"):
            length = _COLOUR_WIDTH.get(codes[0], 1) - 1 if codes else 0
            whole = ";".join([code, *codes[:length]])
            del codes[:length]
            foreground, background = (whole, background) if code == "38" else (foreground, whole)
        elif code in _OFF:
            attributes = frozenset(one for one in attributes if one.partition(":")[0] not in _OFF[code])
        elif code == "39" or _is_colour(code, 30, 90):
            foreground = "" if code == "39" else code
        elif code == "49" or _is_colour(code, 40, 100):
            background = "" if code == "49" else code
        else:
            attributes |= {code}
    return Style(foreground, background, attributes, link)


def _is_colour(code: str, normal: int, bright: int) -> bool:
    return code.isdecimal() and (normal <= int(code) < normal + 8 or bright <= int(code) < bright + 8)


@lru_cache(4096)
def on_blank(style: Style) -> Style:
    """Return the visible part of a style on a space, so that spaces that look equal compare equal."""
    attributes = style.attributes - _INVISIBLE_ON_BLANK
    return style._replace(attributes=attributes, foreground=style.foreground if attributes or style.link else "")


@lru_cache(4096)
def transition(pen: Style | None, wanted: Style) -> str:
    """Return the text that changes the style in which a terminal writes. None is a style that is not known; no link
    is open then, for a frame closes its own."""
    if pen == wanted:
        return ""
    old = pen or PLAIN
    codes = []
    if pen is None or not old.attributes <= wanted.attributes:
        codes = ["0"]
        old = Style(link=old.link)
    codes += sorted(wanted.attributes - old.attributes)
    if wanted.foreground != old.foreground:
        codes.append(wanted.foreground or "39")
    if wanted.background != old.background:
        codes.append(wanted.background or "49")
    text = f"{_ESC}[{'' if codes == ['0'] else ';'.join(codes)}m" if codes else ""
    return text + (f"{_ESC}]8;{wanted.link or ';'}{_ESC}\\" if wanted.link != old.link else "")


def cells_of(text: str, style: Style) -> list[Cell]:
    """Return the cells that a text fills. A first mark of no width (it joins the cell before) is left out."""
    narrow = _NARROW.fullmatch(text)
    spans = [(index, index + 1, 1) for index in range(len(text))] if narrow else split_graphemes(text)[0]
    blank = (" ", on_blank(style))
    found: list[Cell] = []
    for start, end, width in spans:
        character = text[start:end]
        if character == " ":
            found.append(blank)
        elif width:
            found.append((character, style))
            found.extend([("", style)] * (width - 1))
    return found


class Grid:
    """A screen of cells; None is a cell with unknown content."""

    def __init__(self, width: int = 0, height: int = 0) -> None:
        self.width, self.height = width, height
        self.rows: list[list[Cell | None]] = [[None] * width for _ in range(height)]

    def resize(self, width: int, height: int) -> None:
        """Keep what fits, from the upper left corner."""
        unknown: list[Cell | None] = [None] * width
        unknown_rows = [unknown] * (height - self.height)
        self.rows = [[*row[:width], *unknown[len(row) :]] for row in [*self.rows[:height], *unknown_rows]]
        self.width, self.height = width, height
        for row in self.rows:
            _fix(row, width - 1)

    def clear(self) -> None:
        """Forget every cell."""
        self.rows = [[None] * self.width for _ in range(self.height)]

    def put(self, x: int, y: int, cells: Iterable[Cell]) -> None:
        """Write cells into a row; what lies outside is cut off, and halves of wide characters become spaces."""
        if not 0 <= y < self.height or x >= self.width:
            return
        row = self.rows[y]
        new = list(cells)[: self.width - x]
        row[x : x + len(new)] = new
        _fix(row, x - 1)
        _fix(row, x)
        _fix(row, x + len(new) - 1)
        _fix(row, x + len(new))


def _fix(row: list[Cell | None], x: int) -> None:
    """Make a cell a space if it is half of a wide character whose other half is gone."""
    if not 0 <= x < len(row):
        return
    cell = row[x]
    if cell is None:
        return
    text, style = cell
    before = row[x - 1] if x else None
    after = row[x + 1] if x + 1 < len(row) else None
    if text == "":
        broken = before is None or not is_wide(before[0])
    else:
        broken = is_wide(text) and (after is None or after[0] != "")
    if broken:
        row[x] = (" ", on_blank(style))


@lru_cache(1024)
def is_wide(text: str) -> bool:
    """Return whether the text of a cell is two cells wide."""
    return not _NARROW.fullmatch(text) and sum(width for _, _, width in split_graphemes(text)[0]) > 1


class Mirror:
    """The content of a terminal, and the output that turns it into another."""

    def __init__(self) -> None:
        self._grid = Grid()
        self._pen: Style | None = None
        self._at: tuple[int, int] | None = None
        """Column and row of the cursor; None where unknown."""

    def forget(self) -> None:
        """Forget the content: the terminal was resized, left or written to by others."""
        self._grid.clear()
        self._pen = self._at = None

    def change(self, wanted: Grid, cursor: tuple[int, int]) -> str:
        """Return the text that makes the terminal show the wanted cells, with the cursor at (column, row)."""
        if (self._grid.width, self._grid.height) != (wanted.width, wanted.height):
            self._grid = Grid(wanted.width, wanted.height)
            self._pen = self._at = None
        parts: list[str] = []
        for y, (old, new) in enumerate(zip(self._grid.rows, wanted.rows, strict=True)):
            if old != new:
                self._change_row(y, old, new, parts)
                self._grid.rows[y] = [was if cell is None else cell for was, cell in zip(old, new, strict=True)]
        if self._pen and self._pen.link:
            closed = self._pen._replace(link="")
            parts.append(transition(self._pen, closed))
            self._pen = closed
        if self._at != cursor and (parts or self._at is not None):
            parts.append(_jump(*cursor))
            self._at = cursor
        return "".join(parts)

    def _change_row(self, y: int, old: list[Cell | None], new: list[Cell | None], parts: list[str]) -> None:
        """Write the cells that differ, and the one after a character that the terminal may draw wider than we think."""
        damaged = False
        for x, cell in enumerate(new):
            if cell is None or not cell[0] or (cell == old[x] and not damaged):
                damaged = damaged and cell is not None and not cell[0]
                continue
            if self._at != (x, y):
                parts.append(self._move(x, y, new))
            text, style = cell
            if self._pen is None or text != " " or on_blank(self._pen) != style:
                parts.append(transition(self._pen, style))
                self._pen = style
            parts.append(text)
            damaged = not _NARROW.fullmatch(text)
            self._at = None if damaged or x + 1 == len(new) else (x + 1, y)

    def _move(self, x: int, y: int, row: list[Cell | None]) -> str:
        """Go forward over unchanged cells by writing them again or by a step; to anywhere else by a jump."""
        if self._at is None or self._at[1] != y or self._at[0] > x:
            return _jump(x, y)
        passed = row[self._at[0] : x]
        step = f"{_ESC}[{len(passed) if len(passed) > 1 else ''}C"
        if len(passed) > _LONGEST_BRIDGE or not all(self._is_bridge(cell) for cell in passed):
            return step
        text = "".join(cell[0] for cell in passed if cell)
        return text if len(text.encode()) <= len(step) else step

    def _is_bridge(self, cell: Cell | None) -> bool:
        if cell is None or self._pen is None or not _NARROW.fullmatch(cell[0]) or not cell[0]:
            return False
        return cell[1] == (on_blank(self._pen) if cell[0] == " " else self._pen)


def _jump(x: int, y: int) -> str:
    return f"{_ESC}[{y + 1};{x + 1}H" if x else f"{_ESC}[{y + 1}H"
