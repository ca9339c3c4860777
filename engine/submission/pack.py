"""Pack a checked tree into a zip: the same bytes for the same tree, and nothing in it that may not be handed in."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine import codec
from engine.errors import DataError
from engine.store.files import disk_errors
from engine.submission.provenance import Provenance

MARK = "DEMONSTRATION.txt"
"""A tree with this file at its root says itself that it is not a submission."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date a zip can hold: the date of packing must not change the bytes."""


class Measurements(msgspec.Struct, frozen=True):
    """The part of a measurements file that we wrote into it and read back."""

    inferdeck: Provenance


def pack(tree: Path, target: Path) -> Path:
    """Write `target`, a zip of the tree's files under the tree's name; returns its path.

    Raises DataError for a stand-in, a demonstration or a try-out style outside a marked demonstration tree, and, in the
    closed or network division wherever it is, for a stand-in or a model calibrated with other pictures than the rules'.
    """
    refuse_pretence(tree)
    beside = target.with_name(f".{target.name}.part")
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(path for path in tree.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(f"{tree.name}/{path.relative_to(tree).as_posix()}", EPOCH)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
        beside.replace(target)
    return target


def refuse_pretence(tree: Path) -> None:
    """Raise DataError where a tree holds results that may not be handed in as it stands."""
    marked = (tree / MARK).is_file()
    for place, found in origins(tree):
        division = place.relative_to(tree).parts[0]
        if found.stand_in and division != "open":
            raise DataError(f"{place} is of a stand-in model: it can never be in {division}", "measure the real model")
        if found.calibration is not None and not found.calibration.by_rules and division != "open":
            raise DataError(
                f"{place} is calibrated with {found.calibration.text}: {division} allows only a list of the rules",
                "calibrate with --adr.calibration.tags=_option-1, or hand in to open",
            )
        why = pretence(found)
        if why and not marked:
            raise DataError(f"{place} is {why}", f"such results go only into a tree marked by a {MARK} at its root")


def pretence(found: Provenance) -> str:
    """Say why a result can't be handed in; empty where it can."""
    if found.stand_in:
        return "of a stand-in model"
    if found.notice:
        return "a demonstration"
    return "" if found.style == "valid" else f"a run of the style {found.style}, not by the rules"


def origins(tree: Path) -> Iterator[tuple[Path, Provenance]]:
    """Yield the origin of every result that this program put into the tree, with its measurements file."""
    for path in sorted(tree.glob("*/*/measurements/*/*/*/*.json")):
        try:
            yield path, codec.decode(path.read_bytes(), type=Measurements).inferdeck
        except msgspec.DecodeError:
            continue  # made by others, who have other ways to say where a result comes from
