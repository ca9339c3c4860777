"""The system under test as LoadGen calls it, by scenario.

SingleStream, and MultiStream with one session, run inside LoadGen's call: passing the query to another thread and
waiting for it would add to the latency. Otherwise each session has its own thread, which loads its model itself so that
memory and the framework's threads belong to the cores of the thread. A task that divides its samples among the sessions
brings their threads along (`SharedSut`), in every scenario.
"""

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import Protocol

from engine.backends.base import Array
from engine.harness.cost_queues import CostQueryQueue, CostSliceQueue, batches_by_cost
from engine.harness.failure import FailLoudly
from engine.harness.queues import BatchQueue, QueryQueue, SliceQueue
from engine.harness.session import Session, complete
from engine.harness.spec import Workers
from engine.harness.tally import Tally, now
from engine.mlperf import Scenario
from engine.tasks.programs import SharedProgram

OpenSession = Callable[[int], Session]
"""Loads and warms up session number n, on the calling thread."""


class Sut(Protocol):
    """Called by LoadGen and read by the ticker."""

    @property
    def tallies(self) -> Sequence[Tally]:
        """One tally per answering thread."""

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Take a query: response ids and QSL indices of its samples."""

    def close(self) -> None:
        """Free everything, after LoadGen's test has ended."""


class InlineSut:
    """One session on LoadGen's own thread."""

    def __init__(
        self,
        open_session: OpenSession,
        max_batch: int,
        costs: Array | None = None,
        max_cost: int = 0,
        *,
        padded: bool = True,
    ) -> None:
        """`costs` of the samples by QSL index, if they differ; a batch then costs `max_cost` at most, 0: any."""
        self._tally = Tally()
        self.tallies = (self._tally,)
        self._failing = FailLoudly("LoadGen's query")
        self._max_batch = max_batch
        self._costs = costs
        self._max_cost = max_cost
        self._padded = padded
        self._session = open_session(0)

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Answer the query before returning, in several batches if it is larger or costs more than one may."""
        with self._failing:
            issued_at = now()
            tally = self._tally
            tally.issued += len(ids)
            if self._costs is not None:
                ids, indices, parts = batches_by_cost(
                    ids, indices, self._costs, self._max_batch, self._max_cost, padded=self._padded
                )
            else:
                parts = [slice(start, start + self._max_batch) for start in range(0, len(ids), self._max_batch)]
            for part in parts:
                self._session.answer(ids[part], indices[part])
                tally.record([issued_at] * len(ids[part]))

    def close(self) -> None:
        """Close the session."""
        self._session.close()


class PooledSut:
    """Several sessions, each on its own thread, taking batches from one queue."""

    def __init__(self, open_session: OpenSession, sessions: int, queue: BatchQueue) -> None:
        """Start the threads; returns when every session is loaded and warmed up."""
        self._issued = Tally()
        self._queue = queue
        self._failing = FailLoudly("LoadGen's query")
        done = [Tally() for _ in range(sessions)]
        self.tallies = (self._issued, *done)
        ready = Barrier(sessions + 1)
        self._threads = [
            Thread(target=self._work, args=(open_session, number, tally, ready), name=f"session {number}", daemon=True)
            for number, tally in enumerate(done)
        ]
        for thread in self._threads:
            thread.start()
        ready.wait()

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Queue the query."""
        with self._failing:
            self._issued.issued += len(ids)
            self._queue.issue(ids, indices)

    def close(self) -> None:
        """End the threads; each closes its session."""
        self._queue.close()
        for thread in self._threads:
            thread.join()

    def _work(self, open_session: OpenSession, number: int, tally: Tally, ready: Barrier) -> None:
        with FailLoudly(f"session {number}"):
            session = open_session(number)
            ready.wait()
            for ids, indices, issued_at in self._queue.batches():
                session.answer(ids, indices)
                tally.record(issued_at)
            session.close()


class SharedSut:
    """All sessions work on one sample after another, for LoadGen's own thread."""

    def __init__(self, program: SharedProgram) -> None:
        """`program` is prepared."""
        self.program = program
        self._tally = Tally()
        self.tallies = (self._tally,)
        self._failing = FailLoudly("LoadGen's query")

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Answer the query before returning, each sample as soon as its last part is there."""
        with self._failing:
            issued_at = now()
            self._tally.issued += len(ids)
            for one, responses in zip(ids, self.program.answers(indices), strict=True):
                complete([one], responses)
                self._tally.record([issued_at])

    def close(self) -> None:
        """Close the program."""
        self.program.close()


def make_sut(
    scenario: Scenario,
    workers: Workers,
    open_session: OpenSession,
    bound_ns: int | None = None,
    costs: Array | None = None,
    *,
    padded: bool = True,
) -> Sut:
    """Return the system under test of a scenario, its sessions loaded and warmed up.

    `bound_ns` is Server's latency constraint; `costs` are those of the samples by QSL index, if they differ;
    `padded`: a batch costs as if all had the cost of the most expensive one, else the sum.
    """
    if scenario == "SingleStream":
        return InlineSut(open_session, 1)
    if scenario == "MultiStream" and workers.sessions == 1:
        return InlineSut(open_session, workers.max_batch, costs, workers.max_cost, padded=padded)
    return PooledSut(open_session, workers.sessions, _queue(scenario, workers, bound_ns, costs, padded=padded))


def _queue(
    scenario: Scenario, workers: Workers, bound_ns: int | None, costs: Array | None, *, padded: bool
) -> BatchQueue:
    if costs is None:
        return (
            QueryQueue(workers, bound_ns) if scenario == "Server" else SliceQueue(workers.sessions, workers.max_batch)
        )
    if scenario == "Server":
        return CostQueryQueue(workers, costs, bound_ns, padded=padded)
    return CostSliceQueue(workers, costs, padded=padded)
