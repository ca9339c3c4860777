"""The charts of runs by name."""

from __future__ import annotations

from collections.abc import Sequence

from engine.explore import diagrams
from engine.explore.diagrams import Diagram
from engine.explore.runs import Run
from engine.explore.timeline import timeline

CHARTS = ("pareto", "latency", "throughput", "distribution", "trend")


def chart(kind: str, runs: Sequence[Run]) -> Diagram:
    """Return a chart of runs, `kind` one of CHARTS; reads the event logs of their jobs where it needs them."""
    if kind == "pareto":
        return diagrams.pareto(runs)
    if kind == "trend":
        return diagrams.trend(runs)
    timelines = {run.id: found for run in runs[: diagrams.MOST_SERIES] if (found := timeline(run)) is not None}
    if kind == "distribution":
        return diagrams.distribution(timelines)
    return diagrams.over_time(timelines, "latency" if kind == "latency" else "throughput")
