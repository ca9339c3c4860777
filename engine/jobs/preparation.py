"""A job that runs a part of a plan beforehand: what can be prepared, and for a probe the choice of workers.

Its plan is that of the whole, without the runs and what follows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.jobs import control, jobs
from engine.jobs.job_spec import JobSpec
from engine.plan.plan import Node, Plan
from engine.survey.feasibility import probe_nodes
from engine.survey.prepare import Prepared, refuse


def nodes(prepared: Prepared) -> list[Node]:
    """Return the nodes below the root that can be prepared beforehand, dependencies first."""
    kept = set(_reached(prepared.plan, _needs(prepared)))
    return [node for node in prepared.plan.nodes.values() if node.id in kept]


def spec(prepared: Prepared, results: Path) -> JobSpec:
    """Return the spec of a job that only prepares; nothing is written to `results`, which identifies such jobs."""
    root = prepared.plan.nodes[prepared.plan.root]
    return _part(prepared, _needs(prepared), f"model and data for {root.title}", str(results))


def probe(prepared: Prepared) -> JobSpec:
    """Return the spec of a job that chooses the workers, and thereby measures this machine's speed for the runs."""
    root = prepared.plan.nodes[prepared.plan.root]
    measured = probe_nodes(prepared)
    return _part(prepared, [*_needs(prepared), *measured], f"speed of this machine for {root.title}", "")


def fetching(prepared: Prepared, fetched: list[str]) -> JobSpec:
    """Return the spec of a job that makes only these nodes, and what they need."""
    root = prepared.plan.nodes[prepared.plan.root]
    return _part(prepared, fetched, f"downloads for {root.title}", "")


def _part(prepared: Prepared, needs: list[str], title: str, results: str) -> JobSpec:
    """Return the spec of a job that makes these nodes and what they need."""
    plan = prepared.plan
    root = plan.nodes[plan.root]
    bare = msgspec.structs.replace(root, needs=tuple(edge for edge in root.needs if edge.node in needs), after=())
    reached = set(_reached(plan, needs))
    return JobSpec(
        plan=Plan(plan.root, {**{name: node for name, node in plan.nodes.items() if name in reached}, root.id: bare}),
        command=prepared.command(),
        title=title,
        results=results,
        profiles=tuple(str(one) for one in prepared.workplace.catalog.folders[1:]),
        notice=prepared.notice,
        now=prepared.now,
    )


def begin(prepared: Prepared, results: Path) -> jobs.Job:
    """Start such a job, or resume or join an equal one. Raises CannotRunError, JobError."""
    prepared.seen.refuse_problems()
    return control.begin(prepared.workplace.folders, spec(prepared, results))[0]


def begin_probe(prepared: Prepared) -> jobs.Job:
    """Start a job that measures the speed of this machine, or resume or join an equal one.

    Raises CannotRunError, JobError.
    """
    refuse(prepared)
    return control.begin(prepared.workplace.folders, probe(prepared))[0]


def _needs(prepared: Prepared) -> list[str]:
    """Return the root's needs that involve no measurement."""
    plan, components = prepared.plan, prepared.workplace.catalog.components
    return [
        edge.node
        for edge in plan.nodes[plan.root].needs
        if not any(components[plan.nodes[name].component].exclusive for name in _reached(plan, [edge.node]))
    ]


def _reached(plan: Plan, start: list[str]) -> Iterator[str]:
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting += [*(edge.node for edge in plan.nodes[name].needs), *plan.nodes[name].follows]
