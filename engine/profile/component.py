"""The component language as frozen data.

See docs/components.md for the language with examples; engine/profile/reading.py reads it from YAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.profile.document import SourceLocation

NOWHERE = SourceLocation("", 0, "")
"""For parts that are not from a file: made by a test or a caller."""

OptionType = Literal["text", "int", "float", "bool", "path", "list"]


@dataclass(frozen=True)
class Option:
    """A typed setting of a component."""

    name: str
    type: OptionType = "text"
    default: Any = None
    choices: tuple[Any, ...] = ()
    """The only values allowed (for a list: its only members); empty allows all of the type."""
    unit: str = ""
    help: str = ""
    env: tuple[str, ...] = ()
    """Names by which the user can set it from outside: `--env.IMAGENET_PATH=...`."""
    minimum: float | None = None
    maximum: float | None = None
    implies: str = ""
    """A variation that is switched on when the user sets this option."""
    picks: str = ""
    """A group of variations: the user's value names the one to switch on, which sets the option."""
    refused: str = ""
    """A known option that is not supported, and the reason. No plan contains it."""
    key: bool = True
    """Whether the value is part of the artifact's key. False for what changes speed but not the result."""


@dataclass(frozen=True)
class Rule:
    """A value set by the round's rules, by the name of the rule (engine/plan/rule_book.py)."""

    name: str


@dataclass(frozen=True)
class Condition:
    """Options that must have one of the values (`when`) or none of them (`unless`)."""

    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    unless: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def holds(self, options: Mapping[str, Any]) -> bool:
        """Return whether the options meet the condition. A list option meets it if any member does."""
        return all(_meets(options.get(name), values) for name, values in self.when.items()) and not any(
            _meets(options.get(name), values) for name, values in self.unless.items()
        )


@dataclass(frozen=True)
class Query:
    """A component query: required tags, variations to switch on (`_x`) and off (`-_x`)."""

    tags: tuple[str, ...] = ()
    variations: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @staticmethod
    def parse(words: Sequence[str]) -> Query:
        """Parse words into tags, variations and excluded variations."""
        tags = tuple(word for word in words if not word.startswith(("_", "-_")))
        return Query(
            tags=tags,
            variations=tuple(word[1:] for word in words if word.startswith("_")),
            without=tuple(word[2:] for word in words if word.startswith("-_")),
        )

    def __str__(self) -> str:
        words = [*self.tags, *(f"_{name}" for name in self.variations), *(f"-_{name}" for name in self.without)]
        return ",".join(words)


@dataclass(frozen=True)
class Override:
    """A change to a dependency, made from outside by the dependency's name."""

    tags: tuple[str, ...] = ()
    """Replaces the tags of the query."""
    add: Query = Query()
    version: str = ""
    set: Mapping[str, Any] = field(default_factory=dict)
    hand: Mapping[str, str] = field(default_factory=dict)
    """In a variation's `needs`: option of the dependency -> option of this component."""


@dataclass(frozen=True)
class Need:
    """A dependency: a component that must be available before (or, under `after`, that runs after)."""

    name: str
    query: Query = Query()
    names: tuple[str, ...] = ()
    """Further names by which it can be overridden."""
    condition: Condition = Condition()
    version: str = ""
    hand: Mapping[str, str] = field(default_factory=dict)
    """Options passed down: option of the dependency -> option of the parent."""
    set: Mapping[str, Any] = field(default_factory=dict)
    each: Mapping[str, str] = field(default_factory=dict)
    """One instance for each value: option of the dependency -> list option of the parent."""
    beside: str = ""
    """Use the parent's dependency of this name instead of querying for a component."""
    where: Mapping[str, Any] = field(default_factory=dict)
    """With `beside`: the options it must have; `{x}` is replaced by this component's own option x."""
    lacks: str = ""
    """With `beside`: the error text if no such dependency is left after the user's choices."""
    remedy: str = ""
    place: SourceLocation = NOWHERE

    @property
    def handles(self) -> tuple[str, ...]:
        """Every name by which this dependency can be addressed."""
        return (self.name, *self.names)


