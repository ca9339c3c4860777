"""Group the findings and results of a tree: by severity, by place, and by the result that a place belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar, get_args

from engine.profile.tree_rules import Severity
from engine.submission import pack
from engine.submission.checker.findings import Finding, Report
from engine.submission.provenance import Provenance

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Most severe first."""

ResultKey = tuple[str, ...]
"""Division, submitter, system, benchmark and scenario; shorter for a place above a result."""

T = TypeVar("T")


@dataclass
class Branch(Generic[T]):
    """A place in the tree: a folder, a chain of folders with a single child, or a file."""

    path: str
    inside: dict[str, Branch[T]] = field(default_factory=dict)
    """Children by the first name of their paths."""
    found: list[T] = field(default_factory=list)
    """Findings at this very place."""


def by_place(found: Iterable[T], path: Callable[[T], str]) -> Branch[T]:
    """Return findings as a tree by place; chains of folders with a single child share a branch.

    `path` returns the place of a finding, from the tree's root, with forward slashes.
    """
    root: Branch[T] = Branch("")
    for one in found:
        branch = root
        for name in path(one).split("/"):
            branch = branch.inside.setdefault(name, Branch(name))
        branch.found.append(one)
    return _joined(root)


def _joined(branch: Branch[T]) -> Branch[T]:
    while len(branch.inside) == 1 and not branch.found:
        (only,) = branch.inside.values()
        branch = Branch(f"{branch.path}/{only.path}".lstrip("/"), only.inside, only.found)
    return Branch(branch.path, {name: _joined(one) for name, one in branch.inside.items()}, branch.found)


def by_severity(found: Sequence[T], severity: Callable[[T], Severity]) -> Iterator[tuple[Severity, list[T]]]:
    """Yield each severity that occurs with its findings, most severe first."""
    for one in SEVERITIES:
        if its := [finding for finding in found if severity(finding) == one]:
            yield one, its


def counted(number: int, severity: Severity) -> str:
    """Return a count of findings with this severity as text: `1 error`, `2 warnings`."""
    return f"{number} {severity}{'' if number == 1 else 's'}"


def counts(report: Report) -> str:
    """Return the counts of a report's findings as text: `1 error, 0 warnings, 2 notes`."""
    return ", ".join(counted(report.count(severity), severity) for severity in SEVERITIES)


def result_of(path: str) -> ResultKey:
    """Return the result to which a place of a tree belongs, as far as the path reaches."""
    parts = path.split("/")
    if parts[2:3] == ["systems"]:
        parts[-1] = parts[-1].removesuffix(".json")
    return (*parts[:2], *parts[3:6])


def errors_by_result(findings: Iterable[Finding]) -> dict[ResultKey, set[str]]:
    """Return the rules that are broken at each result, or at a place above it."""
    found: dict[ResultKey, set[str]] = {}
    for finding in findings:
        if finding.severity == "error":
            found.setdefault(result_of(finding.path), set()).add(finding.rule)
    return found


def origins_by_result(tree: Path) -> Mapping[ResultKey, Provenance]:
    """Return the provenance of a tree's results that this program wrote."""
    return {result_of(place.relative_to(tree).as_posix()): found for place, found in pack.origins(tree)}
