"""The report of an exploration as one HTML file, to hand to a colleague: charts as SVG in it, no script, no links."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from engine.design_space.effects import AxisEffect, ValueEffect
from engine.design_space.estimates import RelativeChange
from engine.design_space.exploration_findings import Findings, bound_text, choices_text, signed, summary
from engine.design_space.front_charts import drift_chart, front_charts
from engine.design_space.report_tables import (
    common_line,
    contrast_lines,
    effects_by_axis,
    heading,
    point_table,
)
from engine.explore.svg import svg
from engine.explore.tables import TableRows, one_line
from engine.text import date_time, duration, percent, shell_line

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff; margin: 2em auto; max-width: 80em;
  padding: 0 1em; }
h1 { font-size: 1.6em; margin-bottom: 0.2em; } h2 { font-size: 1.2em; margin: 2em 0 0.4em; border-top: 1px solid #ddd;
  padding-top: 0.8em; }
table { border-collapse: collapse; font-size: 0.93em; } .wide { overflow-x: auto; }
th, td { text-align: left; padding: 0.25em 0.8em 0.25em 0; border-bottom: 1px solid #e8e8e8; vertical-align: top; }
th { border-bottom: 1px solid #999; } .number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.best td { background: #eaf3fa; } .out td { color: #888; } .note { color: #666; font-size: 0.93em; }
code { font: 0.9em ui-monospace, monospace; background: #f4f4f4; padding: 0.1em 0.3em; overflow-wrap: anywhere; }
svg.chart { max-width: 100%; height: auto; } ul { padding-left: 1.2em; } dt { font-weight: 600; float: left;
  clear: left; width: 14em; } dd { margin: 0 0 0.2em 14.5em; } details { margin: 0.5em 0; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } }
"""
_BAR = 220
"""Width of the drawing of an effect, in pixels."""


def page(found: Findings) -> str:
    """Return the HTML document."""
    asked = found.exploration
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>{_text(f'Exploration {asked.name}')}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_text(f'Exploration {asked.name}')}</h1>",
        f'<p class="note">{_text(_dated(found))}</p>',
        _list([*heading(asked)[1:], *summary(found)]),
        *_charts(found),
        *_front(found),
        *_effects(found),
        *_all_points(found),
        *_drift(found),
        *_conditions(found),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _dated(found: Findings) -> str:
    asked = found.exploration
    starts = [trial.started for trial in asked.trials if trial.started]
    measured = f"measured {date_time(min(starts))} to {date_time(max(starts))}, " if starts else ""
    machine = next(iter(asked.machine.values()), "")
    return f"{asked.state + ', ' if asked.state else ''}{measured}written {date_time(time.time())} {machine}".strip()


def _charts(found: Findings) -> Iterable[str]:
    drawn = [one for one in front_charts(found) if not one.is_empty]
    if drawn:
        yield "<h2>Front</h2>"
        for one in drawn:
            yield svg(one).replace("<svg ", '<svg class="chart" ', 1)
        yield '<p class="note">Lines at a point are its 95 % interval; hold the mouse over a point for its choices.</p>'


def _front(found: Findings) -> Iterable[str]:
    if not found.best:
        return
    yield "<h2>The best points, and how to repeat them</h2>"
    if same := common_line(found):
        yield f'<p class="note">{_text(same)}</p>'
    rows, numbers = point_table(found, found.best)
    yield _table(rows, numbers)
    yield "<ul>"
    for row in found.best:
        lines = [_text(line) for line in contrast_lines(found, row)]
        if words := found.exploration.commands.get(row.point):
            lines.append(f"<code>{_text(shell_line(['inferdeck', *words]))}</code>")
        if lines:
            yield f"<li>trial {row.number}, {_text(choices_text(row.point))}<br>{'<br>'.join(lines)}</li>"
    yield "</ul>"


def _effects(found: Findings) -> Iterable[str]:
    groups = effects_by_axis(found)
    if not groups:
        return
    yield "<h2>Main effects</h2>"
    yield (
        '<p class="note">Each value against the average of its axis, the other choices being equal, with its 95 % '
        "interval; the axis that matters most first.</p>"
    )
    titles = {one.key: one.title for one in found.exploration.objectives}
    columns = [one.objective for one in groups[0][1]]
    heads = "".join(f"<th>{_text(titles[key])}</th>" for key in columns)
    yield f'<div class="wide"><table><tr><th>axis</th><th>value</th><th class="number">points</th>{heads}</tr>'
    limits = {key: _limit(one for _, effects in groups for one in effects if one.objective == key) for key in columns}
    for name, effects in groups:
        for number, value in enumerate(effects[0].values):
            drawn = "".join(f"<td>{_bar(one.values[number], limits[one.objective])}</td>" for one in effects)
            shown = "" if number else _text(name)
            yield f'<tr><td>{shown}</td><td>{_text(value.value)}</td><td class="number">{value.n}</td>{drawn}</tr>'
    yield "</table></div>"


