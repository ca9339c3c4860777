"""`inferdeck submission preflight`: check a selection against the submission rules before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from engine.cli import output
from engine.cli.arguments import Words
from engine.cli.prepare import prepare_words
from engine.cli.screen import Screen
from engine.submission.preflight import Expected
from engine.survey.plan_preflight import expected
from engine.survey.prepare import Prepared
from engine.text import duration, size

_STYLES = {"error": "bad", "warning": "todo", "note": "dim"}


def preflight_command(asked: Words) -> int:
    """Print what can be predicted; exit status 0 if nothing will be rejected, 1 if something will."""
    prepared = prepare_words(asked)
    found = expected(prepared)
    status = 1 if any(one.severity == "error" for one in found) else 0
    if "json" in asked.flags:
        output.write_json(as_json(found))
        return status
    _show(Screen(), prepared, found)
    return status


def as_json(found: Sequence[Expected]) -> list[dict[str, str]]:
    """Return the predicted findings as JSON values."""
    return [asdict(one) for one in found]


def show_expected(screen: Screen, found: Sequence[Expected]) -> None:
    """Print the predicted findings and one line that sums them up."""
    for one in found:
        screen.cells([(f"{one.severity:8}", _STYLES[one.severity]), (one.what, ""), (f"  {one.remedy}", "dim")])
    errors = sum(one.severity == "error" for one in found)
    if errors:
        reasons = "one reason" if errors == 1 else f"{errors} reasons"
        screen.line(f"this selection would be rejected for {reasons}", "bad")
    elif any(one.severity == "warning" for one in found):
        screen.line("this selection would be accepted, with warnings", "todo")
    else:
        screen.line("no problem can be predicted for this selection", "good")


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
