"""Divide a tree into units of work: a submitter's folder except results, and each system with results.

As in the official checker, results determine what is checked; what belongs to no result is only reported.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.profile.rounds import Round
from engine.profile.tree_rules import Division, Severity
from engine.submission.checker.file_system import Disk, Folder
from engine.submission.checker.findings import FindingCollector
from engine.submission.checker.location import CheckContext

UNDESCRIBED = "compliance"
"""The official checker does not look for systems without results in this folder."""


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
    _check_beside(disk, rules, "", "layout.root_file", rules.files.beside_divisions_endings, collector)
    for name in _names(disk, "", collector):
        if name not in rules.divisions:
            if name not in rules.files.beside_divisions:
                right = name.lower()
                remedy = f"rename it to {right}" if right in rules.divisions else ""
                collector.add("layout.division", name, f"a folder {name}", ", ".join(rules.divisions), remedy=remedy)
            continue
        _check_beside(disk, rules, name, "layout.division_file", (), collector)
        for owner in _names(disk, name, collector):
            if submitter is None or owner == submitter:
                apart.append(Unit(name, owner, ""))
                inside = FindingCollector(collector.severities, name, collector.findings)
                systems += [Unit(name, owner, system) for system in _names(disk, f"{name}/{owner}/results", inside)]
    return systems + apart


def _check_beside(
    disk: Disk, rules: Round, path: str, rule: str, endings: tuple[str, ...], collector: FindingCollector
) -> None:
    """Report files where only folders belong."""
    folder = disk.list(path, FindingCollector(collector.severities), deep=False)
    for name in sorted(folder.files) if folder is not None else ():
        if not name.endswith(endings or "/"):
            where = f"{path}/{name}" if path else name
            collector.add(rule, where, "a file", "folders" + (f", {', '.join(endings)} files" if endings else ""))


def _names(disk: Disk, path: str, collector: FindingCollector) -> list[str]:
    folder = disk.list(path, collector, deep=False)
    return [] if folder is None else list(folder.folders)


def check_apart(context: CheckContext) -> None:
    """Check what a submitter's folder holds besides systems with results."""
    home = context.disk.list(context.home, context.collector, deep=False)
    if home is None:
        return
    for name in home.folders:
        if name not in ("results", *context.rules.layout.kinds()):
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
    for kind in context.rules.layout.kinds():
        for name in _names(context.disk, f"{context.home}/{kind}", context.collector):
            if name not in systems:
                path = f"{context.home}/{kind}/{name}"
                overlooked: Severity | None = "warning" if kind == UNDESCRIBED else None
                context.disk.list(path, context.collector)
                context.collector.add(
                    "layout.unused", path, "no results of this system", "results", severity=overlooked
                )


def _holds(home: Folder, path: str) -> bool:
    *folders, name = path.split("/")
    folder = home.at(*folders)
    return folder is not None and name in folder.files
