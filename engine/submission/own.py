"""A person's own systems: descriptions in their profiles, written whole and read back as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.errors import NoOptionError, UsageError, nearest
from engine.profile import systems
from engine.profile.edit import put
from engine.profile.rounds import Round
from engine.profile.systems import System
from engine.store.files import disk_errors, write_atomic
from engine.submission import describe
from engine.submission.form import folder_name

Description = Mapping[str, str | int | float | bool]

_HEAD = "# The fields of the rules. Run figures go under runs: backend: benchmark: {Scenario: target}.\n"


def path_of(profiles: Path, name: str) -> Path:
    """Return the file of a person's system. Raises UsageError for a name that is none of a folder."""
    verdict, said, remedy = folder_name(name)
    if verdict == "problem":
        raise UsageError(f"a system's name: {said}", remedy)
    return profiles / "systems" / f"{name}.yaml"


def read(profiles: Path, name: str) -> System | None:
    """Return a person's system; None where it isn't written yet. Raises ProfileError where the file is wrong."""
    path = path_of(profiles, name)
    return systems.load_system(path) if path.is_file() else None


def is_shipped(folders: Sequence[Path], name: str) -> bool:
    """Say whether a system of this name comes with inferdeck: an example, which a person does not write over."""
    return (folders[0] / "systems" / f"{name}.yaml").is_file()


def new(rules: Round, disk: Path, given: Description) -> dict[str, str | int | float | bool]:
    """Return what this machine says of itself with what the person says on top. Raises UsageError for other fields."""
    known = (*rules.system.required, *rules.system.network, *rules.system.optional)
    for field in given:
        if field not in known:
            raise NoOptionError(f"the rules know no field '{field}'", nearest(field, known), field, known)
    return {**describe.detected(rules, disk, describe.frameworks()), **given}


def write(profiles: Path, name: str, description: Description) -> Path:
    """Write a new system with this description, whatever was there before; returns the file."""
    import yaml  # noqa: PLC0415  (start-up)

    path = path_of(profiles, name)
    content = {"targets": "measured", "description": dict(description), "runs": {}}
    write_atomic(path, (_HEAD + yaml.safe_dump(content, sort_keys=False, width=1000)).encode())
    return path


def say(profiles: Path, name: str, field: str, value: str) -> Path:
    """Set one field of a system that is written, leaving all else of the file as it is; returns the file."""
    path = path_of(profiles, name)
    with disk_errors(path):
        text = path.read_text(encoding="utf-8")
    write_atomic(path, put(text, ("description", field), value).encode())
    return path
