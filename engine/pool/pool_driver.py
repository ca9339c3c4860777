"""The process of an exploration on the SUTs of a pool: each makes one trial at a time, all at the same time.

What was sent is in the log by SUT and token. A SUT that went away and came back gets its order again and attaches to
the job of that token; one that stays away gives its point back.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex

import engine
from engine import codec
from engine.design_space import trial_log
from engine.design_space.decision import End, next_step
from engine.design_space.driver import Driver, main, standpoint
from engine.design_space.exploration_spec import ExplorationSpec
from engine.design_space.policy import Planned
from engine.design_space.trial_jobs import ATTEMPTS, Bench, Outcome
from engine.design_space.trials import Point
from engine.pool.pool_client import Pool, Sut, SutAnswer
from engine.pool.pool_folder import PoolFolder, need_dask
from engine.pool.sut_trial import Accuracy, Order, Report, measure

AWAY = 120.0
"""Seconds after which a SUT that went away gives its trial back."""
_LOOK = 0.5
"""Seconds between two looks at the pool."""


@dataclass
class _Sent:
    """A trial that a SUT makes."""

    started: trial_log.TrialStarted
    address: str = ""
    """The worker that it was sent to; empty: it was not sent by this process."""
    troubles: tuple[str, ...] = ()
    """Why its SUT gave no outcome, each time that it was sent."""
    seen: float = 0.0
    """When its SUT was there last, on the monotonic clock."""

    @property
    def step(self) -> Planned:
        """The trial as planned."""
        one = self.started
        return Planned(one.point, one.purpose, one.stage, one.why)


class PoolDriver(Driver):
    """Runs the trials of one exploration on a pool; `bench` says which points are refused."""

    def __init__(
        self,
        folder: Path,
        spec: ExplorationSpec,
        bench: Bench,
        pool: Pool,
        every_point: Sequence[Point] = (),
        away: float = AWAY,
    ) -> None:
        super().__init__(folder, spec, bench, every_point)
        self.pool, self.away = pool, away
        now = time.monotonic()
        self._sent = {sut: _Sent(one, seen=now) for sut, one in self._seen.running.items()}
        self._sessions: dict[str, int] = {}
        self._refused_suts: set[str] = set()

    def _go_on(self, wait: Callable[[Driver], bool]) -> tuple[trial_log.Ending, str, tuple[str, ...]]:
        for point in self._every_point:
            self._valid(point)
        while True:
            suts = {name: one for name, one in self.pool.suts().items() if self._is_taken(one)}
            if not suts and not self._seen.waits_for:
                self.waits_for("a SUT of the pool: inferdeck pool join")
            self._look_after(suts)
            end = self._hand_out(suts)
            if end is not None and not self._sent:
                return end
            for sut, answer in self.pool.answers(_LOOK).items():
                if not self._take(sut, answer):
                    return "cancelled", f"the job of a trial was cancelled on {sut}", ()

    def _is_taken(self, sut: Sut) -> bool:
        """Whether a SUT is like the first one of this exploration; the first time that it comes it gets a session."""
        if sut.name in self._sessions or sut.name in self._refused_suts:
            return sut.name in self._sessions
        first = self._seen.sut_machine
        why = _difference(sut.machine, first) if first else ""
        if why:
            self._refused_suts.add(sut.name)
            self._write(trial_log.SutRefused(at=time.time(), sut=sut.name, why=why))
            return False
        session = self._sessions[sut.name] = self._seen.session + 1
        self._write(
            trial_log.SessionBegan(
                at=time.time(),
                session=session,
                pid=os.getpid(),
                version=engine.VERSION,
                sut=sut.name,
                machine=dict(sut.machine),
            )
        )
        return True

    def _look_after(self, suts: Mapping[str, Sut]) -> None:
        """Send again what a SUT has lost; give up what is at a SUT that stays away."""
        now = time.monotonic()
        for name, one in list(self._sent.items()):
            sut = suts.get(name)
            if sut is not None:
                one.seen = now
                if one.address != sut.address or not self.pool.is_sent(name):
                    if one.troubles and one.address == sut.address:
                        self._again(name, one.troubles[-1])
                    else:
                        self._again(name, "it lost the trial" if one.address else "this process did not send it")
                    self._send(sut, one)
            elif now - one.seen > self.away:
                self._again(name, f"the SUT has been away for {self.away:.0f} s", given_up=True)

    def _hand_out(self, suts: Mapping[str, Sut]) -> tuple[trial_log.Ending, str, tuple[str, ...]] | None:
        """Give every idle SUT a trial; return how the exploration ends, where there is none for one."""
        for name, sut in suts.items():
            if name in self._sent:
                continue
            if self.stops:
                return "stopped", "it was stopped after a trial", ()
            running = [self._elsewhere(one.step) for one in self._sent.values()]
            step = next_step(standpoint(self.spec, self._seen, self._sessions[name]), self._valid, running)
            if isinstance(step, End):
                return step.ending, step.reason, step.left_out
            started = trial_log.TrialStarted(
                at=time.time(),
                point=step.point,
                stage=step.stage,
                purpose=step.purpose,
                why=step.why,
                sut=name,
                token=token_hex(8),
            )
            self._write(started)
            self._sent[name] = _Sent(started, seen=time.monotonic())
            self._send(sut, self._sent[name])
        return ("stopped", "it was stopped after a trial", ()) if self.stops else None

    @staticmethod
    def _elsewhere(step: Planned) -> Planned:
        """Return a trial as one of the other SUTs sees it: the baseline of one is not that of another."""
        return replace(step, purpose="repeat") if step.purpose == "baseline" else step

    def _send(self, sut: Sut, one: _Sent) -> None:
        step = one.step
        one.address = sut.address
        order = Order(
            spec=self.spec,
            token=one.started.token,
            point=step.point,
            seconds=self.spec.final_seconds if step.stage else self.spec.seconds,
            rate=self._rate(step),
            limit=self._limit(step),
            search=step.purpose == "search",
            known={key: known.failed for key, known in self._seen.accuracy.items()},
        )
        self.pool.send(sut, codec.encode(order))

    def _again(self, sut: str, why: str, *, given_up: bool = False) -> None:
        self._write(trial_log.TrialAgain(at=time.time(), sut=sut, why=why, given_up=given_up))
        if given_up:
            self.pool.forget(sut)
            del self._sent[sut]

    def _take(self, sut: str, answer: SutAnswer) -> bool:
        """Write down what a SUT answered; return whether the exploration goes on."""
        one = self._sent[sut]
        report = codec.decode(answer.report, type=Report) if answer.report else Report(trouble=answer.trouble)
        if report.accuracy is not None:
            self._know(sut, report.accuracy)
        found = report.outcome
        if found is None:
            one.troubles = (*one.troubles, report.trouble)
            if len(one.troubles) < ATTEMPTS:
                return True  # it is sent again at the next look
            found = Outcome(state="failed", reason=report.trouble)
        if found.state == "cancelled":
            return False
        step = replace(one.step, purpose="search") if report.reused else one.step
        del self._sent[sut]
        self._end(
            step.point,
            replace(found, job=_job(sut, found.job)),
            step,
            report.accuracy_key,
            reused=report.reused,
            session=self._sessions[sut],
            sut=sut,
        )
        return True

    def _know(self, sut: str, found: Accuracy) -> None:
        outcome = found.outcome
        if outcome.state == "cancelled":
            return
        self._write(
            trial_log.AccuracyKnown(
                at=time.time(),
                key=found.key,
                figures=dict(outcome.figures),
                job=_job(sut, outcome.job),
                spent=0.0 if found.reused else outcome.spent,
                failed=outcome.reason if outcome.state == "failed" else "",
            )
        )


def _job(sut: str, job: str) -> str:
    """Return the name of a job of another machine."""
    return f"{sut}:{job}" if job else ""


def _difference(machine: Mapping[str, str], first: Mapping[str, str]) -> str:
    """Return in what two SUTs differ, so that their figures can't be compared; empty where they don't."""
    names = [name for name in dict.fromkeys([*first, *machine]) if machine.get(name) != first.get(name)]
    return "; ".join(f"{name} {machine.get(name, 'none')}, not {first.get(name, 'none')}" for name in names)


def run_in_pool(folder: Path, spec: ExplorationSpec, bench: Bench, points: Sequence[Point]) -> trial_log.Ending:
    """Go on with an exploration on its pool. Raises InferdeckError where that can't begin."""
    need_dask()
    pool_folder = PoolFolder(Path(spec.pool))
    pool_folder.security()
    pool = Pool(pool_folder, measure)
    try:
        return PoolDriver(folder, spec, bench, pool, points).run()
    finally:
        pool.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], run_in_pool))
