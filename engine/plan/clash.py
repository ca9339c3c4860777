"""Explain why individually valid choices conflict, and which ones would not: for error messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from engine.plan.plan import Node
from engine.plan.reason import Asked
from engine.profile.catalog import Catalog
from engine.profile.component import Component, Need, Query, Variation


def apart(catalog: Catalog, component: Component, chosen: Sequence[Variation], need: Need) -> tuple[str, str]:
    """Return error and remedy where no component has all tags that variations request of a dependency.

    Both are empty if the variations are not the cause.
    """
    asking = [one for one in chosen if _of(one, need) != Query()]
    remedies = []
    for one in asking:
        others = [other for other in asking if other is not one]
        fitting = [
            f"_{member.name}"
            for member in component.groups().get(one.group, ())
            if member is not one and not member.refused and _exists(catalog, need, [*others, member])
        ]
        if others and fitting:
            remedies.append(f"{_and(others)} {'goes' if len(others) == 1 else 'go'} with {', '.join(fitting)}")
    return (f"{_and(asking)} do not go together", "; ".join(remedies)) if remedies else ("", "")


def contradictory(range_: SpecifierSet) -> bool:
    """Return whether no version can lie in a range: `>=1.33,<=1.20`.

    If any version lies in a range, one does at a limit, just above one, or below all.
    """
    if len(range_) < 2:
        return False
    candidates = {Version("0")}
    for bound in range_:
        text = bound.version.removesuffix(".*")
        try:
            found = Version(text)
        except InvalidVersion:
            return False
        *front, last = found.release
        candidates |= {found, Version(f"{found.epoch}!{'.'.join(map(str, (*front, last + 1)))}")}
        candidates.add(Version(f"{found.epoch}!{'.'.join(map(str, (*found.release, 0, 1)))}"))
    return not any(range_.contains(one, prereleases=True) for one in candidates)


def read_with(catalog: Catalog, nodes: Mapping[str, Node], handles: Mapping[str, str], name: str) -> str:
    """Return which choice would make a plan read the input `name`, which some component reads but none of its nodes.

    `handles` are the names of dependencies, each with its node.
    """
    readers = [one for one in catalog.components.values() if any(name in option.env for option in one.options.values())]
    for node in nodes.values():
        for variation in catalog.components[node.component].variations.values():
            wanted = [need.query.tags for need in variation.needs] + [one.tags for one in variation.overrides.values()]
            if any(set(tags) <= set(one.tags) for tags in wanted if tags for one in readers):
                names = [handle for handle, reached in handles.items() if reached == node.id]
                handle = node.component if node.component in names else next(iter(names), "")
                word = f"_{variation.name}"
                return f"write --add_deps_tags.{handle}={word}" if handle else f"write {word} into --tags"
    return f"it is an input of {' and '.join(one.name for one in readers)}, which this plan does not need"


def asked_variation(node: Node, group: str) -> str:
    """Return the variation of a group that the user requested by name; empty if it follows from others."""
    return next((one.name for one in node.variations if one.group == group and isinstance(one.reason, Asked)), "")


def _exists(catalog: Catalog, need: Need, chosen: Sequence[Variation]) -> bool:
    tags, added = need.query.tags, set[str]()
    for one in chosen:
        own = one.overrides.get(need.name)
        tags = own.tags or tags if own else tags
        added |= set(_of(one, need).tags)
    return any({*tags, *added} <= set(one.tags) for one in catalog.components.values())


def _of(variation: Variation, need: Need) -> Query:
    """Return the tags that a variation requests of a dependency."""
    own = variation.overrides.get(need.name)
    everywhere = [variation.everywhere[name].add.tags for name in need.handles if name in variation.everywhere]
    tags = (*(own.tags + own.add.tags if own else ()), *(tag for found in everywhere for tag in found))
    return Query(tags)


def _and(chosen: Sequence[Variation]) -> str:
    return " and ".join(f"_{one.name}" for one in chosen)
