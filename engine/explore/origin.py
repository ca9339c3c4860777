"""What a run was made from, in display names: choices of its plan, versions, machine, workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.explore.runs import Run
from engine.facts import QUANTIZATION
from engine.jobs.job_spec import JobSpec
from engine.plan.plan import Node, Plan
from engine.plan.reason import Asked, HandedDown
from engine.store.files import read_plain

FIELDS = frozenset(
    {"scenarios", "scenario", "modes", "mode", "sut", "notice", "benchmark", "backend", "device", "round"}
)
"""Options that have a field in the run record, or only determine what else the job did."""
GROUPS = frozenset({"benchmark", "backend", "device", "model", "modes", "implementation", "style", "compliance"})
"""Groups of variations of the root that have a field in the run record."""
RECORDED = ("scenario", "mode", "benchmark", "sut", "backend", "backend_version", "device", "style", "round", "notice")
"""Fields of a run that come from its provenance."""

_LARGEST = 16 << 20
"""Maximum size of a `spec.json` in bytes; it has some ten kilobytes."""


def from_provenance(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a run that its provenance contains, ignoring anything else."""
    found: dict[str, Any] = {name: str(provenance[name]) for name in RECORDED if isinstance(provenance.get(name), str)}
    if provenance.get("stand_in") is True:
        found["stand_in"] = True
    model = provenance.get("model")
    if isinstance(model, dict) and QUANTIZATION in str(model.get("weight_transformations")):
        found["quantized"] = True
    command = provenance.get("command")
    if isinstance(command, list) and all(isinstance(word, str) for word in command):
        found["command"] = tuple(command)
    return found


def planned(spec: JobSpec, node: Node) -> dict[str, Any]:
    """Return the fields of a run according to the plan."""
    values = node.values()
    found: dict[str, Any] = {name: str(values[name]) for name in RECORDED if values.get(name) is not None}
    model = next((edge.node for edge in node.needs if edge.name == "model"), "")
    if model:
        found["model"] = spec.plan.nodes[model].component
    return found


def choices(plan: Plan, node: Node) -> dict[str, str]:
    """Return the user's choices that have no field in the run record, by option or `dependency.option`."""
    root = plan.nodes[plan.root]
    found = {
        variation.group or variation.name: f"_{variation.name}"
        for variation in root.variations
        if isinstance(variation.reason, Asked) and variation.group not in GROUPS and variation.name != "all-scenarios"
    }
    found |= {
        name: text(decided.value)
        for name, decided in root.options.items()
        if isinstance(decided.reason, Asked) and name not in FIELDS
    }
    for handle, one in _below(plan, node):
        for variation in one.variations:
            if isinstance(variation.reason, Asked):
                found[handle] = f"{found[handle]},_{variation.name}" if handle in found else f"_{variation.name}"
        for name, decided in one.options.items():
            if isinstance(decided.reason, Asked):
                found[f"{handle}.{name}"] = text(decided.value)
        if one.version_range:
            found[f"{handle}.version"] = one.version_range
    return found


def decided(spec: JobSpec, node: Node) -> dict[str, str]:
    """Return every decision behind the run, by option or `dependency.option`; dependencies by identity.

    What a dependency inherits from its parent is listed for the parent only.
    """
    found = {name: text(one.value) for name, one in node.options.items() if one.value is not None and one.key}
    for handle, one in _below(spec.plan, node):
        identity = _identity(spec, one)
        found["machine" if handle == "system" else handle] = identity if _readable(identity) else one.component
        found |= {
            f"{handle}.{name}": text(option.value)
            for name, option in one.options.items()
            if option.value is not None and option.key and not isinstance(option.reason, HandedDown)
        }
    return found


def measured(report: Mapping[str, Any], provenance: Mapping[str, Any]) -> dict[str, str]:
    """Return what was determined at run time: the chosen workers, and versions."""
    found = {}
    workers = report.get("workers")
    if isinstance(workers, Mapping):
        sessions, threads, batch = (workers.get(name) for name in ("sessions", "intra_op_threads", "max_batch"))
        pinned = ", pinned" if workers.get("cores") else ""
        found["workers in use"] = f"{sessions} x {threads} threads, batch {batch}{pinned}"
    if isinstance(report.get("loadgen_version"), str):
        found["LoadGen"] = report["loadgen_version"]
    if provenance.get("backend_version"):
        found["backend version"] = str(provenance["backend_version"])
    return found


def keys(spec: JobSpec, node: Node) -> dict[str, str]:
    """Return the store keys of the run's inputs, by dependency."""
    found = {handle: _identity(spec, one) for handle, one in _below(spec.plan, node)}
    return {handle: key for handle, key in found.items() if key and not _readable(key)}


def place(run: Run) -> Path:
    """Return the folder of a run in the results folder, or the job's own copy if another run has replaced it there."""
    published, own = Path(run.published), Path(run.folder)
    return published if run.published and _same(published, own) else own


def _same(published: Path, own: Path) -> bool:
    """Return whether two folders hold the same run: its spec names the folder that it was made in."""
    try:
        return read_plain(published / "spec.json", _LARGEST) == read_plain(own / "spec.json", _LARGEST)
    except OSError:
        return False


def _below(plan: Plan, node: Node) -> Iterator[tuple[str, Node]]:
    """Yield a node's dependencies, each once and nearest first, with the name that its parent has for it."""
    seen: set[str] = set()
    taken: set[str] = set()
    waiting = [(edge.name, edge.name, edge.node) for edge in node.needs]
    while waiting:
        name, path, wanted = waiting.pop(0)
        if wanted in seen:
            continue
        handle = path if name in taken else name
        seen.add(wanted)
        taken.add(handle)
        yield handle, plan.nodes[wanted]
        waiting += [(edge.name, f"{path} {edge.name}", edge.node) for edge in plan.nodes[wanted].needs]


def _identity(spec: JobSpec, node: Node) -> str:
    fixed = spec.lock.nodes.get(node.id) if spec.lock is not None else None
    return fixed.identity if fixed is not None else ""


def _readable(identity: str) -> bool:
    """Return whether an identity is readable rather than a store key."""
    return bool(identity) and (" " in identity or "=" in identity)


def text(value: Any) -> str:
    """Return an option's value in command-line syntax."""
    if isinstance(value, list | tuple):
        return ",".join(map(text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
