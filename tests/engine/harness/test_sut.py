"""The session on LoadGen's own thread: which batches it makes of a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.harness.session import Session
from engine.harness.spec import Workers
from engine.harness.sut import make_sut


class _Recorded:
    """In place of a session: records the batches that it is given."""

    def __init__(self) -> None:
        self.batches: list[tuple[list[int], list[int]]] = []

    def answer(self, ids: Sequence[int], indices: Sequence[int]) -> None:
        self.batches.append((list(ids), list(indices)))

    def close(self) -> None:
        pass


def answered(costs: list[int] | None, query: list[int], max_batch: int, max_cost: int = 0) -> list[list[int]]:
    """Return the QSL indices of each batch of a MultiStream query; its ids are 100 more."""
    session = _Recorded()
    workers = Workers(sessions=1, intra_op_threads=1, max_batch=max_batch, max_cost=max_cost)
    known = None if costs is None else np.array(costs, np.int64)
    sut = make_sut("MultiStream", workers, lambda _: cast("Session", session), costs=known)
    sut.issue([100 + one for one in query], query)
    sut.close()
    (tally,) = sut.tallies
    assert tally.issued == len(query)
    assert all(ids == [100 + one for one in indices] for ids, indices in session.batches)
    return [indices for _, indices in session.batches]


def test_equal_samples_are_cut_by_count() -> None:
    assert answered(None, [5, 4, 3, 2, 1], 2) == [[5, 4], [3, 2], [1]]


def test_samples_that_differ_are_batched_with_their_like_within_the_cost() -> None:
    assert answered([10, 400, 30, 390, 20], [0, 1, 2, 3, 4], 8, max_cost=800) == [[1, 3], [2, 4, 0]]


@pytest.mark.parametrize("max_cost", [0, 1000])
def test_a_batch_has_no_more_samples_than_allowed(max_cost: int) -> None:
    assert [len(one) for one in answered([1] * 8, list(range(8)), 3, max_cost)] == [3, 3, 2]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=20), st.integers(1, 8), st.integers(0, 2000))
def test_every_sample_is_answered_once(costs: list[int], max_batch: int, max_cost: int) -> None:
    query = list(range(len(costs)))
    batches = answered(costs, query, max_batch, max_cost)
    assert sorted(one for batch in batches for one in batch) == query
    assert all(len(batch) == 1 or not max_cost or len(batch) * costs[batch[0]] <= max_cost for batch in batches)
