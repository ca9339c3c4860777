"""A trial on a SUT: the task that the pool sends. It starts a job or attaches to it, so that it may be sent twice."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from engine import codec
from engine.design_space.driver import space_of
from engine.design_space.exploration_spec import ExplorationSpec
from engine.design_space.trial_jobs import Bench, Outcome, TrialJobs, reason_of
from engine.design_space.trials import Point
from engine.errors import CannotRunError, FetchError, InferdeckError, StoreError, UsageError
from engine.jobs.measuring import EXPLORING, turn
from engine.store.files import disk_errors, locked, read_plain, write_atomic

NOTES = "pool-trials"
"""Folder in the state of a SUT: which jobs belong to which trial."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A trial to be made."""

    spec: ExplorationSpec
    token: str
    """What the SUT knows the trial by: an order of the same token is the same trial."""
    point: Point
    seconds: float | None
    rate: float | None
    limit: float
    """Seconds of measuring after which it is ended."""
    search: bool
    """Whether an equal run that was made before will do."""
    known: Mapping[str, str] = {}
    """Accuracy keys that are known, with why there are no figures; empty where there are."""


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """The accuracy that the SUT measured for a trial."""

    key: str
    outcome: Outcome
    reused: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial gave."""

    outcome: Outcome | None = None
    accuracy_key: str = ""
    accuracy: Accuracy | None = None
    """None where it was known, or none is wanted."""
    reused: bool = False
    trouble: str = ""
    """Why there is no outcome: it may be tried again."""


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs of a trial."""

    trial: str = ""
    accuracy: str = ""


def measure(order: bytes) -> bytes:
    """Make a trial on this machine, as the task of a pool: an Order in, a Report out, as JSON."""
    asked = codec.decode(order, type=Order)
    try:
        bench = _bench(codec.encode(asked.spec))
        with turn(f"exploration {asked.spec.name}", EXPLORING) as place:
            place.wait(lambda: False, lambda: False, lambda _: None)
            report = attach(bench.place.folders.state / NOTES, asked, bench)
    except InferdeckError as error:
        report = Report(trouble=reason_of(error))
    return codec.encode(report)


@lru_cache(maxsize=1)
def _bench(spec: bytes) -> TrialJobs:
    """Read the profiles once for all trials of an exploration."""
    return space_of(codec.decode(spec, type=ExplorationSpec))[0]


def attach(notes: Path, asked: Order, bench: Bench) -> Report:
    """Start the trial's jobs or join those that were started for it, and wait for their end.

    One trial at a time: who asks for a trial that is being made waits, and gets what it gave. Raises InferdeckError
    where nothing can be said of the point, because a file or process failed.
    """
    with disk_errors(notes):
        notes.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(notes / "sut.lock"):
        made = _Making(notes / f"{asked.token}.json", asked, bench)
        try:
            return made.report()
        except (CannotRunError, UsageError, FetchError) as error:
            return Report(outcome=Outcome(state="refused", reason=reason_of(error)))


class _Making:
    """One trial; its note says which of its jobs exist."""

    def __init__(self, path: Path, asked: Order, bench: Bench) -> None:
        self.path, self.asked, self.bench = path, asked, bench
        self.note = _read(path)

    def report(self) -> Report:
        """Return what the trial gave."""
        asked, accuracy = self.asked, None
        key = self.bench.accuracy_key(asked.point)
        why = asked.known.get(key, "")
        if key and key not in asked.known:
            accuracy = self._accuracy(key)
            if accuracy.outcome.state == "cancelled":
                return Report(outcome=accuracy.outcome)
            why = accuracy.outcome.reason if accuracy.outcome.state == "failed" else ""
        if why:
            failed = Outcome(state="failed", reason=f"its accuracy is not known: {why}")
            return Report(outcome=failed, accuracy_key=key, accuracy=accuracy)
        before = self.bench.before(asked.point, asked.seconds) if asked.search and not self.note.trial else None
        if before is not None:
            return Report(outcome=before, accuracy_key=key, accuracy=accuracy, reused=True)
        found = self.bench.outcome(self._job("trial", asked.seconds, asked.rate), asked.limit)
        return Report(outcome=found, accuracy_key=key, accuracy=accuracy)

    def _accuracy(self, key: str) -> Accuracy:
        asked = self.asked
        before = None if self.note.accuracy else self.bench.before(asked.point, asked.seconds, accuracy=True)
        if before is not None:
            return Accuracy(key=key, outcome=before, reused=True)
        job = self._job("accuracy", asked.spec.seconds, None)
        return Accuracy(key=key, outcome=self.bench.outcome(job, float("inf"), accuracy=True))

    def _job(self, which: Literal["trial", "accuracy"], seconds: float | None, rate: float | None) -> str:
        """Return the job, which is created where no earlier order of this trial did it."""
        if noted := getattr(self.note, which):
            return str(noted)
        point, scored = self.asked.point, which == "accuracy"
        # A process that was killed between the job and the note left one that was never started.
        job = self.bench.unstarted(point, seconds, rate, accuracy=scored) or self.bench.create(
            point, seconds, rate, accuracy=scored
        )
        self.note = msgspec.structs.replace(self.note, **{which: job})
        write_atomic(self.path, codec.encode(self.note))
        return job


def _read(path: Path) -> _Note:
    with disk_errors(path):
        try:
            return codec.decode(read_plain(path, 1 << 16), type=_Note)
        except FileNotFoundError:
            return _Note()
        except msgspec.DecodeError as error:
            raise StoreError(f"{path} is damaged: {error}", "remove it: its trial is made again") from None
