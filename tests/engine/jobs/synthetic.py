"""Synthetic job logs for readers: a plan with three steps, a Server run, and various endings."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from engine import events
from engine.jobs import jobs
from engine.jobs.job_spec import JobSpec
from engine.plan.plan import Node, Plan
from engine.plan.reason import Asked
from tests.histograms import bucket_of

BEGIN = 1_700_000_000.0
MODEL, MEASURE, SCORE = "get-model", "loadgen-run[Server performance]", "accuracy[Server]"
TITLES = {MODEL: "Model", MEASURE: "Measure · Server performance", SCORE: "Top-1 accuracy · Server"}
PERIOD = 0.25


def launch(at: float = BEGIN, *, resumed: bool = False) -> events.Launch:
    """A process started or resumed the job."""
    return events.Launch(at=at, job="r-0001", pid=1, command=("run", "--tags=x"), version="1", steps=3, resumed=resumed)


def before(at: float = BEGIN) -> list[events.AnyEvent]:
    """Events before the first tick."""
    return [
        launch(at),
        events.StepStarted(at=at, step=MODEL, title="Model", why="nothing stored yet"),
        events.Progress(at=at + 1, step=MODEL, done=50, total=100, unit="bytes"),
        events.StepEnded(at=at + 2, step=MODEL, outcome="built", seconds=2.0),
        events.StepStarted(at=at + 2, step=MEASURE, title=TITLES[MEASURE], why=""),
        measuring(at=at + 2),
        events.Phase(at=at + 2, step=MEASURE, name="load"),
        events.Phase(at=at + 3, step=MEASURE, name="measure"),
    ]


def measuring(at: float = BEGIN, **changes: object) -> events.Measuring:
    """A Server run of ten minutes at 400 queries/s within 15 ms."""
    made = events.Measuring(
        at=at,
        step=MEASURE,
        scenario="Server",
        mode="performance",
        target=400.0,
        target_unit="queries/s",
        bound_ns=15_000_000,
        percentile=0.99,
        min_seconds=600.0,
        min_queries=270_336,
        max_seconds=None,
        samples_per_query=1,
        samples=None,
        sessions=2,
        intra_op_threads=1,
        max_batch=8,
    )
    return msgspec.structs.replace(made, **changes)


def ticks(
    seconds: float, *, rate: float = 400.0, latency_ms: float = 8.0, begin: float = BEGIN + 3, step: str = MEASURE
) -> list[events.AnyEvent]:
    """Ticks for this many seconds, at about this rate of samples and latency."""
    chance = random.Random(1)
    found: list[events.AnyEvent] = []
    completed = 0
    for number in range(1, int(seconds / PERIOD) + 1):
        count = max(int(rate * PERIOD * chance.uniform(0.93, 1.07)), 0)
        completed += count
        latencies: dict[int, int] = {}
        for _ in range(count):
            bucket = bucket_of(int(latency_ms * 1e6 * chance.lognormvariate(0, 0.15)))
            latencies[bucket] = latencies.get(bucket, 0) + 1
        elapsed = number * PERIOD
        found.append(
            events.Tick(
                at=begin + elapsed,
                step=step,
                elapsed=elapsed,
                issued=completed + 3,
                completed=completed,
                latencies=latencies,
            )
        )
    return found


def ending(at: float, *, valid: bool = True) -> list[events.AnyEvent]:
    """The run ends successfully, is scored, and the job finishes."""
    return [
        events.Measured(
            at=at,
            step=MEASURE,
            scenario="Server",
            mode="performance",
            metric="scheduled throughput",
            value=401.25,
            unit="Queries/s",
            valid=valid,
        ),
        events.StepEnded(at=at, step=MEASURE, outcome="built", seconds=at - BEGIN - 2),
        events.StepStarted(at=at, step=SCORE, title=TITLES[SCORE], why=""),
        events.StepEnded(at=at + 1, step=SCORE, outcome="built", seconds=1.0),
        events.Done(at=at + 1, ending="finished", seconds=at + 1 - BEGIN, results="results"),
    ]


def failure(at: float) -> list[events.AnyEvent]:
    """The run fails, and so does the job."""
    text, remedy = "the harness ended with status 1", "use fewer sessions"
    return [
        events.StepEnded(at=at, step=MEASURE, outcome="failed", seconds=9.0, text=text, remedy=remedy),
        events.StepEnded(at=at, step=SCORE, outcome="skipped", seconds=0.0, text=f"needs {MEASURE}"),
        events.Done(at=at, ending="failed", seconds=at - BEGIN),
    ]


def shifted(seen: Iterable[events.AnyEvent], seconds: float) -> list[events.AnyEvent]:
    """The same events at another time."""
    return [msgspec.structs.replace(event, at=event.at + seconds) for event in seen]


def spec(titles: dict[str, str] = TITLES) -> JobSpec:
    """A plan whose steps have these titles."""
    nodes = {
        step: Node(id=step, component=step, title=title, why=Asked("--tags=x"), variations=(), options={}, needs=())
        for step, title in titles.items()
    }
    return JobSpec(plan=Plan(list(titles)[-1], nodes), command=("run", "--tags=x"), title="resnet50 · Server")


def write(folder: Path, seen: Sequence[events.AnyEvent], *, number: int = 1) -> jobs.Job:
    """Write a job with that log under the folder of the jobs."""
    place = folder / f"r-{number:04d}"
    place.mkdir(parents=True, exist_ok=True)
    (place / "plan.json").write_bytes(msgspec.json.encode(spec()))
    (place / "events.jsonl").write_bytes(b"".join(events.encode(event) for event in seen))
    return jobs.read(place)


def append(job: jobs.Job, seen: Sequence[events.AnyEvent]) -> None:
    """Append events to a job's log."""
    with job.events.open("ab") as log:
        log.write(b"".join(events.encode(event) for event in seen))
