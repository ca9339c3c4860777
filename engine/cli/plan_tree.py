"""Print a surveyed plan as a tree with state, size, time and reasons, and the totals below."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.cli.screen import Cell, Screen
from engine.plan.plan import Edge, Node, Plan
from engine.plan.reason import Asked, GroupDefault
from engine.survey.grouped_tree import GroupedRow, grouped_rows
from engine.survey.survey import Seen, Survey
from engine.text import duration, size

_STYLE = {"cached": "good", "found": "good", "group": "dim", "missing": "bad", "conflict": "bad", "blocked": "bad"}


def draw(screen: Screen, plan: Plan, survey: Survey) -> None:
    """Print the tree, the totals and the problems."""
    screen.cells([(_columns("state", "size", "time"), "dim"), ("step and reason", "dim")], crop=True)
    for row in grouped_rows(plan, survey):
        screen.cells(_cells(row, survey), crop=True)
    _draw_totals(screen, survey)
    for name, warning in survey.warnings():
        screen.line(f"warning: {name}: {warning}", "todo")
    for name, seen in survey.problems():
        screen.line()
        screen.line(f"{name}: {seen.text}", "bad")
        screen.line(f"  {seen.remedy}")


def _cells(row: GroupedRow, survey: Survey) -> list[Cell]:
    if row.node is None:
        numbers = _columns("", "", duration(row.seconds))
        return [(numbers, "todo"), (_branch(row.lasts), "dim"), (f"{row.heading}  {row.to_do} steps to do", "bold")]
    seen = survey.seen[row.node.id]
    cells: list[Cell] = [(_columns(_word(seen), _size(seen), _time(seen)), _STYLE.get(seen.state, "todo"))]
    cells += [(_branch(row.lasts), "dim"), (_title(row.node), "bold" if row.edge is None else "")]
    return [*cells, ("  " + _why(row.node, row.edge, seen), "dim")]


def as_json(plan: Plan, survey: Survey) -> dict[str, Any]:
    """Return plan and survey as JSON values."""
    return {
        "root": plan.root,
        "nodes": {
            node.id: {
                **msgspec.to_builtins(node),
                "why": str(node.why),
                "options": {name: decided.value for name, decided in node.options.items()},
                "reasons": {name: str(decided.reason) for name, decided in node.options.items()},
                "variations": [
                    {"name": one.name, "group": one.group, "why": str(one.reason)} for one in node.variations
                ],
                "picked": str(node.picked),
                "version_why": str(node.version_why) if node.version_why else None,
                **_seen_as_json(survey.seen[node.id]),
            }
            for node in plan.nodes.values()
        },
        "totals": msgspec.to_builtins(survey.totals),
        "can_run": not survey.problems(),
    }


def _seen_as_json(seen: Seen) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(seen)
    plain.pop("recipe")
    return {**plain, "causes": [str(cause) for cause in seen.causes]}


def _columns(state: str, size_: str, time_: str) -> str:
    return f"{state:13} {size_:>8} {time_:>7}  "


def _branch(lasts: tuple[bool, ...]) -> str:
    if not lasts:
        return ""
    return "".join("   " if last else "│  " for last in lasts[:-1]) + ("└─ " if lasts[-1] else "├─ ")


def _title(node: Node) -> str:
    words = [f"_{one.name}" for one in node.variations if not isinstance(one.reason, GroupDefault)]
    version = f" {node.version}" if node.version else ""
    return node.title + version + (f"  {' '.join(words)}" if words else "")


def _word(seen: Seen) -> str:
    return {"group": "", "run": "to run", "fetch": "to fetch", "build": "to build", "missing": "missing input"}.get(
        seen.state, seen.state
    )


def _size(seen: Seen) -> str:
    return size(seen.fetch_bytes or seen.disk_bytes)


def _time(seen: Seen) -> str:
    return duration(seen.seconds) if seen.state in ("fetch", "build", "run") else ""


def _why(node: Node, edge: Edge | None, seen: Seen) -> str:
    asked = [one for one in node.variations if isinstance(one.reason, Asked)]
    if edge is not None and asked:
        why = "; ".join(f"_{one.name} {one.reason}" for one in asked)
    else:
        implied = [
            f"_{one.name} {one.reason}" for one in node.variations if not isinstance(one.reason, Asked | GroupDefault)
        ]
        why = "; ".join((str(node.why), *implied))
    causes = [str(cause) for cause in seen.causes]
    why = "; ".join((why, *causes[:2])) if seen.state in ("fetch", "build") else why
    return f"{seen.text} · {why}" if seen.state in ("found", "fetch", "run") and seen.text else why


def _draw_totals(screen: Screen, survey: Survey) -> None:
    totals = survey.totals
    unknown = f" (and {totals.unknown_times} steps of unknown length)" if totals.unknown_times else ""
    screen.line()
    screen.line(f"{totals.ready} ready, {totals.to_do} to do · {size(totals.fetch_bytes)} to fetch")
    fits = "" if totals.fits else ": it does not fit"
    room = f"disk: about {size(totals.disk_bytes)} more needed, {size(totals.disk_free)} free{fits}"
    screen.line(room, "" if totals.fits else "bad")
    screen.line(
        f"time: about {duration(totals.prepare_seconds) or '0:00'} to prepare, "
        f"{duration(totals.run_seconds) or '0:00'} to measure{unknown}"
    )
