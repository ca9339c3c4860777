"""All profiles of one session: the shipped ones, overlaid by the user's own folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import profiles
from engine.errors import ProfileError, UsageError, nearest
from engine.profile import hints
from engine.profile.benchmarks import BenchmarkProfile, read_all
from engine.profile.component import Component, Query
from engine.profile.reading import read_component

_SEPARATORS = re.compile(r"[\s;|+]+")
"""Separators between tags that are accepted instead of a comma."""


@dataclass(frozen=True)
class Catalog:
    """All components, by name."""

    components: Mapping[str, Component]
    folders: tuple[Path, ...] = field(default=())
    """The profile folders, the shipped one first; rounds, systems and recipes are looked up in the same folders."""
    benchmarks: Mapping[str, BenchmarkProfile] = field(default_factory=dict)
    """All benchmarks, by name."""

    def find(self, query: Query, where: str) -> tuple[Component, ...]:
        """Return the components that have every tag of the query and know its variations.

        Raises UsageError if there is none, naming `where` the query is, with the nearest tag or variation.
        """
        tagged = [one for one in self.components.values() if set(query.tags) <= set(one.tags)]
        if not tagged:
            raise self._no_such_tag(query, where)
        fitting = tuple(one for one in tagged if all(one.variation(word) for word in query.variations))
        if not fitting:
            word = next(word for word in query.variations if not any(one.variation(word) for one in tagged))
            remedy = hints.for_variation(tagged, self.components.values(), word)
            names = " or ".join(one.name for one in tagged[:3])
            raise UsageError(f"{where}: {names} has no variation '_{word}'", remedy)
        return fitting

    def has(self, query: Query) -> bool:
        """Return whether some component has every tag of the query."""
        return any(set(query.tags) <= set(one.tags) for one in self.components.values())

    def profile(self, kind: str, name: str) -> Path:
        """Return the YAML file of a round, system or recipe; the user's own folder overrides the shipped one."""
        return profile_file(self.folders, kind, name)

    @cached_property
    def tags(self) -> frozenset[str]:
        """Every tag that some component has."""
        return frozenset(tag for one in self.components.values() for tag in one.tags)

    def _no_such_tag(self, query: Query, where: str) -> UsageError:
        unknown = [tag for tag in query.tags if tag not in self.tags]
        most = max(self.components.values(), key=lambda one: (len(set(query.tags) & set(one.tags)), -len(one.tags)))
        missing = [tag for tag in query.tags if tag not in most.tags]
        meant = next(filter(None, (hints.for_tag(most, tag) for tag in missing)), "")
        if unknown:
            what = f"{where}: no component has the tag '{unknown[0]}'"
            parts = _SEPARATORS.split(unknown[0])
            if len(parts) > 1:
                return UsageError(what, f"tags and variations are separated by commas: {','.join(filter(None, parts))}")
            return UsageError(what, meant or nearest(unknown[0], self.tags))
        return UsageError(
            f"{where}: no component has all of the tags {','.join(query.tags)}",
            meant
            or f"the nearest, {most.name}, does not have {', '.join(missing)}; its tags are {','.join(most.tags)}",
        )


def profile_file(folders: Sequence[Path], kind: str, name: str) -> Path:
    """Return the YAML file of a round, system or recipe; a later folder overrides an earlier.

    Raises UsageError with the nearest name if there is none.
    """
    known = {path.stem: path for folder in folders for path in (folder / kind).glob("*.yaml")}
    if name in known:  # looked up, not opened: a name that no file can have is an unknown name like any other
        return known[name]
    raise UsageError(f"there is no {kind.rstrip('s')} '{name}'", nearest(name, known))


def load(own: Sequence[Path] = ()) -> Catalog:
    """Read the shipped profiles and then the folders in `own`; a component there replaces a shipped one of the same
    name."""
    folders = (profiles.FOLDER, *own)
    components: dict[str, Component] = {}
    for folder in folders:
        _refuse_unreadable(folder)
    known = read_all(folders)
    for folder in folders:
        components.update(_read_components(sorted((folder / "components").glob("*.yaml")), known))
    return Catalog(components=components, folders=folders, benchmarks=known)


def _refuse_unreadable(folder: Path) -> None:
    """Raise UsageError if a profile folder or subfolder can't be listed: its profiles would be silently missing."""
    try:
        if not folder.is_dir():
            raise UsageError(f"{folder}: there is no such profile folder", "check --profiles and the spelling")
        for place in (folder, *(one for one in folder.iterdir() if one.is_dir())):
            next(iter(place.iterdir()), folder).stat()
    except OSError as error:
        where = os.fsdecode(error.filename or folder)
        raise UsageError(f"{where}: {error.strerror}", "change the owner or the mode of the profile folder") from None


def _read_components(paths: Iterable[Path], known: Mapping[str, BenchmarkProfile]) -> dict[str, Component]:
    found: dict[str, Component] = {}
    for path in paths:
        component = read_component(path, known)
        if component.name in found:
            raise ProfileError(
                f"{component.place}: the name '{component.name}' is taken by {found[component.name].place}",
                "give it a name of its own",
            )
        found[component.name] = component
    return found
