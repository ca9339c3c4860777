"""Remedies for checker findings, and explanations of findings that are expected.

A practice breaks some rules by design; without an explanation users would look for a mistake of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.guide.presets import SHORT
from engine.mlperf import SCENARIOS
from engine.profile.rounds import Round
from engine.submission.checker.findings import Finding
from engine.submission.checker.rules import RULES
from engine.submission.grouping import ResultKey, origins_by_result, result_of
from engine.submission.preflight import Expected
from engine.submission.provenance import Provenance

EDIT, RUN, TRUNCATE, CHOOSE = "e", "r", "t", "Enter"
"""Keys of the remedies: edit a field of the description, run a scenario again, truncate logs, change the choices of
step 1."""

EMPTY = "system.field_empty"
_RUN_CONCERNS = ("performance", "accuracy", "compliance")
_LOGS = ("accuracy.log_size", "accuracy.hash_missing", "compliance.log_size", "compliance.hash_missing")
_FIELDS = {
    "system.status": "status",
    "system.type": "system_type",
    "system.submitter": "submitter",
    "system.division": "division",
    "system.network": "is_network",
    "model.category": "system_type",
}


@dataclass(frozen=True)
class Fix:
    """A key, and what it does."""

    key: str
    label: str
    field: str = ""
    scenario: str = ""


@dataclass(frozen=True)
class AnnotatedFinding:
    """A finding with its explanation and remedy."""

    finding: Finding
    meaning: str
    """Summary of the rule."""
    explained: str = ""
    """Why the finding is expected; empty where it should be fixed."""
    fix: Fix | None = None


def annotated_findings(
    tree: Path, findings: Iterable[Finding], rules: Round, *, own: bool, by_design: Iterable[str] = ()
) -> list[AnnotatedFinding]:
    """Return the findings of a tree with their explanations and remedies.

    `own`: the tree belongs to the guide, so descriptions and runs can be fixed from here. `by_design` are the rules
    that the chosen kind of submission breaks by design.
    """
    origins = origins_by_result(tree)
    expected = frozenset(by_design)
    return [_annotated(finding, origins, rules, own=own, by_design=finding.rule in expected) for finding in findings]


def fix_expected(one: Expected) -> Fix | None:
    """Return the remedy for a preflight finding."""
    if one.severity == "note":
        return None
    if one.about == "disk":
        return None
    return Fix(EDIT, "edit the description") if one.about == "description" else Fix(CHOOSE, "choose again in step 1")


def _annotated(
    finding: Finding, origins: Mapping[ResultKey, Provenance], rules: Round, *, own: bool, by_design: bool
) -> AnnotatedFinding:
    origin = origins.get(result_of(finding.path))
    explained = _explained(finding, origin, rules, by_design=by_design)
    fix = None if explained and finding.rule != EMPTY else _fix(finding, own=own)
    return AnnotatedFinding(finding, RULES[finding.rule].meaning, explained, fix)


def _explained(finding: Finding, origin: Provenance | None, rules: Round, *, by_design: bool) -> str:
    if finding.rule == EMPTY:
        return "accepted with a warning. Fill in what you can; N/A where a field does not apply"
    if origin is None:
        return ""
    benchmark = rules.benchmarks.get(origin.benchmark)
    few = benchmark is not None and origin.samples < benchmark.sample_count
    accepted = finding.severity != "error"
    reasons = (
        (
            finding.rule in SHORT and origin.style != "valid" and (accepted or by_design),
            f"expected: runs of the style {origin.style} are short; the style valid keeps this rule",
        ),
        (
            finding.rule == "performance.sample_count" and by_design,
            f"expected: this practice has {origin.samples} samples; the real data set has enough",
        ),
        (
            finding.rule in ("accuracy.data_set", "accuracy.samples") and few,
            f"expected with {origin.samples} samples{'; the open division allows it' if accepted else ''}",
        ),
        (
            finding.rule == "accuracy.target" and accepted,
            "allowed: the open division has no accuracy target",
        ),
        (
            finding.rule == "performance.warning",
            "a warning of LoadGen without consequences; see the detail log",
        ),
    )
    return next((text for holds, text in reasons if holds), "")


def _fix(finding: Finding, *, own: bool) -> Fix | None:
    rule = finding.rule
    if rule in _LOGS:
        return Fix(TRUNCATE, "truncate the accuracy logs")
    if not own:
        return None
    if rule.startswith("system.") or rule in _FIELDS:
        name = _FIELDS.get(rule) or finding.found.removeprefix("no ").split(",")[0].split(" ")[0]
        return Fix(EDIT, f"edit {name}", field=name)
    scenario = next((part for part in finding.path.split("/") if part in SCENARIOS), "")
    if scenario and rule.split(".")[0] in _RUN_CONCERNS:
        return Fix(RUN, f"run {scenario} again", scenario=scenario)
    return None
