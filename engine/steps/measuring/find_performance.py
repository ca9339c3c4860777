"""Find the target of a scenario on this machine in bounded time, and save it in the SUT's run configuration.

target_search.py is the search; this is the step around it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import engine
from engine.facts import ModelFacts
from engine.profile import systems
from engine.profile.known_rounds import round_of
from engine.profile.run_rules import resolve_rules
from engine.step import Step, SurveyContext, SurveyResult
from engine.steps.machine import sut_configuration as sut
from engine.steps.measuring.target_search import (
    MORE_TIME,
    REPEATS,
    TRIALS,
    Search,
    SearchOptions,
    SearchResult,
    measured_event,
)
from engine.steps.measuring.trial import TrialResult
from engine.submission import provenance


class FindOptions(SearchOptions, frozen=True, kw_only=True):
    """A search, and where its result is written; the trials also read the options of a run."""

    round: str
    backend: str
    sut: str


def survey(context: SurveyContext) -> SurveyResult:
    """Estimate the maximum time, and check that the target can be saved. Raises as the look-up does."""
    options = context.read_options(FindOptions)
    path, _ = systems.find(context.profiles, options.sut, options.backend)
    systems.load_system(path)
    target = systems.file_to_write(path, context.own_profiles)
    if not _writable(target):
        return SurveyResult(
            "missing",
            text=f"the target can't be written to {target}",
            remedy="make the file and its folder writable, or take a system of your own: inferdeck system new NAME",
        )
    seconds = options.seconds
    if options.scenario != "Server":
        seconds *= REPEATS / TRIALS
    return SurveyResult("run", seconds=seconds, text=f"writes to {target}")


def run(step: Step) -> dict[str, Any]:
    """Step: find the target. Facts: `target` with its `unit`, the confidence, `trials`, and the `file` it went to.

    Options are those of a run, and `seconds` (the time for all trials) and `resolution`. Raises RunError where nothing
    is valid, or a trial fails by more than being invalid.
    """
    options = step.read_options(FindOptions)
    rules, scenario = round_of(step.profiles, options.round), options.scenario
    unit = resolve_rules(rules, options.benchmark, scenario).target.unit
    search = Search(step, rules, unit)
    outcome = search.highest_rate() if scenario == "Server" else search.measured()
    if outcome.repeats < 2:
        step.warn(f"the target {outcome.target:g} {unit} is not confirmed by a second trial", remedy=MORE_TIME)
    step.emit(measured_event(step, "target", outcome.target, unit, True if scenario == "Server" else None))
    disturbed = next(
        (trial.report.disturbed for trial in outcome.trials if trial.report and trial.report.disturbed), ""
    )
    record = _record(step, outcome, search.trial_seconds, disturbed)
    file = _write(step, record, unit)
    return {
        **({provenance.DISTURBED: disturbed} if disturbed else {}),
        "scenario": scenario,
        "target": outcome.target,
        "unit": unit,
        "repeats": outcome.repeats,
        "refused": outcome.refused,
        "spread": outcome.spread,
        "trials": [_plain(trial) for trial in outcome.trials],
        "file": file,
        "text": f"{outcome.target:g} {unit} ({record.confidence()})" + (f" → {file}" if file else ""),
    }


def _record(step: Step, outcome: SearchResult, trial_seconds: float, disturbed: str) -> systems.FoundTarget:
    report = next(trial.report for trial in reversed(outcome.trials) if trial.report is not None)
    return systems.FoundTarget(
        target=outcome.target,
        date=time.strftime("%Y-%m-%d"),
        trials=len(outcome.trials),
        repeats=outcome.repeats,
        invalid=sum(trial.valid is False and trial.target == outcome.target for trial in outcome.trials),
        refused=outcome.refused,
        spread=None if outcome.spread is None else round(outcome.spread, 4),
        trial_seconds=round(trial_seconds, 1),
        model=step.inputs["model"].read(ModelFacts).sha256,
        versions={
            "inferdeck": engine.VERSION,
            "loadgen": report.loadgen_version,
            step.read_options(FindOptions).backend: report.backend_version,
        },
        disturbed=disturbed,
    )


def _write(step: Step, record: systems.FoundTarget, unit: str) -> str:
    options = step.read_options(FindOptions)
    place = (options.benchmark, options.scenario)
    return sut.write(
        step,
        lambda text, backend: systems.with_target(text, (backend, *place), record),
        f"target {record.target:g} {unit}",
    )


def _plain(trial: TrialResult) -> Mapping[str, Any]:
    figures = {name: getattr(trial, name) for name in ("latency_ms", "mean_ms", "samples_per_second")}
    return {"target": trial.target, "valid": trial.valid, "seconds": round(trial.seconds, 2), **figures}


def _writable(path: Path) -> bool:
    """Return whether a file can be replaced, or created with its missing parent folders."""
    place = path.resolve().parent
    while not place.exists():
        place = place.parent
    if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
        return False
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
