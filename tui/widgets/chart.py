"""A chart of lines over time in characters: braille dots, half blocks, or plain ASCII.

Drawn by hand, because the chart libraries cost several times the processor and the bytes. `rows` is a pure function;
the widget keeps what it returned until the data or the size change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from textual.strip import Strip
from textual.widget import Widget

from tui.terminal import Glyphs
from tui.widgets.board import EMPTY_ROW, Painter, Resized, Row

GUTTER = 8
"""Cells for the numbers of the y axis and the axis itself."""
FAR = 3.0
"""A limit beyond so many times the largest value is written, not drawn: it would flatten the lines."""
_FLAT = 0.6
"""Where the smallest value is above this fraction of the largest, an axis from 0 would waste most of the chart."""


@dataclass(frozen=True)
class Line:
    """Values at equal distances, the oldest first. None is a gap."""

    values: tuple[float | None, ...]
    style: str


@dataclass(frozen=True)
class Plot:
    """What a chart shows."""

    lines: tuple[Line, ...]
    """What is drawn later lies on top."""
    count: int
    """Number of values over the width; a shorter line is at the right end."""
    ago: str = ""
    """What the left end of the time axis is: `60 s ago`."""
    limit: float | None = None
    limit_name: str = "limit"
    limit_style: str = "bad"
    from_zero: bool = True
    """Whether the y axis must begin at 0; otherwise it shows where it begins."""


@dataclass(frozen=True)
class _Level:
    """How a character is divided into dots, and the character for each set of them."""

    across: int
    down: int
    marks: str
    """By the number whose bits are the dots, column by column from the top left; a blank for none."""
    axis: str
    broken: str
    limit: str


_LEVELS: dict[Glyphs, _Level] = {
    "braille": _Level(2, 4, "", "│", "≈", "╌"),
    "block": _Level(1, 2, " ▀▄█", "│", "≈", "─"),
    "ascii": _Level(1, 3, " '-:.::|", "|", "~", "="),
}
_BRAILLE = (0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80)
"""The bit of each dot, column by column."""


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    def dot(self, value: float, dots: int) -> int:
        """Return the dot of a value, counted from the top."""
        # 0.0 first: it also takes the place of no number, where the range is beyond what a float holds.
        share = min(max(0.0, (value - self.low) / (self.high - self.low)), 1.0)
        return round((1 - share) * (dots - 1))


def rows(plot: Plot, width: int, height: int, glyphs: Glyphs = "braille") -> tuple[Row, ...]:
    """Return `height` rows of at most `width` cells: the lines, the axes, and a note on what can't be drawn."""
    across = width - GUTTER
    if across < 4 or height < 3:
        return (EMPTY_ROW,) * height
    level, scale = _LEVELS[glyphs], _scale(plot)
    cells = _Cells(across, height - 1, level)
    for line in plot.lines:
        cells.draw(line, plot.count, scale)
    limit_row = None
    if plot.limit is not None and scale.low <= plot.limit <= scale.high:
        limit_row = scale.dot(plot.limit, height - 1)
    labels = _labels(scale, height - 1, limit_row, plot.limit)
    found = []
    for number in range(height - 1):
        axis = level.broken if number == height - 2 and scale.low > 0 else level.axis
        gutter = (f"{labels.get(number, ''):>{GUTTER - 2}} {axis}", plot.limit_style if number == limit_row else "dim")
        found.append((gutter, *cells.row(number, level.limit if number == limit_row else "", plot.limit_style)))
    return (*found, _time_axis(plot, scale, across))


