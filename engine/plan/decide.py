"""Resolve one component on its own: which variations are on, the values of its options, and why.

A choice has a rank. What the user asked for overrides what other choices imply, which overrides a group's default; two
different choices of one rank in one group contradict each other, and the error names both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import NoOptionError, UsageError, nearest
from engine.plan.plan import Chosen, Decided
from engine.plan.reason import Asked, GroupDefault, HandedDown, ImpliedBy, OptionDefault, Reason, RoundRule
from engine.profile import hints
from engine.profile.component import Component, Option, Override, Rule, Variation
from engine.profile.values import coerce

DEFAULT, IMPLIED, ASKED = 1, 2, 3

RuleBook = Callable[[str, Mapping[str, Any]], Any]
"""Looks up a rule of the round: (name of the rule, the component's resolved options) → value."""


@dataclass(frozen=True)
class Word:
    """A request to switch a variation on or off."""

    name: str
    reason: Reason
    off: bool = False

    @property
    def rank(self) -> int:
        """Priority of the request."""
        return ASKED if isinstance(self.reason, Asked) else IMPLIED


@dataclass(frozen=True)
class Given:
    """An option value given from outside the component."""

    value: Any
    reason: Reason


@dataclass(frozen=True)
class Decision:
    """A component with its variations and options resolved."""

    component: Component
    chosen: tuple[tuple[Variation, str, Reason], ...]
    """Variation, parameter and reason, lowest priority first, so that later settings override."""
    options: Mapping[str, Decided]

    def values(self) -> dict[str, Any]:
        """Return option values by name."""
        return {name: decided.value for name, decided in self.options.items()}

    def variations(self) -> tuple[Chosen, ...]:
        """Return the variations as the plan shows them, in alphabetical order."""
        groups = self.component.groups()
        shown = [
            Chosen(
                name=_written(variation, parameter),
                group=variation.group,
                reason=reason,
                alternatives=tuple(
                    one.name for one in groups.get(variation.group, ()) if one is not variation and not one.refused
                ),
            )
            for variation, parameter, reason in self.chosen
        ]
        return tuple(sorted(shown, key=lambda one: one.name))


@dataclass
class _Choice:
    variation: Variation
    parameter: str
    reason: Reason
    rank: int


@dataclass
class _Choices:
    component: Component
    where: str
    off: Mapping[str, int]
    on: dict[str, _Choice] = field(default_factory=dict)
    by_group: dict[str, str] = field(default_factory=dict)
    picked: set[str] = field(default_factory=set)
    """Groups whose member was picked by an option."""

    def take(self, given: Mapping[str, Given]) -> Mapping[str, Given]:
        """Switch on the variations that the user's options select; return the options that still need a value.

        An option value overrides the variation tag of the same group, so a recipe can be changed by options.
        """
        left = dict(given)
        for name, one in given.items():
            option = self.component.options.get(name)
            if option is None or not isinstance(one.reason, Asked):
                continue
            if option.refused:
                raise UsageError(f"{one.reason.how} can't be honoured here", option.refused)
            if option.implies:
                self.add(option.implies, one.reason, ASKED)
            if option.picks:
                self._pick(option, left.pop(name))
        return left

    def _pick(self, option: Option, one: Given) -> None:
        """Switch on the variation that an option's value names."""
        word, members = str(one.value), [member.name for member in self.component.groups()[option.picks]]
        if word not in members:
            assert isinstance(one.reason, Asked)
            raise UsageError(f"{one.reason.how}: there is no {option.picks} '{word}'", nearest(word, members))
        self.add(word, one.reason, ASKED)
        self.picked.add(option.picks)

    def add(self, word: str, reason: Reason, rank: int) -> None:
        found = self.component.variation(word)
        if found is None:
            raise UsageError(
                f"{self.where}: {self.component.name} has no variation '_{word}'",
                nearest(word, self.component.variations, "_"),
            )
        variation, parameter = found
        if variation.group in self.picked:
            return
        if self.off.get(word, 0) >= rank:
            return
        if variation.refused:
            raise UsageError(f"{self.where}: '_{word}' of {self.component.name} can't be used", variation.refused)
        if not self._makes_room(variation, word, reason, rank):
            return
        self.on[variation.name] = _Choice(variation, parameter, reason, rank)
        if variation.group:
            self.by_group[variation.group] = variation.name
        for implied in variation.implies:
            self.add(implied, ImpliedBy(self.component.name, word), min(rank, IMPLIED))

    def _makes_room(self, variation: Variation, word: str, reason: Reason, rank: int) -> bool:
        """Return whether the variation may be switched on, removing one of lower priority from its group."""
        present = self.by_group.get(variation.group, "") if variation.group else variation.name
        held = self.on.get(present)
        if held is None:
            return True
        if held.variation is variation and held.rank >= rank:
            return False
        if held.variation is not variation:
            if held.rank > rank:
                return False
            if held.rank == rank:
                raise UsageError(
                    f"{self.where}: '_{held.variation.name}' ({held.reason}) and '_{word}' ({reason}) exclude each "
                    f"other in {self.component.name}",
                    f"both are of the group '{variation.group}': keep one",
                )
        del self.on[present]
        return True


def decide(
    component: Component,
    words: Iterable[Word],
    given: Mapping[str, Given],
    rules: RuleBook,
    round_name: str,
    where: str,
) -> Decision:
    """Resolve the variations and options of one component.

    `words` are requested variations, `given` option values from outside, already merged by priority. Raises UsageError
    naming `where` for invalid ones.
    """
    wanted = list(words)
    off = {word.name: word.rank for word in wanted if word.off}
    choices = _Choices(component, where, off)
    given = choices.take(given)
    for word in sorted((word for word in wanted if not word.off), key=lambda word: -word.rank):
        choices.add(word.name, word.reason, word.rank)
    for variation in component.variations.values():
        if variation.default and variation.name not in choices.on and variation.group not in choices.by_group:
            choices.add(variation.name, GroupDefault(variation.group), DEFAULT)
    for word in wanted:
        if word.off and isinstance(word.reason, Asked):
            _refuse_empty_group(choices, word)
    ordered = sorted(choices.on.values(), key=lambda choice: choice.rank)
    chosen = tuple((choice.variation, choice.parameter, choice.reason) for choice in ordered)
    return Decision(component, chosen, _options(component, chosen, given, rules, round_name, where))


def _refuse_empty_group(choices: _Choices, word: Word) -> None:
    """Raise UsageError if a request removes a variation that is not on, or a group's default without replacement."""
    component, where = choices.component, choices.where
    found = component.variation(word.name)
    if found is None:
        what = f"{where}: {component.name} has no variation '_{word.name}' to leave out"
        raise UsageError(what, nearest(word.name, component.variations, "_"))
    group = found[0].group
    if group and found[0].default and group not in choices.by_group:
        others = [f"_{one.name}" for one in component.groups()[group] if one is not found[0] and not one.refused]
        what = f"{where}: '-_{word.name}' leaves {component.name} without a {group}"
        raise UsageError(what, f"add one: {', '.join(others)}" if others else f"leave out -_{word.name}")


def _options(
    component: Component,
    chosen: Iterable[tuple[Variation, str, Reason]],
    given: Mapping[str, Given],
    rules: RuleBook,
    round_name: str,
    where: str,
) -> dict[str, Decided]:
    raw: dict[str, tuple[Any, Reason]] = {
        name: (option.default, OptionDefault()) for name, option in component.options.items() if not option.refused
    }
    for variation, parameter, _ in chosen:
        for name, value in variation.set.items():
            raw[name] = (
                parameter if value == "#" else value,
                ImpliedBy(component.name, _written(variation, parameter)),
            )
    for name, one in given.items():
        if name not in component.options:
            how = one.reason.how if isinstance(one.reason, Asked) else where
            what = f"{how}: {component.name} has no option '{name}'"
            remedy = hints.for_option(component, name, str(one.value))
            raise NoOptionError(what, remedy, name, tuple(component.options))
        raw[name] = (one.value, one.reason)
    known = {name: value for name, (value, _) in raw.items() if not isinstance(value, Rule)}
    decided = {}
    for name, (value, reason) in raw.items():
        option = component.options[name]
        if isinstance(value, Rule):
            # An option that another rule reads is declared before it in the component.
            known[name], reason = rules(value.name, known), RoundRule(round_name, value.name)  # noqa: PLW2901
            value = known[name]  # noqa: PLW2901
        decided[name] = Decided(_coerce(option, value, reason, where), reason, option.key)
    return decided


def _coerce(option: Option, value: Any, reason: Reason, where: str) -> Any:
    return coerce(option, value, reason.how if isinstance(reason, Asked) else where)


def wanted_by(override: Override, reason: Reason) -> list[Word]:
    """Return the variation requests that an override makes of a dependency."""
    on = [Word(name, reason) for name in override.add.variations]
    return on + [Word(name, reason, off=True) for name in override.add.without]


def given_by(override: Override, reason: Reason) -> dict[str, Given]:
    """Return the option values that an override sets on a dependency."""
    return {name: Given(value, reason) for name, value in override.set.items()}


def handed(
    parent: Component, values: Mapping[str, Any], hand: Mapping[str, str], fixed: Mapping[str, Any]
) -> dict[str, Given]:
    """Return the options that a parent passes down to a dependency, and those that its need sets."""
    found = {child: Given(values[own], HandedDown(parent.name, own)) for child, own in hand.items()}
    return found | {child: Given(value, HandedDown(parent.name, "")) for child, value in fixed.items()}


def _written(variation: Variation, parameter: str) -> str:
    return variation.name.replace("#", parameter) if parameter else variation.name
