"""What the checker found, for a person: a tree of places with what is wrong at each, and the sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.cli.screen import Cell, Screen

if TYPE_CHECKING:
    from engine.profile.rounds import Severity
    from engine.submission.checker.findings import Finding, Report

STYLES = {"pass": "good", "fail": "bad", "error": "bad", "warning": "todo", "note": "dim"}


def draw(screen: Screen, report: Report) -> None:
    """Print the findings as a tree by place, then the sums and the verdict."""
    if report.findings:
        for cells in _tree(report.findings):
            screen.cells(cells)
        screen.line()
    passed = sum(result.verdict == "pass" for result in report.results)
    severities: tuple[Severity, ...] = ("error", "warning", "note")
    counts = ", ".join(_counted(report.count(severity), severity) for severity in severities)
    screen.line(f"{len(report.results)} results: {passed} pass, {len(report.results) - passed} fail · {counts}")
    said = "would pass" if report.verdict == "pass" else "would be refused"
    screen.line(f"{report.verdict}: by the rules of round {report.round} this tree {said}", STYLES[report.verdict])


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass
class _Branch:
    """A folder in the tree of places, or a file."""

    inside: dict[str, _Branch] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def _tree(findings: Sequence[Finding]) -> Iterator[list[Cell]]:
    """Yield the lines of a tree of places, with what was found at each."""
    root = _Branch()
    for finding in findings:
        branch = root
        for name in finding.path.split("/"):
            branch = branch.inside.setdefault(name, _Branch())
        branch.findings.append(finding)
    yield from _lines(root, "")


def _lines(branch: _Branch, indent: str) -> Iterator[list[Cell]]:
    for first, inside in branch.inside.items():
        path, below = _joined(first, inside)
        yield [(f"{indent}{path}", "bold" if below.findings else "dim")]
        for finding in below.findings:
            expected = f" (expected: {finding.expected})" if finding.expected else ""
            said = f" {finding.rule}: {finding.found}{expected}"
            yield [(f"{indent}  {finding.severity}", STYLES[finding.severity]), (said, "")]
            yield [(f"{indent}    {finding.remedy}", "dim")]
        yield from _lines(below, f"{indent}  ")


def _joined(path: str, branch: _Branch) -> tuple[str, _Branch]:
    """Return a folder together with those below it that hold one entry each: they share a line."""
    while len(branch.inside) == 1 and not branch.findings:
        ((name, branch),) = branch.inside.items()
        path = f"{path}/{name}"
    return path, branch
