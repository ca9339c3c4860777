"""A resolved selection: nodes with every choice decided and explained, in an order in which they can run."""

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
    """The others of its group that could have been chosen."""


class Decided(msgspec.Struct, frozen=True):
    """The value of an option."""

    value: Any
    reason: Reason
    key: bool = True


class Edge(msgspec.Struct, frozen=True):
    """A dependency by its name in the parent."""

    name: str
    node: str
    after: bool = False
    shared: bool = False
    """Taken from beside rather than made for this parent: shown once, where it was made."""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One component with everything decided."""

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
    """Nodes that must have ended before it without handing anything over."""
    version: str = ""
    """The version that is taken; empty where the survey finds it."""
    version_range: str = ""
    version_why: Reason | None = None
    picked: Reason | None = None
    """Why this component and no other."""

    def values(self) -> dict[str, Any]:
        """Return the decided option values by name."""
        return {name: decided.value for name, decided in self.options.items()}


class Plan(msgspec.Struct, frozen=True):
    """All nodes, dependencies first; the root is the component that was asked for."""

    root: str
    nodes: dict[str, Node]

    def walk(self) -> Iterator[tuple[Node, Edge | None, tuple[bool, ...]]]:
        """Yield the tree from the root down as (node, edge to it, for each level whether it is the last child).

        A node that several need is yielded under each; below its second place its own needs are not repeated.
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
