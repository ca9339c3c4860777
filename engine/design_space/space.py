"""The design space of a selection: axes resolved against the catalogue, the points, and the selection of a point.

Pure, like resolving. An axis names what a plan can vary: a choice of the root component (backend, precision,
max_batch), or one of a dependency (workers.max_batch, onnxruntime.version). One that only some plans have, such as an
option of a backend, exists only at the points that lead to such a plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from engine.design_space.axis_words import AS_PLANNED
from engine.design_space.points import as_point, exists, in_dependency_order
from engine.design_space.trials import Axis, Point
from engine.errors import UsageError, nearest
from engine.explore.vary import NOT_VARIED
from engine.plan.choices import UNSET, Alternative, Choice, choices, choose
from engine.plan.plan import Node, Plan
from engine.plan.selection import Selection
from engine.profile.catalog import Catalog
from engine.profile.component import NOWHERE, Component
from engine.profile.values import coerce

Resolve = Callable[[Selection], Plan]
"""Resolves a selection. Raises UsageError where it is refused."""

FIXED = NOT_VARIED - {"model_path", "preprocessing"}
"""Choices that decide what is measured, which all points have in common."""
VERSION = "version"


@dataclass(frozen=True)
class Space:
    """A base selection and the axes along which it is varied."""

    catalog: Catalog
    base: Selection
    plan: Plan
    """That of the base selection."""
    axes: tuple[Axis, ...]
    found: Mapping[str, tuple[Component, ...]]
    """Axis → the components, in one plan or another, whose choice it is."""

    @property
    def root(self) -> Component:
        """The component that is selected."""
        return self.catalog.components[self.plan.nodes[self.plan.root].component]

    @property
    def default(self) -> Point:
        """The point of the base selection; an axis whose value there is none of its own stands at `default`."""
        return self.point({axis.name: self._now(axis) for axis in self.axes})

    def point(self, values: Mapping[str, str]) -> Point:
        """Return the point of these values: of each axis that exists there."""
        chosen: dict[str, str] = {}
        for axis in in_dependency_order(self.axes):
            if exists(axis, chosen):
                chosen[axis.name] = values[axis.name]
        return as_point(self.axes, chosen)

    def selection(self, point: Point) -> Selection:
        """Return the selection of a point."""
        chosen = self.base
        for name, value in point:
            chosen = with_value(self.catalog, chosen, name, self.found[name], "" if value == AS_PLANNED else value)
        return chosen

    def _now(self, axis: Axis) -> str:
        """Return the value of the base plan in the spelling of the axis."""
        now = _value_in(self.catalog, self.plan, axis.name)
        same = _other_names(self.found[axis.name], axis.name.rpartition(".")[2], now)
        return next((one for one in axis.values if one in same or _is_same_number(one, now)), AS_PLANNED)


def space(catalog: Catalog, base: Selection, axes: Sequence[Axis], resolve: Resolve) -> Space:
    """Return the space of a base selection, with what each axis depends on.

    Raises UsageError for an axis or a value that the catalogue does not have, with the nearest that it has, and as
    resolving the base does.
    """
    plan = resolve(base)
    root = catalog.components[plan.nodes[plan.root].component]
    around: dict[str, dict[str, Plan]] = {}
    for axis in axes:
        if "." not in axis.name and axis.name not in FIXED and _has(root, axis.name, is_root=True):
            around[axis.name] = dict(_plans(catalog, base, axis, root, resolve))
    plans = [plan, *(one for found in around.values() for one in found.values())]
    found = {axis.name: _components(catalog, plans, axis.name) for axis in axes}
    for axis in axes:
        _refuse_unknown(catalog, plan, axis, found[axis.name])
    whole = [
        msgspec.structs.replace(axis, only_with=tuple(_conditions(catalog, axis, around)) if "." in axis.name else ())
        for axis in axes
    ]
    return Space(catalog, base, plan, tuple(whole), found)


def _plans(
    catalog: Catalog, base: Selection, axis: Axis, root: Component, resolve: Resolve
) -> Iterator[tuple[str, Plan]]:
    """Yield the plan at each value of one axis, without those that are refused."""
    for value in axis.values:
        try:
            chosen = with_value(catalog, base, axis.name, (root,), UNSET if value == AS_PLANNED else value)
            yield value, resolve(chosen)
        except UsageError:
            continue


def _conditions(
    catalog: Catalog, axis: Axis, around: Mapping[str, Mapping[str, Plan]]
) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the axes with some of whose values this one does not exist, and the values with which it does."""
    for name, plans in around.items():
        there = frozenset(value for value, plan in plans.items() if _components(catalog, [plan], axis.name))
        if there and len(there) < len(plans):
            yield name, there


