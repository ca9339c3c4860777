"""Timing a program on real samples."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.backends import null
from engine.backends.base import BackendOptions
from engine.harness.samples import typical
from engine.tasks.base import Responses
from engine.tuning import tune
from engine.tuning.sampled import SampledRunner


class Counted:
    """A program that records its calls."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.prepared: list[int] = []
        self.closed = False
        self.batch: int | None = None

    def prepare(self, max_batch: int) -> None:
        self.prepared.append(max_batch)

    def infer(self, indices: Sequence[int]) -> Responses:
        self.asked.append(list(indices))
        return Responses(np.zeros(len(indices), np.float32), 4)

    def close(self) -> None:
        self.closed = True


@given(st.lists(st.integers(1, 400), min_size=1, max_size=50), st.integers(1, 60))
def test_typical_samples_are_those_nearest_to_the_mean(costs: list[int], most: int) -> None:
    chosen = typical(np.array(costs), len(costs), most)
    away = [abs(cost - np.mean(costs)) for cost in costs]
    assert len(set(chosen)) == len(chosen) == min(most, len(costs))
    others = set(range(len(costs))) - set(chosen)
    assert max(away[one] for one in chosen) <= min((away[one] for one in others), default=float("inf"))


def test_samples_that_cost_the_same_are_the_first() -> None:
    assert typical(None, 10, 3) == [0, 1, 2]
    assert typical(None, 2, 3) == [0, 1]


def test_few_samples_are_repeated() -> None:
    program = Counted()
    runner = SampledRunner(program, [7, 8])
    runner.bind(5).run()
    runner.close()
    assert (program.prepared, program.asked, program.closed) == ([5], [[7, 8, 7, 8, 7]], True)


def test_a_program_of_one_batch_is_timed_with_that() -> None:
    program = Counted()
    program.batch = 3
    choose = partial(
        tune.choose_workers, null, Path("none"), BackendOptions(), cores=range(2), seconds=0.1, max_batch=8
    )
    tuned = choose(load=lambda _: SampledRunner(program, [0, 1, 2, 3]), typical_cost=1)
    assert set(program.prepared) == {3}
    assert tuned.workers["Offline"].max_batch == 3


def test_tuning_times_the_program_and_limits_batches_by_cost() -> None:
    programs: list[Counted] = []

    def load(_: BackendOptions) -> SampledRunner:
        programs.append(Counted())
        return SampledRunner(programs[-1], [0, 1, 2, 3])

    tuned = tune.choose_workers(
        null,
        Path("none"),
        BackendOptions(),
        cores=range(2),
        seconds=0.2,
        max_batch=4,
        load=load,
        latency_constraint_ms=1000,
        share=0.99,
        typical_cost=180,
    )
    assert all(program.closed for program in programs)
    assert any(program.asked for program in programs)
    server = tuned.workers["Server"]
    assert server.max_cost == 180 * server.max_batch
    assert [cost for cost, _ in server.cost_us] == list(accumulate([180] * server.max_batch))
    assert [taken for _, taken in server.cost_us] == list(server.batch_us)
