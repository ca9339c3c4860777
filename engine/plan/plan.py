"""A resolved selection: nodes with every choice made and explained, in an executable order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from engine.plan.reason import Reason


class Chosen(msgspec.Struct, frozen=True):
    """A variation that is on."""

    name: str
    group: str
    reason: Reason
    alternatives: tuple[str, ...] = ()
    """The other members of its group."""


class Decided(msgspec.Struct, frozen=True):
    """The value of an option."""

    value: Any
    reason: Reason
    key: bool = True


class Edge(msgspec.Struct, frozen=True):
    """A dependency under its name in the parent."""

    name: str
    node: str
    after: bool = False
    shared: bool = False
    """Taken from a sibling dependency instead of created for this parent: shown once, where it was created."""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A component with everything resolved."""

    id: str
    """Readable and unique in the plan."""
    component: str
    title: str
    why: Reason
    variations: tuple[Chosen, ...]
    options: dict[str, Decided]
    needs: tuple[Edge, ...]
    after: tuple[Edge, ...] = ()
    follows: tuple[str, ...] = ()
    """Nodes that must have ended before it without passing an artifact."""
    version: str = ""
    """The version that is used; empty if the survey finds it."""
    version_range: str = ""
    version_why: Reason | None = None
    picked: Reason | None = None
    """Why this component was picked among others."""

    def values(self) -> dict[str, Any]:
        """Return resolved option values by name."""
        return {name: decided.value for name, decided in self.options.items()}


class Plan(msgspec.Struct, frozen=True):
    """All nodes, dependencies first; the root is the requested component."""

    root: str
    nodes: dict[str, Node]

    def walk(self) -> Iterator[tuple[Node, Edge | None, tuple[bool, ...]]]:
        """Yield the tree from the root down as (node, edge to it, for each level whether it is the last child).

        A node with several parents is yielded under each; its own dependencies are not repeated after the first.
        """
        seen: set[str] = set()

        def down(node: Node, edge: Edge | None, lasts: tuple[bool, ...]) -> Iterator[Any]:
            yield node, edge, lasts
            if node.id in seen:
                return
            seen.add(node.id)
            edges = [one for one in (*node.needs, *node.after) if not one.shared]
            for number, one in enumerate(edges):
                yield from down(self.nodes[one.node], one, (*lasts, number == len(edges) - 1))

        yield from down(self.nodes[self.root], None, ())
