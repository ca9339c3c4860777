"""Queues for tasks whose samples differ in cost: batches are limited by cost as well as by size.

A batch that is padded costs its number of samples times the cost of the most expensive one, any other the sum of its
samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.backends.base import Array
from engine.harness.batch_time import time_between
from engine.harness.queues import QueryQueue, SliceQueue
from engine.harness.spec import Workers
from engine.harness.tally import now


class CostSliceQueue(SliceQueue):
    """Offline, and MultiStream with several sessions: samples of a query in descending cost, cut into batches by cost.

    Samples of similar cost are batched together, which minimises padding, and the cheapest batches come last, so that
    all workers end at about the same time.
    """

    def __init__(self, workers: Workers, costs: Array, *, padded: bool = True) -> None:
        """`costs` of the samples by QSL index, in the task's unit."""
        super().__init__(workers.sessions, workers.max_batch)
        self._costs = costs
        self._padded = padded
        self._max_cost = workers.max_cost

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Enqueue a query."""
        most = -(-len(ids) // self._workers) if len(ids) < self._workers * self._max_batch else self._max_batch
        ids, indices, slices = batches_by_cost(ids, indices, self._costs, most, self._max_cost, padded=self._padded)
        # A list's iterator, like those of itertools, is atomic under the GIL: each item goes to one thread.
        self._put(ids, indices, iter(slices))


class CostQueryQueue(QueryQueue):
    """Server: samples are batched as long as the batch meets the latency constraint of its first sample."""

    def __init__(self, workers: Workers, costs: Array, bound_ns: int | None = None, *, padded: bool = True) -> None:
        """`costs` of the samples by QSL index, in the task's unit."""
        super().__init__(workers, bound_ns)
        self._padded = padded
        self._costs: list[int] = costs.tolist()
        self._max_cost = workers.max_cost
        self._table = workers.cost_us
        self._held: tuple[int, int, int] | None = None
        """A dequeued sample that exceeded the cost limit of the previous batch."""

    def _collect(self) -> list[tuple[int, int, int]] | None:
        with self._turn:
            first = self._held or self._samples.get()
            self._held = None
            if first is None:
                return None
            samples, highest = [first], self._costs[first[1]]
            total = highest
            until = first[2] + self._wait_ns
            while len(samples) < self._max_batch:
                sample = self._next(until)
                if sample is None:
                    break
                highest, total = max(highest, self._costs[sample[1]]), total + self._costs[sample[1]]
                if not self._fits(highest * (len(samples) + 1) if self._padded else total, first[2]):
                    self._held = sample
                    break
                samples.append(sample)
            return samples

    def _fits(self, cost: int, issued_at: int) -> bool:
        if self._max_cost and cost > self._max_cost:
            return False
        if self._bound_ns is None or not self._table:
            return True
        return now() - issued_at + 1000 * time_between(cost, self._table) <= self._bound_ns


def batches_by_cost(
    ids: list[int], indices: list[int], costs: Array, max_batch: int, max_cost: int, *, padded: bool
) -> tuple[list[int], list[int], list[slice]]:
    """Return a query's response ids and QSL indices in descending cost, and its batches as slices of both.

    `costs` are those of the samples by QSL index; `padded`: a batch costs as if all had the cost of the first.
    """
    each = costs[indices]
    order = np.argsort(-each, kind="stable")
    slices = (cut if padded else cut_by_sum)(each[order].tolist(), max_batch, max_cost)
    return [ids[place] for place in order], [indices[place] for place in order], slices


def cut(costs: Sequence[int], max_batch: int, max_cost: int) -> list[slice]:
    """Split samples, sorted by descending cost, into batches limited in size and cost, with at least one sample
    each."""
    slices, start = [], 0
    while start < len(costs):
        count = max(min(max_batch, max_cost // max(costs[start], 1)), 1) if max_cost else max_batch
        slices.append(slice(start, min(start + count, len(costs))))
        start += count
    return slices


def cut_by_sum(costs: Sequence[int], max_batch: int, max_cost: int) -> list[slice]:
    """Split samples into batches limited in size and in the sum of their costs, with at least one sample each."""
    sums = np.cumsum(costs)
    slices, start = [], 0
    while start < len(costs):
        end = min(start + max_batch, len(costs))
        if max_cost:
            before = int(sums[start - 1]) if start else 0
            end = min(end, max(int(np.searchsorted(sums, before + max_cost, "right")), start + 1))
        slices.append(slice(start, end))
        start = end
    return slices
