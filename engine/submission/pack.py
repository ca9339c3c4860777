"""Pack a checked tree into a zip: deterministic, and without anything that may not be submitted."""

from __future__ import annotations

import os
import shlex
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from engine import codec
from engine.errors import DataError, InferdeckError, UsageError
from engine.store.files import disk_errors, new_beside
from engine.submission.checker.findings import Finding, Report
from engine.submission.provenance import Provenance
from engine.submission.styles import BY_DESIGN
from engine.submission.tree import Tree
from engine.text import is_text

MARK = "DEMONSTRATION.md"
"""A file at a tree's root that marks it as not a submission."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date a zip can hold, so that the date of packing does not change the bytes."""

_PIECE = 1 << 20


class Measurements(msgspec.Struct, frozen=True):
    """The part of a measurements file that we write and read back."""

    inferdeck: Provenance


@dataclass(frozen=True)
class Packed:
    """Contents of a zip."""

    file: Path
    files: int
    size: int
    """Size of the zip in bytes."""


def pack(tree: Path, target: Path) -> Packed:
    """Write `target`, a zip of the tree's files under the tree's name.

    Raises DataError for synthetic weights, a demonstration or a non-submittable style outside a tree marked as a
    demonstration, and in the closed or network division also for synthetic weights or calibration with other images
    than the rules'. Also raises DataError where the tree holds no file, a link, a pipe or a name that a zip can't hold,
    and UsageError where the zip would be in the tree.
    """
    refuse_not_submittable(tree)
    if target.resolve().is_relative_to(tree.resolve()):
        raise UsageError(f"{target} is in the tree that is packed", "name a place outside it: --out=FILE")
    inside = Tree(tree)
    places = [_nameable(inside, place) for place in inside.files()]
    if not places:
        raise DataError(f"{tree} holds no file", "generate the tree first: inferdeck submission generate")
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_beside(target) as out:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
                for place in sorted(places):
                    _add(archive, inside, place)
            size = out.tell()
    return Packed(target, len(places), size)


def _nameable(tree: Tree, place: PurePosixPath) -> PurePosixPath:
    if not is_text(f"{tree.root.name}/{place}"):
        raise DataError(f"the name of {tree.at(place)} is not UTF-8, so no zip can hold it", "rename or remove it")
    return place


def _add(archive: zipfile.ZipFile, tree: Tree, place: PurePosixPath) -> None:
    entry = zipfile.ZipInfo(f"{tree.root.name}/{place}", EPOCH)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with tree.open(place) as file:
        entry.file_size = os.fstat(file.fileno()).st_size
        with archive.open(entry, "w") as into:
            shutil.copyfileobj(file, into, _PIECE)


def rejections(tree: Path, report: Report) -> list[Finding]:
    """Return the errors for which a tree is not packed: of a demonstration not those that it is bound to have."""
    bound = BY_DESIGN if mark_of(tree) else ()
    return [finding for finding in report.findings if finding.severity == "error" and finding.rule not in bound]


def refuse_the_refused(tree: Path, report: Report) -> None:
    """Raise DataError where the checker rejects a tree."""
    errors = rejections(tree, report)
    if errors:
        first = errors[0]
        more = f", the first of {len(errors)} errors" if len(errors) > 1 else ""
        what = f"the checker rejects {tree}: {first.path}: {first.rule}: {first.found}{more}"
        raise DataError(what, f"see them all, and how to fix them: inferdeck submission check {shlex.quote(str(tree))}")


def refuse_not_submittable(tree: Path) -> None:
    """Raise DataError where a tree holds results that may not be submitted in it."""
    marked = Tree(tree).exists(PurePosixPath(MARK))
    for place, found in origins(tree):
        division = place.relative_to(tree).parts[0]
        if found.stand_in and division != "open":
            what = f"{place} is of a model with synthetic weights: it can never be in {division}"
            raise DataError(what, "measure the real model")
        if found.calibration is not None and not found.calibration.by_rules and division != "open":
            raise DataError(
                f"{place} is calibrated with {found.calibration.text}: {division} allows only a list of the rules",
                "calibrate with --adr.calibration.tags=_option-1, or submit to open",
            )
        why = not_submittable_reason(found)
        if why and not marked:
            raise DataError(f"{place} is {why}", f"such results are allowed only in a tree with a {MARK} at its root")


def mark_of(tree: Path) -> list[str]:
    """Return the lines that mark a tree as not a submission; empty where it is not marked."""
    inside, place = Tree(tree), PurePosixPath(MARK)
    lines = inside.read(place).decode(errors="replace").splitlines() if inside.exists(place) else []
    return [line for line in lines if line.strip()]


def not_submittable_reason(found: Provenance) -> str:
    """Return why a result is not submittable, or ""."""
    if found.stand_in:
        return "of a model with synthetic weights"
    if found.notice:
        return "a demonstration"
    return "" if found.style == "valid" else f"a run of the style {found.style}, not by the rules"


def origins(tree: Path) -> Iterator[tuple[Path, Provenance]]:
    """Yield the provenance of every result that this program put into the tree, with its measurements file."""
    inside = Tree(tree)
    for kind in ("measurements", "results"):  # by the round, they are in either
        for place in inside.glob(f"*/*/{kind}/*/*/*/*.json"):
            try:
                yield tree / place, codec.decode(inside.read(place), type=Measurements).inferdeck
            except (msgspec.DecodeError, InferdeckError):
                continue  # made by others, who have other ways to say where a result comes from