def _scale(plot: Plot) -> _Scale:
    """Return a range with round ends, so that it seldom changes."""
    values = [value for line in plot.lines for value in line.values if value is not None and isfinite(value)]
    top, bottom = max(values, default=0.0), min(values, default=0.0)
    if plot.limit is not None and plot.limit <= FAR * top:
        top, bottom = max(top, plot.limit), min(bottom, plot.limit)
    if top <= 0:
        return _Scale(0.0, 1.0)
    if plot.from_zero or bottom < _FLAT * top:
        step = _round_step(top / 4)
        return _Scale(0.0, step * ceil(top / step - 1e-9))
    step = _round_step(max(top - bottom, top * 0.02) / 2)
    low = step * floor(bottom / step)
    return _Scale(low, max(step * ceil(top / step), low + step))


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, ... that is not less."""
    power = 10.0 ** floor(log10(least))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= least * (1 - 1e-9))


def _labels(scale: _Scale, height: int, limit_row: int | None, limit: float | None) -> dict[int, str]:
    found = {0: number_label(scale.high), height - 1: number_label(scale.low)}
    if height >= 7:
        middle = (scale.low + scale.high) / 2
        found[scale.dot(middle, height)] = number_label(middle)
    if limit_row is not None and limit is not None:
        found[limit_row] = number_label(limit)
    return found


def number_label(value: float) -> str:
    """Write a number in at most six characters."""
    for divisor, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= divisor:
            return f"{value / (1e3 if unit == 'k' else divisor):.4g}{unit}"[:6]
    return f"{value:.4g}"[:6]


def _time_axis(plot: Plot, scale: _Scale, across: int) -> Row:
    words = []
    if scale.low > 0:
        words.append(f"axis from {number_label(scale.low)}, not 0")
    if plot.limit is not None and not scale.low <= plot.limit <= scale.high:
        words.append(
            f"{plot.limit_name} {number_label(plot.limit)} is {'above' if plot.limit > scale.high else 'below'}"
        )
    left, right = plot.ago, "now" if plot.ago else ""
    middle = ", ".join(words)
    room = across - len(left) - len(right) - 2
    middle = middle if len(middle) <= room else ""
    if room < 0:
        return ((" " * GUTTER + middle[:across], "dim"),)
    return ((" " * GUTTER + f"{left} {middle:^{room}} {right}", "dim"),)


class _Cells:
    """The characters between the axes: which dots are set in each, and whose they are."""

    def __init__(self, across: int, height: int, level: _Level) -> None:
        self.across, self.height, self.level = across, height, level
        self._bits = [[0] * across for _ in range(height)]
        self._styles = [[""] * across for _ in range(height)]

    def draw(self, line: Line, count: int, scale: _Scale) -> None:
        """Set the dots of a line; neighbouring values are joined."""
        before: int | None = None
        for x, value in enumerate(self._sampled(line.values, max(count, 1))):
            if value is None or not isfinite(value):
                before = None
                continue
            y = scale.dot(value, self.height * self.level.down)
            near = y if before is None or before == y else before + (1 if y > before else -1)
            for dot in range(min(near, y), max(near, y) + 1):
                self._set(x, dot, line.style)
            before = y

    def row(self, number: int, limit: str, limit_style: str) -> Iterator[tuple[str, str]]:
        """Yield the runs of one row; `limit` fills the cells that no line goes through."""
        text, style = "", ""
        for bits, own in zip(self._bits[number], self._styles[number], strict=True):
            mark, wanted = (self._mark(bits), own) if bits else (limit, limit_style) if limit else (" ", style)
            if wanted != style and text:
                yield text, style
                text = ""
            text, style = text + mark, wanted
        yield text, style

    def _set(self, x: int, y: int, style: str) -> None:
        column, row = x // self.level.across, y // self.level.down
        self._bits[row][column] |= 1 << (x % self.level.across * self.level.down + y % self.level.down)
        self._styles[row][column] = style

    def _mark(self, bits: int) -> str:
        if self.level.marks:
            return self.level.marks[bits]
        return chr(0x2800 + sum(dot for number, dot in enumerate(_BRAILLE) if bits >> number & 1))

    def _sampled(self, values: Sequence[float | None], count: int) -> Iterator[float | None]:
        """Yield a value for each column of dots, in between neighbours where there are fewer values than columns."""
        columns = self.across * self.level.across
        kept = values[-count:]
        missing = count - len(kept)
        for column in range(columns):
            place = column * (count - 1) / max(columns - 1, 1) - missing
            before = floor(place)
            if before < 0 or before >= len(kept):
                yield None
                continue
            first, second = kept[before], kept[min(before + 1, len(kept) - 1)]
            yield first if first is None or second is None else first + (second - first) * (place - before)


class Chart(Widget):
    """Shows a plot in the glyphs of the terminal."""

    DEFAULT_CSS = """
    Chart { width: 1fr; height: 1fr; }
    """

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.glyphs = glyphs
        self._plot = Plot((), 1)
        self._drawn: tuple[tuple[int, int, Plot], tuple[Row, ...]] | None = None
        self._painter = Painter(self)

    def show(self, plot: Plot) -> None:
        """Show another plot."""
        if plot != self._plot:
            self._plot = plot
            self.refresh()

    def on_resize(self) -> None:
        """Ask the owner for the content of the new size."""
        self.post_message(Resized())

    def render_line(self, y: int) -> Strip:
        """Draw one line of the whole, which is made once for a plot and a size."""
        wanted = (self.size.width, self.size.height, self._plot)
        if self._drawn is None or self._drawn[0] != wanted:
            self._drawn = (wanted, rows(self._plot, self.size.width, self.size.height, self.glyphs))
        return self._painter.strip(self._drawn[1][y], self.size.width)
