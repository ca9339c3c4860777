"""A selection as words (options of the command line, in our spelling and the one of the CM tutorials) and as a recipe.

--NAME=VALUE                      option of the component that the tags name
--env.KEY=VALUE                   input by its outside name
--add_deps_tags.NAME=_x           variations and tags of a dependency, at any depth (also --adr.NAME.tags, --ad...)
--adr.NAME.version=RANGE          version of a dependency
--adr.NAME.OPTION=VALUE           option of a dependency

A recipe is the same in YAML: `tags`, `options`, `env`, `adr`, with a title.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.errors import UsageError, nearest
from engine.plan.selection import Selection
from engine.profile.catalog import Catalog
from engine.profile.component import Override, Query
from engine.profile.recipe_files import RecipeFile

_SWITCHES = ("adr", "ad", "add_deps_recursive", "add_deps")
DEPENDENCIES = ("add_deps_tags", *_SWITCHES)
"""Prefixes of options that change a dependency: `--adr.NAME.version=1.2`."""


@dataclass
class Changes:
    """Changes collected from options one by one."""

    options: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, Override] = field(default_factory=dict)

    def keep(self, name: str, value: str) -> None:
        """Add `--name=value`. Raises UsageError for an unknown name."""
        head, dot, tail = name.partition(".")
        if dot and not tail:
            raise UsageError(f"'--{name}' ends with a dot", f"write --{name}NAME=VALUE")
        if head == "env" and dot:
            self.env[tail] = value
        elif head == "add_deps_tags" and dot:
            self.change(tail, Override(add=Query.parse(split(value))))
        elif head in _SWITCHES and dot:
            self.change_by_path(name, tail, value)
        elif dot:
            raise UsageError(f"unknown option '--{name}'", nearest(head, ("env", *DEPENDENCIES), "--"))
        else:
            self.options[name.replace("-", "_")] = value

    def change_by_path(self, name: str, tail: str, value: str) -> None:
        """Add `DEPENDENCY.WHAT` and its value; `name` is the option as typed."""
        dependency, dot, what = tail.rpartition(".")
        if not dot:
            raise UsageError(
                f"'--{name}' does not name what to change", f"write --{name}.tags=_x or --{name}.version='>=1'"
            )
        if what == "tags":
            self.change(dependency, Override(add=Query.parse(split(value))))
        elif what == "version":
            self.change(dependency, Override(version=value if value[:1] in "<>=!~" else f"=={value}"))
        elif what in ("version_min", "version_max"):
            self.change(dependency, Override(version=f"{'>=' if what == 'version_min' else '<='}{value}"))
        else:
            self.change(dependency, Override(set={what: value}))

    def change(self, dependency: str, more: Override) -> None:
        """Add a change to a dependency."""
        old = self.overrides.get(dependency, Override())
        add = Query(
            old.add.tags + more.add.tags, old.add.variations + more.add.variations, old.add.without + more.add.without
        )
        version = ",".join(text for text in (old.version, more.version) if text)
        self.overrides[dependency] = replace(old, add=add, version=version, set={**old.set, **more.set})


def changed(chosen: Selection, tags: str, changes: Changes) -> Selection:
    """Return a selection with more tags (new plain tags replace the old) and changes applied."""
    more = Query.parse(split(tags))
    overrides = Changes(overrides=dict(chosen.overrides))
    for name, override in changes.overrides.items():
        overrides.change(name, override)
    return Selection(
        query=Query(
            more.tags or chosen.query.tags,
            (*chosen.query.variations, *more.variations),
            (*chosen.query.without, *more.without),
        ),
        options={**chosen.options, **changes.options},
        env={**chosen.env, **changes.env},
        overrides=overrides.overrides,
    )


def with_whole_paths(chosen: Selection, catalog: Catalog, whole: Callable[[str], str]) -> Selection:
    """Return a selection whose paths are absolute, so that it means the same files from every folder.

    `whole` makes a path absolute.
    """
    components = catalog.components.values()
    typed = [(one, option) for one in components for option in one.options.values() if option.type == "path"]
    own = {option.name for one, option in typed if set(chosen.query.tags) <= set(one.tags)}
    outside = {name for _, option in typed for name in option.env}
    every = {option.name for _, option in typed}

    def absolute(values: Mapping[str, str], names: set[str]) -> dict[str, str]:
        return {name: whole(value) if name in names and value else value for name, value in values.items()}

    return replace(
        chosen,
        options=absolute(chosen.options, own),
        env=absolute(chosen.env, outside),
        overrides={name: replace(one, set=absolute(one.set, every)) for name, one in chosen.overrides.items()},
    )


def refuse_contradictions(chosen: Selection, changes: Changes, catalog: Catalog) -> None:
    """Raise UsageError if an option is given different values under two of its names: --sut and --env.CM_SUT_NAME."""
    for component in catalog.components.values():
        if not set(chosen.query.tags) <= set(component.tags):
            continue
        for option in component.options.values():
            given = {f"--env.{name}": changes.env[name] for name in option.env if name in changes.env}
            if option.name in changes.options:
                given[f"--{option.name}"] = changes.options[option.name]
            if len(set(given.values())) > 1:
                words = " and ".join(f"{how}={value}" for how, value in given.items())
                raise UsageError(f"{words} contradict each other", f"both are the option '{option.name}': keep one")


def selection_of(words: Sequence[str]) -> tuple[Selection, str]:
    """Return the selection of a complete command (`Selection.words`, optionally with --output_dir), and its output
    folder."""
    tags, output, changes = "", "", Changes()
    for word in words:
        name, _, value = word.removeprefix("--").partition("=")
        if name == "tags":
            tags = value
        elif name == "output_dir":
            output = value
        elif word.startswith("--"):
            changes.keep(name, value)
    return changed(Selection(Query()), tags, changes), output


def of_recipe(recipe: RecipeFile) -> Selection:
    """Return the selection of a recipe. Raises UsageError if it names a dependency but changes nothing of it."""
    changes = Changes()
    for dependency, found in recipe.adr.items():
        for what, value in found.items():
            changes.change_by_path(dependency, f"{dependency}.{what}", value)
    return Selection(
        query=Query.parse(recipe.tags),
        options=dict(recipe.options),
        env=dict(recipe.env),
        overrides=changes.overrides,
    )


def as_recipe(chosen: Selection, title: str) -> RecipeFile:
    """Return a selection as a recipe; `of_recipe` restores an equal selection."""
    adr: dict[str, dict[str, str]] = {}
    for name, override in chosen.overrides.items():
        adr[name] = dict(override.set)
        if str(override.add):
            adr[name]["tags"] = str(override.add)
        if override.version:
            adr[name]["version"] = override.version
    return RecipeFile(title, split(str(chosen.query)), dict(chosen.options), dict(chosen.env), adr)


def split(value: str) -> tuple[str, ...]:
    """Split a comma-separated list."""
    return tuple(word.strip() for word in value.split(",") if word.strip())
