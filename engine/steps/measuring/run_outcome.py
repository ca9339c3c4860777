"""Read the outcome of a run from its detail log, which the submission checker reads too."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from engine import events
from engine.errors import RunError
from engine.harness.spec import LoadGenSettings, RunSpec
from engine.mlperf import DETAIL_LOG, FACTS, NS_PER_MS
from engine.mlperf_logs import detail
from engine.mlperf_logs.metric import metric
from engine.profile.known_rounds import round_of
from engine.profile.run_rules import resolve_rules
from engine.step import Step
from engine.steps.measuring.run_options import LoadGenOptions
from engine.steps.measuring.run_spec import TOO_FEW
from engine.steps.measuring.target import NO_RATE_HELPS, late_though_idle
from engine.tuning.tuned import Tuned

OUT_OF_QUERIES = "Ran out of generated queries"
"""LoadGen's error where a target was so far off that the queries ran out before the minimum duration."""

CUT_SHORT = "Max test duration reached"
"""LoadGen's error where a run reached the time limit of its style: its figures are real, but it is not valid."""


def read_outcome(step: Step, spec: RunSpec) -> dict[str, Any]:
    """Return the facts of a finished run, and warn of what the user must know.

    Raises RunError where LoadGen reports an error.
    """
    log = detail.read(Path(spec.log_dir) / DETAIL_LOG)
    cut = cut_short(log)
    if cut:
        step.warn("the run was stopped at the time limit of its style, so it is not valid; _valid has no limit")
    if spec.settings.mode == "accuracy":
        return {"valid": None, "metric": None, "value": None, "unit": ""}
    rules = resolve_rules(
        round_of(step.profiles, step.options["round"]), step.options["benchmark"], spec.settings.scenario
    )
    found = metric(log, spec.settings.scenario, spec.settings.samples_per_query, rules.result_key)
    value = found.value or None  # 0 is LoadGen's way to say that there were too few queries for an estimate
    valid = log.value("result_validity") == "VALID" and not cut
    unit = "ms" if found.unit.startswith("Latency") else found.unit
    step.emit(
        events.Measured(
            at=time.time(),
            step=step.id,
            scenario=spec.settings.scenario,
            mode=step.read_options(LoadGenOptions).mode,
            metric=rules.result_name,
            value=value,
            unit=unit,
            valid=valid,
        )
    )
    late = "" if valid else _late_though_idle(spec.settings, step.inputs["workers"].read(Tuned), log)
    if late:
        step.warn(late, remedy=NO_RATE_HELPS)
    reported = {TOO_FEW, *({"performance.validity"} if cut else ()), *({"performance.latency"} if late else ())}
    _warn_of_findings(step, spec, reported)
    return {"valid": valid, "metric": rules.result_name, "value": value, "unit": unit}


def cut_short(log: detail.Detail) -> bool:
    """Return whether a run reached the limit of its style. Raises RunError for any other error that LoadGen reports."""
    faults = [str(message.value) for message in log.errors]
    for fault in faults:
        if OUT_OF_QUERIES in fault:
            raise _used_up(log)
        if CUT_SHORT not in fault:
            raise RunError(f"LoadGen reports an error: {fault}", f"see {DETAIL_LOG} in the step's output")
    return bool(faults)


def _used_up(log: detail.Detail) -> RunError:
    """Return the warning for a run that had too few queries: which figure was wrong, and what was measured."""
    scenario = str(log.value("effective_scenario", "SingleStream"))
    option = FACTS.get(scenario, FACTS["SingleStream"]).target
    latency = log.value("result_mean_query_latency_ns", log.value("result_mean_latency_ns"))
    measured = f"{latency / NS_PER_MS:.3g}" if isinstance(latency, int | float) and latency > 0 else ""
    return RunError(
        "LoadGen ran out of queries: it prepares as many as fit the expected latency"
        + (f", and a query took {measured} ms" if measured else ", and queries took less"),
        f"leave --{option} out, or give --{option}={measured or 'MS'}; or fix the system's file",
    )


def _late_though_idle(settings: LoadGenSettings, tuned: Tuned, log: detail.Detail) -> str:
    share = settings.target_latency_percentile
    if share is None:
        return ""
    median, late = (log.value(f"result_{100 * one:.2f}_percentile_latency_ns", 0) for one in (0.5, share))
    return late_though_idle(settings, tuned, median, late)


def _warn_of_findings(step: Step, spec: RunSpec, reported: Collection[str]) -> None:
    from engine.steps.measuring import run_findings as findings  # noqa: PLC0415  (the checker: a plan must be instant and needs none of it)
    from engine.submission.checker import single  # noqa: PLC0415

    options = step.read_options(LoadGenOptions)
    what = findings.about(step.options, round_of(step.profiles, options.round))
    found = single.performance_run(Path(spec.log_dir), what, options.compliance_test())
    findings.warn_of(step, found, style=options.style, reported=reported)
