"""A lock: every component, option, version and checksum of a plan, to run the very same again or to compare two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from engine import codec
from engine.errors import CannotRunError, UsageError
from engine.plan.plan import Plan
from engine.store.files import disk_errors, read_plain, write_atomic
from engine.survey.survey import Survey

FILE = "lock.json"
"""Its name beside a result."""

LARGEST = 64 << 20
"""Bytes; the lock of a whole submission has some hundred thousand."""


class LockedNode(msgspec.Struct, frozen=True, kw_only=True):
    """What is fixed of one node."""

    component: str
    options: dict[str, Any]
    variations: tuple[str, ...]
    version: str
    identity: str
    """The store's key (component digest, options, inputs, code), or what tells a found thing from another."""


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """The words that select a plan, and what they resolved to."""

    inferdeck: str
    command: tuple[str, ...]
    nodes: dict[str, LockedNode]


def lock(plan: Plan, survey: Survey, command: tuple[str, ...], version: str) -> Lock:
    """Fix a plan as it stands on this machine."""
    nodes = {
        node.id: LockedNode(
            component=node.component,
            options=node.values(),
            variations=tuple(one.name for one in node.variations),
            version=node.version or node.version_range,
            identity=survey.seen[node.id].identity,
        )
        for node in plan.nodes.values()
    }
    # Through JSON and back, so that a lock compares equal to itself after it was written and read.
    fresh = Lock(inferdeck=version, command=command, nodes=nodes)
    return codec.decode(codec.encode(fresh), type=Lock)


def write(path: Path, fixed: Lock) -> None:
    """Write a lock file, readable and stable in a diff."""
    write_atomic(path, codec.encode(fixed, order="sorted", indent=1) + b"\n")


def read(path: Path) -> Lock:
    """Read a lock file. Raises UsageError where it is none."""
    try:
        with disk_errors(path):
            return codec.decode(read_plain(path, LARGEST), type=Lock)
    except msgspec.DecodeError as error:
        raise UsageError(f"{path} is not a lock file: {error}", "write one with: inferdeck plan --lock FILE") from None


def differences(before: Lock, after: Lock) -> list[str]:
    """Return what differs between two plans, a line each."""
    lines = [f"- {node}" for node in before.nodes if node not in after.nodes]
    lines += [f"+ {node}" for node in after.nodes if node not in before.nodes]
    for node, old in before.nodes.items():
        new = after.nodes.get(node)
        if new is None:
            continue
        found = _node_differences(old, new)
        if not found and old.identity != new.identity:
            found = [_identities(old.identity, new.identity)]
        lines += [f"~ {node}: {line}" for line in found]
    return lines


def refuse_changes(locked: Lock, now: Lock) -> None:
    """Raise CannotRunError where the machine or the profiles no longer give the locked plan."""
    found = differences(locked, now)
    if found:
        shown = "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")
        raise CannotRunError(
            f"this is not the locked plan any more: {shown}", "install what was locked, or write a new lock"
        )


def _node_differences(old: LockedNode, new: LockedNode) -> list[str]:
    lines = []
    for name in sorted(old.options.keys() | new.options.keys()):
        mine, theirs = old.options.get(name), new.options.get(name)
        if mine != theirs:
            lines.append(f"{name}: {mine} → {theirs}")
    if old.variations != new.variations:
        lines.append(f"variations: {' '.join(old.variations)} → {' '.join(new.variations)}")
    if old.version != new.version:
        lines.append(f"version: {old.version or 'any'} → {new.version or 'any'}")
    return lines


def _identities(old: str, new: str) -> str:
    """A found thing's identity can be read; a key can't, and then an input or the code is another one."""
    readable = all(" " in text or "=" in text for text in (old, new))
    return f"{old} → {new}" if readable else "made from other inputs or code"
