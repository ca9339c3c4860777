"""What can be done about a finding, here and now, and why some findings are no fault at all.

A practice breaks rules on purpose. Who does not know that would look for a mistake of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.mlperf import SCENARIOS
from engine.profile.rounds import Round
from engine.submission.checker.findings import Finding
from engine.submission.checker.rules import RULES
from engine.submission.grouping import ResultKey, origins_by_result, result_of
from engine.submission.preflight import Expected
from engine.submission.provenance import Provenance

EDIT, RUN, TRUNCATE, CHOOSE = "e", "r", "t", "Enter"
"""The keys that mend: a field of the description, a scenario's runs, accuracy logs, and what was chosen in step 1."""

_SHORT = (
    "performance.min_duration",
    "performance.min_query_count",
    "performance.samples_per_query",
    "performance.early_stopping",
)
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
    """A finding with what is to be said of it here."""

    finding: Finding
    meaning: str
    """The rule in a sentence."""
    explained: str = ""
    """Why it is as it must be; empty where it should be mended."""
    fix: Fix | None = None


def annotated_findings(
    tree: Path, findings: Iterable[Finding], rules: Round, *, own: bool, by_design: Iterable[str] = ()
) -> list[AnnotatedFinding]:
    """Return the findings of a tree with what can be done about each.

    `own`: the tree belongs to the guide, so descriptions and runs can be mended from here. `by_design` are the rules
    that what was chosen must break.
    """
    origins = origins_by_result(tree)
    expected = frozenset(by_design)
    return [_annotated(finding, origins, rules, own=own, by_design=finding.rule in expected) for finding in findings]


def fix_expected(one: Expected) -> Fix | None:
    """Return what mends a thing that the preflight says."""
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
        return "accepted: it is only printed. Say what you can; N/A where a field does not apply"
    if origin is None:
        return ""
    benchmark = rules.benchmarks.get(origin.benchmark)
    few = benchmark is not None and origin.samples < benchmark.sample_count
    accepted = finding.severity != "error"
    reasons = (
        (
            finding.rule in _SHORT and origin.style != "valid" and accepted,
            f"as it must be: a run of the style {origin.style} is short; the style valid keeps this rule",
        ),
        (
            finding.rule == "performance.sample_count" and by_design,
            f"as it must be: this practice has {origin.samples} samples; the real data set has enough",
        ),
        (
            finding.rule in ("accuracy.data_set", "accuracy.samples") and few,
            f"as it must be with {origin.samples} samples; the open division allows that",
        ),
        (
            finding.rule == "accuracy.target" and accepted,
            "as it may be: the open division has no accuracy to reach",
        ),
        (
            finding.rule == "performance.warning",
            "LoadGen's own remark; it changes nothing. The detail log has its words",
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
