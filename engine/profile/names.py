"""Validation of names that become folders of a submission: systems and submitters."""

from __future__ import annotations

from typing import get_args

from engine.errors import UsageError
from engine.profile.tree_rules import Division

LONGEST_NAME = 200
"""Maximum bytes of a name that becomes a folder; file systems end at 255."""

TREE, WHOLE_LOGS = "submission", "submission-whole-logs"
"""Folders that a job writes into its results folder, next to those of the systems."""

_PATTERN = "*?[]"
_PLAIN = "use letters, digits, - and _"


def folder_fault(name: str) -> tuple[str, str] | None:
    """Return why a name can't be the name of a folder, and a remedy; None if it can."""
    if not name:
        return "it is empty", "write a name"
    if name != name.strip():
        return f"'{name}' begins or ends with a blank", "leave it out"
    if "/" in name or "\\" in name or name.startswith(".") or not name.isprintable():
        return f"'{name}' can't be the name of a folder", _PLAIN
    if any(letter in _PATTERN for letter in name):
        return f"'{name}' can't be the name of a folder: {' '.join(_PATTERN)} are wildcards", _PLAIN
    if len(name.encode("utf-8", "replace")) > LONGEST_NAME:
        return "it is too long for the name of a folder", f"at most {LONGEST_NAME} bytes"
    return None


def system_fault(name: str) -> tuple[str, str] | None:
    """Return why a name can't be that of a system under test, and a remedy; None if it can."""
    if name.lower() in (TREE, WHOLE_LOGS, *get_args(Division)):
        return f"'{name}' is the name of a folder that a submission is made of", "give the system another name"
    if " " in name:
        return f"'{name}' has a blank, of which the checker warns in the name of a folder", "write - or _ for it"
    return folder_fault(name)


def refuse_system_name(name: str) -> None:
    """Raise UsageError for an invalid name of a system under test."""
    fault = system_fault(name)
    if fault is not None:
        raise UsageError(f"a system's name: {fault[0]}", fault[1])
