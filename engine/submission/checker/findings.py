"""Findings, results and the checker's report, as frozen records."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.errors import ProfileError
from engine.profile.rounds import Round
from engine.profile.tree_rules import Division, Severity
from engine.submission.checker.rules import RULES

Verdict = Literal["pass", "fail"]


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One finding of the checker."""

    rule: str
    """A key of `rules.RULES`."""
    severity: Severity
    path: str
    """Path of the file or folder, from the tree's root, with forward slashes."""
    found: str
    expected: str
    advice: str = ""
    """Remedy for just this; empty where the rule's remedy suffices."""

    @property
    def remedy(self) -> str:
        """The remedy."""
        return self.advice or RULES[self.rule].remedy


class CheckedSystem(msgspec.Struct, frozen=True):
    """A system in the summary: its description as found, empty where it can't be read."""

    path: str
    """Path of its results."""
    fields: dict[str, str]


class Result(msgspec.Struct, frozen=True, gc=False):
    """One scenario folder."""

    path: str
    """division/submitter/results/system/model/scenario"""
    verdict: Verdict
    metric: float | None
    """None where the result is rejected, and so has no value."""
    units: str
    accuracy: str | None
    """The accuracy as in accuracy.txt."""
    inferred: bool
    has_power: bool
    power_metric: float | None
    """Power for Offline and Server, energy per query for SingleStream and MultiStream."""
    power_units: str
    scenario: str
    checker_class: str
    issues: int
    """Count that the official summary reports as errors: problems with this model's measurements, up to this
    scenario."""


class UnitOutcome(msgspec.Struct, frozen=True):
    """Result of one unit of work."""

    results: list[Result]
    findings: list[Finding]
    system: CheckedSystem | None = None


class Report(msgspec.Struct, frozen=True):
    """The checker's report on a tree."""

    verdict: Verdict
    """fail if any finding is an error."""
    results: list[Result]
    findings: list[Finding]
    """Sorted by place."""
    systems: dict[str, CheckedSystem]
    """By the path of their results."""
    round: str

    def count(self, severity: Severity) -> int:
        """Return how many findings have this severity."""
        return sum(finding.severity == severity for finding in self.findings)


class Severities:
    """Severity of each rule's violation, in the round and in a division."""

    def __init__(self, rules: Round, *, strict: bool = False) -> None:
        base = rules.severity
        if set(base) != set(RULES):
            wrong = sorted(set(base) ^ set(RULES))
            raise ProfileError(
                f"the severities of round {rules.name} do not fit the checker's rules: {', '.join(wrong)}",
                "name every rule of the checker once under 'severity'",
            )
        self.strict = strict
        # Folders above those of submitters are not looked at for what refuses a submitter.
        above: dict[str, Severity] = dict.fromkeys(rules.judging.refuses_submitter, "warning")
        self._above = {rule: self.effective(severity) for rule, severity in (base | above).items()}
        self._usual = {rule: self.effective(severity) for rule, severity in base.items()}
        self._in: dict[Division | None, dict[str, Severity]] = {
            division: {rule: self.effective(severity) for rule, severity in (base | own).items()}
            for division, own in rules.severity_in.items()
        }

    def of(self, rule: str, division: Division | None) -> Severity:
        """Return the severity of violating a rule; None stands for places outside the divisions."""
        return (self._above if division is None else self._in.get(division, self._usual))[rule]

    def effective(self, severity: Severity) -> Severity:
        """Return the severity that counts: in strict mode warnings are errors."""
        return "error" if self.strict and severity == "warning" else severity


class FindingCollector:
    """Collects the findings of one unit of work."""

    def __init__(
        self, severities: Severities, division: Division | None = None, findings: list[Finding] | None = None
    ) -> None:
        self.findings: list[Finding] = [] if findings is None else findings
        self.errors = 0
        self.severities = severities
        self._division: Division | None = division

    def add(
        self,
        rule: str,
        path: str,
        found: str,
        expected: str = "",
        *,
        severity: Severity | None = None,
        remedy: str = "",
    ) -> None:
        """Add a finding; `severity` and `remedy` override those of the rule."""
        level = self.severities.of(rule, self._division) if severity is None else self.severities.effective(severity)
        self.errors += level == "error"
        texts = (printable(path), printable(found), printable(expected), printable(remedy))
        self.findings.append(Finding(rule, level, *texts))


def printable(text: str, limit: int = 400) -> str:
    """Return the text in a form that every terminal and JSON writer accepts: file names may be any bytes."""
    short = text if len(text) <= limit else text[:limit] + " ..."
    return short if short.isascii() else short.encode("utf-8", "replace").decode()