@dataclass(frozen=True)
class Variation:
    """A named option of a component, written `_name`. `name.#` takes a parameter: `_batch_size.8`."""

    name: str
    group: str = ""
    default: bool = False
    help: str = ""
    set: Mapping[str, Any] = field(default_factory=dict)
    implies: tuple[str, ...] = ()
    overrides: Mapping[str, Override] = field(default_factory=dict)
    """Changes to this component's own dependencies."""
    needs: tuple[Need, ...] = ()
    """Dependencies that only this variation has."""
    after: tuple[Need, ...] = ()
    everywhere: Mapping[str, Override] = field(default_factory=dict)
    """Changes to dependencies of that name anywhere below."""
    beside: Mapping[str, Override] = field(default_factory=dict)
    """Changes to the sibling dependencies of this component in its parent."""
    refused: str = ""
    """A known variation that can't be chosen, and the reason."""
    place: SourceLocation = NOWHERE


@dataclass(frozen=True)
class Cost:
    """Cost of running the step, as estimated by the profile."""

    fetch_bytes: int | None = None
    disk_bytes: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Component:
    """A component of a plan."""

    name: str
    place: SourceLocation
    summary: str = ""
    tags: tuple[str, ...] = ()
    step: str = ""
    """`module:function`, or `file.py:function` in the profile's folder; empty if nothing runs."""
    command: tuple[str, ...] = ()
    """A program to run instead of a Python function."""
    survey: str = ""
    """`module:function` that returns what this machine already has."""
    code: tuple[str, ...] = ()
    """Further modules that make the artifact, in addition to the step's own and its imports."""
    revision: int = 1
    """Raised when inferdeck's code for this artifact produces a different result: part of the artifact's key."""
    cache: bool = True
    """Whether the result goes to the store. False: it belongs to the job (a measurement, for example)."""
    exclusive: bool = False
    """A measurement: nothing else may run at the same time."""
    resumable: bool = False
    results: str = ""
    """Path of the step's files in the results folder: a template over its options."""
    options: Mapping[str, Option] = field(default_factory=dict)
    needs: tuple[Need, ...] = ()
    after: tuple[Need, ...] = ()
    variations: Mapping[str, Variation] = field(default_factory=dict)
    versions: tuple[str, ...] = ()
    """Available versions; the highest inside the requested range is used."""
    everywhere: Mapping[str, Override] = field(default_factory=dict)
    beside: Mapping[str, Override] = field(default_factory=dict)
    label: str = ""
    """A template over the options that distinguishes instances on screen: `{scenario} {mode}`."""
    cost: Cost = Cost()

    def variation(self, word: str) -> tuple[Variation, str] | None:
        """Return the variation for a word as typed, with its parameter ("" for none)."""
        exact = self.variations.get(word)
        if exact is not None:
            return exact, ""
        name, dot, parameter = word.partition(".")
        parameterised = self.variations.get(f"{name}.#")
        return (parameterised, parameter) if dot and parameter and parameterised is not None else None

    def groups(self) -> Mapping[str, tuple[Variation, ...]]:
        """Return the variations of each group, in file order."""
        found: dict[str, list[Variation]] = {}
        for variation in self.variations.values():
            if variation.group:
                found.setdefault(variation.group, []).append(variation)
        return {group: tuple(members) for group, members in found.items()}


_FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def fill(template: str, options: Mapping[str, Any]) -> str:
    """Replace `{option}` by its value. Unlike str.format it accesses no attributes and leaves unknown names alone."""
    return _FIELD.sub(lambda match: str(options.get(match[1], match[0])), template)


def _meets(value: Any, allowed: tuple[Any, ...]) -> bool:
    members = value if isinstance(value, list | tuple) else (value,)
    return any(member in allowed for member in members)
