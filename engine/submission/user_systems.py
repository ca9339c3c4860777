"""The user's own systems: descriptions in their profiles, written completely and read back unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from engine.errors import NoOptionError, ProfileError, UsageError, nearest
from engine.profile import systems
from engine.profile.edit import put
from engine.profile.names import refuse_system_name
from engine.profile.rounds import Round
from engine.profile.systems import System
from engine.store.files import disk_errors, write_atomic
from engine.submission import describe
from engine.submission.form import form, problems
from engine.text import is_text

Description = Mapping[str, str | int | float | bool]

_HEAD = "# The fields of the rules. Run figures go under runs: backend: benchmark: {Scenario: target}.\n"


def path_of(profiles: Path, name: str) -> Path:
    """Return the file of a user's system. Raises UsageError for an invalid name."""
    refuse_system_name(name)
    return profiles / "systems" / f"{name}.yaml"


def refuse_taken(folders: Sequence[Path], name: str) -> None:
    """Raise UsageError where a new system would hide a shipped one, or differ from another only in capitalisation.

    `folders` are the profile folders, ours first.
    """
    if is_shipped(folders, name):
        what = f"the system {name} comes with inferdeck, and one of yours by this name would hide it"
        raise UsageError(what, "give yours another name")
    known = {path.stem for folder in folders for path in (folder / "systems").glob("*.yaml")}
    for other in sorted(known):
        if other != name and other.lower() == name.lower():
            raise UsageError(
                f"the name {name} differs from that of the system {other} only in capital letters",
                f"give yours another name, or use {other}",
            )


def read(profiles: Path, name: str) -> System | None:
    """Return a user's system; None where it does not exist yet. Raises ProfileError where the file is invalid."""
    path = path_of(profiles, name)
    return systems.load_system(path) if path.is_file() else None


def is_shipped(folders: Sequence[Path], name: str) -> bool:
    """Return whether a system of this name comes with inferdeck: an example, which is not overwritten."""
    return (folders[0] / "systems" / f"{name}.yaml").is_file()


def new(rules: Round, disk: Path, given: Description) -> dict[str, str | int | float | bool]:
    """Return the description detected on this machine, overridden by the given fields.

    Raises UsageError for unknown fields, and for values that the rules don't allow.
    """
    known = (*rules.system.required, *rules.system.network, *rules.system.optional)
    for field in given:
        if field not in known:
            raise NoOptionError(f"the rules have no field '{field}'", nearest(field, known), field, known)
    found = {**describe.detected(rules, disk, describe.frameworks()), **given}
    for name in given:
        refuse_value(name, found, rules)
    return found


def refuse_value(name: str, description: Description, rules: Round) -> None:
    """Raise UsageError where a field has a value that can't be written to a file or would be rejected."""
    _refuse_bytes(name, description[name])
    for field in problems(form(description, rules, {})):
        if field.name == name and field.value:
            remedy = nearest(field.value, (pick.value for pick in field.picks)) if field.picks else field.remedy
            raise UsageError(f"{name}: {field.said}", remedy)


def _refuse_bytes(name: str, value: object) -> None:
    """Raise UsageError for bytes that are not UTF-8: a YAML file can't hold them."""
    if not is_text(str(value)):
        what = f"{name}: '{value}' holds bytes that are not UTF-8"
        raise UsageError(what, "write it without them, or from a terminal whose encoding is UTF-8")


def write(profiles: Path, name: str, description: Description) -> Path:
    """Write a system with this description; returns the file. Run figures already in the file are kept.

    Raises UsageError for a name or a value that can't be read back.
    """
    import yaml  # noqa: PLC0415  (start-up)

    path = path_of(profiles, name)
    for field, value in description.items():
        _refuse_bytes(field, value)
    content = {"targets": "measured", **_figures(path), "description": dict(description)}
    write_atomic(path, (_HEAD + yaml.safe_dump(content, sort_keys=False, width=1000)).encode())
    return path


def _figures(path: Path) -> dict[str, object]:
    """Return what a system's file holds besides the description, such as measured figures; empty for an invalid
    file."""
    try:
        there: dict[str, object] = msgspec.to_builtins(systems.load_system(path))
    except ProfileError:
        return {"runs": {}}
    return {name: value for name, value in there.items() if value or name == "runs"}


def set_field(profiles: Path, name: str, field: str, value: str) -> Path:
    """Set one field of an existing system, leaving the rest of the file unchanged; returns the file.

    Raises UsageError for a value that can't be read back.
    """
    path = path_of(profiles, name)
    _refuse_bytes(field, value)
    with disk_errors(path):
        text = path.read_text(encoding="utf-8")
    write_atomic(path, put(text, ("description", field), value).encode())
    return path
