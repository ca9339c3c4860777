"""Parse a command's arguments strictly: its own options, its positional arguments, and what changes a selection.

Every word is understood or refused with the nearest valid one. Repeated tags add up; of an option that takes one value
the last one wins, so that a command line can be extended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.cli import spelling
from engine.cli.command import Command, CommandOption, Selects, key
from engine.cli.commands import COMMANDS
from engine.errors import NoOptionError, UsageError, closest, either
from engine.plan.selection import Selection
from engine.plan.selection_syntax import DEPENDENCIES, Changes, changed, of_recipe, refuse_contradictions
from engine.profile import recipe_files
from engine.profile.catalog import Catalog
from engine.profile.component import Query
from engine.text import whole_path

YES = ("yes", "true", "1", "on")
NO = ("no", "false", "0", "off")
_LIKELY = 0.75
"""Similarity (0 to 1) that a word needs to a known option where it could also be an option of a component."""

_OWNERS = 3
"""Commands to suggest where an option belongs to several."""


@dataclass(frozen=True)
class Words:
    """The parsed command line."""

    command: Command
    positional: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    """Values of single-value options, by the option's name."""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values of repeatable options, by the option's name."""
    changes: Changes = field(default_factory=Changes)
    """Selection changes, where the command accepts a selection."""

    @property
    def tags(self) -> str:
        """All tags, comma-separated."""
        return ",".join(self.lists.get("tags", ()))

    @property
    def profiles(self) -> tuple[Path, ...]:
        """Additional profile folders."""
        return tuple(whole_path(one) for one in self.lists.get("profiles", ()))

    @property
    def selects(self) -> bool:
        """Whether any argument selects a component or changes the selection."""
        return bool(self.tags or "recipe" in self.values or self.changes != Changes())


def parse(command: Command, arguments: Sequence[str]) -> Words:
    """Parse the arguments of a command. Raises UsageError for one that is not understood."""
    reader = _Reader(command)
    reader.read(arguments)
    reader.refuse_wrong_number()
    return Words(
        command,
        tuple(reader.positional),
        frozenset(reader.flags),
        reader.values,
        {name: tuple(values) for name, values in reader.lists.items()},
        reader.changes,
    )


@dataclass
class _Reader:
    command: Command
    positional: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)

    def read(self, arguments: Sequence[str]) -> None:
        """Parse all arguments."""
        rest = list(arguments)
        before = ""
        while rest:
            word = rest.pop(0)
            if word == "--":
                for one in rest:
                    self.argument(one, "")
                return
            spelling.refuse_odd_start(word)
            if word.startswith("-") and not word.startswith("-_"):
                before = self.option(word, rest)
            else:
                spelling.refuse_gap(before, word)
                self.argument(word, before)
                before = word

    def argument(self, word: str, before: str) -> None:
        """Parse a positional argument; `before` is the argument in front of it."""
        takes = self.command.arguments
        if "options" in self.command.selects:
            spelling.refuse_variation(word)
        wanted = not takes.with_flag or takes.with_flag in self.flags
        if wanted and takes.most != 0 and (not takes.allowed or word in takes.allowed):
            self.positional.append(word)
            return
        raise UsageError(f"unexpected word '{word}' after {self.command.name}", self.argument_remedy(word, before))

    def argument_remedy(self, word: str, before: str) -> str:
        """Return the remedy for a positional argument that the command does not take."""
        takes, name = self.command.arguments, self.command.name
        if any(word in (one, one.partition(" ")[0]) for one in COMMANDS):
            return f"the command comes first: inferdeck {word} --help"
        if self.may_be_list(before):
            return f"a list is written with commas: {before},{word}"
        if "," in word and self.command.option("tags"):
            return f"write --tags={word}"
        near = closest(word, (*takes.allowed, *_below(name)))
        if near:
            return f"did you mean {either(near)}?"
        return takes.remedy.replace("WORDS", word) or f"inferdeck {name} --help shows what it takes"

    def may_be_list(self, before: str) -> bool:
        """Return whether a word is an option with a value that may have several parts."""
        name, given, _ = before.replace(" ", "=").partition("=")
        own = self.command.option(name.lstrip("-"))
        return name.startswith("--") and bool(given) and (own is None or own.name == "tags")

    def option(self, word: str, rest: list[str]) -> str:
        """Parse an option, taking its value from the next argument if necessary; return the arguments consumed."""
        name, equals, value = word.lstrip("-").partition("=")
        if not name:
            raise UsageError(f"'{word}' names no option", "options are written --NAME or --NAME=VALUE, without blanks")
        own = self.command.option(name)
        if own is not None and not own.value:
            self.flag(own, name, value if equals else YES[0])
            return word
        if own is None:
            self.refuse_unknown(name)
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise UsageError(f"the option '--{name}' needs a value", self.without_value(name, own))
            value = rest.pop(0)
            word = f"{word} {value}"
        if not value or value.startswith("="):
            spelling.refuse_blank(name, [value, *rest] if value.strip("=") else rest)
            raise UsageError(f"the option '--{name}' has no value", f"write --{name}={own.value if own else 'VALUE'}")
        spelling.refuse_quotes(name, value)
        self.value(name, value, own or self.by_env(name))
        return word

    def flag(self, own: CommandOption, name: str, value: str) -> None:
        """Set or clear a flag."""
        if value.lower() not in (*YES, *NO):
            raise UsageError(f"'--{name}' takes no value but yes or no, not '{value}'", f"write --{name}")
        (self.flags.add if value.lower() in YES else self.flags.discard)(own.name)

    def value(self, name: str, value: str, own: CommandOption | None) -> None:
        """Store the value of one of the command's options, or else a change of the selection."""
        if own is None:
            self.changes.keep(name, value)
        elif not own.value:
            self.flag(own, name, value)
        elif own.repeatable:
            self.lists.setdefault(own.name, []).append(value)
        else:
            _refuse_number(own, value)
            self.values[own.name] = value

    def by_env(self, name: str) -> CommandOption | None:
        """Return the option that a word of the tutorials stands for: `env.CM_QUIET`."""
        head, _, tail = name.partition(".")
        return next((one for one in self.command.options if head == "env" and tail in one.env), None)

    def refuse_unknown(self, name: str) -> None:
        """Raise UsageError for an option that neither this command has nor a component could have."""
        head, dot, _ = name.partition(".")
        kind: Selects | None = "env" if head == "env" else "dependencies" if head in DEPENDENCIES else None
        kind = kind if dot else "options"
        if kind in self.command.selects or (kind is None and "dependencies" in self.command.selects):
            return
        remedy = nearest_option(name, self.command) or f"inferdeck {self.command.name} --help lists its options"
        raise UsageError(f"unknown option '--{name}' of {self.command.name}", remedy)

    def without_value(self, name: str, own: CommandOption | None) -> str:
        """Return the remedy for an option that lacks its value."""
        near = "" if own else nearest_option(name, self.command, _LIKELY)
        also = "" if own or "." in name else f", or _{name} into --tags where it is a variation"
        return near or f"write --{name}={own.value if own else 'VALUE'}{also}"

    def refuse_wrong_number(self) -> None:
        """Raise UsageError for too few or too many arguments."""
        takes, number = self.command.arguments, len(self.positional)
        if takes.with_flag and takes.with_flag not in self.flags:
            return
        if number < takes.least or (takes.most is not None and number > takes.most):
            remedy = takes.remedy or self.command.usage()
            raise UsageError(f"{self.command.name} takes {takes.wanted or 'no names'}, {number} given", remedy)


