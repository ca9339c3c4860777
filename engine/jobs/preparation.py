"""A job that prepares everything and measures nothing: models, data, whatever can be cached.

Its plan is that of the whole, without the measurements and what follows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.jobs import control, jobs
from engine.jobs.job_spec import JobSpec
from engine.plan.plan import Node, Plan
from engine.survey.prepare import Prepared


def nodes(prepared: Prepared) -> list[Node]:
    """Return the nodes below the root that can be prepared beforehand, dependencies first."""
    kept = set(_reached(prepared.plan, _needs(prepared)))
    return [node for node in prepared.plan.nodes.values() if node.id in kept]


def spec(prepared: Prepared, results: Path) -> JobSpec:
    """Return the spec of a job that only prepares; nothing is written to `results`, which identifies such jobs."""
    plan = prepared.plan
    root = plan.nodes[plan.root]
    needs = set(_needs(prepared))
    bare = msgspec.structs.replace(root, needs=tuple(edge for edge in root.needs if edge.node in needs), after=())
    kept = {node.id: node for node in nodes(prepared)}
    return JobSpec(
        plan=Plan(plan.root, {**kept, root.id: bare}),
        command=prepared.command(),
        title=f"model and data for {root.title}",
        results=str(results),
        profiles=tuple(str(one) for one in prepared.workplace.catalog.folders[1:]),
        notice=prepared.notice,
    )


def begin(prepared: Prepared, results: Path) -> jobs.Job:
    """Start such a job, or resume or join an equal one. Raises CannotRunError, JobError."""
    prepared.seen.refuse_problems()
    return control.begin(prepared.workplace.folders, spec(prepared, results))[0]


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
