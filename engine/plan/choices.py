"""The choices of a plan and the selections they lead to: the rows of the Plan screen.

Pure, like resolving. Whether an alternative is possible is found by resolving it: the reason is the resolver's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from engine.plan.plan import Node, Plan
from engine.plan.reason import Asked, HandedDown, ImpliedBy, Reason
from engine.plan.selection import Selection
from engine.profile.catalog import Catalog
from engine.profile.component import NOWHERE, Component, Option, Override, Query, Variation

Kind = Literal["one", "several", "text"]
"""One of the alternatives, any number of them, or a free text."""

PATH_UNIT = "file or folder"
"""The unit of a choice that is a path."""

UNSET = ""
"""The value that resets a choice to what follows from the others."""


@dataclass(frozen=True)
class Alternative:
    """A value that could be chosen."""

    value: str
    help: str = ""
    refused: str = ""
    """Why it can't be chosen, where the profile itself says so."""


@dataclass(frozen=True)
class Choice:
    """One thing to choose."""

    key: str
    """Identifies the choice: `group benchmark`, `option scenarios`, `switch submission`, `imagenet group source`."""
    title: str
    kind: Kind
    value: str
    """The present value; members of a list separated by commas."""
    reason: Reason | None
    alternatives: tuple[Alternative, ...] = ()
    help: str = ""
    unit: str = ""
    dependency: str = ""
    """The name by which the dependency is reached; empty for the root component."""
    name: str = ""
    """Name of the option or of the group."""
    is_option: bool = False
    env: str = ""
    """Outside name of an input, by which it is set."""

    @property
    def changed(self) -> bool:
        """Whether the user asked for the present value."""
        return isinstance(self.reason, Asked)


def choices(catalog: Catalog, plan: Plan, systems: Sequence[str] = ()) -> tuple[Choice, ...]:
    """Return all choices of a plan, the most important first.

    `systems` are the possible values of the option `sut`.
    """
    root = plan.nodes[plan.root]
    component = catalog.components[root.component]
    rows = [*_groups(component, root, ""), *_switches(component, root)]
    own = {one.name for one in rows}
    for edge in root.needs:
        node = plan.nodes[edge.node]
        below = _groups(catalog.components[node.component], node, edge.name)
        # What the root chooses by a group of the same name (device, precision) is passed down to it.
        rows += [one for one in below if one.name not in own]
    rows += _options(component, root, systems)
    rows += [_version(edge.name, plan.nodes[edge.node]) for edge in root.needs if edge.name == "backend"]
    inputs = [one for name in plan.nodes if name != plan.root for one in _inputs(catalog, plan, name)]
    return (*rows, *{one.key: one for one in inputs}.values())


def _inputs(catalog: Catalog, plan: Plan, name: str) -> Iterator[Choice]:
    """Yield a row for every file or folder that a component reads from the user."""
    node = plan.nodes[name]
    for one in _options(catalog.components[node.component], node, (), _handle(plan, name)):
        if one.env and not isinstance(one.reason, HandedDown):
            yield replace(one, key=f"input {one.env}", title=one.env.replace("_", " ").lower())


def node_choices(catalog: Catalog, plan: Plan, name: str, systems: Sequence[str] = ()) -> tuple[Choice, ...]:
    """Return what can be chosen of one component of a plan, at any depth: variations, options and version.

    Options that its parent passes down are not among them: they are chosen there.
    """
    if name == plan.root:
        return choices(catalog, plan, systems)
    node = plan.nodes[name]
    component, handle = catalog.components[node.component], _handle(plan, name)
    rows = [*_groups(component, node, handle), *_switches(component, node, handle)]
    rows += [
        one for one in _options(component, node, systems, handle) if not isinstance(one.reason, HandedDown | ImpliedBy)
    ]
    if component.versions or node.version_range or "backend" in component.tags:
        rows.append(_version(handle, node))
    return tuple(replace(one, title=one.title.removeprefix(f"{handle} ")) for one in rows)


