"""Vary one choice: what of a selection can be changed, to what, and the selections that try several values.

Only plan and profile are asked: nothing runs and no file is read, so a screen may ask at every key press.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import UsageError, nearest
from engine.plan.decide import RuleBook
from engine.plan.plan import Node, Plan
from engine.plan.resolve import resolve
from engine.plan.selection import Selection
from engine.profile.catalog import Catalog
from engine.profile.component import Component, Option, Override, Query, Variation

NOT_VARIED = frozenset({"notice", "sut", "model_path", "round", "benchmark"})
"""Options that say what is measured rather than how; `round` and `benchmark` would be another job altogether."""
LADDER = (0.25, 0.5, 2.0, 4.0)
"""What is proposed for a number, as multiples of its present value."""


@dataclass(frozen=True)
class Value:
    """One value that a choice can take."""

    word: str
    """As it is written: a variation's name, or the option's value."""
    help: str = ""
    current: bool = False
    refused: str = ""
    """Why it can't be chosen; empty where it can."""


@dataclass(frozen=True)
class Choice:
    """Something of a selection that can be changed by itself."""

    name: str
    """`backend`, `max_batch`, or with its dependency `dataset.count`."""
    dependency: str
    """Handle of the dependency; empty for the root component."""
    option: str
    """The option that it sets; empty for a group of variations or a version."""
    group: str
    """The group of variations; empty for an option or a version."""
    values: tuple[Value, ...]
    """The allowed ones; for a number some to begin with."""
    members: tuple[str, ...] = ()
    """Every name in the group, also those that are only another word for one of the values."""
    free: bool = False
    """Any other value of its type is allowed too."""
    unit: str = ""
    help: str = ""

    @property
    def current(self) -> str:
        """The present value; empty where it is found out when it runs."""
        return next((value.word for value in self.values if value.current), "")


def choices(catalog: Catalog, plan: Plan) -> tuple[Choice, ...]:
    """Return what can be changed in a plan: the root's choices first, then those of its dependencies."""
    root = plan.nodes[plan.root]
    found = list(_of(catalog.components[root.component], root, ""))
    for edge in root.needs:
        if not edge.after:
            node = plan.nodes[edge.node]
            found += _of(catalog.components[node.component], node, edge.name)
    return tuple(found)


def named(found: Sequence[Choice], name: str) -> Choice:
    """Return the choice of that name. Raises UsageError with the nearest."""
    for one in found:
        if one.name == name:
            return one
    raise UsageError(f"'{name}' is no choice that can be varied here", nearest(name, (one.name for one in found)))


def checked(
    catalog: Catalog, selection: Selection, choice: Choice, rules: RuleBook | None = None, round_name: str = ""
) -> Choice:
    """Return the choice with a reason at each value that would contradict the rest of the selection."""
    values = []
    for value in choice.values:
        if not value.refused and not value.current:
            try:
                resolve(catalog, varied(catalog, selection, choice, value.word), rules, round_name)
            except UsageError as error:
                values.append(replace(value, refused=error.what))
                continue
        values.append(value)
    return replace(choice, values=tuple(values))


def sweep(catalog: Catalog, selection: Selection, choice: Choice, words: Iterable[str]) -> tuple[Selection, ...]:
    """Return the selections that try these values, one each. Raises UsageError for a value that is not allowed."""
    return tuple(varied(catalog, selection, choice, word) for word in words)


def varied(catalog: Catalog, selection: Selection, choice: Choice, word: str) -> Selection:
    """Return the selection with one choice made differently. Raises UsageError for a value that is not allowed."""
    known = {value.word: value for value in choice.values}
    if word not in known and not choice.free:
        raise UsageError(f"'{word}' is not allowed for {choice.name}", nearest(word, known))
    if word in known and known[word].refused:
        raise UsageError(f"{choice.name} can't be '{word}'", known[word].refused)
    if choice.dependency:
        return _dependency_varied(selection, choice, word)
    if choice.option:
        return replace(selection, options={**selection.options, choice.option: word})
    root = catalog.find(selection.query, "--tags")[0]
    query = _switched(selection.query, choice.members, word)
    implied = root.variations[word].set if word in root.variations else {}
    kept = {name: value for name, value in selection.options.items() if name not in implied}
    return replace(selection, query=query, options=kept)


