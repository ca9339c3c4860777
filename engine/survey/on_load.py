"""Samples that the disk can't hold are prepared when LoadGen loads them, unless the user chose otherwise."""

from __future__ import annotations

from engine.plan.plan import Node, Plan
from engine.plan.reason import NoRoom, OptionDefault
from engine.plan.resolve import DependencyChange
from engine.plan.selection import Selection
from engine.profile.component import Override
from engine.survey.survey import TO_DO, Survey

ON_LOAD = "on_load"
"""The option of components that can prepare samples on load; its variation is `_on-load`."""
VARIATION = "on-load"


def changes(plan: Plan, survey: Survey, selection: Selection) -> dict[str, DependencyChange]:
    """Return the changes, by dependency, to a plan whose sample sets do not fit the disk; none where they do.

    What is stored already, what is found, and what the user decided stay as they are.
    """
    if survey.totals.fits or any(VARIATION in one.add.without for one in selection.overrides.values()):
        return {}
    made: dict[str, DependencyChange] = {}
    for node in plan.nodes.values():
        needed = survey.seen[node.id].disk_bytes
        if needed and survey.seen[node.id].state in TO_DO and _undecided(node):
            change = Override(set={ON_LOAD: True}), NoRoom(needed, survey.totals.disk_free)
            made |= dict.fromkeys(_names(plan, node), change)
    return made


def _undecided(node: Node) -> bool:
    return ON_LOAD in node.options and isinstance(node.options[ON_LOAD].reason, OptionDefault)


def _names(plan: Plan, node: Node) -> set[str]:
    """Return the names under which components need a node, but those that others of the plan's nodes have, too."""
    edges = [edge for one in plan.nodes.values() for edge in (*one.needs, *one.after) if not edge.shared]
    names = {edge.name for edge in edges if edge.node == node.id}
    return {name for name in names if all(_undecided(plan.nodes[edge.node]) for edge in edges if edge.name == name)}
