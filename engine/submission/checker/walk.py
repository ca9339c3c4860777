"""Divide a tree into units of work: a submitter's folder except results, and each system with results.

As in the official checker, results determine what is checked; what belongs to no result is only reported.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.profile.rounds import Division, Round
from engine.submission.checker.file_system import Disk, Folder
from engine.submission.checker.findings import FindingCollector
from engine.submission.checker.location import CheckContext

KINDS = ("measurements", "compliance")
"""Folders with the layout of results."""


class Unit(NamedTuple):
    """A part of a tree that can be checked independently."""

    division: Division
    submitter: str
    system: str
    """Empty for what does not belong to a system with results."""


def units(disk: Disk, rules: Round, submitter: str | None, collector: FindingCollector) -> list[Unit]:
    """Return the units of a tree, or of one submitter; invalid top-level folders become findings.

    Systems come first: they are larger, and are distributed evenly when they follow each other.
    """
    systems, apart = [], []
    for name in _names(disk, "", collector):
        if name not in rules.divisions:
            if name not in rules.files.beside_divisions:
                right = name.lower()
                remedy = f"rename it to {right}" if right in rules.divisions else ""
                collector.add("layout.division", name, f"a folder {name}", ", ".join(rules.divisions), remedy=remedy)
            continue
        for owner in _names(disk, name, collector):
            if submitter is None or owner == submitter:
                apart.append(Unit(name, owner, ""))
                systems += [Unit(name, owner, system) for system in _names(disk, f"{name}/{owner}/results", collector)]
    return systems + apart


def _names(disk: Disk, path: str, collector: FindingCollector) -> list[str]:
    folder = disk.list(path, collector, deep=False)
    return [] if folder is None else list(folder.folders)


def check_apart(context: CheckContext) -> None:
    """Check what a submitter's folder holds besides systems with results."""
    home = context.disk.list(context.home, context.collector, deep=False)
    if home is None:
        return
    for name in home.folders:
        if name not in ("results", *KINDS):
            home.folders[name] = context.disk.list(f"{context.home}/{name}", context.collector) or home.folders[name]
    results = context.disk.list(f"{context.home}/results", FindingCollector(context.collector.severities), deep=False)
    if results is None:
        context.collector.add("layout.submitter", f"{context.home}/results", "no such folder", "results")
        return
    _check_unused(context, home, set(results.folders))
    calibration = context.rules.files.calibration
    if context.division != "open" and not any(_holds(home, path) for path in calibration):
        context.collector.add(
            "layout.calibration", f"{context.home}/{calibration[0]}", "no such file", " or ".join(calibration)
        )


def _check_unused(context: CheckContext, home: Folder, systems: set[str]) -> None:
    descriptions = home.folders.get("systems", Folder(""))
    for name in descriptions.files:
        if name.endswith(".json") and name.removesuffix(".json") not in systems:
            context.collector.add(
                "layout.unused", f"{context.home}/systems/{name}", "no results of this system", "results"
            )
    for kind in KINDS:
        for name in _names(context.disk, f"{context.home}/{kind}", context.collector):
            if name not in systems:
                context.collector.add(
                    "layout.unused", f"{context.home}/{kind}/{name}", "no results of this system", "results"
                )


def _holds(home: Folder, path: str) -> bool:
    *folders, name = path.split("/")
    folder = home.at(*folders)
    return folder is not None and name in folder.files
