"""Batches of samples that differ in cost."""

from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.harness.batch_time import time_between
from engine.harness.cost_queues import CostQueryQueue, CostSliceQueue, cut, cut_by_sum
from engine.harness.queues import Batch
from engine.harness.spec import Workers

COSTS = st.lists(st.integers(0, 400), min_size=1, max_size=60)


def workers(sessions: int, max_batch: int, max_cost: int = 0, cost_us: tuple[tuple[int, int], ...] = ()) -> Workers:
    return Workers(sessions=sessions, intra_op_threads=1, max_batch=max_batch, max_cost=max_cost, cost_us=cost_us)


@given(COSTS, st.integers(1, 16), st.integers(0, 2000))
def test_a_cut_keeps_both_limits_and_every_sample(costs: list[int], max_batch: int, max_cost: int) -> None:
    falling = sorted(costs, reverse=True)
    slices = cut(falling, max_batch, max_cost)
    batches = [falling[one] for one in slices]
    assert [cost for batch in batches for cost in batch] == falling
    for batch in batches:
        assert 1 <= len(batch) <= max_batch
        assert len(batch) == 1 or not max_cost or len(batch) * batch[0] <= max_cost


@given(COSTS, st.integers(1, 4), st.integers(1, 16), st.integers(0, 2000))
def test_offline_is_sorted_and_every_sample_is_answered_once(
    costs: list[int], sessions: int, max_batch: int, max_cost: int
) -> None:
    queue = CostSliceQueue(workers(sessions, max_batch, max_cost), np.array(costs, np.int64))
    indices = list(range(len(costs)))
    queue.issue([1000 + index for index in indices], indices)
    queue.close()
    taken = list(queue.batches())
    assert sorted(index for batch in taken for index in batch.indices) == indices
    assert all(one == 1000 + index for batch in taken for one, index in zip(batch.ids, batch.indices, strict=True))
    seen = [costs[index] for batch in taken for index in batch.indices]
    assert seen == sorted(seen, reverse=True)


def taken_at_once(queue: CostQueryQueue, indices: list[int]) -> list[Batch]:
    for index in indices:
        queue.issue([index], [index])
    batches: list[Batch] = []

    def work() -> None:
        left = len(indices)
        for batch in queue.batches():
            batches.append(batch)
            left -= len(batch.ids)
            if not left:
                queue.close()

    thread = Thread(target=work)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    return batches


@given(COSTS, st.integers(1, 16), st.integers(0, 2000))
def test_server_takes_samples_in_their_order_within_the_limits(costs: list[int], max_batch: int, max_cost: int) -> None:
    queue = CostQueryQueue(workers(1, max_batch, max_cost), np.array(costs, np.int64))
    batches = taken_at_once(queue, list(range(len(costs))))
    assert [index for batch in batches for index in batch.indices] == list(range(len(costs)))
    for batch in batches:
        padded = len(batch.indices) * max(costs[index] for index in batch.indices)
        assert len(batch.indices) == 1 or not max_cost or padded <= max_cost


def test_server_ends_a_batch_that_would_be_late() -> None:
    """An hour allows two samples of cost 10, by the table; what is too much waits for the next batch."""
    hour_us = 3_600_000_000
    queue = CostQueryQueue(
        workers(1, 8, cost_us=((10, hour_us // 2), (20, hour_us))), np.array([10] * 5), 1100 * hour_us
    )
    assert [len(batch.ids) for batch in taken_at_once(queue, [0, 1, 2, 3, 4])] == [2, 2, 1]


@pytest.mark.parametrize(("cost", "taken"), [(0, 100), (10, 100), (15, 150), (20, 200), (40, 300), (80, 600)])
def test_times_lie_between_those_that_were_measured(cost: int, taken: float) -> None:
    assert time_between(cost, ((10, 100), (20, 200), (40, 300))) == taken


def test_costs_that_add_up_are_cut_by_their_sum() -> None:
    assert cut_by_sum([7, 4, 3, 2, 2, 1], 8, 7) == [slice(0, 1), slice(1, 3), slice(3, 6)]
    assert cut_by_sum([9, 1, 1, 1], 2, 7) == [slice(0, 1), slice(1, 3), slice(3, 4)]
    assert cut_by_sum([3, 2, 1], 2, 0) == [slice(0, 2), slice(2, 3)]


def test_a_server_batch_of_costs_that_add_up_holds_more() -> None:
    one = Workers(sessions=1, intra_op_threads=1, max_batch=8, max_cost=9, queue_wait_us=1_000_000)
    costs = np.array([7, 1, 1, 7])
    for padded, expected in ((True, [[0], [1, 2]]), (False, [[0, 1, 2]])):
        queue = CostQueryQueue(one, costs, padded=padded)
        queue.issue([10, 11, 12, 13], [0, 1, 2, 3])
        batches = queue.batches()
        assert [next(batches).indices for _ in expected] == [tuple(one) for one in expected]