def reached(plan: Plan, handle: str) -> list[str]:
    """Return the nodes that a change to the dependency of this name reaches."""
    edges = [edge for node in plan.nodes.values() for edge in (*node.needs, *node.after) if edge.name == handle]
    return list(dict.fromkeys(edge.node for edge in edges))


def _handle(plan: Plan, name: str) -> str:
    """Return the name by which a node is addressed from outside: the one that reaches the fewest others."""
    root = plan.nodes[plan.root]
    parents = (root, *(node for node in plan.nodes.values() if node.id != plan.root))
    found = [edge.name for node in parents for edge in (*node.needs, *node.after) if edge.node == name]
    return min(found, key=lambda one: len(reached(plan, one)))


def _groups(component: Component, node: Node, dependency: str) -> Iterator[Choice]:
    """Yield a row for every group with something to choose from."""
    chosen = {one.group: one for one in node.variations if one.group}
    for group, members in component.groups().items():
        if len(members) < 2 or (dependency and sum(not one.refused for one in members) < 2):
            continue
        if _only_a_list(component, members):
            continue
        now = chosen.get(group)
        yield Choice(
            key=f"{dependency} group {group}".strip(),
            title=f"{dependency} {group}".strip() if dependency else group,
            kind="one",
            value=now.name if now else "",
            reason=now.reason if now else None,
            alternatives=tuple(_alternative(one) for one in _without_aliases(members, now.name if now else "")),
            dependency=dependency,
            name=group,
        )


def _only_a_list(component: Component, members: Sequence[Variation]) -> bool:
    """Return whether a group only sets a list option to different values: then that option's row is shown instead."""
    filled = {name for one in members for name in one.set}
    return len(filled) == 1 and component.options[filled.pop()].type == "list"


def _without_aliases(members: Sequence[Variation], chosen: str) -> Iterator[Variation]:
    """Yield variations; of several names for one definition only the chosen one, or else the first."""
    definitions = [replace(one, name="", place=NOWHERE) for one in members]
    for one, definition in zip(members, definitions, strict=True):
        names = [other.name for other, same in zip(members, definitions, strict=True) if same == definition]
        if one.refused or one.name == (chosen if chosen in names else names[0]):
            yield one


def _alternative(variation: Variation) -> Alternative:
    return Alternative(variation.name, variation.help, variation.refused)


def _switches(component: Component, node: Node, dependency: str = "") -> Iterator[Choice]:
    """Yield a row for every variation without a group: on or off."""
    on = {one.name: one.reason for one in node.variations}
    for variation in component.variations.values():
        if variation.group or variation.name.endswith(".#"):
            continue
        yield Choice(
            key=f"{dependency} switch {variation.name}".strip(),
            title=variation.name,
            kind="one",
            value="on" if variation.name in on else "off",
            reason=on.get(variation.name),
            alternatives=(Alternative("on", variation.help, variation.refused), Alternative("off")),
            help=variation.help,
            dependency=dependency,
            name=variation.name,
        )


def _options(component: Component, node: Node, systems: Sequence[str], dependency: str = "") -> Iterator[Choice]:
    """Yield a row for every option that no group of variations sets."""
    grouped = {name for one in component.variations.values() if one.group for name in one.set}
    for option in component.options.values():
        if option.refused or (option.name in grouped and option.type != "list" and option.choices):
            continue
        decided = node.options[option.name]
        allowed = tuple(Alternative(str(one)) for one in option.choices)
        if option.name == "sut":
            allowed = tuple(Alternative(name) for name in systems)
        kind: Kind = "text" if not allowed else "several" if option.type == "list" else "one"
        yield Choice(
            key=f"{dependency} option {option.name}".strip(),
            title=option.name.replace("_", " "),
            kind=kind,
            value=_written(decided.value),
            reason=decided.reason,
            alternatives=allowed,
            help=option.help,
            unit=_unit(option),
            dependency=dependency,
            name=option.name,
            is_option=True,
            env=option.env[0] if option.type == "path" and option.env else "",
        )


def _unit(option: Option) -> str:
    return PATH_UNIT if option.type == "path" else option.unit


