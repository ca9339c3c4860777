"""How a trial is measured: a job of its own, started, waited for and read. It outlives the exploration's process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from engine.design_space import objectives
from engine.design_space.exploration_spec import ExplorationSpec
from engine.design_space.space import Space
from engine.design_space.trials import Point
from engine.errors import InferdeckError, UsageError
from engine.events import Done, Launch, StepEnded, StepStarted, Waiting
from engine.explore.history import all_runs
from engine.explore.run_reading import job_runs
from engine.explore.runs import Run
from engine.jobs import control, jobs, places
from engine.jobs.event_log import EventReader
from engine.jobs.job_spec import JobSpec
from engine.jobs.replay import replay
from engine.jobs.start import job_spec
from engine.mlperf import DETAIL_LOG
from engine.mlperf_logs import detail
from engine.plan.plan import Node
from engine.plan.selection import Selection
from engine.store.files import digest, is_locked, read_plain
from engine.survey.prepare import Prepared, Workplace, prepare, refuse, resolved

JobVerdict = Literal["valid", "valid if longer", "breaks", "failed", "refused", "cancelled"]
"""The states of a trial, or `cancelled` where the user stopped its job."""
_LOOK = 0.05
"""Seconds between two checks of a running job."""
ATTEMPTS = 3
"""Times that a job whose process is killed is started."""
RUN = "loadgen-run"
ACCURACY_SCENARIO = "Offline"
_ARITHMETIC = ("model", "preprocessed", "backend")
"""Inputs of a run that decide the accuracy; how many sessions share them does not."""
_ASKED = ("round", "benchmark", "task", "device", "performance_sample_count")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a job gave."""

    state: JobVerdict
    reason: str = ""
    note: str = ""
    """What may have changed the figures."""
    figures: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    """Of measuring: without what was built, and without waiting for the machine."""
    spent: float = 0.0
    """The same with what was built."""
    started: float = 0.0
    job: str = ""
    command: tuple[str, ...] = ()


class Bench(Protocol):
    """Measures points; the exploration's process knows no more of how."""

    def refused(self, point: Point) -> str:
        """Return why a point can't be measured; empty where it can."""

    def accuracy_key(self, point: Point) -> str:
        """Return what the accuracy of a point belongs to; empty where none is needed."""

    def before(self, point: Point, seconds: float | None, *, accuracy: bool = False) -> Outcome | None:
        """Return what an equal run of an equal machine gave before; None where there is none."""

    def create(self, point: Point, seconds: float | None, rate: float | None, *, accuracy: bool = False) -> str:
        """Create the job of a trial and return its id; it is not started. Raises InferdeckError where it can't be."""

    def unstarted(self, point: Point, seconds: float | None, rate: float | None, *, accuracy: bool = False) -> str:
        """Return the id of an equal job that was created and never started; empty where there is none."""

    def outcome(self, job: str, limit: float, *, accuracy: bool = False) -> Outcome:
        """Start or resume a job, or join it, and wait for its end; after `limit` seconds of measuring it is ended."""


