"""Feasibility of valid runs: the table that `plan` and `run` print."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from engine.cli.screen import Cell, Screen
from engine.steps.measuring.run_forecast import RunForecast
from engine.survey.feasibility import Feasibility, feasibility, is_valid_style
from engine.survey.prepare import Prepared
from engine.text import duration, size

TO_MEASURE = "this machine's speed is not measured yet, so these are minimum times: inferdeck plan --probe measures it"


def show_before_run(screen: Screen, prepared: Prepared) -> None:
    """Print the feasibility of a plan of valid runs; nothing for other plans."""
    if is_valid_style(prepared):
        found = feasibility(prepared)
        if found.runs:
            show(screen, found)


def show(screen: Screen, found: Feasibility) -> None:
    """Print what each run needs, and what smaller choice is possible."""
    rows: list[list[Cell]] = [[(heading, "dim") for heading in ("run", "time", "memory", "decided by")]]
    rows += [_row(run) for run in found.runs]
    screen.table(rows, right=(1, 2))
    for run in found.late:
        screen.line(f"{run.scenario}: {run.beyond}", "bad")
    if not found.is_measured:
        screen.line(TO_MEASURE, "todo")
    for one in found.advice:
        screen.line(f"smaller: {one}", "todo")


def as_json(found: Feasibility) -> dict[str, Any]:
    """Return the feasibility as JSON values."""
    return {
        "runs": [asdict(run) for run in found.runs],
        "seconds": found.seconds,
        "measured": found.is_measured,
        "advice": list(found.advice),
    }


def _row(run: RunForecast) -> list[Cell]:
    least = "" if run.is_measured or run.seconds is None else "≥ "
    basis = run.basis
    if run.constraint_ms is not None:
        verdict = "unlikely" if run.beyond else "possible" if run.is_measured else "not measured yet"
        basis += f"; latency within {run.constraint_ms:g} ms: {verdict}"
    return [
        (f"{run.scenario} {run.mode}", "bad" if run.beyond else ""),
        (least + duration(run.seconds) if run.seconds is not None else "?", ""),
        (size(run.memory_bytes) if run.memory_bytes else "", ""),
        (basis, ""),
    ]
