"""The process of one exploration: `python -m engine.design_space.driver FOLDER`. It outlives its terminal.

It runs one trial after another. Every trial is a job with a process of its own, so that whatever is killed, the same
command goes on: what ended is in the log, and the job of the trial that has not ended is in it by its id.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

import engine
from engine.design_space import objectives, trial_log
from engine.design_space.axis_words import AS_PLANNED
from engine.design_space.decision import End, Standpoint, next_step
from engine.design_space.exploration_folders import EXPLORATION_LOCK
from engine.design_space.exploration_spec import ExplorationSpec, read_exploration_spec
from engine.design_space.points import as_point, every_point, exists, in_dependency_order
from engine.design_space.policy import Planned
from engine.design_space.space import Space, space
from engine.design_space.trial_jobs import Bench, Outcome, TrialJobs, reason_of
from engine.design_space.trials import Constraint, Point, Trial
from engine.errors import CannotRunError, FetchError, InferdeckError, JobError, UsageError
from engine.jobs.measuring import EXPLORING, turn
from engine.plan.selection_syntax import selection_of
from engine.store.files import locked
from engine.survey.prepare import resolved, workplace
from engine.text import clean_lines

STOP = "stop"
"""Created in the folder to stop it after the present trial."""
LOG = "exploration.log"
"""Output of the process itself, mainly tracebacks."""
RESOLVED_AT_START = 200
"""Points of a space up to which all are resolved at the start, so that refused ones are known."""
FASTER = 1.1
"""Margin of the rate by which a longer Offline run is sized: LoadGen calls one that ends early INVALID."""
HOPELESS = 5
"""Trials at the start of a session after which it ends, if all of them failed."""
SHORTEST_LIMIT, LIMIT = 300.0, 10.0
"""Seconds, and multiple of the expected time, after which a trial is ended."""
_GOOD = ("finished", "budget", "stopped")


class Driver:
    """Runs the trials of one exploration; `bench` measures them."""

    def __init__(self, folder: Path, spec: ExplorationSpec, bench: Bench, every_point: Sequence[Point] = ()) -> None:
        self.folder, self.spec, self.bench = folder, spec, bench
        self._every_point = every_point
        self._seen = trial_log.progress(folder)
        self._log = trial_log.LogWriter(folder)

    def run(self, wait: Callable[[Driver], bool] = lambda _: True) -> trial_log.Ending:
        """Go on until nothing is left to do; `wait` waits for the machine, and returns False where it was stopped."""
        now = time.time()
        session = self._seen.session + 1
        self._write(trial_log.SessionBegan(at=now, session=session, pid=os.getpid(), version=engine.VERSION))
        try:
            ending, reason, left_out = self._go_on(wait)
        except InferdeckError as error:
            ending, reason, left_out = "failed", " ".join((error.what, error.remedy)), ()
        self._write(trial_log.Over(at=time.time(), ending=ending, reason=reason, left_out=left_out))
        self._log.close()
        return ending

    def waits_for(self, holder: str) -> None:
        """Say in the log that another exploration measures."""
        self._write(trial_log.WaitsForMachine(at=time.time(), holder=holder))

    @property
    def jobs(self) -> frozenset[str]:
        """Ids of the jobs of its trials so far."""
        return frozenset(trial.job for trial in self._seen.trials if trial.purpose != "reused")

    @property
    def stops(self) -> bool:
        """Whether it was asked to stop after the present trial."""
        return (self.folder / STOP).exists()

    def _go_on(self, wait: Callable[[Driver], bool]) -> tuple[trial_log.Ending, str, tuple[str, ...]]:
        if not wait(self):
            return "stopped", "while it waited for the machine", ()
        goes_on = self._finish_started()
        for point in self._every_point:
            self._valid(point)
        while goes_on:
            if self.stops:
                return "stopped", "", ()
            if why := self._nothing_works():
                return "failed", why, ()
            step = next_step(self._standpoint(), self._valid)
            if isinstance(step, End):
                return step.ending, step.reason, step.left_out
            goes_on = self._trial(step)
        return "cancelled", "the job of a trial was cancelled", ()

    def _nothing_works(self) -> str:
        """Return why it is pointless to go on: all trials of this session failed; empty where it is not."""
        here = [one for one in self._seen.trials if one.session == self._seen.session and one.state != "refused"]
        if len(here) < HOPELESS or any(one.state != "failed" for one in here):
            return ""
        return f"the first {len(here)} trials failed, the last one: {here[-1].reason}"

    def _standpoint(self) -> Standpoint:
        return standpoint(self.spec, self._seen)

    def _valid(self, point: Point) -> bool:
        """Whether a point is not refused; the first time that it is, this is a result, too."""
        reason = self.bench.refused(point)
        if reason and not any(trial.point == point for trial in self._seen.trials):
            self._end(point, Outcome(state="refused", reason=reason))
        return not reason

    def _trial(self, step: Planned) -> bool:
        """Make one trial; return whether the exploration goes on."""
        seconds = self.spec.final_seconds if step.stage else self.spec.seconds
        try:
            key = self.bench.accuracy_key(step.point)
            if key and key not in self._seen.accuracy and not self._accuracy(step.point, key):
                return False
            if key and self._seen.accuracy[key].failed:
                why = f"its accuracy is not known: {self._seen.accuracy[key].failed}"
                self._end(step.point, Outcome(state="failed", reason=why), step, key)
                return True
            before = self.bench.before(step.point, seconds) if step.purpose == "search" else None
            if before is not None:
                self._end(step.point, before, Planned(step.point, "search", step.stage, ""), key, reused=True)
                return True
            job = self._create(step, key, seconds, accuracy=False)
        except (CannotRunError, UsageError, FetchError) as error:
            self._end(step.point, Outcome(state="refused", reason=reason_of(error)), step)
            return True
        return self._await(step, job, key)

    def _accuracy(self, point: Point, key: str) -> bool:
        """Measure the accuracy that a point shares with others; return whether the exploration goes on."""
        before = self.bench.before(point, self.spec.seconds, accuracy=True)
        if before is not None:
            self._write(trial_log.AccuracyKnown(at=time.time(), key=key, figures=dict(before.figures), job=before.job))
            return True
        step = Planned(point, "search", 0, "the accuracy of its model")
        return self._await_accuracy(step, self._create(step, key, self.spec.seconds, accuracy=True), key)

    def _create(self, step: Planned, key: str, seconds: float | None, *, accuracy: bool) -> str:
        """Create the job of a trial, so that it is found again whenever this process is killed."""
        started = trial_log.TrialStarted(
            at=time.time(),
            point=step.point,
            stage=step.stage,
            purpose=step.purpose,
            why=step.why,
            accuracy_key=key if accuracy else "",
        )
        rate = self._rate(step)
        self._write(started)
        job = self.bench.create(step.point, seconds, rate, accuracy=accuracy)
        self._write(msgspec.structs.replace(started, at=time.time(), job=job))
        return job

    def _rate(self, step: Planned) -> float | None:
        """Return the rate of a point, by which longer runs are sized; None for short ones, which are made alike."""
        if not step.stage:
            return None
        mine = [trial.figures for trial in self._seen.trials if trial.point == step.point]
        return max((FASTER * figures["Offline"] for figures in mine if "Offline" in figures), default=None)

    def _finish_started(self) -> bool:
        """Wait for the trial that a killed process left; return whether the exploration goes on."""
        left = self._seen.started
        if left is None:
            return True
        step = Planned(left.point, left.purpose, left.stage, left.why)
        seconds, accuracy = self.spec.final_seconds if left.stage else self.spec.seconds, bool(left.accuracy_key)
        job = left.job or self.bench.unstarted(step.point, seconds, self._rate(step), accuracy=accuracy)
        if not job:
            return True  # nothing had been created: it is decided anew
        try:
            if accuracy:
                return self._await_accuracy(step, job, left.accuracy_key)
            return self._await(step, job, self.bench.accuracy_key(step.point))
        except JobError:  # its folder was removed, for example: it is decided anew
            return True

    def _await(self, step: Planned, job: str, key: str) -> bool:
        found = self.bench.outcome(job, self._limit(step))
        if found.state == "cancelled":
            return False
        self._end(step.point, found, step, key)
        return True

    def _await_accuracy(self, step: Planned, job: str, key: str) -> bool:
        found = self.bench.outcome(job, float("inf"), accuracy=True)
        if found.state == "cancelled":
            return False
        failed = found.reason if found.state == "failed" else ""
        self._write(
            trial_log.AccuracyKnown(
                at=time.time(), key=key, figures=dict(found.figures), job=job, spent=found.spent, failed=failed
            )
        )
        return True

    def _limit(self, step: Planned) -> float:
        return max(SHORTEST_LIMIT, LIMIT * self._standpoint().seconds(step.stage))

    def _end(
        self,
        point: Point,
        found: Outcome,
        step: Planned | None = None,
        key: str = "",
        *,
        reused: bool = False,
        session: int | None = None,
        sut: str = "",
    ) -> None:
        """Write down how a trial ended; `session` is the present one where none is given."""
        known = self._seen.accuracy.get(key)
        assert found.state != "cancelled"  # which stops the exploration
        trial = Trial(
            number=len(self._seen.trials) + 1,
            point=point,
            state=found.state,
            reason=found.reason,
            note=found.note,
            figures={**(known.figures if known is not None else {}), **found.figures},
            stage=step.stage if step is not None else 0,
            session=0 if reused else self._seen.session if session is None else session,
            purpose="reused" if reused else step.purpose if step is not None else "search",
            started=found.started or time.time(),
            seconds=0.0 if reused else found.seconds,
            job=found.job,
        )
        self._write(
            trial_log.TrialEnded(
                at=time.time(),
                trial=trial,
                spent=0.0 if reused else found.spent,
                accuracy_key=key,
                settings=dict(found.settings),
                command=found.command,
                sut=sut,
            )
        )

    def _write(self, event: trial_log.LogEvent) -> None:
        self._log.write(event)
        self._seen.take(event)


def judged_trials(spec: ExplorationSpec, seen: trial_log.LogState) -> tuple[list[Trial], tuple[Constraint, ...]]:
    """Return the trials with the constraints applied, and these; an axis added later stands at its default in them."""
    trials = [_with_every_axis(spec, trial) for trial in seen.trials]
    default = next((one.figures for one in trials if one.point == spec.default and one.figures), {})
    bounds = objectives.constraints(spec.limits, default)
    return [objectives.with_constraints(trial, bounds) for trial in trials], bounds


def standpoint(spec: ExplorationSpec, seen: trial_log.LogState, session: int | None = None) -> Standpoint:
    """Return what the next decision is made from; `session` is the latest where none is given."""
    trials, bounds = judged_trials(spec, seen)
    return Standpoint(
        spec=spec,
        trials=trials,
        constraints=bounds,
        session=seen.session if session is None else session,
        spent=seen.spent,
        settings=seen.settings.get(spec.default, {}),
    )


def _with_every_axis(spec: ExplorationSpec, trial: Trial) -> Trial:
    if not spec.added:
        return trial
    chosen, default = dict(trial.point), dict(spec.default)
    for axis in in_dependency_order(spec.axes):
        if axis.name in spec.added and axis.name not in chosen and exists(axis, chosen):
            chosen[axis.name] = default.get(axis.name, AS_PLANNED)
    return msgspec.structs.replace(trial, point=as_point(spec.axes, chosen))


def space_of(spec: ExplorationSpec, home: str | None = None) -> tuple[TrialJobs, Space]:
    """Read the profiles and return what measures the points of an exploration, and its space."""
    place = workplace(home, [Path(one) for one in spec.profiles])
    base, _ = selection_of(spec.words)
    found = space(place.catalog, base, spec.axes, lambda chosen: resolved(place, chosen).plan)
    return TrialJobs(place, spec, found), found


def run_here(folder: Path, spec: ExplorationSpec, bench: TrialJobs, points: Sequence[Point]) -> trial_log.Ending:
    """Go on with an exploration on this machine, when no other one measures."""
    with turn(f"exploration {spec.name}", EXPLORING) as place:
        driver = Driver(folder, spec, bench, points)
        bench.own = driver.jobs

        def wait(driver: Driver) -> bool:
            place.wait(lambda: driver.stops, lambda: False, driver.waits_for)
            return not driver.stops

        return driver.run(wait)


GoOn = Callable[[Path, ExplorationSpec, TrialJobs, Sequence[Point]], trial_log.Ending]
"""Goes on with an exploration: here, or on a pool."""


def main(arguments: Sequence[str], go_on: GoOn = run_here) -> int:
    """Take the exploration's lock and go on with it."""
    folder = Path(arguments[0])
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    try:
        with locked(folder / EXPLORATION_LOCK, wait=False) as lock:
            if lock is None:
                raise JobError(
                    f"the exploration {folder.name} is running already", f"inferdeck explore watch {folder.name}"
                )
            spec = read_exploration_spec(folder)
            bench, _ = space_of(spec)
            points = list(every_point(spec.axes)) if spec.size <= RESOLVED_AT_START else []
            return 0 if go_on(folder, spec, bench, points) in _GOOD else 1
    except InferdeckError as error:
        sys.stderr.write(f"{clean_lines(str(error))}\n")
        return error.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