class TrialJobs:
    """Measures points by jobs of this machine."""

    def __init__(self, place: Workplace, spec: ExplorationSpec, space: Space) -> None:
        self.place, self.spec, self.space = place, spec, space
        self.own: frozenset[str] = frozenset()
        """Jobs of the exploration itself, whose points are known."""
        self._refused: dict[Point, str] = {}
        self._history: dict[str, Run] | None = None
        self._prepared: dict[tuple[str, ...], Prepared] = {}
        """By selection: those for which nothing has to be made any more."""

    def refused(self, point: Point) -> str:
        """Resolve a point; the reason is the resolver's."""
        if point not in self._refused:
            try:
                resolved(self.place, self.selection(point, None))
                self._refused[point] = ""
            except UsageError as error:
                self._refused[point] = reason_of(error)
        return self._refused[point]

    def selection(
        self, point: Point, seconds: float | None, rate: float | None = None, *, accuracy: bool = False
    ) -> Selection:
        """Return the selection of a trial."""
        chosen = self.space.selection(point)
        more: dict[str, str] = {"modes": "performance"}
        if accuracy:
            more = {"modes": "accuracy", "scenarios": ACCURACY_SCENARIO}
        elif seconds is not None:
            more["min_duration_ms"] = f"{1000 * seconds:.0f}"
        if rate is not None and not {"target_qps", "offline_target_qps"} & chosen.options.keys():
            more["offline_target_qps"] = f"{rate:.6g}"
        return replace(chosen, options={**chosen.options, **more})

    def prepared(
        self, point: Point, seconds: float | None, rate: float | None = None, *, accuracy: bool = False
    ) -> Prepared:
        """Resolve and survey a trial."""
        chosen = self.selection(point, seconds, rate, accuracy=accuracy)
        words = chosen.words()
        if words in self._prepared:
            return self._prepared[words]
        found = prepare(self.place, chosen)
        if not any(one.state in ("fetch", "build") for one in found.seen.seen.values()):
            self._prepared[words] = found
        return found

    def accuracy_key(self, point: Point) -> str:
        """Return a digest of everything that decides the accuracy."""
        if not self.spec.with_accuracy:
            return ""
        found = self.prepared(point, self.spec.seconds)
        node = measurements(found)[0]
        inputs = [
            f"{edge.name} {found.seen.seen[edge.node].identity}" for edge in node.needs if edge.name in _ARITHMETIC
        ]
        values = node.values()
        return digest("\n".join([*sorted(inputs), *(f"{name} {values.get(name)}" for name in _ASKED)]))[:20]

    def before(self, point: Point, seconds: float | None, *, accuracy: bool = False) -> Outcome | None:
        """Find finished runs with the keys that this trial's runs would have: inputs, options, versions, machine."""
        if self.spec.again:
            return None
        found = self.prepared(point, seconds, accuracy=accuracy)
        if self._history is None:
            self._history = {
                run.recipe: run
                for run in reversed(all_runs(self.place.folders, self.own))
                if run.recipe and not run.damage
            }
        entries = [found.seen.seen[node.id].entry for node in measurements(found)]
        runs = [self._history[entry] for entry in entries if entry in self._history]
        if len(runs) < len(entries) or not all(_is_useful(run, accuracy) for run in runs):
            return None
        return replace(_of_runs(runs, self.spec.keys), job=runs[0].job, started=runs[0].when, command=found.command())

    def create(self, point: Point, seconds: float | None, rate: float | None, *, accuracy: bool = False) -> str:
        """Create the job. Raises CannotRunError where something is missing or unreachable."""
        return control.create(self.place.folders, self._job(point, seconds, rate, accuracy)).name

    def unstarted(self, point: Point, seconds: float | None, rate: float | None, *, accuracy: bool = False) -> str:
        """Look at the newest jobs."""
        wanted = self._job(point, seconds, rate, accuracy).fingerprint()
        for folder in jobs.job_folders(self.place.folders)[:3]:
            job = jobs.read(folder)
            if job.state == "new" and job.spec.fingerprint() == wanted:
                return job.id
        return ""

    def _job(self, point: Point, seconds: float | None, rate: float | None, accuracy: bool) -> JobSpec:
        found = self.prepared(point, seconds, rate, accuracy=accuracy)
        refuse(found)
        return job_spec(found)

    def outcome(self, job: str, limit: float, *, accuracy: bool = False) -> Outcome:
        """Wait for the job's lock and read its runs."""
        folder = self.place.folders.jobs / job
        ended = False
        while (found := jobs.read(folder)).state in ("new", "died", "running"):
            if found.state == "running":
                ended = self._wait(found, limit) or ended
            elif found.attempts >= ATTEMPTS:
                return Outcome(state="failed", reason="its process was killed: perhaps the memory ran out", job=job)
            else:
                control.launch(folder, self.place.folders)
        return self._read(found, limit if ended else None)

    def _wait(self, job: jobs.Job, limit: float) -> bool:
        """Wait until a job's lock is free; return whether it took longer than the limit and was ended."""
        looked = time.monotonic()
        while is_locked(job.folder / places.LOCK):
            time.sleep(_LOOK)
            if time.monotonic() - looked > limit:
                looked = time.monotonic()
                if _times(job.events, self._cached(job), time.time()).measuring > limit:
                    control.cancel(jobs.read(job.folder))
                    while is_locked(job.folder / places.LOCK):
                        time.sleep(_LOOK)
                    return True
        return False

    def _cached(self, job: jobs.Job) -> Callable[[str], bool]:
        """Return a function that says whether a step's result goes to the store, so that no other trial makes it."""
        nodes, components = job.spec.plan.nodes, self.place.catalog.components
        return lambda step: step in nodes and components[nodes[step].component].cache

    def _read(self, job: jobs.Job, limit: float | None) -> Outcome:
        took = _times(job.events, self._cached(job))
        found = _of_runs(job_runs(job.folder), self.spec.keys)
        if limit is not None:
            found = replace(found, state="failed", reason=f"it took longer than {limit:.4g} s")
        elif job.state == "cancelled":
            found = replace(found, state="cancelled", reason=f"{job.id} was cancelled")
        elif job.state == "failed":
            found = replace(found, state="failed", reason=_failure(job))
        elif not found.figures:
            found = replace(found, state="failed", reason="its runs have no figures")
        return replace(
            found,
            seconds=took.measuring,
            spent=took.whole,
            started=job.started,
            job=job.id,
            command=job.spec.command,
        )


