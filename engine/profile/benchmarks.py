"""Benchmarks as data: one YAML file per benchmark defines its components, presets and demonstrations.

A component that says `benchmarks: true` gets, for each of them, a variation of that name in the group `benchmark`, and
the names of its dependencies. The guide and the demonstrations use the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from engine.profile import document, typed
from engine.profile.component import Component, Option, Variation
from engine.profile.document import Value

GROUP = "benchmark"
"""The group of the variations, and the option that they set."""


class DataFolder(msgspec.Struct, frozen=True, kw_only=True):
    """The folder of the complete data set, which the user may provide."""

    env: str
    """The outside name of the option: `--env.NAME=DIR`."""
    title: str
    help: str
    without: str
    """What happens if none is given."""
    how_to_get: str = ""
    """For data that the user must obtain; empty if the complete data set can be fetched."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What the guide offers under one name: a model, and the data it runs on."""

    model: str
    """The variation of the model."""
    data: str = ""
    """The variation of the data set; empty takes the one that the model or the data set itself implies."""
    text: str = ""
    """What it is, in a few words; empty where the kind of offer says it (engine/guide/presets.py)."""


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    """Recipes of the demonstration."""

    recipe: str
    offline: str = ""
    """The one that fetches nothing; empty where there is no model without a network."""


class BenchmarkFile(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark, as its file has it."""

    title: str
    samples: str
    """What its samples are, in the plural: images, questions."""
    default: bool = False
    plan: Any
    """What choosing it changes, in the syntax of a component's variation (docs/components.md)."""
    names: dict[str, tuple[str, ...]] = {}
    """Dependency → further names by which the user can address it."""
    offers: dict[str, Offer]
    """Kinds of guided submission (engine/guide/presets.py). `practice`, `stand-in` and `real` are known; any other name
    is a practice on a few real samples."""
    backends: tuple[str, ...]
    """Frameworks that have a graph of its model, by their variations; the first is the usual one."""
    folder: DataFolder
    demo: Demo


@dataclass(frozen=True)
class BenchmarkProfile:
    """A benchmark and its variation."""

    name: str
    file: BenchmarkFile
    plan: Value


def read(path: Path) -> BenchmarkProfile:
    """Read a benchmark's file. Raises ProfileError with file, line, key path and the nearest valid spelling."""
    top = document.read(path)
    file = typed.build(top, BenchmarkFile)
    (plan,) = (value for key, value in top.items() if key == "plan")
    return BenchmarkProfile(path.stem, file, plan)


def read_all(folders: Sequence[Path]) -> dict[str, BenchmarkProfile]:
    """Read the benchmarks of profile folders; a later folder's replaces an earlier one's of the same name."""
    found: dict[str, BenchmarkProfile] = {}
    for folder in folders:
        found |= {path.stem: read(path) for path in sorted((folder / "benchmarks").glob("*.yaml"))}
    return found


def default_name(known: Mapping[str, BenchmarkProfile]) -> str:
    """Return the benchmark that is used where none is chosen: the one marked as default, else the first."""
    return next((name for name, one in known.items() if one.file.default), next(iter(known), ""))


def joined(
    component: Component, benchmarks: Mapping[str, BenchmarkProfile], made: Mapping[str, Variation]
) -> Component:
    """Return a component with a variation for each benchmark; `made` are the variations by name."""
    first = {
        name: replace(
            one,
            group=GROUP,
            default=benchmarks[name].file.default,
            help=benchmarks[name].file.title,
            set={GROUP: name, **one.set},
        )
        for name, one in made.items()
    }
    option: Option = component.options[GROUP]
    default = next((name for name, one in benchmarks.items() if one.file.default), option.default)
    choices = replace(option, choices=tuple(benchmarks), default=default)
    needs = tuple(
        replace(need, names=(*need.names, *(name for one in benchmarks.values() for name in _names(one, need.name))))
        for need in component.needs
    )
    return replace(
        component,
        options={**component.options, GROUP: choices},
        needs=needs,
        variations={**first, **{name: one for name, one in component.variations.items() if name not in first}},
    )


def _names(benchmark: BenchmarkProfile, need: str) -> tuple[str, ...]:
    return benchmark.file.names.get(need, ())