def _dependency_varied(selection: Selection, choice: Choice, word: str) -> Selection:
    old = selection.overrides.get(choice.dependency, Override())
    if choice.option:
        new = replace(old, set={**old.set, choice.option: word})
    elif choice.group:
        new = replace(old, add=_switched(old.add, choice.members, word))
    else:
        new = replace(old, version=f"=={word}")
    return replace(selection, overrides={**selection.overrides, choice.dependency: new})


def _switched(query: Query, members: Iterable[str], word: str) -> Query:
    others = set(members)
    kept = tuple(name for name in query.variations if name not in others)
    return replace(query, variations=(*kept, word), without=tuple(one for one in query.without if one != word))


def _of(component: Component, node: Node, dependency: str) -> Iterable[Choice]:
    start = f"{dependency}." if dependency else ""
    on = {one.name: one for one in node.variations}
    set_by_groups: set[str] = set()
    for group, members in component.groups().items():
        set_by_groups |= {name for member in members for name in member.set}
        usable = [member for member in members if not member.refused and "#" not in member.name]
        if len(usable) > 1:
            names = tuple(member.name for member in members)
            yield Choice(f"{start}{group}", dependency, "", group, tuple(_variations(members, on)), names)
    if len(component.versions) > 1:
        versions = tuple(Value(one, current=one == node.version) for one in component.versions)
        yield Choice(f"{start}version", dependency, "", "", versions)
    for option in component.options.values():
        if option.name not in set_by_groups and _is_varied(option, dependency):
            value = node.options[option.name].value
            yield _option(f"{start}{option.name}", dependency, option, value)


def _variations(members: Sequence[Variation], on: Mapping[str, Any]) -> Iterable[Value]:
    """Members of one group; of several names for one thing (_tf, _tensorflow) only the first that is not on."""
    seen: list[Variation] = [member for member in members if member.name in on]
    for member in members:
        twin = any(one is not member and _alike(one, member) for one in seen)
        if "#" not in member.name and not twin:
            seen.append(member)
            yield Value(member.name, member.help, current=member.name in on, refused=member.refused)


def _alike(one: Variation, other: Variation) -> bool:
    same = replace(one, name=other.name, place=other.place, needs=(), after=()) == replace(other, needs=(), after=())
    return same and not one.refused and bool(one.set or one.needs)


def _is_varied(option: Option, dependency: str) -> bool:
    if option.name in NOT_VARIED or option.type in ("path", "list") or option.env:
        return False
    number = option.type in ("int", "float") and option.unit != ""
    return bool(option.choices) or option.type == "bool" or (number and (option.help != "" or not dependency))


def _option(name: str, dependency: str, option: Option, value: Any) -> Choice:
    free = option.type in ("int", "float")
    words = _ladder(option, value) if free else option.choices or ("true", "false")
    now = _word(value)
    values = [Value(str(word), current=str(word) == now) for word in words]
    if free and value is not None and not any(one.current for one in values):
        values.append(Value(now, current=True))
    return Choice(name, dependency, option.name, "", tuple(values), (), free, option.unit, option.help)


def _ladder(option: Option, value: Any) -> list[str]:
    """Propose numbers around the present one; around none, small powers of two for what is counted in few."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value:
        few = option.unit in ("sessions", "threads", "samples") and option.name != "performance_sample_count"
        return [str(2**power) for power in range(6)] if few and option.type == "int" else []
    whole = option.type == "int"
    found = sorted({value, *((round(value * step) if whole else value * step) for step in LADDER)})
    return [_word(one) for one in found if option.minimum is None or one >= option.minimum]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
