"""Read a component from its YAML file, strictly: an unknown key, option or variation is an error with its position."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from engine.errors import ProfileError, UsageError, nearest
from engine.profile import benchmarks, document
from engine.profile.benchmarks import BenchmarkProfile
from engine.profile.component import (
    Component,
    Condition,
    Cost,
    Need,
    Option,
    OptionType,
    Override,
    Query,
    Rule,
    Variation,
)
from engine.profile.document import Value
from engine.profile.values import coerce, parse_size
from engine.text import cut

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_COMPONENT = (
    "name summary tags step command survey code revision cache exclusive resumable results label cost options needs "
    "after variations versions everywhere beside benchmarks"
).split()
_OPTION = "type default choices unit help env minimum maximum implies picks refused key".split()
_NEED = "tags names when unless version hand set each beside where lacks remedy".split()
_OVERRIDE = "tags add version set hand".split()
_VARIATION = "group default help set implies needs after everywhere beside refused".split()
_COST = "fetch disk seconds".split()
_LARGEST = 1e18


def read_component(path: Path, known: Mapping[str, BenchmarkProfile] = MappingProxyType({})) -> Component:
    """Read one component file; `known` are the benchmarks offered by one that says `benchmarks: true`.

    Raises ProfileError with file, line, key path and the nearest valid spelling.
    """
    return component(document.read(path), known)


def component(top: Value, known: Mapping[str, BenchmarkProfile] = MappingProxyType({})) -> Component:
    """Read a component from a composed document."""
    keys = top.section(_COMPONENT, required=("name", "tags"))
    if not keys["tags"].words():
        raise keys["tags"].wrong("there are no tags", "name one tag or more, by which it is found")
    options = {name: _option(name, value) for name, value in _pairs(keys, "options")}
    read = Component(
        name=_name(keys["name"]),
        place=top.place,
        summary=_text(keys, "summary"),
        tags=keys["tags"].words(),
        step=_text(keys, "step"),
        command=_words(keys, "command"),
        survey=_text(keys, "survey"),
        code=_words(keys, "code"),
        revision=_revision(keys),
        cache=_flag(keys, "cache", True),
        exclusive=_flag(keys, "exclusive", False),
        resumable=_flag(keys, "resumable", False),
        results=_text(keys, "results"),
        label=_text(keys, "label"),
        cost=_cost(keys["cost"]) if "cost" in keys else Cost(),
        options=options,
        needs=tuple(_need(name, value, options) for name, value in _pairs(keys, "needs")),
        after=tuple(_need(name, value, options) for name, value in _pairs(keys, "after")),
        versions=_words(keys, "versions"),
        everywhere=_overrides(keys, "everywhere"),
        beside=_overrides(keys, "beside"),
    )
    own = {need.name for need in (*read.needs, *read.after)}
    variations = {name: _variation(name, value, options, own) for name, value in _pairs(keys, "variations")}
    read = replace(read, variations=variations)
    if _flag(keys, "benchmarks", False):
        made = {name: _variation(name, one.plan, options, own) for name, one in known.items()}
        read = benchmarks.joined(read, known, made)
    _check_words(read.variations, read.options, keys)
    return read


def _revision(keys: Mapping[str, Value]) -> int:
    if "revision" not in keys:
        return 1
    found = keys["revision"].plain()
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise keys["revision"].wrong(f"{found!r} is no revision", "write a whole number from 1")
    return found


def _name(value: Value) -> str:
    """Return a component's name, which is part of the names of files and folders of the store."""
    name = value.text()
    if not _NAME.fullmatch(name):
        raise value.wrong(
            f"'{cut(name, 40)}' can't be the name of a component",
            "letters, digits, '.', '_' and '-' are allowed, 100 at most, a letter or digit first",
        )
    return name


