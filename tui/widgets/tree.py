"""The resolved plan as a tree, with state, size, time and reason in columns; branches fold, a filter selects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.text import clean, cut, duration, fit, size

if TYPE_CHECKING:
    from engine.plan.plan import Edge, Node
    from engine.survey.grouped_tree import GroupedRow
    from engine.survey.prepare import Prepared
    from engine.survey.survey import Seen

NODE_STATES: Mapping[str, tuple[str, str]] = {
    "group": ("", "$dim"),
    "cached": ("cached", "$good"),
    "found": ("found", "$good"),
    "fetch": ("to fetch", "$todo"),
    "build": ("to build", "$todo"),
    "run": ("to run", "$todo"),
    "missing": ("missing", "bold $bad"),
    "conflict": ("conflict", "bold $bad"),
    "blocked": ("blocked", "$bad"),
}
_DONE = ("group", "cached", "found")
_NUMBERS = 10 + 8 + 8
"""Cells of state, size and time."""
_WHY_FROM = 80
"""Cells of width from which the reason has a column."""
_PLACE = ("needed by ", "runs after ")
"""Beginnings of reasons that the tree itself shows."""


@dataclass(frozen=True)
class TreeRow:
    """A node at one place of the tree, or the heading of a scenario."""

    key: str
    node: Node | None
    """None for a heading."""
    seen: Seen | None
    title: str
    seconds: float | None
    branch: str
    why: str
    children: bool
    folded: bool


def rows(prepared: Prepared, folded: frozenset[str], wanted: str) -> Iterator[TreeRow]:
    """Yield the visible rows, from the root down. `wanted` keeps the nodes that contain all of its words.

    `folded` holds ids of nodes, and names of scenarios.
    """
    from engine.survey.grouped_tree import grouped_rows  # noqa: PLC0415  (start-up: paint first)

    words = wanted.lower().split()
    hidden_below: int | None = None
    counts: dict[str, int] = {}
    for row in grouped_rows(prepared.plan, prepared.seen):
        if hidden_below is not None and row.depth > hidden_below:
            continue
        hidden_below = None
        name = row.node.id if row.node is not None else row.heading
        counts[name] = counts.get(name, 0) + 1
        if name in folded and not words:
            hidden_below = row.depth
        shown = _row(row, prepared, f"{name}\n{counts[name]}", words, is_folded=hidden_below is not None)
        if shown is not None:
            yield shown


def _row(row: GroupedRow, prepared: Prepared, key: str, words: list[str], *, is_folded: bool) -> TreeRow | None:
    """Return a row as it is shown; None where it lacks one of the words."""
    from engine.survey.grouped_tree import found_version  # noqa: PLC0415

    branch = "" if words else _branch(row.lasts)
    if row.node is None:
        why = f"{row.to_do} steps to do" if row.to_do else "done before"
        heading = TreeRow(key, None, None, row.heading, row.seconds, branch, why, children=True, folded=is_folded)
        return None if words else heading
    node, seen, why = row.node, prepared.seen.seen[row.node.id], _why(row.node, row.edge)
    text = f"{node.title} {node.id} {seen.state} {why} {' '.join(one.name for one in node.variations)}".lower()
    if not all(word in text for word in words):
        return None
    children = any(not one.shared for one in (*node.needs, *node.after))
    title = " ".join(filter(None, (clean(node.title), clean(found_version(node, seen)))))
    return TreeRow(key, node, seen, title, seen.seconds, branch, why, children=children, folded=is_folded)


def _branch(lasts: tuple[bool, ...]) -> str:
    if not lasts:
        return ""
    return "".join("   " if last else "│  " for last in lasts[:-1]) + ("└─ " if lasts[-1] else "├─ ")


def _why(node: Node, edge: Edge | None) -> str:
    """Return the main reason: what was asked for, then what implies it, then the rest."""
    asked = [f"_{one.name} {one.reason}" for one in node.variations if str(one.reason).startswith("asked")]
    return "; ".join(asked) if edge is not None and asked else str(node.why)


def drawn(row: TreeRow, width: int) -> Content:
    """Return a row in `width` cells."""
    word, style = NODE_STATES[row.seen.state] if row.seen else ("", "")
    why = width >= _WHY_FROM
    room = width - _NUMBERS - (width // 4 if why else 0)
    title = f"{row.branch}{'▸ ' if row.folded else ''}{row.title}"
    todo = row.seen is None or row.seen.state not in _DONE
    taken = duration(row.seconds) if todo else ""
    has_bytes = row.seen is not None and row.seen.state != "group"
    bytes_ = size(row.seen.fetch_bytes or row.seen.disk_bytes) if row.seen and has_bytes else ""
    parts = [
        (fit(cut(title, room - 1), room), "bold" if not row.branch or row.node is None else ""),
        (f"{word:10}", style),
        (f"{bytes_:>8}{taken:>8}", "$dim" if not todo else ""),
    ]
    if why and not row.why.startswith(_PLACE):
        parts.append((cut(f"  {clean(row.why)}", width // 4), "$dim"))
    return Content.assemble(*parts)


class PlanTree(OptionList):
    """Shows a prepared plan; the highlighted row's node is `node`."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self.prepared: Prepared | None = None
        self.folded: frozenset[str] = frozenset()
        self.wanted = ""
        self._rows: list[TreeRow] = []

    @property
    def node(self) -> str | None:
        """The node under the cursor; None on a heading."""
        row = self._rows[self.highlighted] if self.highlighted is not None and self._rows else None
        return row.node.id if row is not None and row.node is not None else None

    def show(self, prepared: Prepared) -> None:
        """Show a plan; the cursor stays on its node where that is still there."""
        self.prepared = prepared
        self._draw()

    def filter(self, wanted: str) -> None:
        """Keep the rows that contain all the words; without words, all rows."""
        self.wanted = wanted
        self._draw()

    def fold(self) -> None:
        """Close or open the branch under the cursor."""
        if self.highlighted is not None and self._rows and self._rows[self.highlighted].children:
            self.folded = self.folded ^ {self._rows[self.highlighted].key.partition("\n")[0]}
            self._draw()

    def go_to(self, node: str) -> None:
        """Put the cursor on a node, if it is shown."""
        at = next((number for number, row in enumerate(self._rows) if row.node and row.node.id == node), None)
        if at is not None:
            self.highlighted = at

    def on_resize(self, _: events.Resize) -> None:
        """Fit the columns."""
        self._draw()

    def _draw(self) -> None:
        if self.prepared is None or not self.size.width:
            return
        at = self._rows[self.highlighted].key if self.highlighted is not None and self._rows else None
        self._rows = list(rows(self.prepared, self.folded, self.wanted))
        width = self.scrollable_content_region.width or self.size.width
        self.clear_options()
        self.add_options([Option(drawn(row, width), id=row.key) for row in self._rows])
        keys = [row.key for row in self._rows]
        self.highlighted = keys.index(at) if at in keys else 0 if keys else None
