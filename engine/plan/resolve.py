"""Resolve a selection against the profiles: pure and fast, so that the whole tree can be shown on every key press.

No file, clock or environment is read. What this machine has is found by the survey (engine.survey).
"""

from __future__ import annotations

import itertools
import json
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from engine.errors import NoOptionError, ProfileError, UsageError, nearest
from engine.plan import clash
from engine.plan.decide import Decision, Given, RuleBook, Word, decide, given_by, handed, wanted_by
from engine.plan.plan import Edge, Node, Plan
from engine.plan.reason import Asked, ExactTags, ImpliedBy, NeededBy, OnlyOne, Reason, VersionRange
from engine.plan.selection import Selection
from engine.profile import hints
from engine.profile.catalog import Catalog
from engine.profile.component import Component, Need, Override, Query, fill

Scope = ChainMap[str, list[Node]]
DependencyChange = tuple[Override, Reason]
"""A change to a dependency and its reason."""


def resolve(
    catalog: Catalog,
    selection: Selection,
    rules: RuleBook | None = None,
    round_name: str = "",
    changes: Mapping[str, DependencyChange] | None = None,
) -> Plan:
    """Return the plan of a selection. The same arguments always give the same plan.

    `rules` looks up values that the round sets; `changes` to dependencies by name give way to those of the selection.
    Raises UsageError for unknown or contradictory requests, with the nearest valid spelling; ProfileError for circular
    dependencies.
    """
    return _Resolver(catalog, selection, rules or _no_rules, round_name, changes or {}).plan()


@dataclass(frozen=True)
class _Around:
    """The context in which a component of the tree is resolved."""

    why: Reason
    where: str
    changes: Mapping[str, tuple[DependencyChange, ...]] = field(default_factory=dict)
    """Changes to dependencies by name that apply from here down."""
    scope: Scope = field(default_factory=ChainMap)
    """The dependencies of this component by name, then those of its parents."""
    stack: tuple[str, ...] = ()

    def keep(self, name: str, *nodes: Node) -> None:
        """Add a dependency that siblings and components below can find, without changing the parents' scope."""
        self.scope.maps[0].setdefault(name, []).extend(nodes)