def _option(name: str, value: Value) -> Option:
    keys = value.section(_OPTION)
    kind = _text(keys, "type") or "text"
    if kind not in get_args(OptionType):
        raise keys["type"].wrong(f"'{kind}' is no type of option", nearest(kind, get_args(OptionType)))
    default = keys["default"].plain() if "default" in keys else None
    option = Option(
        name=name,
        type=kind,  # type: ignore[arg-type]  # checked against the literal above
        choices=tuple(map(_choice, keys["choices"])) if "choices" in keys else (),
        unit=_text(keys, "unit"),
        help=_text(keys, "help"),
        env=_words(keys, "env"),
        minimum=_figure(keys, "minimum"),
        maximum=_figure(keys, "maximum"),
        implies=_text(keys, "implies"),
        picks=_text(keys, "picks"),
        refused=_text(keys, "refused"),
        key=_flag(keys, "key", True),
    )
    return Option(**{**vars(option), "default": _value(option, default, keys.get("default", value))})


def _value(option: Option, plain: Any, place: Value) -> Any:
    """Return a value of a profile: `{rule: name}` is left to the round, anything else must fit the option."""
    if isinstance(plain, dict) and set(plain) == {"rule"}:
        return Rule(str(plain["rule"]))
    if isinstance(plain, str) and plain == "#":
        return plain
    try:
        return coerce(option, plain, str(place.place))
    except UsageError as error:
        raise ProfileError(error.what, error.remedy) from None


def _settings(value: Value | None, options: Mapping[str, Option]) -> dict[str, Any]:
    if value is None:
        return {}
    found = {}
    for name, inner in value.items():
        if name not in options:
            raise inner.wrong(f"this component has no option '{name}'", nearest(name, options))
        found[name] = _value(options[name], inner.plain(), inner)
    return found


def _need(name: str, value: Value, options: Mapping[str, Option]) -> Need:
    keys = value.section(_NEED)
    if ("tags" in keys) == ("beside" in keys):
        raise value.wrong(f"the dependency '{name}' needs either 'tags' or 'beside'", "give one of the two")
    each = _handed(keys, "each", options)
    return Need(
        name=name,
        query=Query.parse(_words(keys, "tags")),
        names=_words(keys, "names"),
        condition=_condition(keys, options),
        version=_text(keys, "version"),
        hand=_handed(keys, "hand", options),
        set=_plain(keys, "set"),
        each=each,
        beside=_text(keys, "beside"),
        where=_plain(keys, "where"),
        lacks=_text(keys, "lacks"),
        remedy=_text(keys, "remedy"),
        place=value.place,
    )


def _handed(keys: Mapping[str, Value], key: str, options: Mapping[str, Option]) -> dict[str, str]:
    """Read `{theirs: mine}`, or a list where both have one name; what is passed down must be an option of this
    component."""
    if key not in keys:
        return {}
    plain = keys[key].plain()
    found = (
        {str(word): str(word) for word in plain}
        if isinstance(plain, list)
        else {theirs: str(inner.plain()) for theirs, inner in keys[key].items()}
    )
    for mine in found.values():
        if mine not in options:
            raise keys[key].wrong(f"this component has no option '{mine}'", nearest(mine, options))
    return found


def _condition(keys: Mapping[str, Value], options: Mapping[str, Option]) -> Condition:
    sides: list[dict[str, tuple[Any, ...]]] = []
    for key in ("when", "unless"):
        side: dict[str, tuple[Any, ...]] = {}
        for name, inner in keys[key].items() if key in keys else ():
            if name not in options:
                raise inner.wrong(f"this component has no option '{name}'", nearest(name, options))
            plain = inner.plain()
            side[name] = tuple(plain) if isinstance(plain, list) else (plain,)
        sides.append(side)
    return Condition(when=sides[0], unless=sides[1])


def _variation(name: str, value: Value, options: Mapping[str, Option], own: set[str]) -> Variation:
    keys = value.section(_VARIATION)
    overrides: dict[str, Override] = {}
    needs: list[Need] = []
    after: list[Need] = []
    for key, new in (("needs", needs), ("after", after)):
        for need, inner in keys[key].items() if key in keys else ():
            if need in own:
                overrides[need] = _override(inner, options)
            else:
                new.append(_need(need, inner, options))
    return Variation(
        name=name,
        group=_text(keys, "group"),
        default=_flag(keys, "default", False),
        help=_text(keys, "help"),
        set=_settings(keys.get("set"), options),
        implies=tuple(word.removeprefix("_") for word in _words(keys, "implies")),
        overrides=overrides,
        needs=tuple(needs),
        after=tuple(after),
        everywhere=_overrides(keys, "everywhere"),
        beside=_overrides(keys, "beside"),
        refused=_text(keys, "refused"),
        place=value.place,
    )


