"""The queues between LoadGen's thread and the workers."""

from collections.abc import Callable
from threading import Barrier, Semaphore, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.harness.queues import Batch, BatchQueue, QueryQueue, SliceQueue
from engine.harness.spec import Workers
from engine.harness.tally import now


def serving(sessions: int, max_batch: int, wait_us: int = 0, batch_us: tuple[int, ...] = ()) -> Workers:
    return Workers(sessions=sessions, intra_op_threads=1, max_batch=max_batch, queue_wait_us=wait_us, batch_us=batch_us)


def take_all(queue: BatchQueue, workers: int, samples: int, issue: Callable[[], None]) -> list[Batch]:
    """Let workers take batches while queries of so many samples are issued; close when all are taken."""
    taken: list[Batch] = []
    left = Semaphore(0)

    def work() -> None:
        for batch in queue.batches():
            taken.append(batch)
            left.release(len(batch.ids))

    threads = [Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    issue()
    for _ in range(samples):
        assert left.acquire(timeout=10)
    queue.close()
    for thread in threads:
        thread.join()
    return taken


@given(st.lists(st.integers(1, 100), max_size=4), st.integers(1, 4), st.integers(1, 16))
def test_every_sample_of_a_query_is_in_exactly_one_slice(sizes: list[int], workers: int, max_batch: int) -> None:
    queue = SliceQueue(workers, max_batch)
    queries = [(list(range(1000 * n, 1000 * n + size)), list(range(size))) for n, size in enumerate(sizes)]

    def issue() -> None:
        for ids, indices in queries:
            queue.issue(ids, indices)

    taken = take_all(queue, workers, sum(sizes), issue)
    pairs = sorted(pair for batch in taken for pair in zip(batch.ids, batch.indices, strict=True))
    assert pairs == sorted(pair for query in queries for pair in zip(*query, strict=True))
    assert all(len(batch.issued_at) == len(batch.ids) <= max_batch for batch in taken)


@pytest.mark.parametrize(
    ("workers", "max_batch", "count", "sizes"),
    [
        (1, 32, 8, [8]),
        (2, 32, 8, [4, 4]),
        (3, 32, 8, [3, 3, 2]),
        (16, 32, 8, [1] * 8),
        (2, 4, 17, [4, 4, 4, 3, 2]),
        (2, 4, 16, [4, 4, 4, 4]),
        (1, 4, 9, [4, 4, 1]),
    ],
)
def test_the_last_round_is_shared_out_evenly(workers: int, max_batch: int, count: int, sizes: list[int]) -> None:
    queue = SliceQueue(workers, max_batch)
    taken = take_all(queue, workers, count, lambda: queue.issue(list(range(count)), list(range(count))))
    assert sorted((len(batch.ids) for batch in taken), reverse=True) == sizes


@given(st.integers(0, 50), st.integers(1, 3), st.integers(1, 8))
def test_every_query_is_in_exactly_one_batch(count: int, workers: int, max_batch: int) -> None:
    queue = QueryQueue(serving(workers, max_batch))

    def issue() -> None:
        for number in range(count):
            queue.issue([number], [number + 7])

    taken = take_all(queue, workers, count, issue)
    assert sorted(pair for batch in taken for pair in zip(batch.ids, batch.indices, strict=True)) == [
        (number, number + 7) for number in range(count)
    ]
    assert all(1 <= len(batch.ids) <= max_batch for batch in taken)


def test_what_waits_already_becomes_one_batch() -> None:
    queue = QueryQueue(serving(1, 4))
    for number in range(6):
        queue.issue([number], [number])
    batches = queue.batches()
    assert [list(next(batches).ids) for _ in range(2)] == [[0, 1, 2, 3], [4, 5]]


def test_a_worker_waits_for_more_as_long_as_it_is_told() -> None:
    queue = QueryQueue(serving(1, 2, 30_000_000))
    started = Barrier(2)
    taken: list[Batch] = []

    def work() -> None:
        started.wait()
        taken.append(next(queue.batches()))

    worker = Thread(target=work)
    worker.start()
    started.wait()
    queue.issue([1], [1])
    queue.issue([2], [2])
    worker.join()
    assert [list(batch.ids) for batch in taken] == [[1, 2]]


def test_the_bound_on_waiting_holds() -> None:
    queue = QueryQueue(serving(1, 2, 20_000))
    before = now()
    queue.issue([1], [1])
    assert list(next(queue.batches()).ids) == [1]
    assert now() - before >= 20_000_000


def test_a_batch_is_no_larger_than_its_first_query_has_time_for() -> None:
    hour_us = 3_600_000_000
    queue = QueryQueue(serving(1, 4, batch_us=(hour_us, 2 * hour_us, 3 * hour_us, 4 * hour_us)), 2_500 * hour_us)
    for number in range(5):
        queue.issue([number], [number])
    batches = queue.batches()
    assert [list(next(batches).ids) for _ in range(3)] == [[0, 1], [2, 3], [4]]


def test_a_query_that_is_late_anyway_goes_with_as_many_as_there_are() -> None:
    queue = QueryQueue(serving(1, 3, batch_us=(10, 20, 30)), 0)
    for number in range(4):
        queue.issue([number], [number])
    assert list(next(queue.batches()).ids) == [0, 1, 2]
