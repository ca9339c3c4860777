"""What the checker says: findings, results and the report, as frozen records."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.errors import ProfileError
from engine.profile.rounds import Division, Round, Severity
from engine.submission.checker.rules import RULES

Verdict = Literal["pass", "fail"]


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One thing that the checker has to say."""

    rule: str
    """A key of `rules.RULES`."""
    severity: Severity
    path: str
    """Of the file or folder in question, from the tree's root, with forward slashes."""
    found: str
    expected: str
    advice: str = ""
    """How to mend just this; empty where the rule's remedy says it."""

    @property
    def remedy(self) -> str:
        """How to mend it."""
        return self.advice or RULES[self.rule].remedy


class System(msgspec.Struct, frozen=True):
    """What a summary says of a system: its description as found, empty where that cannot be read."""

    path: str
    """Of its results."""
    fields: dict[str, str]


class Result(msgspec.Struct, frozen=True, gc=False):
    """One scenario folder."""

    path: str
    """division/submitter/results/system/model/scenario"""
    verdict: Verdict
    metric: float | None
    """None where the result is refused: then it has no value."""
    units: str
    accuracy: str | None
    """As accuracy.txt has it."""
    inferred: bool
    has_power: bool
    power_metric: float | None
    """Watts for Offline and Server, joules per query for SingleStream and MultiStream."""
    scenario: str
    checker_class: str
    issues: int
    """What the official summary counts as errors: trouble with the measurements of this model, up to this scenario."""


class Outcome(msgspec.Struct, frozen=True):
    """What comes of one unit of work."""

    results: list[Result]
    findings: list[Finding]
    system: System | None = None


class Report(msgspec.Struct, frozen=True):
    """All that there is to say about a tree."""

    verdict: Verdict
    """fail if any finding is an error."""
    results: list[Result]
    findings: list[Finding]
    """By place."""
    systems: dict[str, System]
    """By the path of their results."""
    round: str

    def count(self, severity: Severity) -> int:
        """Return how many findings are of this severity."""
        return sum(finding.severity == severity for finding in self.findings)


class Severities:
    """How bad each rule's fault is, in the round and in a division."""

    def __init__(self, rules: Round, *, strict: bool = False) -> None:
        base = _by_rule(rules.severity)
        if set(base) != set(RULES):
            wrong = sorted(set(base) ^ set(RULES))
            raise ProfileError(
                f"the severities of round {rules.name} do not fit the checker's rules: {', '.join(wrong)}",
                "name every rule of the checker once under 'severity'",
            )
        in_open = base | _by_rule(rules.severity_in_open)
        self.strict = strict
        self._closed = {rule: self.effective(severity) for rule, severity in base.items()}
        self._open = {rule: self.effective(severity) for rule, severity in in_open.items()}

    def of(self, rule: str, division: Division | None) -> Severity:
        """Return the severity of a rule's fault; None stands for places outside the divisions."""
        return (self._open if division == "open" else self._closed)[rule]

    def effective(self, severity: Severity) -> Severity:
        """Return what a severity amounts to: strictness makes warnings errors."""
        return "error" if self.strict and severity == "warning" else severity


def _by_rule(severities: dict[Severity, tuple[str, ...]]) -> dict[str, Severity]:
    return {rule: severity for severity, rules in severities.items() for rule in rules}


class FindingCollector:
    """Collects the findings of one unit of work."""

    def __init__(self, severities: Severities, division: Division | None = None) -> None:
        self.findings: list[Finding] = []
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
        """Note a fault against a rule; `severity` and `remedy` where this place has its own."""
        level = self.severities.of(rule, self._division) if severity is None else self.severities.effective(severity)
        self.errors += level == "error"
        texts = (printable(path), printable(found), printable(expected), printable(remedy))
        self.findings.append(Finding(rule, level, *texts))


def printable(text: str, limit: int = 400) -> str:
    """Return the text so that every terminal and JSON writer can take it: file names may be any bytes."""
    short = text if len(text) <= limit else text[:limit] + " ..."
    return short if short.isascii() else short.encode("utf-8", "replace").decode()
