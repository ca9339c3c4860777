"""Read the command line of `run` and `plan`, strictly: flags, values of our own, and what changes the selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from engine.errors import UsageError, nearest
from engine.plan.selection import Selection
from engine.plan.words import Changes, changed, read_recipe
from engine.profile.catalog import Catalog
from engine.profile.component import Query

FLAGS = ("json", "quiet", "again", "reuse", "yes-install", "plain", "detach", "offline", "now", "help")
YES = ("yes", "true", "1", "on")
VALUES = ("output_dir", "profiles", "home", "lock", "locked", "recipe", "tags")

ENV_VALUES = {"OUTPUT_BASE_DIR": "output_dir", "CM_MLPERF_OUTPUT_DIR": "output_dir"}
"""Names of the CM tutorials for what is no option of a component, but a value of the command line."""
ENV_FLAGS = {"CM_RERUN": "again", "CM_QUIET": "quiet"}


@dataclass
class Words(Changes):
    """A command line taken apart."""

    positional: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    profiles: list[Path] = field(default_factory=list)


def parse(arguments: Sequence[str]) -> Words:
    """Take the words of `run` or `plan` apart. Raises UsageError for a word that has no meaning."""
    words = Words()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            words.positional.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        flag = name.replace("_", "-")
        if flag in FLAGS:
            if not equals or value.lower() in YES:
                words.flags.add(flag)
            continue
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise UsageError(f"the option '{word}' needs a value", _meant(name) or f"write {word}=VALUE")
            value = rest.pop(0)
        _keep(words, name, value)
    return words


def parse_simple(arguments: Sequence[str], *options: str) -> Words:
    """Take the words of a command that selects nothing apart: besides flags it knows only `options`."""
    for word in arguments:
        name = word.lstrip("-").partition("=")[0]
        known = (*FLAGS, *VALUES, "profiles", *options)
        if word.startswith("-") and name not in known and name.replace("_", "-") not in FLAGS:
            raise UsageError(f"unknown option '{word}'", nearest(name, known).replace("'", "'--", 1))
    return parse(arguments)


def _meant(name: str) -> str:
    """Return which word of the command line itself is near to an option that it does not know; empty where none is."""
    close = get_close_matches(name, (*FLAGS, *VALUES), n=1, cutoff=0.75)
    return f"did you mean '--{close[0]}'?" if close and close[0] != name else ""


def _keep(words: Words, name: str, value: str) -> None:
    own = name.removeprefix("env.") if name.startswith("env.") else ""
    if own in ENV_VALUES:
        words.values[ENV_VALUES[own]] = value
    elif own in ENV_FLAGS:
        words.flags |= {ENV_FLAGS[own]} if value.lower() in YES else set()
    elif name == "profiles":
        words.profiles.append(Path(value).expanduser().absolute())
    elif name.replace("-", "_") in VALUES:
        words.values[name.replace("-", "_")] = value
    else:
        words.keep(name, value)


def selection(words: Words, catalog: Catalog) -> Selection:
    """Return what the words select: a recipe, changed by tags and options that stand beside it, or tags alone."""
    chosen = Selection(Query())
    if "recipe" in words.values:
        name = words.values["recipe"]
        path = Path(name)
        chosen, _ = read_recipe(path if path.suffix in (".yaml", ".yml") else catalog.profile("recipes", name))
    chosen = changed(chosen, words.values.get("tags", ""), words)
    if not chosen.query.tags:
        meant = next(filter(None, map(_meant, words.options)), "")
        example = "give --tags=..., for example --tags=app,mlperf,inference,_resnet50"
        raise UsageError("nothing is selected", meant or example)
    return chosen
