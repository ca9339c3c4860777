"""Lock files: every component, option, version and checksum of a plan, to run exactly the same again or to compare."""

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
"""File name next to a result."""

LARGEST = 64 << 20
"""Maximum size in bytes; the lock of a whole submission has some hundred thousand."""


class LockedNode(msgspec.Struct, frozen=True, kw_only=True):
    """The locked properties of one node."""

    component: str
    options: dict[str, Any]
    variations: tuple[str, ...]
    version: str
    identity: str
    """The store key (component digest, options, inputs, code), or the identity of something found."""


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """The selection of a plan, and what it resolved to."""

    inferdeck: str
    command: tuple[str, ...]
    nodes: dict[str, LockedNode]


def lock(plan: Plan, survey: Survey, command: tuple[str, ...], version: str) -> Lock:
    """Return the lock of a plan on this machine."""
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
    """Write a lock file, readable and with stable diffs."""
    write_atomic(path, codec.encode(fixed, order="sorted", indent=1) + b"\n")


def read(path: Path) -> Lock:
    """Read a lock file. Raises UsageError where it is not one."""
    try:
        with disk_errors(path):
            return codec.decode(read_plain(path, LARGEST), type=Lock)
    except msgspec.DecodeError as error:
        raise UsageError(f"{path} is not a lock file: {error}", "write one with: inferdeck plan --lock FILE") from None


def differences(before: Lock, after: Lock) -> list[str]:
    """Return the differences between two plans, one line each."""
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
    """Raise CannotRunError where the machine or the profiles no longer yield the locked plan."""
    found = differences(locked, now)
    if found:
        shown = "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")
        raise CannotRunError(
            f"this is no longer the locked plan: {shown}", "install what was locked, or write a new lock"
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
    """Return how two identities differ: that of something found is readable; keys differ in inputs or code."""
    readable = all(" " in text or "=" in text for text in (old, new))
    return f"{old} → {new}" if readable else "made from other inputs or code"
