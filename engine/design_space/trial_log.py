"""The event log of an exploration: its one process appends JSON lines, any number of readers read them.

The log alone says what was measured. A torn last line is left until its newline arrives, and dropped by the writer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from engine import codec
from engine.design_space.policy import Purpose
from engine.design_space.trials import Point, Trial
from engine.store.files import disk_errors, open_plain

FILE = "events.jsonl"
_PIECE = 1 << 20

Ending = Literal["finished", "budget", "stopped", "cancelled", "failed"]


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    at: float
    """Seconds since the epoch."""


class SessionBegan(_Event, frozen=True, kw_only=True, tag="session"):
    """A process started the exploration or goes on with it."""

    session: int
    """From 1."""
    pid: int
    version: str
    sut: str = ""
    """Of a pool: each SUT's trials are a session of their own, with a baseline of their own. Empty: this machine."""
    machine: dict[str, str] = {}
    """What that SUT is."""


class WaitsForMachine(_Event, frozen=True, kw_only=True, tag="waits"):
    """Another exploration measures on this machine."""

    holder: str


class TrialStarted(_Event, frozen=True, kw_only=True, tag="started"):
    """A trial's job is about to be created, or with its id, was created."""

    point: Point
    stage: int
    purpose: Purpose
    why: str = ""
    job: str = ""
    accuracy_key: str = ""
    """Not empty for an accuracy run: what its figures belong to."""
    sut: str = ""
    """The SUT of a pool that makes it; empty: this machine."""
    token: str = ""
    """Of a pool: what the SUT knows the trial by, however often it is sent."""


class TrialAgain(_Event, frozen=True, kw_only=True, tag="again"):
    """A trial was sent to its SUT again, or was given up there, so that its point is planned anew."""

    sut: str
    why: str
    given_up: bool = False


class SutRefused(_Event, frozen=True, kw_only=True, tag="sut refused"):
    """A SUT of the pool gets no trials: its figures could not be compared."""

    sut: str
    why: str


class TrialEnded(_Event, frozen=True, kw_only=True, tag="ended"):
    """A trial ended; a refused point or one that was measured before ends without a start."""

    trial: Trial
    spent: float = 0.0
    """Seconds of the budget that it took, what was built for it included."""
    accuracy_key: str = ""
    settings: dict[str, float] = {}
    """What it ran with: sessions, intra_op_threads, max_batch."""
    command: tuple[str, ...] = ()
    """Arguments after `inferdeck` that measure it again."""
    sut: str = ""
    """The SUT of a pool that made it."""


class AccuracyKnown(_Event, frozen=True, kw_only=True, tag="accuracy"):
    """The accuracy of a model with its preprocessing and the arithmetic of a backend, whatever the workers."""

    key: str
    figures: dict[str, float] = {}
    job: str = ""
    spent: float = 0.0
    failed: str = ""
    """Why there are no figures."""


class Over(_Event, frozen=True, kw_only=True, tag="over"):
    """The exploration's process ended by itself."""

    ending: Ending
    reason: str = ""
    left_out: tuple[str, ...] = ()


LogEvent = SessionBegan | WaitsForMachine | TrialStarted | TrialEnded | AccuracyKnown | TrialAgain | SutRefused | Over
_decoder: codec.Decoder[LogEvent] = codec.Decoder(LogEvent)


class LogWriter:
    """Appends events, each a whole line that is on the disk when `write` returns."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        with disk_errors(self._path):
            self._file = self._path.open("ab", buffering=0)
            end = self._file.tell()
            if end and not _ends_with_newline(self._path):
                self._file.write(b"\n")

    def write(self, event: LogEvent) -> None:
        """Append one event. Raises StoreError where that fails."""
        with disk_errors(self._path):
            self._file.write(codec.encode(event) + b"\n")
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class LogReader:
    """Reads what was appended since the last call; lines that are not events are skipped."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._offset = 0

    def read(self) -> Iterator[LogEvent]:
        """Yield the new events. Raises StoreError where the log can't be read."""
        rest = b""
        with disk_errors(self._path):
            try:
                file = open_plain(self._path)
            except FileNotFoundError:
                return
            with file:
                file.seek(self._offset)
                while data := file.read(_PIECE):
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        self._offset += len(line) + 1
                        if (event := _event(line)) is not None:
                            yield event


def _event(line: bytes) -> LogEvent | None:
    try:
        return _decoder.decode(line) if line else None
    except msgspec.DecodeError:
        return None


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


@dataclass
class LogState:
    """The events of a log so far."""

    trials: list[Trial] = field(default_factory=list)
    """As LoadGen judged them; constraints are applied later."""
    accuracy: dict[str, AccuracyKnown] = field(default_factory=dict)
    """By what they belong to."""
    running: dict[str, TrialStarted] = field(default_factory=dict)
    """Trials and accuracy runs that have not ended, by their SUT; this machine is ''."""
    sessions: dict[int, float] = field(default_factory=dict)
    sut_machine: dict[str, str] = field(default_factory=dict)
    """What the first SUT of a pool is; empty where none was there."""
    spent: float = 0.0
    """Seconds of the budget that ended trials took."""
    settings: dict[Point, dict[str, float]] = field(default_factory=dict)
    commands: dict[Point, tuple[str, ...]] = field(default_factory=dict)
    over: Over | None = None
    """How the last session ended; None while it runs, or where it was killed."""
    waits_for: str = ""
    pid: int = 0

    @property
    def started(self) -> TrialStarted | None:
        """The trial or accuracy run that has not ended; of a pool the one that began last."""
        return next(reversed(self.running.values()), None)

    def of_suts(self, facts: dict[str, str]) -> dict[str, str]:
        """Return facts of this machine as those of a pool's SUTs, where these measure."""
        return {name: self.sut_machine.get(name, fact) for name, fact in facts.items()}

    @property
    def session(self) -> int:
        """Number of the latest session; 0 before the first."""
        return max(self.sessions, default=0)

    def take(self, event: LogEvent) -> None:
        """Fold one event."""
        self.waits_for = ""
        match event:
            case SessionBegan():
                self.sessions[event.session] = event.at
                self.over, self.pid = None, event.pid
                self.sut_machine = self.sut_machine or event.machine
            case WaitsForMachine():
                self.waits_for = event.holder
            case TrialStarted():
                self.running[event.sut] = event
            case TrialAgain() if event.given_up:
                self.running.pop(event.sut, None)
            case TrialEnded():
                self.trials.append(event.trial)
                self.spent += event.spent
                self.settings.setdefault(event.trial.point, event.settings)
                if event.command:
                    self.commands[event.trial.point] = event.command
                self.running.pop(event.sut, None)
            case AccuracyKnown():
                self.accuracy[event.key] = event
                self.spent += event.spent
                self.running.pop("", None)  # a SUT of a pool sends it with the trial, which is still to be ended
            case Over():
                self.over = event


def progress(folder: Path) -> LogState:
    """Return what the log of an exploration says."""
    found = LogState()
    for event in LogReader(folder).read():
        found.take(event)
    return found
