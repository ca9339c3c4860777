"""Say at once what the rules' checker will say of a run that has just ended, rather than when all is over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from engine.mlperf import Scenario
from engine.profile.rounds import Division, Round
from engine.step import Options, Step, read_options
from engine.submission.checker.findings import Finding
from engine.submission.checker.single import About
from engine.submission.styles import SHORT_RUN

IMPLIED = frozenset({"performance.early_stopping", "performance.metric", "performance.error_message"})
"""What a run that is not valid breaks besides; the reason why it is not valid says it already."""


class RunOptions(Options, frozen=True, kw_only=True):
    """What a run is of."""

    division: Division | None
    sut: str
    benchmark: str
    scenario: Scenario


def about(options: Mapping[str, Any], rules: Round) -> About:
    """Return what a step's run is of. Options: those of `RunOptions`."""
    run = read_options(options, RunOptions)
    return About(rules, run.division or "open", run.sut, run.benchmark, run.scenario)


def say(step: Step, found: Iterable[Finding], *, style: str = "valid", said: Collection[str] = ()) -> None:
    """Warn of each finding that matters: no notes, nothing that follows from another, nothing that was `said` before.

    A try-out style breaks the rules about lengths by design; the job says that once, when it begins.
    """
    matters = [one for one in found if one.severity != "note"]
    quiet = {*said, *(SHORT_RUN if style != "valid" else ())}
    if any(one.rule == "performance.validity" for one in matters):
        quiet |= IMPLIED
    for one in matters:
        if one.rule not in quiet:
            expected = f" (expected: {one.expected})" if one.expected else ""
            step.warn(f"{one.severity} {one.rule}: {one.found}{expected}", rule=one.rule, remedy=one.remedy)