class _Resolver:
    def __init__(
        self,
        catalog: Catalog,
        selection: Selection,
        rules: RuleBook,
        round_name: str,
        changes: Mapping[str, DependencyChange],
    ) -> None:
        self.catalog = catalog
        self.selection = selection
        self.rules = rules
        self.round_name = round_name
        self.changes = changes
        self.nodes: dict[str, Node] = {}
        self.by_identity: dict[str, Node] = {}
        self.used_env: set[str] = set()
        self.picked: dict[str, Reason] = {}
        """Component → why it was first picked."""
        self.handles: dict[str, str] = {}
        """Names of dependencies, each with the first node created for it."""

    def plan(self) -> Plan:
        self._check_env_names()
        query = self.selection.query
        changes = {name: (change,) for name, change in self.changes.items()}
        for name, override in self.selection.overrides.items():
            changes[name] = (*changes.get(name, ()), (override, Asked(f"--adr.{name}")))
        asked = Asked("--tags")
        words = [Word(name, Asked(f"_{name} in --tags")) for name in query.variations]
        words += [Word(name, Asked(f"-_{name} in --tags"), off=True) for name in query.without]
        given = {name: Given(value, Asked(f"--{name}")) for name, value in self.selection.options.items()}
        component = self._pick(query, "--tags")
        try:
            decision = self._decide(component, words, given, "--tags")
        except NoOptionError as error:
            value = str(self.selection.options.get(error.name, ""))
            below = hints.option_below(component, self.catalog.components.values(), error.name, value)
            raise NoOptionError(error.what, below or error.remedy, error.name, error.allowed) from None
        root = self._node(decision, "", _Around(why=asked, where="--tags", changes=changes))
        self._refuse_unused()
        return Plan(root=root.id, nodes=self.nodes)

    def _pick(self, query: Query, where: str) -> Component:
        found = self.catalog.find(query, where)
        exact = [one for one in found if set(one.tags) == set(query.tags)]
        if len(found) > 1 and len(exact) != 1:
            names = ", ".join(one.name for one in found)
            raise UsageError(f"{where}: '{','.join(query.tags)}' fits several components: {names}", "add a tag of one")
        picked = exact[0] if exact else found[0]
        reason = ExactTags if len(found) > 1 else OnlyOne
        self.picked.setdefault(picked.name, reason(",".join(picked.tags)))
        return picked

    def _decide(self, component: Component, words: Iterable[Word], given: Mapping[str, Given], where: str) -> Decision:
        outside = {}
        for option in component.options.values():
            for name in option.env:
                if name in self.selection.env:
                    self.used_env.add(name)
                    outside[option.name] = Given(self.selection.env[name], Asked(f"--env.{name}"))
        return decide(component, words, {**given, **outside}, self.rules, self.round_name, where)

    def _node(self, decision: Decision, version_range: str, around: _Around) -> Node:
        component = decision.component
        if component.name in around.stack:
            circle = " → ".join((*around.stack[around.stack.index(component.name) :], component.name))
            raise ProfileError(f"{component.place}: circular dependencies: {circle}", "remove one of them")
        inner = self._inner(decision, around)
        values = decision.values()
        own = [*component.needs, *(need for variation, _, _ in decision.chosen for need in variation.needs)]
        first = [need for need in own if need.condition.holds(values)]
        needs = self._edges(decision, first, inner, after=False)
        version, range_ = _version(component, version_range, around.where)
        node = self._place(decision, needs, around.why, (version, range_), around.scope)
        later = [*component.after, *(need for variation, _, _ in decision.chosen for need in variation.after)]
        wanted = [need for need in later if need.condition.holds(values)]
        if wanted and not node.after:
            after = self._edges(decision, wanted, inner, after=True, others=first)
            node = _replaced(node, after=after)
            self.nodes[node.id] = node
            if component.step or component.command:
                for edge in after:
                    later_node = self.nodes[edge.node]
                    self.nodes[edge.node] = _replaced(later_node, follows=(*later_node.follows, node.id))
        return node

    def _inner(self, decision: Decision, around: _Around) -> _Around:
        """Return the context in which this component's dependencies are resolved."""
        changes = {name: list(found) for name, found in around.changes.items()}

        def add(overrides: Mapping[str, Override], reason: Reason) -> None:
            for name, override in overrides.items():
                changes.setdefault(name, []).append((override, reason))

        add(decision.component.everywhere, ImpliedBy(decision.component.name))
        for variation, _, _ in decision.chosen:
            add(variation.everywhere, ImpliedBy(decision.component.name, variation.name))
        return _Around(
            why=around.why,
            where=decision.component.name,
            changes={name: tuple(found) for name, found in changes.items()},
            scope=around.scope.new_child(),
            stack=(*around.stack, decision.component.name),
        )

    def _edges(
        self, parent: Decision, needs: Sequence[Need], inner: _Around, *, after: bool, others: Sequence[Need] = ()
    ) -> tuple[Edge, ...]:
        """Return the edges to these dependencies; `others` are siblings that may make requests of them."""
        changes = self._agree(parent, [*others, *needs], inner)
        edges: list[Edge] = []
        for need in needs:
            if need.beside:
                nodes = _beside(need, parent, inner.scope)
                self._reached(need, nodes)
                inner.keep(need.name, *nodes)
                edges += [Edge(need.name, node.id, after, shared=True) for node in nodes]
                continue
            made = []
            for fixed in _fan_out(need, parent.values()):
                decision, version = self._child(parent, need, fixed, inner, changes)
                around = _Around(
                    why=_why(parent, need, decision, after=after),
                    where=f"{parent.component.name}.{need.name}",
                    changes=inner.changes,
                    scope=inner.scope,
                    stack=inner.stack,
                )
                node = self._node(decision, version, around)
                inner.keep(need.name, node)
                made.append(node)
                edges.append(Edge(need.name, node.id, after))
            self._reached(need, made)
        return tuple(edges)

    def _reached(self, need: Need, nodes: Sequence[Node]) -> None:
        """Record the names by which a dependency can be addressed, including optional ones the plan does not use."""
        for name in need.handles:
            self.handles.setdefault(name, nodes[0].id if nodes else "")

    def _agree(
        self, parent: Decision, needs: Sequence[Need], inner: _Around
    ) -> Mapping[str, tuple[DependencyChange, ...]]:
        """Collect what the dependencies request of each other, until a fixed point."""
        changes = dict(inner.changes)
        for _ in range(len(needs) + 1):
            found = dict(inner.changes)
            for need in needs:
                if need.beside:
                    continue
                for fixed in _fan_out(need, parent.values())[:1]:
                    decision, _ = self._child(parent, need, fixed, inner, changes)
                    for name, change in _asked_beside(decision):
                        found[name] = (*found.get(name, ()), change)
            if found == changes:
                break
            changes = found
        return changes

    def _child(
        self,
        parent: Decision,
        need: Need,
        fixed: Mapping[str, Any],
        inner: _Around,
        changes: Mapping[str, tuple[DependencyChange, ...]],
    ) -> tuple[Decision, str]:
        """Resolve the component of one dependency; return it with the requested version range."""
        where = f"{parent.component.name}.{need.name}"
        wired = ImpliedBy(parent.component.name)
        own: list[DependencyChange] = [
            (variation.overrides[need.name], ImpliedBy(parent.component.name, variation.name))
            for variation, _, _ in parent.chosen
            if need.name in variation.overrides
        ]
        own += [change for handle in need.handles for change in changes.get(handle, ())]
        tags = need.query.tags
        words = [Word(name, wired) for name in need.query.variations]
        words += [Word(name, wired, off=True) for name in need.query.without]
        given = handed(parent.component, parent.values(), need.hand, {**need.set, **fixed})
        ranges = [need.version] if need.version else []
        for override, reason in own:
            tags = override.tags or (*tags, *(tag for tag in override.add.tags if tag not in tags))
            words += wanted_by(override, reason)
            given |= handed(parent.component, parent.values(), override.hand, {}) | given_by(override, reason)
            ranges += [override.version] if override.version else []
        asked = Query(tags, tuple(word.name for word in words if not word.off))
        try:
            component = self._pick(asked, where)
        except UsageError:
            what, remedy = clash.apart(self.catalog, parent.component, [one for one, _, _ in parent.chosen], need)
            if what and not self.catalog.has(asked):
                raise UsageError(f"{where}: {what}", remedy) from None
            raise
        return self._decide(component, words, given, where), ",".join(ranges)

    def _place(
        self, decision: Decision, needs: tuple[Edge, ...], why: Reason, version: tuple[str, str], scope: Scope
    ) -> Node:
        """Return the node for a decision: an existing equal one, or a new one with a readable id."""
        values = decision.values()
        component = decision.component
        identity = json.dumps([component.name, sorted(values.items()), [(e.name, e.node) for e in needs], version[1]])
        found = self.by_identity.get(identity)
        if found is not None:
            return self.nodes[found.id]
        label = fill(component.label, values) if component.label else ""
        base = component.name + (f"[{label}]" if label else "")
        ident, number = base, 2
        while ident in self.nodes:
            ident, number = f"{base}#{number}", number + 1
        node = Node(
            id=ident,
            component=component.name,
            title=(component.summary or component.name) + (f" · {label}" if label else ""),
            why=why,
            variations=decision.variations(),
            options=dict(decision.options),
            needs=needs,
            version=version[0],
            version_range=version[1],
            version_why=VersionRange(version[1]) if version[0] or version[1] else None,
            picked=self.picked[component.name],
        )
        self.nodes[ident] = node
        self.by_identity[identity] = node
        return node

    def _check_env_names(self) -> None:
        every = {
            name for one in self.catalog.components.values() for option in one.options.values() for name in option.env
        }
        for name in self.selection.env:
            if name not in every:
                raise UsageError(f"--env.{name}: no component reads '{name}'", nearest(name, every))

    def _refuse_unused(self) -> None:
        for name in self.selection.env:
            if name not in self.used_env:
                remedy = clash.read_with(self.catalog, self.nodes, self.handles, name)
                raise UsageError(f"--env.{name}: nothing in this plan reads '{name}'", remedy)
        for name in self.selection.overrides:
            if name not in self.handles:
                raise UsageError(f"--adr.{name}: this plan has no dependency '{name}'", nearest(name, self.handles))