def reason_of(error: InferdeckError) -> str:
    """Return in one line why something can't be done, and what can be done instead."""
    return "; ".join(filter(None, (error.what, error.remedy)))


def measurements(prepared: Prepared) -> list[Node]:
    """Return the LoadGen runs of a plan."""
    return [node for node in prepared.plan.nodes.values() if node.component == RUN]


def _is_useful(run: Run, accuracy: bool) -> bool:
    return not run.disturbed and (accuracy or run.valid is True)


def _of_runs(runs: list[Run], keys: tuple[str, ...]) -> Outcome:
    """Return the figures of runs with LoadGen's verdict."""
    performance = [run for run in runs if run.mode == "performance"]
    settings = performance[0].settings if performance else {}
    figures = objectives.figures(runs, keys)
    state: JobVerdict = "valid"
    reasons = []
    for run in performance:
        if run.damage or run.valid is None:
            return Outcome(state="failed", reason=run.damage or "LoadGen gave no verdict", settings=settings)
        if not run.valid:
            state = "valid if longer" if state != "breaks" and _only_short(run) else "breaks"
            reasons.append(f"{run.scenario} INVALID: {'; '.join(run.reasons)}")
    note = "; ".join(dict.fromkeys(run.disturbed for run in performance if run.disturbed))
    return Outcome(state=state, reason="; ".join(reasons), note=note, figures=figures, settings=settings)


def _only_short(run: Run) -> bool:
    """Return whether only its shortness makes a run INVALID: LoadGen's own constraint on the latency is met."""
    try:
        found = detail.parse(read_plain(Path(run.folder) / DETAIL_LOG, 1 << 24))
    except OSError:
        return False
    values = {message.key: message.value for message in found.messages}
    return not found.errors and values.get("result_perf_constraints_met", True) is True


def _failure(job: jobs.Job) -> str:
    """Return what failed first, in the words of its step."""
    failed = replay(job.events, (StepStarted, StepEnded)).state().failed
    ends = [step.end for step in failed if step.end is not None]
    return f"{ends[0].step}: {ends[0].text}" if ends else "the job failed"


@dataclass(frozen=True)
class _Times:
    whole: float
    measuring: float


def _times(log: Path, cached: Callable[[str], bool], now: float | None = None) -> _Times:
    """Return the seconds of a job without those in which it waited for the machine; and without those, too, in which
    something for the store was made. `now` is the time, where the job is running."""
    whole = measuring = last = 0.0
    waiting, making = set[str](), set[str]()
    for piece in EventReader(log).pieces((Launch, StepStarted, Waiting, StepEnded, Done)):
        for event in piece:
            if isinstance(event, Launch):  # nothing ran since the event before it
                waiting.clear()
                making.clear()
            else:
                took = 0.0 if waiting else event.at - last
                whole, measuring = whole + took, measuring + (0.0 if making else took)
            last = event.at
            if isinstance(event, Waiting):
                waiting.add(event.step)
            elif isinstance(event, StepStarted):
                waiting.discard(event.step)
                making |= {event.step} if cached(event.step) else set()
            elif isinstance(event, StepEnded):
                waiting.discard(event.step)
                making.discard(event.step)
    if now is not None and not waiting:
        whole, measuring = whole + now - last, measuring + (0.0 if making else now - last)
    return _Times(whole, measuring)
