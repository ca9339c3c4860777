"""Suggestions for words that exist elsewhere: an option typed as a variation, or the other way round.

MLPerf terms (Offline, retinanet, valid, full) are options here, or variations of the benchmark or of a dependency. For
a misplaced word the right place is suggested rather than a similar word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from engine.errors import closest, either, nearest
from engine.profile.component import Component, Need, Option

_ROUND = re.compile(r"r(\d+\.\d+).*")
"""How the MLPerf tutorials spell a round: `_r5.1-dev`."""


def for_variation(tagged: Sequence[Component], every: Iterable[Component], word: str) -> str:
    """Return what to type instead of the unknown variation `_word` of these components, searching `every` component."""
    options = [option for one in tagged for option in one.options.values() if not option.refused]
    for option in options:
        for choice in option.choices:
            if _same(str(choice), word):
                return f"write --{option.name}={choice}"
    named = _ROUND.fullmatch(word)
    if named and any(option.name == "round" for option in options):
        return f"the round is an option here: --round=v{named[1]}"
    needs = [need for one in tagged for need in one.needs]
    handle = _dependency(needs, every, lambda below: below.variation(word) is not None)
    if handle:
        return f"it is a variation of a dependency: write --add_deps_tags.{handle}=_{word}"
    return nearest(word, {name for one in tagged for name in one.variations}, "_")


def for_option(component: Component, name: str, value: str) -> str:
    """Return what to type instead of the unknown option `--name=value` of a component."""
    if name.isupper() and name not in component.options:
        return f"inputs are written --env.{name}={value}"
    known = [option.name for option in component.options.values() if not option.refused]
    near = closest(name, known)
    if any(_takes(component.options[one], value) for one in near):
        return f"did you mean {either(near)}?"
    for word in (value, name):
        for variation in component.variations.values():
            if _same(variation.name, word) and not variation.refused:
                return f"it is a variation: write _{variation.name} into --tags"
    return nearest(name, known)


def for_tag(component: Component, tag: str) -> str:
    """Return what to type instead of an unknown tag of a component; empty if there is no suggestion."""
    word = next((name for name in component.variations if _same(name, tag)), "")
    if word:
        return f"'{tag}' is a variation: write _{word}"
    options = [(option.name, choice) for option in component.options.values() for choice in option.choices]
    return next((f"write --{name}={choice}" for name, choice in options if _same(str(choice), tag)), "")


def option_below(component: Component, every: Iterable[Component], name: str, value: str) -> str:
    """Return how to set an option that a dependency of a component has; empty if none has it."""
    free = [need for need in component.needs if name not in need.hand and name not in need.each]
    handle = _dependency(free, every, lambda below: name in below.options)
    return f"it is an option of a dependency: write --adr.{handle}.{name}={value}" if handle else ""


def _dependency(needs: Sequence[Need], every: Iterable[Component], fits: Callable[[Component], bool]) -> str:
    """Return the name of the dependency that a matching component can satisfy; empty if there is none."""
    components = list(every)
    for need in needs:
        tags = set(need.query.tags)
        for below in components:
            if tags and tags <= set(below.tags) and fits(below):
                return below.name if below.name in need.handles else need.name
    return ""


def _takes(option: Option, value: str) -> bool:
    """Return whether a value is valid for the option."""
    choices = [str(choice) for choice in option.choices]
    return not choices or any(_same(choice, one) for choice in choices for one in value.split(","))


def _same(one: str, other: str) -> bool:
    return _bare(one) == _bare(other)


def _bare(word: str) -> str:
    return re.sub(r"[\W_]", "", word.casefold())
