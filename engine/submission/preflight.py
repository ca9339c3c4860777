"""Predict what the checker will reject, before anything runs.

Pure: the plan's choices and the survey's sizes are passed in as plain values, so that the plan stays instant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from engine.mlperf import Scenario
from engine.profile.rounds import Round
from engine.profile.run_rules import resolve_rules
from engine.profile.tree_rules import Severity
from engine.submission.form import folder_name
from engine.submission.identity import IdentityWarning


@dataclass(frozen=True)
class Intended:
    """What a plan is going to run."""

    benchmark: str
    style: str
    scenarios: Sequence[Scenario]
    modes: Sequence[str]
    compliance: Sequence[str]
    description: Mapping[str, Any]
    samples: int | None
    """Size of the data set; None where it is unknown until the data is fetched."""
    stand_in: bool
    notice: str
    own_calibration: str
    """Component of calibration samples that are not the rules'; empty where there is none."""
    targets: Collection[str]
    """Scenarios whose target is configured for this system or searched by the plan; for others it is measured."""
    disk_needed: int
    disk_free: int
    min_duration_ms: int | None = None
    """Overrides the duration of the rules and the style."""
    identity_warnings: Sequence[IdentityWarning] = ()
    """Mismatches between the description and this machine or this user."""


About = Literal["description", "runs", "data", "style", "model", "disk", "machine"]
"""Where it is fixed: which part of the plan, the description or the machine has to change."""


@dataclass(frozen=True)
class Expected:
    """A predicted finding."""

    severity: Severity
    what: str
    remedy: str
    about: About = "runs"
    choice: str = ""
    """The choice of the Plan screen that changes it (engine.plan.choices), or `node` and the node; empty for none."""


_CHOICES: Mapping[About, str] = {
    "description": "option sut",
    "data": "dataset group source",
    "style": "group style",
    "model": "group model",
}
"""The choice that findings about something are about, where they name no other."""

_SEVERITIES: Sequence[Severity] = ("error", "warning", "note")


def worst_first(found: Iterable[Expected]) -> list[Expected]:
    """Return predicted findings, the worst first."""
    return sorted(found, key=lambda one: _SEVERITIES.index(one.severity))


def preflight(plan: Intended, rules: Round) -> list[Expected]:
    """Return what will be rejected (error), what is accepted but risky (warning), and what to know (note)."""
    found = [
        *_of("description", _description(plan, rules)),
        *_runs(plan, rules),
        *_of("data", _data(plan, rules)),
    ]
    if plan.style != "valid":
        found.append(_error(f"runs of the style {plan.style} can't be submitted", "take _valid", "style"))
    if plan.stand_in:
        found.append(
            _error(
                "synthetic weights show speed only and can't be submitted",
                "measure the real model",
                "model",
                "group model",
            )
        )
    elif plan.notice:
        found.append(
            _error(
                "a demonstration can't be submitted", "measure the real model on the real data", "model", "group model"
            )
        )
    division = plan.description.get("division", "open")
    if plan.own_calibration and division != "open":
        what = f"{plan.own_calibration} are not calibration samples of the rules, and {division} allows no others"
        found.append(_error(what, "--adr.calibration.tags=_option-1, or division open", "model"))
    if plan.disk_needed > plan.disk_free:
        what = f"{plan.disk_needed:,} bytes are needed, {plan.disk_free:,} are free"
        found.append(_error(what, "free some space", "disk"))
    identity_warnings = [
        Expected("warning", f"{one.what}; zip refuses that", one.remedy, "description")
        for one in plan.identity_warnings
    ]
    found += identity_warnings
    return worst_first(replace(one, choice=one.choice or _CHOICES.get(one.about, "")) for one in found)


def _of(about: About, found: Iterable[Expected]) -> Iterator[Expected]:
    return (replace(one, about=about) for one in found)


def _description(plan: Intended, rules: Round) -> list[Expected]:
    fields, found = plan.description, []
    if not fields:
        return [_error("the system has no description", "inferdeck system new NAME writes one")]
    missing = [name for name in rules.system.required if name not in fields]
    if missing:
        found.append(_error(f"the description is missing {', '.join(missing)}", "add these fields; they may be empty"))
    for name, allowed in (
        ("division", tuple(rules.divisions)),
        ("status", rules.system.status),
        ("system_type", tuple(rules.system.types)),
    ):
        if name in fields and fields[name] not in allowed:
            found.append(_error(f"{name} is '{fields[name]}'", f"one of {', '.join(allowed)}"))
    if not fields.get("submitter"):
        found.append(_error("the description has no submitter", "fill in its field 'submitter'"))
        return found
    verdict, said, remedy = folder_name(str(fields["submitter"]))
    if verdict != "ok":
        found.append(Expected("error" if verdict == "problem" else "warning", f"the submitter: {said}", remedy))
    return found


def _runs(plan: Intended, rules: Round) -> list[Expected]:
    division = rules.divisions.get(plan.description.get("division", ""))
    required: Sequence[str] = ()
    if plan.description.get("system_type") in rules.system.types:
        required = rules.required(plan.benchmark, str(plan.description["system_type"]))
        if not required:
            return [
                _error(f"{plan.benchmark} is not in this system's category", "change system_type, or the benchmark")
            ]
    found = []
    lacking: Sequence[str] = ()
    if required:
        categories = rules.categories(str(plan.description["system_type"]))
        lacking = rules.benchmark(plan.benchmark).lacking(categories, plan.scenarios)
    if division is not None and division.all_scenarios and lacking:
        found.append(_error(f"{', '.join(lacking)} must be run as well", "_all-scenarios", choice="option scenarios"))
    if division is not None and division.compliance:
        tests = [test for test in rules.benchmark(plan.benchmark).compliance if test not in plan.compliance]
        if tests:
            found.append(
                _error(
                    f"the compliance tests {', '.join(tests)} must be run as well",
                    "_compliance",
                    choice="option compliance",
                )
            )
    for mode in ("performance", "accuracy"):
        if mode not in plan.modes:
            found.append(_error(f"a result needs {mode} runs", "_all-modes", choice="option modes"))
    for scenario in plan.scenarios:
        least = resolve_rules(rules, plan.benchmark, scenario).min_duration_ms
        if plan.style == "valid" and plan.min_duration_ms is not None and plan.min_duration_ms < least:
            found.append(
                Expected(
                    "warning",
                    f"{scenario} may end after {plan.min_duration_ms} of {least} ms",
                    "leave it out: --min_duration_ms",
                    choice="option min_duration_ms",
                )
            )
    found += [
        Expected(
            "note",
            f"{scenario} has no configured target: it is measured at the start",
            "_find-performance searches it",
            choice="switch find-performance",
        )
        for scenario in plan.scenarios
        if scenario not in plan.targets
    ]
    return found


def _data(plan: Intended, rules: Round) -> list[Expected]:
    benchmark = rules.benchmark(plan.benchmark)
    if plan.samples is None:
        return []
    found = []
    if plan.samples < benchmark.performance_sample_count:
        found.append(
            _error(
                f"the data set has {plan.samples} samples, a run draws from {benchmark.performance_sample_count}",
                "use the full data set",
            )
        )
    if plan.samples < benchmark.sample_count:
        what = f"accuracy on {plan.samples} of {benchmark.sample_count} samples"
        found.append(Expected("warning", what, "use the full data set, unless this is the open division"))
    return found


def _error(what: str, remedy: str, about: About = "runs", choice: str = "") -> Expected:
    return Expected("error", what, remedy, about, choice)
