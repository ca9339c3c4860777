"""`inferdeck submission preflight`: why a submission by these words would be refused, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from engine.cli import output
from engine.cli.arguments import Words
from engine.cli.prepare import prepare
from engine.cli.screen import Screen
from engine.submission.preflight import Expected
from engine.survey.plan_preflight import expected
from engine.survey.prepare import Prepared
from engine.text import duration, size

_STYLES = {"error": "bad", "warning": "todo", "note": "dim"}


def preflight_command(asked: Words) -> int:
    """Say what can be known; exit status 0 if nothing will be refused, 1 if something will."""
    prepared = prepare(asked)
    found = expected(prepared)
    status = 1 if any(one.severity == "error" for one in found) else 0
    if "json" in asked.flags:
        output.write_json(as_json(found))
        return status
    _show(Screen(), prepared, found)
    return status


def as_json(found: Sequence[Expected]) -> list[dict[str, str]]:
    """Return what is expected as JSON values."""
    return [asdict(one) for one in found]


def show_expected(screen: Screen, found: Sequence[Expected]) -> None:
    """Show what is expected, and the sum of it in one line."""
    for one in found:
        screen.cells([(f"{one.severity:8}", _STYLES[one.severity]), (one.what, ""), (f"  {one.remedy}", "dim")])
    errors = sum(one.severity == "error" for one in found)
    if errors:
        reasons = "one reason" if errors == 1 else f"{errors} reasons"
        screen.line(f"a submission made by these words would be refused for {reasons}", "bad")
    elif any(one.severity == "warning" for one in found):
        screen.line("the checker would accept a submission made by these words; read the warnings", "todo")
    else:
        screen.line("nothing that can be known now stands against a submission made by these words", "good")


def _show(screen: Screen, prepared: Prepared, found: Sequence[Expected]) -> None:
    totals = prepared.seen.totals
    for node, seen in prepared.seen.seen.items():
        component = prepared.workplace.catalog.components[prepared.plan.nodes[node].component]
        if component.exclusive and seen.seconds:
            screen.line(f"  {duration(seen.seconds):>8}  {node}", "dim")
    unknown = f", and {totals.unknown_times} steps of unknown length" if totals.unknown_times else ""
    seconds = duration(totals.prepare_seconds + totals.run_seconds)
    screen.line(f"at least {seconds}{unknown}; {size(totals.fetch_bytes)} to fetch")
    show_expected(screen, found)
