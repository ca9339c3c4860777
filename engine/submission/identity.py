"""Check whether a description is of this machine and this user, which no checker of a tree can know.

The preflight warns of it, and `zip` refuses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from engine import codec
from engine.errors import DataError, ProfileError, StoreError
from engine.profile import systems
from engine.profile.systems import System
from engine.submission import describe, pack
from engine.submission.tree import Tree


@dataclass(frozen=True)
class IdentityWarning:
    """Why a description may not be the user's own."""

    what: str
    remedy: str


def identity_warnings(
    sut: str, description: Mapping[str, Any], folders: Sequence[Path], submitter: str = ""
) -> list[IdentityWarning]:
    """Return the mismatches between a system's description and this machine or this user.

    `folders` are the profile folders, ours first: the systems in the others are the user's, and so are their
    submitters. `submitter` is the user's name as given, which takes precedence.
    """
    found = []
    other = _another(str(description.get("submitter", "")), sut, folders, submitter)
    if other:
        found.append(IdentityWarning(other, "write your own name into the description, or give it: --submitter=NAME"))
    wrong = describe.differences(description)
    if wrong:
        what = f"the description of {sut} is not of this machine: {'; '.join(wrong)}"
        found.append(
            IdentityWarning(what, "inferdeck system new NAME describes it; or do this on the machine described")
        )
    return found


def refuse(tree: Path, folders: Sequence[Path], submitter: str = "") -> None:
    """Raise DataError where a result measured here is submitted with another submitter or another machine's
    description."""
    for sut, place in sorted({(found.sut, _description(tree, path)) for path, found in pack.origins(tree)}):
        for warning in identity_warnings(sut, _fields(Tree(tree), place), folders, submitter):
            raise DataError(warning.what, warning.remedy)


def _description(tree: Path, measurements: Path) -> PurePosixPath:
    """Return the path of the system description for this measurements file."""
    division, owner, _, system, *_ = measurements.relative_to(tree).parts
    return PurePosixPath(division, owner, "systems", f"{system}.json")


def _fields(tree: Tree, place: PurePosixPath) -> dict[str, Any]:
    try:
        return codec.decode(tree.read(place), type=dict[str, Any])
    except (StoreError, msgspec.DecodeError):
        what = f"{tree.at(place)} is no description of a system"
        raise DataError(what, "regenerate the tree: inferdeck submission generate") from None


def _another(name: str, sut: str, folders: Sequence[Path], given: str) -> str:
    """Return why a submitter's name is not the user's; empty where it is, or that is unknown."""
    copied = {path.stem for path, _ in _systems(folders[:1])}
    shipped = [system for _, system in _systems(folders[:1])]
    own = _submitters(system for path, system in _systems(folders[1:]) if path.stem not in {sut, *copied})
    if given:
        own = {given.lower(): given}
    nobody = _submitters(system for system in shipped if system.detected)
    examples = _submitters(system for system in shipped if not system.detected)
    if not name or name.lower() in nobody.keys() | own.keys():
        return ""
    if own:
        return f"the submitter of {sut} is '{name}', and yours is '{', '.join(sorted(own.values()))}'"
    return f"'{name}', the submitter of {sut}, is of an example" if name.lower() in examples else ""


def _systems(folders: Sequence[Path]) -> Iterator[tuple[Path, System]]:
    for folder in folders:
        for path in sorted((folder / "systems").glob("*.yaml")):
            with suppress(ProfileError):  # one bad file, which `system list` names, hides no other
                yield path, systems.load_system(path)


def _submitters(found: Iterable[System]) -> dict[str, str]:
    """Return the submitters of systems: lower case, as the checker compares them → as written."""
    names = [str(system.description.get("submitter", "")) for system in found]
    return {name.lower(): name for name in names if name}