def _components(catalog: Catalog, plans: Iterable[Plan], name: str) -> tuple[Component, ...]:
    """Return the components in these plans that have what an axis varies."""
    what, is_root = name.rpartition(".")[2], "." not in name
    nodes = [node for plan in plans for node in _owners(catalog, plan, name)]
    found = (catalog.components[one] for one in dict.fromkeys(node.component for node in nodes))
    return tuple(one for one in found if _has(one, what, is_root=is_root))


def _owners(catalog: Catalog, plan: Plan, name: str) -> list[Node]:
    """Return the nodes that an axis changes."""
    handle, dot, _ = name.rpartition(".")
    if not dot:
        return [plan.nodes[plan.root]]
    names = {handle, *_needs_called(catalog, handle)}
    edges = [edge for node in plan.nodes.values() for edge in (*node.needs, *node.after) if edge.name in names]
    found = {edge.node: plan.nodes[edge.node] for edge in edges}
    # onnxruntime.version is about ONNX Runtime, although any backend can be addressed by that name.
    return [node for node in found.values() if handle not in catalog.components or node.component == handle]


def _needs_called(catalog: Catalog, handle: str) -> set[str]:
    """Return the dependencies that have this as a further name."""
    return {
        need.name
        for component in catalog.components.values()
        for need in (*component.needs, *component.after)
        if handle in need.names
    }


def _has(component: Component, what: str, *, is_root: bool) -> bool:
    option = component.options.get(what)
    is_option = option is not None and not option.refused
    return is_option or len(component.groups().get(what, ())) > 1 or (what == VERSION and not is_root)


def _refuse_unknown(catalog: Catalog, plan: Plan, axis: Axis, found: Sequence[Component]) -> None:
    """Raise UsageError for an axis that no plan of the space has, or one of whose values does not exist."""
    if axis.name in FIXED:
        raise UsageError(
            f"the axis '{axis.name}' would change what is measured",
            "all points have it in common: give it as an option",
        )
    if not found:
        raise UsageError(f"there is no axis '{axis.name}'", nearest(axis.name, axis_names(catalog, plan)))
    what = axis.name.rpartition(".")[2]
    members = [one.name for component in found for one in component.groups().get(what, ())]
    for value in axis.values:
        if value == AS_PLANNED:
            continue
        if members and value not in members:
            raise UsageError(f"--axis={axis.name}: there is no {what} '{value}'", nearest(value, members))
        if not members and what in found[0].options:
            coerce(found[0].options[what], value, f"--axis={axis.name}")


def axis_names(catalog: Catalog, plan: Plan) -> tuple[str, ...]:
    """Return what could be varied in a plan, by the names of axes; the most usual first."""
    rows = choices(catalog, plan)
    own = [one.name for one in rows if not one.dependency and not one.key.startswith("switch ")]
    below = [f"{one.dependency}.{one.name}" for one in rows if one.dependency]
    for edge in plan.nodes[plan.root].needs:
        options = catalog.components[plan.nodes[edge.node].component].options
        below += [f"{edge.name}.{name}" for name, option in options.items() if not option.refused]
    return tuple(dict.fromkeys(name for name in (*own, *below) if name not in FIXED))


def with_value(catalog: Catalog, chosen: Selection, name: str, owners: Sequence[Component], value: str) -> Selection:
    """Return the selection with a choice of these components made, by the name of its axis; `UNSET` leaves it to the
    plan."""
    handle, _, what = name.rpartition(".")
    # All members: also those that are another name of one.
    members = dict.fromkeys(one.name for component in owners for one in component.groups().get(what, ()))
    dependency = next(iter(_needs_called(catalog, handle)), handle)
    kind = "group" if members else "option"
    is_version = bool(handle) and what == VERSION and not members
    choice = Choice(
        key=f"{dependency} version" if is_version else f"{dependency} {kind} {what}".strip(),
        title=name,
        kind="one",
        value="",
        reason=None,
        alternatives=tuple(Alternative(one) for one in members),
        dependency=dependency,
        name=what,
        is_option=not members,
    )
    return choose(catalog, chosen, choice, value)


def _value_in(catalog: Catalog, plan: Plan, name: str) -> str:
    """Return the value of an axis in a plan; empty where it has none."""
    what = name.rpartition(".")[2]
    for node in _owners(catalog, plan, name):
        group = next((one.name for one in node.variations if one.group == what), None)
        if group is not None:
            return group
        if what in node.options:
            value = node.options[what].value
            return "" if value is None else ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        if what == VERSION:
            return node.version_range.removeprefix("==")
    return ""


def _other_names(owners: Sequence[Component], what: str, value: str) -> set[str]:
    """Return a value and its other names: tf and tensorflow are one variation."""
    definitions = {
        one.name: replace(one, name="", place=NOWHERE)
        for component in owners
        for one in component.groups().get(what, ())
    }
    return {name for name, one in definitions.items() if one == definitions.get(value)} | {value} - {""}


def _is_same_number(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False
