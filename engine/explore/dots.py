"""Draw a diagram in characters: braille dots, or plain ASCII; rows of styled pieces for the terminal and the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from engine.explore.diagrams import Diagram, Series
from engine.explore.scale import Scale, scales
from engine.text import cells, clean, cut, fit_right

Piece = tuple[str, str]
"""Text and the name of its style: `""`, `dim`, `bold`, `bad`, or `series 0` to `series 7`."""
Row = tuple[Piece, ...]

GUTTER = 9
"""Cells for the numbers of the y axis and the axis itself."""
_LEAST_WIDTH, _LEAST_HEIGHT = 24, 6
_BRAILLE = (0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80)
"""The bit of each dot of a character, column by column from the top left."""
_ASCII = "*o+x#@%&"
"""A mark for each series."""
_ASCII_SELECTED = "X"


def rows(
    diagram: Diagram, width: int, height: int, *, ascii_only: bool = False, compact: bool = False
) -> tuple[Row, ...]:
    """Return at most `height` rows of at most `width` cells: title, drawing, axis, and a line per series and note.

    `compact`: the series share a line, and there are no notes.
    """
    drawn = [one for one in diagram.series if one.points]
    told: list[Series | str] = [*drawn[:1]] if compact else [*drawn, *diagram.notes]
    if width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
        return ((("the terminal is too small for a chart"[:width], "dim"),),)
    shown = told[: max(height - _LEAST_HEIGHT, 0)]
    tall = height - 3 - len(shown)
    across, up = scales(diagram, count=max(min(width // 16, 6), 2))
    canvas = _Canvas(width - GUTTER, tall, ascii_only=ascii_only)
    for number, series in enumerate(drawn):
        canvas.draw(series, number, across, up)
    labels = {canvas.row_of(up.share(tick)): up.text(tick) for tick in up.ticks}
    bar = "|" if ascii_only else "│"
    found: list[Row] = [((cut(f"{clean(diagram.y.title)}{' (log)' * diagram.y.log}", width), "bold"),)]
    for number in range(tall):
        found.append(((f"{fit_right(labels.get(number, ''), GUTTER - 2)} {bar}", "dim"), *canvas.row(number)))
    found.append(_ticks(across, width - GUTTER))
    found.append(((fit_right(cut(clean(diagram.x.title), width), width), "dim"),))
    if compact:
        legends = [_legend(one, number, width, ascii_only=ascii_only) for number, one in enumerate(drawn)]
        return (*found, tuple(piece for mark, (name, style) in legends for piece in (mark, (f"{name}   ", style))))
    for number, one in enumerate(shown):
        if isinstance(one, Series):
            found.append(_legend(one, number, width, ascii_only=ascii_only))
        else:
            found.append(((cut(clean(one), width), "dim"),))
    return tuple(found)


def thinned(diagram: Diagram, width: int, height: int) -> Diagram:
    """Return a diagram with one point of each series for each cell of the drawing: thousands cost no more than it."""
    across, up = scales(diagram)

    def few(series: Series) -> Series:
        kept: dict[tuple[int, int], int] = {}
        for number, (x, y) in enumerate(series.points):
            kept.setdefault((round(across.share(x) * width), round(up.share(y) * height)), number)
        numbers = sorted(kept.values())
        labels = tuple(series.labels[number] for number in numbers) if series.labels else ()
        return replace(series, points=tuple(series.points[number] for number in numbers), labels=labels, spans=())

    return replace(diagram, series=tuple(few(one) for one in diagram.series))


def _legend(series: Series, number: int, width: int, *, ascii_only: bool) -> Row:
    mark = _shape(series, number, ascii_only=ascii_only)
    return ((f"{mark} ", _style(series, number)), (cut(clean(series.name), width - 2), ""))


def _style(series: Series, number: int) -> str:
    return {"bad": "bad", "selected": "bold", "behind": "dim"}.get(series.role, f"series {number % len(_ASCII)}")


def _shape(series: Series, number: int, *, ascii_only: bool) -> str:
    if ascii_only:
        return _ASCII_SELECTED if series.role == "selected" else _ASCII[number % len(_ASCII)]
    return {"bad": "○", "selected": "◆", "behind": "·", "open": "△"}.get(series.role, "●")


def _ticks(scale: Scale, width: int) -> Row:
    """The numbers below the x axis, each where its value is, without those that would touch."""
    line = [" "] * width
    end = -1
    for tick in scale.ticks:
        text = scale.text(tick)
        at = min(max(round(scale.share(tick) * (width - 1)) - cells(text) // 2, 0), width - len(text))
        if at > end and at >= 0:
            line[at : at + len(text)] = text
            end = at + len(text)
    return ((" " * GUTTER + "".join(line), "dim"),)


class _Canvas:
    """Dots in cells; a cell has the colour of what was drawn there last."""

    def __init__(self, width: int, height: int, *, ascii_only: bool) -> None:
        self.width, self.height, self.ascii_only = width, height, ascii_only
        self.fine = (1, 1) if ascii_only else (2, 4)
        self.bits = [[0] * width for _ in range(height)]
        self.styles = [[""] * width for _ in range(height)]
        self.marks = [[""] * width for _ in range(height)]

    def row_of(self, share: float) -> int:
        """Return the row of a share of the y axis."""
        return min(max(round((1 - share) * (self.height - 1)), 0), self.height - 1)

    def draw(self, series: Series, number: int, across: Scale, up: Scale) -> None:
        """Draw a series: joined dots, and a mark at each point that has a label or stands alone."""
        style = _style(series, number)
        places = [self._place(across.share(x), up.share(y)) for x, y in series.points]
        if series.line:
            for (x1, y1), (x2, y2) in pairwise(places):
                steps = max(abs(x2 - x1), abs(y2 - y1), 1)
                for step in range(steps + 1):
                    self._dot(x1 + (x2 - x1) * step // steps, y1 + (y2 - y1) * step // steps, style, number)
        if not series.line or series.labels or len(places) == 1:
            for x, y in places:
                self._mark(x, y, style, _shape(series, number, ascii_only=self.ascii_only))

    def row(self, number: int) -> Row:
        """Return a row of the drawing."""
        pieces: list[Piece] = []
        for column in range(self.width):
            bits, mark = self.bits[number][column], self.marks[number][column]
            text = mark or (chr(0x2800 + bits) if bits and not self.ascii_only else " ")
            style = self.styles[number][column]
            if pieces and pieces[-1][1] == style:
                pieces[-1] = (pieces[-1][0] + text, style)
            else:
                pieces.append((text, style))
        return tuple(pieces)

    def _place(self, x: float, y: float) -> tuple[int, int]:
        wide, tall = self.width * self.fine[0] - 1, self.height * self.fine[1] - 1
        return round(min(max(x, 0.0), 1.0) * wide), round((1 - min(max(y, 0.0), 1.0)) * tall)

    def _dot(self, x: int, y: int, style: str, number: int) -> None:
        column, row = x // self.fine[0], y // self.fine[1]
        if self.ascii_only:
            self.marks[row][column] = _ASCII[number % len(_ASCII)]
        else:
            self.bits[row][column] |= _BRAILLE[(x % 2) * 4 + y % 4]
        self.styles[row][column] = style

    def _mark(self, x: int, y: int, style: str, shape: str) -> None:
        column, row = x // self.fine[0], y // self.fine[1]
        self.marks[row][column], self.styles[row][column] = shape, style


def plain(drawn: Sequence[Row]) -> str:
    """Return rows as plain text."""
    return "\n".join("".join(text for text, _ in row).rstrip() for row in drawn) + "\n"
