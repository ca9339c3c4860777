"""Read the command line of `run` and `plan`, in our spelling and in the one of the tutorials (CM), strictly.

--tags=a,b,_x,-_y                 component and variations
--NAME=VALUE                      option of that component
--env.KEY=VALUE                   input by its outside name
--add_deps_tags.NAME=_x           variations and tags of a dependency, at any depth (also --adr.NAME.tags, --ad...)
--adr.NAME.version=RANGE          version of a dependency
--adr.NAME.OPTION=VALUE           option of a dependency
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.errors import UsageError, nearest
from engine.plan.selection import Selection
from engine.profile.catalog import Catalog
from engine.profile.component import Override, Query

FLAGS = ("json", "quiet", "again", "reuse", "yes-install", "plain", "detach", "offline", "help")
VALUES = ("output_dir", "profiles", "home", "lock", "locked", "recipe", "tags")
_SWITCHES = {"adr": True, "ad": True, "add_deps_recursive": True, "add_deps": True}


@dataclass
class Words:
    """A command line taken apart."""

    positional: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    profiles: list[Path] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, Override] = field(default_factory=dict)


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
            if not equals or value.lower() in ("yes", "true", "1", "on"):
                words.flags.add(flag)
            continue
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise UsageError(f"the option '{word}' needs a value", f"write {word}=VALUE")
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


def _keep(words: Words, name: str, value: str) -> None:
    head, dot, tail = name.partition(".")
    if name == "profiles":
        words.profiles.append(Path(value).expanduser().absolute())
    elif name.replace("-", "_") in VALUES:
        words.values[name.replace("-", "_")] = value
    elif head == "env" and dot:
        words.env[tail] = value
    elif head == "add_deps_tags" and dot:
        _change(words, tail, Override(add=Query.parse(_split(value))))
    elif head in _SWITCHES and dot:
        _change_by_path(words, name, tail, value)
    elif dot:
        raise UsageError(
            f"unknown option '--{name}'", nearest(head, ("env", "add_deps_tags", *_SWITCHES)).replace("'", "'--", 1)
        )
    else:
        words.options[name.replace("-", "_")] = value


def _change_by_path(words: Words, name: str, tail: str, value: str) -> None:
    dependency, dot, what = tail.rpartition(".")
    if not dot:
        raise UsageError(f"'--{name}' says nothing to change", f"write --{name}.tags=_x or --{name}.version='>=1'")
    if what == "tags":
        _change(words, dependency, Override(add=Query.parse(_split(value))))
    elif what == "version":
        _change(words, dependency, Override(version=value if value[:1] in "<>=!~" else f"=={value}"))
    elif what in ("version_min", "version_max"):
        _change(words, dependency, Override(version=f"{'>=' if what == 'version_min' else '<='}{value}"))
    else:
        _change(words, dependency, Override(set={what: value}))


def _change(words: Words, dependency: str, more: Override) -> None:
    old = words.overrides.get(dependency, Override())
    add = Query(
        old.add.tags + more.add.tags, old.add.variations + more.add.variations, old.add.without + more.add.without
    )
    version = ",".join(text for text in (old.version, more.version) if text)
    words.overrides[dependency] = replace(old, add=add, version=version, set={**old.set, **more.set})


def _split(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def selection(words: Words, catalog: Catalog) -> Selection:
    """Return what the words select: a recipe, changed by tags and options that stand beside it, or tags alone."""
    chosen = Selection(Query())
    if "recipe" in words.values:
        chosen = _recipe(words.values["recipe"], catalog)
    if "tags" in words.values:
        more = Query.parse(_split(words.values["tags"]))
        query = Query(
            more.tags or chosen.query.tags,
            (*chosen.query.variations, *more.variations),
            (*chosen.query.without, *more.without),
        )
        chosen = replace(chosen, query=query)
    if not chosen.query.tags:
        raise UsageError("nothing is selected", "give --tags=..., for example --tags=app,mlperf,inference,_resnet50")
    changed = Words(overrides=dict(chosen.overrides))
    for name, override in words.overrides.items():
        _change(changed, name, override)
    return replace(
        chosen,
        options={**chosen.options, **words.options},
        env={**chosen.env, **words.env},
        overrides=changed.overrides,
    )


def _recipe(name: str, catalog: Catalog) -> Selection:
    from engine.profile import document  # noqa: PLC0415  (only a recipe needs it)

    path = Path(name)
    path = path if path.suffix in (".yaml", ".yml") else catalog.profile("recipes", name)
    keys = document.read(path).section(("title", "tags", "options", "env", "adr"), required=("tags",))
    words = Words()
    for dependency, changes in keys["adr"].items() if "adr" in keys else ():
        for what, value in changes.items():
            _change_by_path(words, dependency, f"{dependency}.{what}", _written(value.plain()))
    return Selection(
        query=Query.parse(keys["tags"].words()),
        options={key: _written(value.plain()) for key, value in (keys["options"].items() if "options" in keys else ())},
        env={key: _written(value.plain()) for key, value in (keys["env"].items() if "env" in keys else ())},
        overrides=words.overrides,
    )


def _written(value: Any) -> str:
    return ",".join(str(one) for one in value) if isinstance(value, list) else str(value)
