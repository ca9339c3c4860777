"""The rows of a plan's tree as they are shown: the measurements of each scenario below a heading with their total."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.facts import CommonFacts
from engine.plan.plan import Edge, Node, Plan
from engine.survey.survey import TO_DO, Seen, Survey


@dataclass(frozen=True)
class GroupedRow:
    """A node at one place of the tree, or the heading of a scenario."""

    lasts: tuple[bool, ...]
    """For each level whether it is the last child."""
    node: Node | None = None
    """None for a heading."""
    edge: Edge | None = None
    heading: str = ""
    """The scenario."""
    seconds: float | None = None
    """Of a heading: the known times of all that must run below it."""
    to_do: int = 0
    """Of a heading: how many steps below it must run."""

    @property
    def depth(self) -> int:
        """The level below the root."""
        return len(self.lasts)


def grouped_rows(plan: Plan, survey: Survey) -> Iterator[GroupedRow]:
    """Yield the rows from the root down. Scenarios have headings where the plan runs several steps of more than one."""
    whole = [GroupedRow(lasts, node, edge) for node, edge, lasts in plan.walk()]
    branches = _branches(whole[1:])
    scenarios = list(dict.fromkeys(one for one in map(_scenario, branches) if one))
    if len(scenarios) < 2:
        yield from whole
        return
    measured = {one: [branch for branch in branches if _scenario(branch) == one] for one in scenarios}
    needed = [branch for branch in branches if branch[0].edge is not None and not branch[0].edge.after]
    rest = [branch for branch in branches if branch not in needed and not _scenario(branch)]
    yield whole[0]
    for branch in needed:
        yield from _placed(branch, last=False)
    for scenario, members in measured.items():
        yield from _group(scenario, members, survey, last=not rest and scenario == scenarios[-1])
    for branch in rest:
        yield from _placed(branch, last=branch is rest[-1])


def found_version(node: Node, seen: Seen) -> str:
    """Return the version of a node: the one that was decided, else the one that was found here; empty if unknown."""
    version = seen.artifact.read(CommonFacts).version if seen.artifact is not None else ""
    return node.version or (version if isinstance(version, str) else "")


def _branches(rows: list[GroupedRow]) -> list[list[GroupedRow]]:
    """Split the rows below the root into its branches."""
    found: list[list[GroupedRow]] = []
    for row in rows:
        if row.depth == 1:
            found.append([])
        found[-1].append(row)
    return found


def _placed(branch: list[GroupedRow], *, last: bool) -> Iterator[GroupedRow]:
    return (replace(row, lasts=(last, *row.lasts[1:])) for row in branch)


def _scenario(branch: list[GroupedRow]) -> str:
    """Return the scenario of a branch that runs after the root; empty for the root's needs."""
    top = branch[0]
    if top.node is None or top.edge is None or not top.edge.after:
        return ""
    return str(top.node.values().get("scenario") or "")


def _group(scenario: str, members: list[list[GroupedRow]], survey: Survey, *, last: bool) -> Iterator[GroupedRow]:
    seen = [survey.seen[row.node.id] for branch in members for row in branch if row.node is not None]
    to_do = [one for one in seen if one.state in TO_DO]
    times = [one.seconds for one in to_do if one.seconds is not None]
    yield GroupedRow((last,), heading=scenario, seconds=sum(times) if times else None, to_do=len(to_do))
    for branch in members:
        is_last = branch is members[-1]
        yield from (replace(row, lasts=(last, is_last, *row.lasts[1:])) for row in branch)
