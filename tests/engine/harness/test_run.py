"""Execution of a run spec, except LoadGen's test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.harness.run import WARM_UP_RUNS, warm_up_batches
from engine.harness.spec import RunSpec, Workers
from engine.mlperf import Scenario
from tests.engine.harness import runs


def spec(folder: Path, scenario: Scenario, **workers: Any) -> RunSpec:
    shared = Workers(sessions=1, intra_op_threads=1, **workers)
    return runs.spec(folder, runs.settings(scenario, "performance"), workers=shared)


@pytest.mark.parametrize(("scenario", "sizes"), [("SingleStream", [1]), ("Offline", [4]), ("Server", [4, 1])])
def test_samples_of_one_cost_are_warmed_up_with_the_first(tmp_path: Path, scenario: Scenario, sizes: list[int]) -> None:
    batches = warm_up_batches(spec(tmp_path, scenario, max_batch=4), None)
    assert batches == [(0, size) for size in sizes for _ in range(WARM_UP_RUNS)]


def test_the_dearest_samples_come_once_and_typical_ones_as_often_as_any(tmp_path: Path) -> None:
    costs = np.array([10, 50, 20, 21])  # 25 on average
    batches = warm_up_batches(spec(tmp_path, "Offline", max_batch=4, max_cost=80), costs)
    assert batches == [(1, 1), *[(3, 3)] * WARM_UP_RUNS], "no batch costs more than it may"
    assert warm_up_batches(spec(tmp_path, "SingleStream", max_batch=4), costs) == [(1, 1), *[(3, 1)] * WARM_UP_RUNS]
