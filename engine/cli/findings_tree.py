"""Print the checker's findings as a tree by place, with counts and the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.cli.screen import Cell, Screen

if TYPE_CHECKING:
    from engine.submission.checker.findings import Finding, Report
    from engine.submission.grouping import Branch

STYLES = {"pass": "good", "fail": "bad", "error": "bad", "warning": "todo", "note": "dim"}


def draw_findings(screen: Screen, report: Report) -> None:
    """Print the findings as a tree by place, then the sums and the verdict."""
    from engine.submission.grouping import by_place, counts  # noqa: PLC0415  (help and wrong words need none of it)

    if report.findings:
        for cells in _lines(by_place(report.findings, lambda finding: finding.path), ""):
            screen.cells(cells)
        screen.line()
    passed = sum(result.verdict == "pass" for result in report.results)
    screen.line(f"{len(report.results)} results: {passed} pass, {len(report.results) - passed} fail · {counts(report)}")
    text = "would pass" if report.verdict == "pass" else "would be rejected"
    screen.line(f"{report.verdict}: under the rules of round {report.round} this tree {text}", STYLES[report.verdict])


def _lines(branch: Branch[Finding], indent: str) -> Iterator[list[Cell]]:
    if branch.path:
        yield [(f"{indent}{branch.path}", "bold" if branch.found else "dim")]
        for finding in branch.found:
            expected = f" (expected: {finding.expected})" if finding.expected else ""
            text = f" {finding.rule}: {finding.found}{expected}"
            yield [(f"{indent}  {finding.severity}", STYLES[finding.severity]), (text, "")]
            yield [(f"{indent}    {finding.remedy}", "dim")]
        indent += "  "
    for inside in branch.inside.values():
        yield from _lines(inside, indent)
