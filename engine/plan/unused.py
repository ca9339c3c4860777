"""What to write where a place on this machine was given, and the plan takes the thing from somewhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.plan.plan import Node
from engine.profile.catalog import Catalog
from engine.profile.component import Component


def instead(catalog: Catalog, nodes: Mapping[str, Node], name: str) -> str:
    """Return the words that bring a reader of this environment name into the plan; empty where none would."""
    readers = [one for one in catalog.components.values() if any(name in option.env for option in one.options.values())]
    found = {words: None for node in nodes.values() for words in _words(catalog, nodes, node, readers)}
    return f"to read it, add {' or '.join(found)}" if found else ""


def _words(catalog: Catalog, nodes: Mapping[str, Node], node: Node, readers: list[Component]) -> Iterator[str]:
    for variation in catalog.components[node.component].variations.values():
        tags = [set(need.query.tags) for need in variation.needs if not need.beside]
        if any(wanted <= set(reader.tags) for wanted in tags for reader in readers):
            yield from (f"--add_deps_tags.{handle}=_{variation.name}" for handle in _handle(catalog, nodes, node))


def _handle(catalog: Catalog, nodes: Mapping[str, Node], node: Node) -> list[str]:
    """Return the name by which a node can be changed from outside: the component's own, where it is one."""
    needs = [
        need
        for parent in nodes.values()
        for edge in parent.needs
        if edge.node == node.id
        for need in catalog.components[parent.component].needs
        if need.name == edge.name and not need.beside
    ]
    names = [handle for need in needs for handle in need.handles]
    return [node.component] if node.component in names else names[:1]
