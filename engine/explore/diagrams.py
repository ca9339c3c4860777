"""Charts of runs as data: axes, series and notes, from which both the SVG and the terminal's drawing are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.explore.metrics import BY_KEY, RESULT, RunMetric
from engine.explore.runs import Run
from engine.explore.timeline import Timeline
from engine.explore.tuning import TuningReport
from engine.histogram import value_of

Role = Literal["plain", "front", "open", "behind", "bad", "selected"]
"""How a series is drawn: `front` stands out, `behind` does not, `open` may belong to the front, `bad` marks results
that do not count, `selected` is under the cursor."""
ChartPoint = tuple[float, float]
ChartSpan = tuple[float, float, float, float]
"""Interval of a point in x and in y: from, to, from, to."""

MOST_SERIES = 8
"""More lines in one chart can't be told apart."""


@dataclass(frozen=True)
class ChartAxis:
    """A direction of a chart."""

    title: str
    """With the unit: `p99 latency ms`."""
    log: bool = False
    date: bool = False
    """Whether values are seconds since the epoch."""


@dataclass(frozen=True)
class Series:
    """Points that belong together."""

    name: str
    points: tuple[ChartPoint, ...]
    """In display units, ascending in x."""
    line: bool = False
    """Whether the points are joined."""
    role: Role = "plain"
    labels: tuple[str, ...] = ()
    """A label per point; empty for none."""
    spans: tuple[ChartSpan, ...] = ()
    """The interval of each point, in display units; empty for none. Only the SVG shows them."""


@dataclass(frozen=True)
class Diagram:
    """A chart."""

    title: str
    x: ChartAxis
    y: ChartAxis
    series: tuple[Series, ...]
    notes: tuple[str, ...] = ()
    """What the chart leaves out, and how it is to be read."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(one.points for one in self.series)


def pareto(runs: Iterable[Run], x: str = "samples_per_second", y: str = "latency_p99") -> Diagram:
    """Return one metric against another, a point per run; runs that no other beats in both are the Pareto front.

    INVALID and disturbed runs are drawn, but are never on the front.
    """
    across, up = BY_KEY[x], BY_KEY[y]
    listed = [run for run in runs if x in run.figures and y in run.figures]
    counted = [run for run in listed if run.state == "VALID" and not run.disturbed]
    best = front(counted, across, up)
    groups: Mapping[Role, list[Run]] = {
        "front": sorted(best, key=lambda run: run.figures[x]),
        "plain": [run for run in counted if run not in best],
        "bad": [run for run in listed if run not in counted],
    }
    names: Mapping[Role, str] = {"front": "Pareto front", "plain": "other runs", "bad": "INVALID or disturbed"}
    series = [
        Series(
            names[role],
            tuple((across.shown(run.figures[x]), up.shown(run.figures[y])) for run in group),
            line=role == "front",
            role=role,
            labels=tuple(run.id for run in group),
        )
        for role, group in groups.items()
        if group
    ]
    kinds = {(run.benchmark, run.scenario) for run in listed}
    mixed = ("these runs answer different questions: filter by benchmark and scenario",) if len(kinds) > 1 else ()
    return Diagram(
        f"{up.title} against {across.title}",
        ChartAxis(across.title),
        ChartAxis(up.title, log=up.display_unit == "ms"),
        tuple(series),
        (f"better: {across.header} {across.better}, {up.header} {up.better}", *mixed),
    )


def front(runs: Sequence[Run], *metrics: RunMetric) -> list[Run]:
    """Return the runs that no other run equals or beats in every metric and beats in one (the Pareto front)."""
    values = {
        run.id: tuple(
            (-1 if metric.better == "lower" else 1) * run.figures[metric.key]
            for metric in metrics
            if metric.key in run.figures
        )
        for run in runs
    }
    return [run for run in runs if not any(_beats(values[other.id], values[run.id]) for other in runs)]


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and one != other and all(a >= b for a, b in zip(one, other, strict=True))


def distribution(timelines: Mapping[str, Timeline]) -> Diagram:
    """Return the latency distribution: the share of queries answered within a time, by run."""
    series = []
    for name, found in list(timelines.items())[:MOST_SERIES]:
        total, below = sum(found.latencies.values()), 0
        points = []
        for bucket in sorted(found.latencies):
            below += found.latencies[bucket]
            points.append((value_of(bucket) / 1e6, 100 * below / total))
        series.append(Series(name, tuple(points), line=True))
    notes = _left_out(len(timelines))
    return Diagram(
        "latency distribution", ChartAxis("latency ms", log=True), ChartAxis("queries %"), tuple(series), notes
    )


def over_time(timelines: Mapping[str, Timeline], what: Literal["throughput", "latency"] = "throughput") -> Diagram:
    """Return throughput or the 99th percentile latency of each second of the runs."""
    series = []
    for name, found in list(timelines.items())[:MOST_SERIES]:
        values = found.rates if what == "throughput" else found.p99_ms
        points = tuple((at, value) for at, value in zip(found.seconds, values, strict=True) if value is not None)
        series.append(Series(name, points, line=True))
    up = ChartAxis("samples/s") if what == "throughput" else ChartAxis("p99 latency ms", log=True)
    return Diagram(f"{what} over time", ChartAxis("seconds"), up, tuple(series), _left_out(len(timelines)))


def trend(runs: Iterable[Run]) -> Diagram:
    """Return the result by date, a series per benchmark, scenario and backend; only of VALID, undisturbed runs."""
    groups: dict[tuple[str, ...], list[Run]] = {}
    scenarios = []
    for run in runs:
        metric = RESULT.get(run.scenario)
        if metric is not None and metric.key in run.figures and run.state == "VALID" and not run.disturbed:
            groups.setdefault((run.benchmark, run.scenario, run.model_name, run.backend, run.sut), []).append(run)
            scenarios.append(run.scenario)
    metric = RESULT[max(set(scenarios), key=scenarios.count)] if scenarios else BY_KEY["samples_per_second"]
    series = [
        Series(
            " ".join(name),
            tuple(sorted((run.when, metric.shown(run.figures[metric.key])) for run in group)),
            line=True,
            labels=tuple(run.id for run in sorted(group, key=lambda run: run.when)),
        )
        for name, group in groups.items()
        if RESULT[name[1]] is metric
    ]
    others = len(groups) - len(series)
    notes = (f"{others} series of scenarios with another metric are left out: filter by scenario",) if others else ()
    return Diagram(
        f"{metric.title} over dates",
        ChartAxis("date", date=True),
        ChartAxis(metric.title),
        tuple(series[:MOST_SERIES]),
        (*notes, *_left_out(len(series))),
    )


def batches(report: TuningReport) -> Diagram:
    """Return samples per second by batch size, a line for each split of the cores, as tuning measured them."""
    splits: dict[str, list[ChartPoint]] = {}
    for one in report.tuned.table:
        name = f"{one.sessions} x {one.intra_op_threads}" + (" pinned" if one.pinned else "")
        splits.setdefault(name, []).append((float(one.batch), one.samples_per_second))
    series = [Series(name, tuple(sorted(points)), line=True) for name, points in splits.items()]
    return Diagram(
        "samples/s by batch size",
        ChartAxis("batch", log=True),
        ChartAxis("samples/s"),
        tuple(series[:MOST_SERIES]),
        ("sessions x threads per session", *_left_out(len(series))),
    )


def _left_out(count: int) -> tuple[str, ...]:
    return (f"{count - MOST_SERIES} more are left out: choose runs",) if count > MOST_SERIES else ()