def _version(dependency: str, node: Node) -> Choice:
    return Choice(
        key=f"{dependency} version",
        title=f"{dependency} version",
        kind="text",
        value=node.version_range,
        reason=node.version_why,
        help="a range as pip writes it: >=1.17,<2; empty takes what is installed",
        dependency=dependency,
        name="version",
        is_option=True,
    )


def choose(catalog: Catalog, chosen: Selection, choice: Choice, value: str) -> Selection:
    """Return the selection with a choice made; `UNSET` resets it."""
    if choice.env:
        env = _without_env(catalog, chosen, choice.name) if choice.dependency == "" else chosen.env
        env = {name: old for name, old in env.items() if name != choice.env}
        options = {name: old for name, old in chosen.options.items() if choice.dependency or name != choice.name}
        return replace(chosen, options=options, env={**env, choice.env: value} if value != UNSET else env)
    if choice.dependency:
        return _choose_below(catalog, chosen, choice, value)
    if choice.is_option:
        options = {name: old for name, old in chosen.options.items() if name != choice.name}
        env = _without_env(catalog, chosen, choice.name)
        return replace(chosen, options={**options, choice.name: value} if value != UNSET else options, env=env)
    set_by_group = _set_by(catalog, chosen, choice)
    options = {name: old for name, old in chosen.options.items() if name not in set_by_group}
    env = chosen.env
    for name in set_by_group:
        env = _without_env(catalog, replace(chosen, env=env), name)
    return replace(chosen, query=_query(chosen.query, choice, value), options=options, env=env)


def _set_by(catalog: Catalog, chosen: Selection, choice: Choice) -> set[str]:
    """Return the options that a group sets: given explicitly, one of them would override the group."""
    root = catalog.find(chosen.query, "--tags")[0]
    return {name for one in root.groups().get(choice.name, ()) for name in one.set if name != "notice"}


def _query(query: Query, choice: Choice, value: str) -> Query:
    mine = {one.value for one in choice.alternatives} if choice.key.split()[-2] == "group" else {choice.name}
    on = tuple(name for name in query.variations if name not in mine)
    off = tuple(name for name in query.without if name not in mine)
    if value in ("", "off"):
        implied = value == "off" and choice.value == "on" and not choice.changed
        return Query(query.tags, on, (*off, choice.name) if implied else off)
    return Query(query.tags, (*on, choice.name if value == "on" else value), off)


def _choose_below(catalog: Catalog, chosen: Selection, choice: Choice, value: str) -> Selection:
    overrides = dict(chosen.overrides)
    # A dependency can be addressed by several names; a request by another of them is removed.
    for handle in _handles(catalog, choice.dependency):
        old = overrides.pop(handle, None)
        if old is not None:
            overrides[choice.dependency] = _joined(overrides.get(choice.dependency), old)
    old = overrides.pop(choice.dependency, Override())
    if choice.key == f"{choice.dependency} version":
        new = replace(old, version=value if not value or value[:1] in "<>=!~" else f"=={value}")
    elif choice.is_option:
        options = {name: known for name, known in old.set.items() if name != choice.name}
        new = replace(old, set={**options, choice.name: value} if value != UNSET else options)
    else:
        new = replace(old, add=_query(old.add, choice, value))
    return replace(chosen, overrides={**overrides, choice.dependency: new} if new != Override() else overrides)


def _joined(first: Override | None, second: Override) -> Override:
    if first is None:
        return second
    add = Query(
        first.add.tags + second.add.tags,
        first.add.variations + second.add.variations,
        first.add.without + second.add.without,
    )
    return replace(first, add=add, version=first.version or second.version, set={**first.set, **second.set})


def _handles(catalog: Catalog, dependency: str) -> tuple[str, ...]:
    for component in catalog.components.values():
        for need in component.needs:
            if need.name == dependency and need.names:
                return need.names
    return ()


def _without_env(catalog: Catalog, chosen: Selection, name: str) -> Mapping[str, str]:
    """Return the outside inputs without those that set an option."""
    spelled = {
        env
        for component in catalog.components.values()
        for option in component.options.values()
        if option.name == name
        for env in option.env
    }
    return {key: value for key, value in chosen.env.items() if key not in spelled}


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ",".join(str(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
