"""Report what the submission checker will say of a run as soon as it has ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from engine.mlperf import Scenario
from engine.profile.rounds import Round
from engine.profile.tree_rules import Division
from engine.step import Options, Step, read_options
from engine.submission.checker.findings import Finding
from engine.submission.checker.single import About
from engine.submission.styles import SHORT_RUN

IMPLIED = frozenset({"performance.early_stopping", "performance.metric", "performance.error_message"})
"""Rules that an invalid run breaks as a consequence; only the reason for INVALID is reported."""


class RunOptions(Options, frozen=True, kw_only=True):
    """Options that identify a run."""

    division: Division | None
    sut: str
    benchmark: str
    scenario: Scenario


def about(options: Mapping[str, Any], rules: Round) -> About:
    """Return what a step's run is of, from its `RunOptions`."""
    run = read_options(options, RunOptions)
    return About(rules, run.division or "open", run.sut, run.benchmark, run.scenario)


def warn_of(step: Step, found: Iterable[Finding], *, style: str = "valid", reported: Collection[str] = ()) -> None:
    """Warn of each relevant finding: no notes, no consequences of others, nothing in `said`.

    A non-submittable style breaks the rules about lengths by design; the job says that once, when it starts.
    """
    matters = [one for one in found if one.severity != "note"]
    quiet = {*reported, *(SHORT_RUN if style != "valid" else ())}
    if any(one.rule == "performance.validity" for one in matters):
        quiet |= IMPLIED
    for one in matters:
        if one.rule not in quiet:
            expected = f" (expected: {one.expected})" if one.expected else ""
            step.warn(f"{one.severity} {one.rule}: {one.found}{expected}", rule=one.rule, remedy=one.remedy)
