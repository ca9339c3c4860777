"""Queues between LoadGen's issuing thread and the workers' threads: they turn queries into batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from queue import Empty, SimpleQueue
from threading import Lock
from typing import NamedTuple, Protocol

from engine.harness.batch_time import fitting
from engine.harness.spec import Workers
from engine.harness.tally import now


class Batch(NamedTuple):
    """Samples of one inference."""

    ids: Sequence[int]
    indices: Sequence[int]
    issued_at: Sequence[int]


class BatchQueue(Protocol):
    """One thread issues, several take batches."""

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Enqueue a query."""

    def batches(self) -> Iterator[Batch]:
        """Yield batches until the queue is closed. Each batch goes to one of the iterating threads."""

    def close(self) -> None:
        """End the iterators. All queries must have been answered."""


@dataclass(frozen=True, slots=True)
class _Query:
    ids: list[int]
    indices: list[int]
    issued_at: int
    slices: Iterator[slice]
    """One iterator for all workers: built of C iterators, it is atomic under the GIL."""


class SliceQueue:
    """Offline and MultiStream: a query of many samples is split into slices, each worker taking the next one.

    Slices are created when a worker asks for one, so that issuing a query of millions of samples is free.
    """

    def __init__(self, workers: int, max_batch: int) -> None:
        self._workers = workers
        self._max_batch = max_batch
        self._queries: SimpleQueue[_Query | None] = SimpleQueue()

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Enqueue a query."""
        self._put(ids, indices, _slices(len(ids), self._max_batch, self._workers))

    def _put(self, ids: list[int], indices: list[int], slices: Iterator[slice]) -> None:
        query = _Query(ids, indices, now(), slices)
        for _ in range(self._workers):
            self._queries.put(query)

    def batches(self) -> Iterator[Batch]:
        """Yield slices until the queue is closed."""
        while (query := self._queries.get()) is not None:
            for part in query.slices:
                ids = query.ids[part]
                yield Batch(ids, query.indices[part], [query.issued_at] * len(ids))

    def close(self) -> None:
        """End the iterators."""
        for _ in range(self._workers):
            self._queries.put(None)


class QueryQueue:
    """Server: samples are batched until the batch is full or its first sample has waited long enough.

    A batch is full if a larger one would break the latency constraint of its first sample, by the measured batch times.
    One worker collects at a time: two that collected at once would halve each other's batches.
    """

    def __init__(self, workers: Workers, bound_ns: int | None = None) -> None:
        self._workers = workers.sessions
        self._max_batch = workers.max_batch
        self._wait_ns = workers.queue_wait_us * 1000
        self._batch_ns = tuple(1000 * taken for taken in workers.batch_us[: workers.max_batch])
        self._bound_ns = bound_ns
        self._samples: SimpleQueue[tuple[int, int, int] | None] = SimpleQueue()
        self._turn = Lock()

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Enqueue a query."""
        at = now()
        for sample in zip(ids, indices, repeat(at)):
            self._samples.put(sample)

    def batches(self) -> Iterator[Batch]:
        """Yield batches until the queue is closed."""
        while (samples := self._collect()) is not None:
            yield Batch(*zip(*samples, strict=True))

    def close(self) -> None:
        """End the iterators."""
        for _ in range(self._workers):
            self._samples.put(None)

    def _collect(self) -> list[tuple[int, int, int]] | None:
        with self._turn:
            first = self._samples.get()
            if first is None:
                return None
            samples = [first]
            until, most = first[2] + self._wait_ns, self._most(first[2])
            while len(samples) < most:
                sample = self._next(until)
                if sample is None:
                    break
                samples.append(sample)
            return samples

    def _most(self, issued_at: int) -> int:
        if self._bound_ns is None or not self._batch_ns:
            return self._max_batch
        return fitting(self._batch_ns, now() - issued_at, self._bound_ns)

    def _next(self, until: int) -> tuple[int, int, int] | None:
        try:
            left = until - now()
            return self._samples.get(timeout=left / 1e9) if left > 0 else self._samples.get_nowait()
        except Empty:
            return None


def _slices(count: int, batch: int, workers: int) -> Iterator[slice]:
    """Split `count` samples into batches, and the last round evenly, so that all workers end together."""
    whole = max(-(-(count - workers * batch) // batch), 0) * batch
    last = -(-(count - whole) // workers)
    return chain(
        map(slice, range(0, whole, batch), range(batch, whole + batch, batch)),
        map(slice, range(whole, count, last), range(whole + last, count + last, last)),
    )
