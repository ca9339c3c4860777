"""Feasibility of a plan's runs before they start: time by scenario, memory, latency constraint, and smaller choices.

It uses what was measured on this machine: the workers (engine.tuning), which `probe` measures in about 20 seconds, and
the durations of earlier runs of the same steps. Nothing here runs a model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from engine.errors import InferdeckError
from engine.plan.plan import Node
from engine.steps.measuring.run_forecast import RunForecast, forecast
from engine.survey.prepare import Prepared, prepare
from engine.survey.survey import Surveyor
from engine.text import duration, shell_line

RUN: Final = "loadgen-run"
"""The component of a LoadGen run."""

WORKERS: Final = "workers"
"""The need of the root by which the machine's speed is measured."""

LONG_S: Final = 3600.0
"""Seconds of all runs from which fewer scenarios are proposed."""

_SMALLER: Final = ("int8", "bf16")
"""Variations that make the same model quicker, the quickest first."""


_SAME_MODEL: Final = ("reference", "model-file")
"""Variations that are no smaller model."""


@dataclass(frozen=True)
class Feasibility:
    """What the runs of a plan need on this machine."""

    runs: tuple[RunForecast, ...]
    advice: tuple[str, ...]
    """Smaller choices that are possible, as sentences with the words to give."""

    @property
    def is_measured(self) -> bool:
        """Whether this machine's speed was measured for all runs."""
        return all(run.is_measured for run in self.runs)

    @property
    def seconds(self) -> float:
        """Seconds of all runs, as far as they are known."""
        return sum(run.seconds or 0.0 for run in self.runs)

    @property
    def late(self) -> tuple[RunForecast, ...]:
        """The runs whose latency constraint can hardly be met."""
        return tuple(run for run in self.runs if run.beyond)


def feasibility(prepared: Prepared) -> Feasibility:
    """Return what the runs of a plan need; a run that can't work at all is not among them: the survey reports it."""
    runs = tuple(_forecasts(prepared))
    found = Feasibility(runs, ())
    return replace(found, advice=tuple(_advice(prepared, found)))


def is_valid_style(prepared: Prepared) -> bool:
    """Return whether the plan makes runs by the rules, which take long."""
    return str(prepared.plan.nodes[prepared.plan.root].values().get("style", "")) == "valid"


def probe_nodes(prepared: Prepared) -> list[str]:
    """Return the steps that measure this machine's speed for the runs and are still to be done."""
    plan, seen = prepared.plan, prepared.seen.seen
    found = [edge.node for edge in plan.nodes[plan.root].needs if edge.name == WORKERS]
    return [node for node in found if seen[node].artifact is None]


def _forecasts(prepared: Prepared) -> Iterator[RunForecast]:
    place, seen = prepared.workplace, prepared.seen.seen
    surveyor = Surveyor(place.catalog, place.folders)
    for node in prepared.plan.nodes.values():
        if node.component != RUN or seen[node.id].state != "run":
            continue
        try:
            found = forecast(surveyor.context(node, seen))
        except InferdeckError:
            continue
        yield _as_before(found, prepared, node)


def _as_before(found: RunForecast, prepared: Prepared, node: Node) -> RunForecast:
    """Return the forecast with the duration of the same run before, if there was one."""
    one = prepared.seen.seen[node.id]
    if one.seconds_from != "measured here":
        return found
    return replace(found, seconds=one.seconds, basis="as long as last time", is_measured=True)


def _advice(prepared: Prepared, found: Feasibility) -> Iterator[str]:
    late = {run.scenario for run in found.late}
    if late or found.seconds > LONG_S:
        yield from _smaller_models(prepared, found)
    yield from _fewer_scenarios(prepared, found, late)


def _smaller_models(prepared: Prepared, found: Feasibility) -> Iterator[str]:
    """Yield the same model in fewer bits, with its figures where they were measured before; else other models."""
    if not found.is_measured:
        return
    on = {one.name for one in prepared.plan.nodes[prepared.plan.root].variations}
    for name in () if on & set(_SMALLER) else _SMALLER:
        if (smaller := _with(prepared, name)) is not None:
            yield _compared(found, name, smaller)
            break
    if found.late and (others := _other_models(prepared, on)):
        yield f"in the open division a smaller model may do: {', '.join(f'_{name}' for name in others)}"


def _compared(found: Feasibility, name: str, smaller: Prepared) -> str:
    """Return how a variation compares with the choice, or how to measure that."""
    other = Feasibility(tuple(_forecasts(smaller)), ())
    if not other.is_measured:
        words = shell_line(("inferdeck", "plan", "--probe", *smaller.selection.words()))
        return f"_{name} is usually quicker; this measures it: {words}"
    times = f"{duration(other.seconds)} instead of {duration(found.seconds)}"
    if found.late and not other.late:
        return f"_{name} can meet the latency constraint, and takes {times}"
    return f"_{name} takes {times}" + (", and misses the latency constraint as well" if other.late else "")


def _other_models(prepared: Prepared, on: set[str]) -> list[str]:
    """Return other models of the benchmark by their variations; whether they are quicker is not known."""
    root = prepared.plan.nodes[prepared.plan.root]
    members = prepared.workplace.catalog.components[root.component].groups().get("model", ())
    names = [one.name for one in members if not one.refused and not one.set and one.name not in on]
    return [name for name in names if name not in _SAME_MODEL and _with(prepared, name)]


def _with(prepared: Prepared, variation: str) -> Prepared | None:
    """Return the plan with another variation of the root instead of its group's; None where it is not possible."""
    chosen, root = prepared.selection, prepared.plan.nodes[prepared.plan.root]
    groups = prepared.workplace.catalog.components[root.component].groups()
    same = {one.name for members in groups.values() if any(one.name == variation for one in members) for one in members}
    kept = tuple(name for name in chosen.query.variations if name not in same)
    query = replace(chosen.query, variations=(*kept, variation))
    try:
        other = prepare(prepared.workplace, replace(chosen, query=query))
    except InferdeckError:
        return None
    return None if other.seen.problems() else other


def _fewer_scenarios(prepared: Prepared, found: Feasibility, late: Collection[str]) -> Iterator[str]:
    by_scenario: dict[str, float] = {}
    for run in found.runs:
        by_scenario[run.scenario] = by_scenario.get(run.scenario, 0.0) + (run.seconds or 0.0)
    if len(by_scenario) < 2:
        return
    longest = max(by_scenario, key=lambda name: by_scenario[name])
    without = set(late) or ({longest} if found.seconds > LONG_S and by_scenario[longest] > found.seconds / 2 else set())
    kept = [name for name in by_scenario if name not in without]
    if without and kept:
        takes = duration(sum(by_scenario[name] for name in kept))
        yield f"without {', '.join(sorted(without))}: --scenarios={','.join(kept)} takes {takes}"
