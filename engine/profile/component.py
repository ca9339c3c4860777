"""The component language as frozen data: what a component file can say.

See docs/components.md for the language with examples; engine/profile/reading.py reads it from YAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.profile.document import SourceLocation

NOWHERE = SourceLocation("", 0, "")
"""For parts that no file holds: those that a test or a caller makes."""

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
    """Names by which a person can give it from outside: `--env.IMAGENET_PATH=...`."""
    minimum: float | None = None
    maximum: float | None = None
    implies: str = ""
    """A variation that is switched on when a person gives this option."""
    picks: str = ""
    """A group of variations, one of which a person's value names: it is switched on, and decides the value."""
    refused: str = ""
    """A known option that can't be honoured, and the reason. No plan holds it."""
    key: bool = True
    """Whether the value is part of the artifact's key. False for what changes speed but not the result."""


@dataclass(frozen=True)
class Rule:
    """A value that the round's rules decide, by the name of the rule (engine/plan/rule_book.py)."""

    name: str


@dataclass(frozen=True)
class Condition:
    """Decided options that must have one of the values (`when`) or none of them (`unless`)."""

    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    unless: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def holds(self, options: Mapping[str, Any]) -> bool:
        """Say whether the options meet the condition. A list option meets it if any member does."""
        return all(_meets(options.get(name), values) for name, values in self.when.items()) and not any(
            _meets(options.get(name), values) for name, values in self.unless.items()
        )


@dataclass(frozen=True)
class Query:
    """What to look for: tags that a component must have, variations to switch on (`_x`) and off (`-_x`)."""

    tags: tuple[str, ...] = ()
    variations: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @staticmethod
    def parse(words: Sequence[str]) -> Query:
        """Sort words into tags, variations and variations to leave out."""
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
    """A change to a dependency, made from outside it by the dependency's name."""

    tags: tuple[str, ...] = ()
    """Replaces the tags that are looked for."""
    add: Query = Query()
    version: str = ""
    set: Mapping[str, Any] = field(default_factory=dict)
    hand: Mapping[str, str] = field(default_factory=dict)
    """In a variation's `needs`: option of the dependency -> option of this component."""


@dataclass(frozen=True)
class Need:
    """A dependency: a component that must be there before (or, under `after`, that runs after)."""

    name: str
    query: Query = Query()
    names: tuple[str, ...] = ()
    """Further names by which it can be overridden."""
    condition: Condition = Condition()
    version: str = ""
    hand: Mapping[str, str] = field(default_factory=dict)
    """Options handed down: option of the dependency -> option of the parent."""
    set: Mapping[str, Any] = field(default_factory=dict)
    each: Mapping[str, str] = field(default_factory=dict)
    """One dependency for each value: option of the dependency -> list option of the parent."""
    beside: str = ""
    """Take what the parent has under this name rather than look for a component."""
    where: Mapping[str, Any] = field(default_factory=dict)
    """With `beside`: the options it must have; `{x}` stands for this component's own option x."""
    lacks: str = ""
    """With `beside`: what to tell a person whose choices leave nothing there to take."""
    remedy: str = ""
    place: SourceLocation = NOWHERE

    @property
    def handles(self) -> tuple[str, ...]:
        """Every name by which this dependency can be reached."""
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
    """Changes to the dependencies that stand beside this component in its parent."""
    refused: str = ""
    """A known word that can't be chosen, and the reason."""
    place: SourceLocation = NOWHERE


@dataclass(frozen=True)
class Cost:
    """What running the step takes, as far as the profile knows it."""

    fetch_bytes: int | None = None
    disk_bytes: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Component:
    """One reusable building block."""

    name: str
    place: SourceLocation
    summary: str = ""
    tags: tuple[str, ...] = ()
    step: str = ""
    """`module:function` or `file.py:function` beside the profile; empty where there is nothing to run."""
    command: tuple[str, ...] = ()
    """A program to run instead of a Python function."""
    survey: str = ""
    """`module:function` that says what this machine has already."""
    code: tuple[str, ...] = ()
    """Further modules that make the artifact, beside the step's own and those it imports."""
    revision: int = 1
    """Raised when code of inferdeck that makes the artifact gives another outcome: it is part of the artifact's key."""
    cache: bool = True
    """Whether the result goes to the store. False: it belongs to the job (a measurement, say)."""
    exclusive: bool = False
    """Nothing else may run beside it: it measures."""
    resumable: bool = False
    results: str = ""
    """Where the step's files go in the results folder: a template over its options."""
    options: Mapping[str, Option] = field(default_factory=dict)
    needs: tuple[Need, ...] = ()
    after: tuple[Need, ...] = ()
    variations: Mapping[str, Variation] = field(default_factory=dict)
    versions: tuple[str, ...] = ()
    """Versions that can be had; the highest inside the asked range is taken."""
    everywhere: Mapping[str, Override] = field(default_factory=dict)
    beside: Mapping[str, Override] = field(default_factory=dict)
    label: str = ""
    """A template over the options that tells instances apart on screen: `{scenario} {mode}`."""
    cost: Cost = Cost()

    def variation(self, word: str) -> tuple[Variation, str] | None:
        """Find a variation by the word that a person writes; return it with its parameter ("" for none)."""
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
    """Replace `{option}` by its value. Unlike str.format it reaches no attributes and leaves unknown names alone."""
    return _FIELD.sub(lambda match: str(options.get(match[1], match[0])), template)


def _meets(value: Any, allowed: tuple[Any, ...]) -> bool:
    members = value if isinstance(value, list | tuple) else (value,)
    return any(member in allowed for member in members)
