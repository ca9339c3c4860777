"""A checker's findings as a tree: by severity, then by place; each with the key that fixes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.guide.fixes import AnnotatedFinding
from engine.profile.tree_rules import Severity
from engine.submission.grouping import Branch, by_place, by_severity, counted
from engine.text import clean, cut

STYLES = {"error": "bold $bad", "warning": "$todo", "note": "$dim"}
MOST = 500
"""The most findings of one severity that are shown; the summary has the total."""


DEEPEST = 5
"""Levels of indent; deeper ones are not indented further."""


@dataclass(frozen=True)
class FindingRow:
    """A line of the tree, or a few that belong together."""

    key: str
    depth: int
    title: str
    annotated: AnnotatedFinding | None = None
    severity: Severity | None = None
    folded: bool = False


def rows(annotated_findings: Sequence[AnnotatedFinding], folded: frozenset[str]) -> Iterator[FindingRow]:
    """Yield what is to be seen, the worst first."""
    for severity, found in by_severity(annotated_findings, lambda one: one.finding.severity):
        closed = severity in folded
        yield FindingRow(severity, 0, counted(len(found), severity), severity=severity, folded=closed)
        if not closed:
            yield from _below(by_place(found[:MOST], lambda one: one.finding.path), severity, 1, folded)
        if len(found) > MOST and not closed:
            yield FindingRow(
                f"{severity} more", 1, f"and {len(found) - MOST} more: inferdeck submission check --json lists all"
            )


def _below(branch: Branch[AnnotatedFinding], key: str, depth: int, folded: frozenset[str]) -> Iterator[FindingRow]:
    if branch.path:
        key = f"{key}/{branch.path}"
        yield FindingRow(key, depth, branch.path, folded=key in folded)
        if key in folded:
            return
        depth += 1
    for number, annotated in enumerate(branch.found):
        yield FindingRow(f"{key}#{number}", depth, "", annotated)
    for inside in branch.inside.values():
        yield from _below(inside, key, depth, folded)


def drawn(row: FindingRow, width: int) -> Content:
    """Return a row in `width` cells."""
    indent = "  " * min(row.depth, DEEPEST)
    if row.annotated is None:
        mark = "▸ " if row.folded else ""
        style = STYLES[row.severity] if row.severity else "$dim"
        return Content.styled(f"{indent}{mark}{cut(clean(row.title), width - len(indent) - 2)}", style)
    finding, room = row.annotated.finding, width - len(indent)
    expected = f" (expected: {finding.expected})" if finding.expected else ""
    said = cut(clean(f"{finding.found}{expected}"), max(room - len(finding.rule) - 11, 10))
    parts = [
        (f"{indent}{finding.severity:9}", STYLES[finding.severity]),
        (f"{finding.rule}  ", "bold"),
        (said, ""),
        ("\n" + indent + " " * 9, ""),
    ]
    return Content.assemble(*parts, *_fix_lines(row.annotated, room - 9))


def _fix_lines(annotated: AnnotatedFinding, room: int) -> Iterator[tuple[str, str]]:
    """Yield the second line: the key that fixes it, or why it is expected, or the remedy."""
    if annotated.fix is not None:
        key = f"{annotated.fix.key} {annotated.fix.label}"
        yield (annotated.fix.key, "bold $mark")
        yield (f" {clean(annotated.fix.label)}", "")
        rest = annotated.explained or annotated.finding.remedy
        yield (f"  {cut(clean(rest), max(room - len(key) - 2, 0))}", "$dim")
    elif annotated.explained:
        yield (cut(clean(annotated.explained), room), "$good")
    else:
        yield (cut(clean(annotated.finding.remedy), room), "$dim")


def whole(annotated: AnnotatedFinding) -> Content:
    """Return the details of a finding."""
    finding = annotated.finding
    lines = [
        ("rule", f"{finding.rule}: {annotated.meaning}"),
        ("severity", finding.severity),
        ("place", finding.path),
        ("found", finding.found),
        ("expected", finding.expected),
        ("remedy", finding.remedy),
        ("here", f"{annotated.fix.key} {annotated.fix.label}" if annotated.fix else ""),
        ("note", annotated.explained),
    ]
    parts = [part for name, text in lines if text for part in ((f"{name:12}", "$dim"), (f"{clean(text)}\n", ""))]
    return Content.assemble(*parts)


class FindingsTree(OptionList):
    """Shows findings; `remark` is the one under the cursor."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._remarks: tuple[AnnotatedFinding, ...] = ()
        self._folded: frozenset[str] = frozenset({"note"})
        self._rows: list[FindingRow] = []

    @property
    def annotated(self) -> AnnotatedFinding | None:
        """The finding under the cursor."""
        return self._rows[self.highlighted].annotated if self.highlighted is not None and self._rows else None

    def show(self, annotated_findings: Sequence[AnnotatedFinding]) -> None:
        """Show findings; the cursor stays on its row where that is still there."""
        self._remarks = tuple(annotated_findings)
        self._draw()

    def fold(self) -> None:
        """Close or open the branch under the cursor."""
        if self.highlighted is not None and self._rows and self.annotated is None:
            self._folded = self._folded ^ {self._rows[self.highlighted].key}
            self._draw()

    def on_resize(self, _: events.Resize) -> None:
        """Fit the lines."""
        self._draw()

    def _draw(self) -> None:
        width = self.scrollable_content_region.width or self.size.width
        if not width:
            return
        at = self._rows[self.highlighted].key if self.highlighted is not None and self._rows else None
        self._rows = list(rows(self._remarks, self._folded))
        self.clear_options()
        self.add_options([Option(drawn(row, width), id=row.key) for row in self._rows])
        keys = [row.key for row in self._rows]
        first = next((number for number, row in enumerate(self._rows) if row.annotated), 0)
        self.highlighted = keys.index(at) if at in keys else first if keys else None