def _override(value: Value, options: Mapping[str, Option] = MappingProxyType({})) -> Override:
    keys = value.section(_OVERRIDE)
    return Override(
        tags=_words(keys, "tags"),
        add=Query.parse(_words(keys, "add")),
        version=_text(keys, "version"),
        set=_plain(keys, "set"),
        hand=_handed(keys, "hand", options),
    )


def _overrides(keys: Mapping[str, Value], key: str) -> dict[str, Override]:
    return {name: _override(value) for name, value in _pairs(keys, key)}


def _cost(value: Value) -> Cost:
    keys = value.section(_COST)
    sizes: dict[str, int | None] = {}
    for key in ("fetch", "disk"):
        sizes[key] = parse_size(keys[key].plain()) if key in keys else None
        if key in keys and sizes[key] is None:
            raise keys[key].wrong(f"'{cut(str(keys[key].plain()), 40)}' is not a size", "write 17.4 MB or 2 GiB")
    return Cost(fetch_bytes=sizes["fetch"], disk_bytes=sizes["disk"], seconds=_figure(keys, "seconds", least=0))


def _figure(keys: Mapping[str, Value], key: str, least: float = -_LARGEST) -> float | None:
    """Return a number, None if there is none. Raises ProfileError for a value that is no number or out of range."""
    plain = keys[key].plain() if key in keys else None
    if plain is None or (isinstance(plain, int | float) and not isinstance(plain, bool) and least <= plain <= _LARGEST):
        return plain
    raise keys[key].wrong(f"'{cut(str(plain), 40)}' is no figure", f"write a number from {least:g} to {_LARGEST:g}")


def _choice(value: Value) -> str | int | float | bool:
    plain = value.plain()
    if isinstance(plain, str | int | float):
        return plain
    raise value.wrong(f"'{cut(str(plain), 40)}' is no choice", "write a text or a number")


def _plain(keys: Mapping[str, Value], key: str) -> dict[str, Any]:
    """Return a mapping as it is written."""
    return {name: inner.plain() for name, inner in keys[key].items()} if key in keys else {}


def _check_words(variations: Mapping[str, Variation], options: Mapping[str, Option], keys: Mapping[str, Value]) -> None:
    """Raise ProfileError if an implied variation does not exist or a group has two defaults."""
    defaults: dict[str, str] = {}
    for variation in variations.values():
        for word in variation.implies:
            if word not in variations and word.partition(".")[0] + ".#" not in variations:
                raise ProfileError(
                    f"{variation.place}: implies an unknown variation '{word}'", nearest(word, variations)
                )
        if variation.default and variation.group:
            other = defaults.setdefault(variation.group, variation.name)
            if other != variation.name:
                raise ProfileError(
                    f"{variation.place}: the group '{variation.group}' has two defaults, {other} and {variation.name}",
                    "keep one of them",
                )
    for name, option in options.items():
        if option.implies and option.implies not in variations:
            raise keys["options"].wrong(
                f"the option '{name}' implies an unknown variation '{option.implies}'",
                nearest(option.implies, variations),
            )
        groups = {variation.group for variation in variations.values() if variation.group}
        if option.picks and option.picks not in groups:
            raise keys["options"].wrong(
                f"the option '{name}' picks from an unknown group '{option.picks}'", nearest(option.picks, groups)
            )


def _pairs(keys: Mapping[str, Value], key: str) -> list[tuple[str, Value]]:
    return keys[key].items() if key in keys else []


def _text(keys: Mapping[str, Value], key: str) -> str:
    return keys[key].text() if key in keys else ""


def _words(keys: Mapping[str, Value], key: str) -> tuple[str, ...]:
    return keys[key].words() if key in keys else ()


def _flag(keys: Mapping[str, Value], key: str, default: bool) -> bool:
    return keys[key].flag() if key in keys else default