def _limit(effects: Iterable[AxisEffect]) -> float:
    """Return the largest effect, to which the bars are scaled."""
    return max((abs(value.share) for one in effects for value in one.values), default=0.0) or 1.0


def _bar(effect: ValueEffect, limit: float) -> str:
    """Return an effect as a bar from the middle with its interval, and as a number."""
    half = _BAR / 2

    def place(share: float) -> float:
        return round(half + half * min(max(share / limit, -1.0), 1.0) * 0.95, 1)

    left, right = sorted((half, place(effect.share)))
    colour = "#0072b2" if effect.low > 0 or effect.high < 0 else "#999999"
    return (
        f'<svg width="{_BAR}" height="16" role="img" aria-hidden="true">'
        f'<path d="M{half} 0V16" stroke="#bbb"/>'
        f'<rect x="{left}" y="4" width="{max(right - left, 1):.1f}" height="8" fill="{colour}" fill-opacity="0.6"/>'
        f'<path d="M{place(effect.low)} 8H{place(effect.high)}" stroke="#222"/></svg> '
        f"{_text(signed(effect.share))} %"
    )


def _all_points(found: Findings) -> Iterable[str]:
    if found.rows:
        rows, numbers = point_table(found, found.rows)
        kinds = ["best" if row.is_best else "out" if row.standing is None else "" for row in found.rows]
        yield f"<h2>All points</h2><details><summary>{len(found.rows)} points</summary>"
        yield _table(rows, numbers, kinds)
        yield "</details>"


def _drift(found: Findings) -> Iterable[str]:
    yield "<h2>Drift</h2>"
    if not found.drift.is_known:
        yield "<p>Not known: the baseline has too few trials.</p>"
        return
    titles = {one.key: one.title for one in found.exploration.objectives}
    rows = [["session", "trials of the baseline", *titles.values(), ""]]
    for one in found.drift.sessions:
        changes = [_change(one.changes.get(key)) for key in titles]
        rows.append([str(one.session), str(one.n), *changes, "drifted: not compared" if one.has_drifted else ""])
    yield _table(rows, range(1, 2 + len(titles)))
    yield svg(drift_chart(found), height=300).replace("<svg ", '<svg class="chart" ', 1)
    yield f'<p class="note">The baseline: {_text(choices_text(found.drift.point or ()))}</p>'


def _change(change: RelativeChange | None) -> str:
    return "reference" if change is None else f"{signed(change.share)} ±{percent(change.margin)} %"


def _conditions(found: Findings) -> Iterable[str]:
    asked = found.exploration
    yield "<h2>Conditions</h2>"
    again = {"command": shell_line(["inferdeck", *asked.command])} if asked.command else {}
    budget = {"budget": duration(asked.budget)} if asked.budget is not None else {}
    axes = {f"axis {axis.name}": ", ".join(axis.values) for axis in asked.axes}
    bounds = {f"constraint {number}": bound_text(one) for number, one in enumerate(asked.constraints, start=1)}
    sessions = {f"session {number}": date_time(start) for number, start in asked.sessions.items()}
    yield _facts({**again, **budget, **axes, **bounds, **asked.conditions, **sessions})
    for title, facts in (("Machine", asked.machine), ("Versions", asked.versions)):
        if facts:
            yield f"<h2>{title}</h2>{_facts(facts)}"


def _facts(facts: Mapping[str, str]) -> str:
    return "<dl>" + "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts.items()) + "</dl>"


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{_text(line)}</li>" for line in lines) + "</ul>"


def _table(rows: TableRows, numbers: Iterable[int], kinds: Sequence[str] = ()) -> str:
    right = set(numbers)

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=number' if column in right else ''}>{_text(cell)}</{tag}>"
            for column, cell in enumerate(row)
        )

    lines = [f"<tr>{cells(rows[0], 'th')}</tr>"]
    for number, row in enumerate(rows[1:]):
        kind = f' class="{kinds[number]}"' if kinds and kinds[number] else ""
        lines.append(f"<tr{kind}>{cells(row, 'td')}</tr>")
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


def _text(text: str) -> str:
    return escape(one_line(text))
