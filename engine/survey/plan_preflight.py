"""Check a prepared plan against submission rules before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import InferdeckError, UsageError
from engine.facts import CommonFacts, DataFacts
from engine.plan.plan import Node, Plan
from engine.profile import systems
from engine.profile.rounds import Round
from engine.steps.models.calibration import RULES_LISTS
from engine.submission import describe
from engine.submission.generate import OVERRIDES
from engine.submission.identity import identity_warnings
from engine.submission.preflight import Expected, Intended, preflight, worst_first
from engine.survey.feasibility import feasibility, is_valid_style
from engine.survey.loadgen_version import unapproved
from engine.survey.prepare import Prepared
from engine.survey.survey import Seen


def is_benchmark(prepared: Prepared) -> bool:
    """Return whether the plan runs a benchmark of a round, so that its results could be submitted."""
    return "benchmark" in prepared.plan.nodes[prepared.plan.root].options


def by_the_rules(prepared: Prepared) -> list[Expected]:
    """Return the rules' objections to submitting what this plan makes. Raises UsageError if it is not a benchmark."""
    rules = prepared.workplace.round(prepared.round)
    loadgen = unapproved(prepared.plan, prepared.seen, rules)
    return [*preflight(_intended(prepared, rules), rules), *([loadgen] if loadgen else [])]


def expected(prepared: Prepared) -> list[Expected]:
    """Return all objections, and why the plan can't run at all. Raises UsageError if it is not a benchmark."""
    problems = [
        Expected("error", f"{node}: {seen.text}", seen.remedy or "see inferdeck plan", "machine", f"node {node}")
        for node, seen in prepared.seen.problems()
    ]
    return worst_first([*by_the_rules(prepared), *problems, *_late(prepared), *_disturbed(prepared)])


def _late(prepared: Prepared) -> list[Expected]:
    """Return a warning for each run whose latency constraint can hardly be met, with the smaller choices."""
    found = feasibility(prepared) if is_valid_style(prepared) else None
    if found is None:
        return []
    remedy = "; ".join(found.advice) or "take a quicker model, or a machine with more cores"
    late = [f"{run.scenario}: {run.beyond}" for run in found.late]
    return [Expected("warning", what, remedy, choice="option scenarios") for what in late]


def _disturbed(prepared: Prepared) -> list[Expected]:
    """Return a warning for each stored measurement, such as the workers, that the plan uses and that was disturbed."""
    found = []
    for node, seen in prepared.seen.seen.items():
        if seen.artifact is not None and (why := seen.artifact.read(CommonFacts).disturbed):
            remedy = "--again measures it again, on a quiet machine"
            found.append(Expected("warning", f"{prepared.plan.nodes[node].title}: {why}", remedy, "machine"))
    return found


def _intended(prepared: Prepared, rules: Round) -> Intended:
    if not is_benchmark(prepared):
        raise UsageError(f"{prepared.plan.root} is not a benchmark", "give the tags of one: app,mlperf,inference,...")
    options = prepared.plan.nodes[prepared.plan.root].values()
    submitter = options["submitter"] or ""
    description = _description(prepared, options["sut"], rules)
    configured = systems.configuration(
        prepared.workplace.catalog.folders, options["sut"], options["benchmark"], options["backend"]
    )
    return Intended(
        benchmark=options["benchmark"],
        style=options["style"],
        scenarios=options["scenarios"],
        modes=options["modes"],
        compliance=options["compliance"],
        description=description,
        samples=_samples(prepared),
        stand_in=any(node.component.startswith("standin-") for node in prepared.plan.nodes.values()),
        notice=prepared.notice,
        own_calibration=_own_calibration(prepared.plan),
        targets=options["scenarios"] if options["targets"] == "searched" else configured.figures,
        disk_needed=prepared.seen.totals.disk_bytes,
        disk_free=prepared.seen.totals.disk_free,
        min_duration_ms=options["min_duration_ms"],
        identity_warnings=identity_warnings(options["sut"], description, prepared.workplace.catalog.folders, submitter),
    )


def _own_calibration(plan: Plan) -> str:
    """Return the component of calibration samples that is not one of the rules' lists; empty where there is none."""
    chosen = [
        plan.nodes[edge.node] for node in plan.nodes.values() for edge in node.needs if edge.name == "calibration"
    ]
    used = [node for one in chosen for node in _pictures(plan, one)]
    return next((one.component for one in used if one.values().get("md5") not in RULES_LISTS), "")


def _pictures(plan: Plan, calibration: Node) -> list[Node]:
    """Return the source of a calibration's images; the component itself where it has no choice of sources."""
    return [plan.nodes[edge.node] for edge in calibration.needs if edge.name == "pictures"] or [calibration]


def _samples(prepared: Prepared) -> int | None:
    """Return the number of samples, existing or planned: of the sample set if that is known, else of the data set."""
    for name in ("preprocessed", "dataset"):
        for edge in prepared.plan.nodes[prepared.plan.root].needs:
            if edge.name == name and (count := _count(prepared.seen.seen[edge.node])) is not None:
                return count
    return None


def _count(seen: Seen) -> int | None:
    return seen.artifact.read(DataFacts).count if seen.artifact else seen.expected_facts.get("count")


def _description(prepared: Prepared, sut: str, rules: Round) -> Mapping[str, Any]:
    place = prepared.workplace
    options = prepared.plan.nodes[prepared.plan.root].values() if prepared.makes_submission else {}
    given = {name: options[name] for name in OVERRIDES if options.get(name)}
    try:
        found = describe.description_of(place.catalog.folders, sut, rules, place.folders.store.parent, deep=False)
    except InferdeckError:
        return {}
    return {**found, **given}
