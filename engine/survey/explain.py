"""Explain a node of a plan: the complete chain of reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.plan.plan import Node
from engine.plan.reason import OptionDefault
from engine.survey.loadgen_version import unapproved
from engine.survey.prepare import Prepared
from engine.survey.survey import Seen
from engine.text import date_time, duration, size


@dataclass(frozen=True)
class Fact:
    """One line of the explanation, under a heading."""

    heading: str
    text: str


def explain(prepared: Prepared, name: str) -> tuple[Fact, ...]:
    """Explain a node: who chose it, its alternatives and why they are unavailable, its options, and its state in the
    store."""
    node, seen = prepared.plan.nodes[name], prepared.seen.seen[name]
    return (
        *_here(prepared, node),
        *_variations(prepared, node),
        *_options(node),
        *_stored(seen),
        *_loadgen(prepared, node),
    )


def _here(prepared: Prepared, node: Node) -> list[Fact]:
    found = [Fact("why it is here", str(node.why))]
    found += [Fact("", f"which is needed by {parent}") for parent in _parents(prepared, node.id)]
    if node.picked is not None:
        found.append(Fact("", f"picked as {node.picked}"))
    place = prepared.workplace.catalog.components[node.component].place
    found.append(Fact("defined in", f"{place.file}"))
    if node.version_why is not None:
        found.append(Fact("version", f"{node.version or node.version_range or 'any'}: {node.version_why}"))
    return found


def _loadgen(prepared: Prepared, node: Node) -> list[Fact]:
    said = unapproved(prepared.plan, prepared.seen, prepared.workplace.round(prepared.round))
    return [Fact("round", f"{said.what}. {said.remedy}")] if said and node.component == "loadgen" else []


def _parents(prepared: Prepared, name: str) -> list[str]:
    """Return the chain from the node's parent up to the root."""
    chain: list[str] = []
    while True:
        parent = next(
            (
                one.id
                for one in prepared.plan.nodes.values()
                if any(edge.node == name and not edge.shared for edge in (*one.needs, *one.after))
            ),
            None,
        )
        if parent is None or parent in chain:
            return chain[1:]
        chain.append(parent)
        name = parent


def _variations(prepared: Prepared, node: Node) -> list[Fact]:
    component = prepared.workplace.catalog.components[node.component]
    found: list[Fact] = []
    for one in node.variations:
        found.append(Fact("variations" if not found else "", f"_{one.name}: {one.reason}"))
        if one.alternatives:
            found.append(Fact("", f"  instead possible: {', '.join(f'_{other}' for other in one.alternatives)}"))
        refused = [other for other in component.groups().get(one.group, ()) if other.refused]
        found += [Fact("", f"  not _{other.name}: {other.refused}") for other in refused]
    return found


def _options(node: Node) -> list[Fact]:
    found: list[Fact] = []
    for name, decided in node.options.items():
        if decided.value is None or isinstance(decided.reason, OptionDefault):
            continue
        found.append(Fact("options" if not found else "", f"{name} = {_short(decided.value)}: {decided.reason}"))
    defaults = [
        f"{name} = {_short(decided.value)}"
        for name, decided in node.options.items()
        if isinstance(decided.reason, OptionDefault) and decided.value not in (None, (), [], "")
    ]
    if defaults:
        found.append(Fact("by default", ", ".join(defaults)))
    return found


def _stored(seen: Seen) -> list[Fact]:
    found = [Fact("on this machine", seen.state + (f": {seen.text}" if seen.text else ""))]
    if seen.remedy:
        found.append(Fact("what to do", seen.remedy))
    if seen.warning:
        found.append(Fact("warning", seen.warning))
    found += [Fact("must run because" if not number else "", str(cause)) for number, cause in enumerate(seen.causes)]
    if seen.entry:
        found.append(Fact("store entry", seen.entry))
    if seen.artifact is not None and seen.artifact.path:
        found.append(Fact("where", seen.artifact.path))
    if seen.made is not None:
        found.append(Fact("made", date_time(seen.made)))
    if seen.seconds is not None:
        found.append(Fact("time", f"{duration(seen.seconds)}, {_SOURCE[seen.seconds_from]}"))
    if seen.fetch_bytes:
        found.append(Fact("to fetch", size(seen.fetch_bytes)))
    if seen.disk_bytes:
        found.append(Fact("on disk", size(seen.disk_bytes)))
    return found


_SOURCE = {
    "": "an estimate",
    "measured here": "as measured here last time",
    "profile": "estimate of the profile",
    "rules": "at least, by the rules of the run",
}


def _short(value: Any) -> str:
    text = ",".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
