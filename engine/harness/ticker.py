"""Live figures of a running measurement: counters and a histogram, four times a second, outside the measured path."""

import time
from array import array
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import NamedTuple

import numpy as np

from engine import events
from engine.harness.failure import FailLoudly
from engine.harness.tally import Tally
from engine.histogram import bin_array
from engine.tasks.programs import SharedProgram

PERIOD_S = 0.25


class Parts(NamedTuple):
    """The parts that the samples of a run have."""

    program: SharedProgram
    """Counts those that are done."""
    per_sample: float
    """Average over the data set."""


class Ticker:
    """`with Ticker(...):` emits a Tick every quarter of a second and a last one at the end."""

    def __init__(
        self,
        step: str,
        tallies: Sequence[Tally],
        emit: Callable[[events.AnyEvent], None],
        parts: Parts | None = None,
    ) -> None:
        self._step = step
        self._tallies = tallies
        self._emit = emit
        self._parts = parts
        self._stop = Event()
        self._thread = Thread(target=self._tick, name="ticker", daemon=True)
        self._start = 0.0

    def __enter__(self) -> None:
        self._start = time.monotonic()
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _tick(self) -> None:
        # The reader of the events is the job that started this run: without it the result is not needed any more.
        with FailLoudly("live figures"):
            due = self._start
            while not self._stop.is_set():
                due += PERIOD_S
                self._stop.wait(max(due - time.monotonic(), 0))
                self._emit(self._figures())

    def _figures(self) -> events.Tick:
        latencies = array("q")
        for tally in self._tallies:
            latencies.extend(tally.drain())
        return events.Tick(
            at=time.time(),
            step=self._step,
            elapsed=time.monotonic() - self._start,
            issued=sum(tally.issued for tally in self._tallies),
            completed=sum(tally.completed for tally in self._tallies),
            latencies=bin_array(np.frombuffer(latencies, np.int64)),
            parts=self._parts.program.done if self._parts else 0,
            parts_per_sample=self._parts.per_sample if self._parts else 0.0,
            unit=self._parts.program.unit if self._parts else "",
        )