def _why(parent: Decision, need: Need, child: Decision, *, after: bool) -> Reason:
    for variation, _, _ in parent.chosen:
        if need.name in variation.overrides and variation.overrides[need.name].tags:
            return ImpliedBy(parent.component.name, variation.name)
        if need in (*variation.needs, *variation.after):
            return ImpliedBy(parent.component.name, variation.name)
    return NeededBy(parent.component.name, need.name, after)


def _asked_beside(decision: Decision) -> list[tuple[str, DependencyChange]]:
    found = [(name, (override, _implied(decision))) for name, override in decision.component.beside.items()]
    for variation, _, _ in decision.chosen:
        reason = ImpliedBy(decision.component.name, variation.name)
        found += [(name, (override, reason)) for name, override in variation.beside.items()]
    return found


def _implied(decision: Decision) -> Reason:
    return ImpliedBy(decision.component.name)


def _fan_out(need: Need, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the options of each instance of a dependency: one, or one for each value of the lists it iterates over."""
    lists = [[(option, value) for value in values[mine] or ()] for option, mine in need.each.items()]
    return [dict(pairs) for pairs in itertools.product(*lists)]


def _beside(need: Need, owner: Decision, scope: Scope) -> list[Node]:
    """Return the sibling nodes under the requested name that have the requested options."""
    values = owner.values()
    wanted = {
        option: values.get(text[1:-1]) if isinstance(text, str) and text.startswith("{") else text
        for option, text in need.where.items()
    }
    found = scope.get(need.beside, [])
    fitting = [
        node
        for node in found
        if all(node.options[key].value == value for key, value in wanted.items() if key in node.options)
    ]
    if not fitting and need.lacks:
        raise UsageError(need.lacks, need.remedy)
    if not fitting:
        asked = f" with {wanted}" if wanted else ""
        raise ProfileError(
            f"{need.place}: nothing named '{need.beside}'{asked} is a sibling dependency in {owner.component.name}",
            nearest(need.beside, scope) if need.beside not in scope else "its parent must have one with these options",
        )
    return fitting


def _version(component: Component, range_: str, where: str) -> tuple[str, str]:
    """Return the highest of the component's versions in the range; without a list the survey finds the version."""
    try:
        allowed = SpecifierSet(range_)
    except InvalidSpecifier:
        raise UsageError(f"{where}: '{range_}' is not a version range", "write it as pip does: >=1.17,<2") from None
    if clash.contradictory(allowed):
        raise UsageError(f"{where}: no version can be in '{range_}'", "its parts exclude each other: keep one")
    if not component.versions:
        return "", range_
    fitting = list(allowed.filter(component.versions, prereleases=True))
    if not fitting:
        raise UsageError(
            f"{where}: no version of {component.name} fits '{range_}'", f"there are {', '.join(component.versions)}"
        )
    from packaging.version import Version  # noqa: PLC0415  (few components list versions)

    return max(fitting, key=Version), range_


def _replaced(node: Node, **changes: Any) -> Node:
    from msgspec.structs import replace  # noqa: PLC0415

    return replace(node, **changes)


def _no_rules(name: str, _options: Mapping[str, Any]) -> Any:
    raise UsageError(f"the rule '{name}' needs a round", "give --round")
