"""Feasibility of a plan's runs on the screen, and the probe that measures what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.text import clean, duration, fit, fit_right, size

if TYPE_CHECKING:
    from engine.survey.feasibility import Feasibility

UNMEASURED = "this machine's speed is not measured yet: these are minimum times"


def feasibility_text(found: Feasibility) -> Content:
    """Return what each run needs, what can't be met, and which smaller choices are possible."""
    parts: list[tuple[str, str]] = [(f"{'run':26}{'time':>9}{'memory':>10}  decided by\n", "$dim")]
    for run in found.runs:
        takes = "?" if run.seconds is None else ("" if run.is_measured else "≥ ") + duration(run.seconds)
        memory = size(run.memory_bytes) if run.memory_bytes else ""
        style = "bold $bad" if run.beyond else ""
        parts += [
            (fit(f"{run.scenario} {run.mode}", 26), style),
            (f"{fit_right(takes, 9)}{fit_right(memory, 10)}  ", style),
            (f"{clean(run.basis)}\n", "$dim"),
        ]
        if run.constraint_ms is not None and run.is_measured and not run.beyond:
            parts.append((f"{'':47}latency within {run.constraint_ms:g} ms: possible\n", "$good"))
        if run.beyond:
            parts.append((f"  {clean(run.beyond)}\n", "$bad"))
    if not found.is_measured:
        parts.append((f"\n{UNMEASURED}\n", "$todo"))
    parts += [(f"\nsmaller: {clean(one)}\n", "$todo") for one in found.advice]
    return Content.assemble(*parts)


def before_run(found: Feasibility) -> str:
    """Return the lines that the question before a run adds; empty where there is nothing to say."""
    lines = [f"{run.scenario}: {run.beyond}." for run in found.late]
    if not found.is_measured:
        lines.append(f"{UNMEASURED[0].upper()}{UNMEASURED[1:]}; p measures it in about 20 seconds.")
    return "".join(f"\n{line}" for line in (*lines, *(f"Smaller: {one}." for one in found.advice)))
