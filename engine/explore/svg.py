"""Draw a diagram as SVG: one self-contained file, without scripts or fonts from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from engine.explore.diagrams import ChartPoint, Diagram, Series
from engine.explore.scale import Scale, scales
from engine.text import clean

_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 20, 46, 56
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000")
"""Okabe and Ito's palette, which people with any colour vision can tell apart."""
_BAD = "#999999"
_FONT = 'font-family="sans-serif" font-size="13"'
_LEGEND = 18
"""Height of a line of the legend."""


def svg(diagram: Diagram, width: int = 820, height: int = 460) -> str:
    """Return the SVG document of a diagram; `width` and `height` in pixels without the legend."""
    across, up = scales(diagram)
    place = _Place(across, up, width, height)
    rows = [*(one for one in diagram.series if one.points), *diagram.notes]
    total = height + _LEGEND * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" {_FONT} role="img">',
        f"<title>{_text(diagram.title)}</title>",
        f'<rect width="{width}" height="{total}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="24" font-size="16" font-weight="bold">{_text(diagram.title)}</text>',
        *_axes(diagram, place),
    ]
    for number, series in enumerate(one for one in diagram.series if one.points):
        parts += _drawn(series, _colour(series, number), place)
        parts += _legend(series.name, _colour(series, number), height + _LEGEND * number)
    for number, note in enumerate(diagram.notes, start=len(rows) - len(diagram.notes)):
        parts.append(f'<text x="{_LEFT}" y="{height + _LEGEND * number + 4}" fill="#555555">{_text(note)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Place:
    """Positions in pixels."""

    def __init__(self, across: Scale, up: Scale, width: int, height: int) -> None:
        self.across, self.up = across, up
        self.left, self.right, self.top, self.bottom = _LEFT, width - _RIGHT, _TOP, height - _BOTTOM

    def x(self, value: float) -> float:
        return round(self.left + _inside(self.across.share(value)) * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        return round(self.bottom - _inside(self.up.share(value)) * (self.bottom - self.top), 1)

    def point(self, point: ChartPoint) -> tuple[float, float]:
        return self.x(point[0]), self.y(point[1])


def _inside(share: float) -> float:
    """Return a share of the way that is not outside of the chart."""
    return min(max(share, 0.0), 1.0)


def _axes(diagram: Diagram, place: _Place) -> Iterable[str]:
    for tick in place.across.ticks:
        x = place.x(tick)
        yield f'<line x1="{x}" y1="{place.top}" x2="{x}" y2="{place.bottom}" stroke="#e5e5e5"/>'
        yield f'<text x="{x}" y="{place.bottom + 18}" text-anchor="middle">{_text(place.across.text(tick))}</text>'
    for tick in place.up.ticks:
        y = place.y(tick)
        yield f'<line x1="{place.left}" y1="{y}" x2="{place.right}" y2="{y}" stroke="#e5e5e5"/>'
        yield f'<text x="{place.left - 8}" y="{y + 4}" text-anchor="end">{_text(place.up.text(tick))}</text>'
    middle, across = (place.left + place.right) / 2, (place.top + place.bottom) / 2
    log = {True: " (log)", False: ""}
    yield (
        f'<path d="M{place.left} {place.top}V{place.bottom}H{place.right}" fill="none" stroke="#333333"/>'
        f'<text x="{middle}" y="{place.bottom + 40}" text-anchor="middle">'
        f"{_text(diagram.x.title)}{log[diagram.x.log]}</text>"
        f'<text x="18" y="{across}" text-anchor="middle" transform="rotate(-90 18 {across})">'
        f"{_text(diagram.y.title)}{log[diagram.y.log]}</text>"
    )


def _drawn(series: Series, colour: str, place: _Place) -> Iterable[str]:
    points = [place.point(point) for point in series.points]
    for (x, y), (left, right, low, high) in zip(points, series.spans, strict=False):
        path = f"M{place.x(left)} {y}H{place.x(right)}M{x} {place.y(low)}V{place.y(high)}"
        yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-opacity="0.5"/>'
    if series.line and len(points) > 1:
        joined = " ".join(f"{x},{y}" for x, y in points)
        yield f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
    if series.line and not series.labels and len(points) > 1:
        return
    labels = series.labels or ("",) * len(points)
    fill = "none" if series.role == "bad" else colour
    for (x, y), label in zip(points, labels, strict=True):
        title = f"<title>{_text(label)}</title>" if label else ""
        yield f'<circle cx="{x}" cy="{y}" r="4.5" fill="{fill}" stroke="{colour}">{title}</circle>'


def _legend(name: str, colour: str, y: int) -> Iterable[str]:
    yield f'<rect x="{_LEFT}" y="{y - 7}" width="14" height="10" fill={quoteattr(colour)}/>'
    yield f'<text x="{_LEFT + 22}" y="{y + 3}">{_text(name)}</text>'


def _colour(series: Series, number: int) -> str:
    return _BAD if series.role == "bad" else _COLOURS[number % len(_COLOURS)]


def _text(text: str) -> str:
    return escape(clean(text))
