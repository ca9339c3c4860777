"""Server's schedule: compared with the C++ standard, and with LoadGen itself."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tuning.schedule import arrivals, mersenne_twister
from tests.engine.harness import runs


def test_the_generator_is_the_one_of_the_standard() -> None:
    """ISO C++ 26.6.6: the 10,000th number of a default-seeded std::mt19937 (5489) is 4123659995."""
    random = mersenne_twister(5489)
    numbers = [random.getrandbits(32) for _ in range(10_000)]
    assert numbers[-1] == 4_123_659_995


@pytest.mark.parametrize(("seed", "queries"), [(runs.SEEDS["schedule_rng_seed"], 459), (7, 300)])
def test_loadgen_issues_at_these_times(tmp_path: Path, seed: int, queries: int) -> None:
    """LoadGen logs the rate of its schedule, which differs for every seed and number of queries."""
    made = runs.settings(
        "Server", "performance", min_query_count=queries, min_duration_ms=1, schedule_rng_seed=seed, target_qps=1000.0
    )
    done = runs.finish(runs.spec(tmp_path, made, mlperf_conf="*.*.min_duration = 1\n", **runs.NULL))
    scheduled = 1000 * (queries - 1) / arrivals(seed, queries)[-1]
    assert done.detail["result_scheduled_samples_per_sec"] == pytest.approx(scheduled, rel=1e-5)


@settings(max_examples=20)
@given(st.integers(0, 2**64 - 1), st.integers(1, 300))
def test_a_schedule_begins_at_once_and_goes_forward(seed: int, count: int) -> None:
    found = arrivals(seed, count)
    assert (found[0], len(found)) == (0.0, count)
    assert all(before < after for before, after in pairwise(found))
    assert found == arrivals(seed % 2**32, count + 1)[:-1], "LoadGen's generator takes 32 bits of a seed"


def test_one_query_comes_a_second() -> None:
    found = arrivals(3, 20_000)
    assert mean(after - before for before, after in pairwise(found)) == pytest.approx(1, rel=0.03)
