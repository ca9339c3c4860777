"""Divide a tree into units of work: a submitter's folder except results, and each system with results.

As in the official checker, results determine what is checked; what belongs to no result is only reported.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.profile.rounds import Division, Round
from engine.submission.checker.file_system import Disk, Folder
from engine.submission.checker.findings import Ledger
from engine.submission.checker.place import Site

KINDS = ("measurements", "compliance")
"""Folders with the layout of results."""


class Unit(NamedTuple):
    """A part of a tree that can be checked independently."""

    division: Division
    submitter: str
    system: str
    """Empty for what does not belong to a system with results."""


def units(disk: Disk, rules: Round, submitter: str | None, ledger: Ledger) -> list[Unit]:
    """Return the units of a tree, or of one submitter; invalid top-level folders become findings.

    Systems come first: they are larger, and are distributed evenly when they follow each other.
    """
    systems, apart = [], []
    for name in _names(disk, "", ledger):
        if name not in rules.divisions:
            if name not in rules.files.beside_divisions:
                right = name.lower()
                remedy = f"rename it to {right}" if right in rules.divisions else ""
                ledger.add("layout.division", name, f"a folder {name}", ", ".join(rules.divisions), remedy=remedy)
            continue
        for owner in _names(disk, name, ledger):
            if submitter is None or owner == submitter:
                apart.append(Unit(name, owner, ""))
                systems += [Unit(name, owner, system) for system in _names(disk, f"{name}/{owner}/results", ledger)]
    return systems + apart


def _names(disk: Disk, path: str, ledger: Ledger) -> list[str]:
    folder = disk.list(path, ledger, deep=False)
    return [] if folder is None else list(folder.folders)


def check_apart(site: Site) -> None:
    """Check what a submitter's folder holds besides systems with results."""
    home = site.disk.list(site.home, site.ledger, deep=False)
    if home is None:
        return
    for name in home.folders:
        if name not in ("results", *KINDS):
            home.folders[name] = site.disk.list(f"{site.home}/{name}", site.ledger) or home.folders[name]
    results = site.disk.list(f"{site.home}/results", Ledger(site.ledger.severities), deep=False)
    if results is None:
        site.ledger.add("layout.submitter", f"{site.home}/results", "no such folder", "results")
        return
    _check_unused(site, home, set(results.folders))
    calibration = site.rules.files.calibration
    if site.division != "open" and not any(_holds(home, path) for path in calibration):
        site.ledger.add("layout.calibration", f"{site.home}/{calibration[0]}", "no such file", " or ".join(calibration))


def _check_unused(site: Site, home: Folder, systems: set[str]) -> None:
    descriptions = home.folders.get("systems", Folder(""))
    for name in descriptions.files:
        if name.endswith(".json") and name.removesuffix(".json") not in systems:
            site.ledger.add("layout.unused", f"{site.home}/systems/{name}", "no results of this system", "results")
    for kind in KINDS:
        for name in _names(site.disk, f"{site.home}/{kind}", site.ledger):
            if name not in systems:
                site.ledger.add("layout.unused", f"{site.home}/{kind}/{name}", "no results of this system", "results")


def _holds(home: Folder, path: str) -> bool:
    *folders, name = path.split("/")
    folder = home.at(*folders)
    return folder is not None and name in folder.files