def nearest_option(name: str, command: Command, cutoff: float = 0.6) -> str:
    """Return a remedy that names the nearest option; empty where none is similar."""
    own = closest(name, [one.name for one in command.options], cutoff)
    if own:
        return f"did you mean {either([f'--{one}' for one in own])}?"
    others = [(option.name, other.name) for other in COMMANDS.values() for option in other.options]
    near = closest(name, {option for option, _ in others}, _LIKELY)[:1]
    if not near:
        return ""
    owners = [owner for option, owner in others if option == near[0]]
    shown = ", ".join(owners[:_OWNERS]) + (", ..." if len(owners) > _OWNERS else "")
    suggestion = "" if key(near[0]) == key(name) else f"did you mean '--{near[0]}'? "
    return f"{suggestion}'--{near[0]}' is an option of {shown}"


@contextmanager
def named_options(words: Words) -> Iterator[None]:
    """Add the command's own options to the candidates suggested for an option that no component has."""
    try:
        yield
    except NoOptionError as error:
        own = {one.name for one in words.command.options}
        near = closest(error.name, {*own, *error.allowed})
        remedy = f"did you mean {either([f'--{one}' for one in near])}?" if own.intersection(near) else error.remedy
        raise UsageError(error.what, remedy) from None


def _below(group: str) -> Iterable[str]:
    """Return the commands of a group; `results list` is the default of its group."""
    first = group.split(" ", maxsplit=1)[0]
    return (name.partition(" ")[2] for name in COMMANDS if name.startswith(f"{first} "))


def _refuse_number(own: CommandOption, value: str) -> None:
    if own.numbers is None:
        return
    least, most = own.numbers
    if not value.isdecimal() or not value.isascii() or not least <= int(value) <= most:
        raise UsageError(f"--{own.name}: '{value}' is no number from {least} to {most}", f"write --{own.usage()[2:]}")


def selection(words: Words, catalog: Catalog) -> Selection:
    """Return the selection: a recipe modified by the tags and options given with it, or tags alone."""
    chosen = Selection(Query())
    if "recipe" in words.values:
        name = words.values["recipe"]
        is_file = "/" in name or name.endswith((".yaml", ".yml"))
        path = whole_path(name) if is_file else catalog.profile(recipe_files.FOLDER, name)
        chosen = of_recipe(recipe_files.read(path))
    chosen = changed(chosen, words.tags, words.changes)
    if not chosen.query.tags:
        raise UsageError("nothing is selected", _example(words, chosen))
    refuse_contradictions(chosen, words.changes, catalog)
    return chosen


def _example(words: Words, chosen: Selection) -> str:
    """Return an example command line for a selection without a component."""
    if chosen.query != Query():
        return f"name the component as well: --tags=app,mlperf,inference,{chosen.query}"
    near = next(filter(None, (nearest_option(name, words.command, _LIKELY) for name in words.changes.options)), "")
    return near or "give --tags=..., for example --tags=app,mlperf,inference,_resnet50"
