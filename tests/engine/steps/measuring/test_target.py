"""Target of a run: which source takes precedence, and the target of a server that is not configured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import events
from engine.harness.spec import LoadGenSettings
from engine.mlperf import Scenario
from engine.profile.catalog import profile_file
from engine.profile.round_file import load_round
from engine.step import Artifact, Step, read_options
from engine.steps.measuring.run_options import TargetOptions
from engine.steps.measuring.target import (
    HARNESS_QPS,
    LOW_UTILISATION,
    late_though_idle,
    latency_constraint_ms,
    server_rate,
    target,
)
from engine.tuning.schedule import arrivals
from engine.tuning.server_model import Server, latencies, times_up_to
from engine.tuning.tuned import SLOWER, Tuned
from profiles import FOLDER

RULES = load_round(profile_file((FOLDER,), "rounds", "v2.1"))
MODEL = "ab" * 32
WORKERS: dict[str, Any] = {"sessions": 2, "intra_op_threads": 1, "max_batch": 4, "cores": ()}
OPTIONS: dict[str, Any] = {
    "scenario": "Server",
    "benchmark": "resnet50",
    "style": "test",
    "target_latency_ms": None,
    "min_query_count": None,
}
ROOMY = {"target_latency_ms": 100.0}
FEWEST = RULES.styles["test"].min_query_count["Server"]
TRIAL = {
    "sessions": 2,
    "intra_op_threads": 1,
    "batch": 4,
    "pinned": False,
    "samples_per_second": 50.0,
    "batch_ms": 20.0,
}
TUNED: dict[str, Any] = {
    "workers": dict.fromkeys(("SingleStream", "MultiStream", "Server", "Offline"), WORKERS),
    "table": [{**TRIAL, "batch": 8, "samples_per_second": 60.0}, TRIAL],
}


def asked(
    scenario: str,
    heard: list[events.AnyEvent] | None = None,
    options: dict[str, Any] | None = None,
    **inputs: dict[str, Any],
) -> float:
    """Return the target of a run with these facts."""
    sut = {"system": "box", "figures": {}, "found": {}}
    model = {"model": "m.onnx", "sha256": MODEL}
    facts: dict[str, dict[str, Any]] = {"workers": TUNED, "model": model, "sut": sut, **inputs}
    step = Step(
        id="run",
        title="run",
        options={**OPTIONS, "scenario": scenario, **(options or {})},
        inputs={name: Artifact("", one) for name, one in facts.items()},
        output=Path(),
        emit=(heard if heard is not None else []).append,
    )
    return target(step, RULES)


def configured(scenario: str, figure: float, model: str = "") -> dict[str, Any]:
    """Facts of a run configuration with one figure, found by a search with `model` if that is given."""
    found = {scenario: {"target": figure, "model": model}} if model else {}
    return {"system": "box", "figures": {scenario: figure}, "found": found}


def test_without_a_figure_it_is_what_the_workers_reached() -> None:
    assert asked("Offline") == 50
    assert asked("SingleStream") == asked("MultiStream") == 20
    assert asked("Server", options=ROOMY) == rate(100, queries=FEWEST, slower=SLOWER)


def test_a_configured_figure_goes_before_the_measured_one() -> None:
    assert asked("Offline", sut=configured("Offline", 70)) == 70
    found = asked("Server", options=ROOMY, sut=configured("Offline", 70))
    assert found == rate(100, queries=FEWEST, slower=SLOWER)


def test_a_search_in_the_same_plan_goes_before_all() -> None:
    assert asked("Server", sut=configured("Server", 10), target={"target": 31.5}) == 31.5


def test_a_target_that_was_found_with_another_model_says_nothing() -> None:
    heard: list[events.AnyEvent] = []
    assert asked("Offline", heard, sut=configured("Offline", 70, MODEL)) == 70
    assert heard == []
    assert asked("Offline", heard, sut=configured("Offline", 70, "cd" * 32)) == 50
    (warned,) = heard
    assert isinstance(warned, events.Warned)
    assert "the target of box was found with another model" in warned.text


@pytest.mark.parametrize(("given_ms", "constraint_ms"), [(None, 15), (150.0, 150)])
def test_the_bound_is_the_persons_or_the_benchmarks(given_ms: float | None, constraint_ms: float) -> None:
    assert (
        latency_constraint_ms(read_options({**OPTIONS, "target_latency_ms": given_ms}, TargetOptions), RULES)
        == constraint_ms
    )


def rate(constraint_ms: float, batch_us: tuple[int, ...] = (), queries: int = 270_336, slower: float = 1.0) -> float:
    """Return the rate that this module's workers should reach within a latency constraint in ms."""
    workers = {**TUNED["workers"], "Server": {**WORKERS, "batch_us": batch_us}}
    tuned = msgspec.convert({**TUNED, "workers": workers}, Tuned)
    options = read_options({**OPTIONS, "target_latency_ms": constraint_ms}, TargetOptions)
    return server_rate(options, tuned, RULES, queries, slower)


@settings(max_examples=20)
@given(st.floats(1, 1000))
def test_a_server_is_asked_for_less_than_it_reached(constraint_ms: float) -> None:
    assert 0 < rate(constraint_ms) <= 2 * 4 / 0.020
    assert rate(constraint_ms, (5000, 10000, 15000, 20000)) <= 2 * 4 / 0.020


def test_a_tiny_model_is_asked_for_what_the_harness_keeps_pace_with() -> None:
    tiny = {**TUNED, "workers": {**TUNED["workers"], "Server": {**WORKERS, "batch_us": (20, 30, 40, 50)}}}
    assert asked("Server", workers=tiny) == HARNESS_QPS
    assert rate(15, (20, 30, 40, 50)) > 10 * HARNESS_QPS, "a search may begin higher"


def test_a_sample_that_takes_longer_than_the_bound_is_said_and_not_asked_for_slowly() -> None:
    heard: list[events.AnyEvent] = []
    assert asked("Server", heard) == pytest.approx(LOW_UTILISATION * 2 * 4 / 0.02026 / SLOWER)
    (warned,) = heard
    assert isinstance(warned, events.Warned)
    assert "one sample takes 20.1 ms, and up to 30.2 ms when it comes after a pause" in warned.text
    assert "the latency constraint is 15 ms" in warned.text


def test_a_looser_bound_allows_more() -> None:
    assert rate(1) < rate(40) < rate(200)


@pytest.mark.parametrize(("style", "queries"), [("test", 1001), ("valid", 270_336)])
def test_a_run_is_asked_for_what_is_valid_with_so_many_queries(style: str, queries: int) -> None:
    found = asked("Server", options={**ROOMY, "style": style})
    assert found == rate(100, queries=queries, slower=SLOWER)
    own = asked("Server", options={**ROOMY, "style": style, "min_query_count": 459})
    assert own == rate(100, queries=459, slower=SLOWER)


def test_one_burst_decides_where_no_query_may_be_late() -> None:
    """Measured on two cores, 33 ms a sample: 26, 30 and 35/s were valid with 1001 queries, 18/s was not with 459."""
    assert rate(100, (33_000,), queries=459) < 20
    assert 30 < rate(100, (33_000,), queries=1001) < 40


def test_what_a_short_run_is_asked_for_is_valid_by_the_replay() -> None:
    """459 queries are valid only with none late, 1001 with up to three."""
    workers = Server(2, tuple(SLOWER * taken for taken in times_up_to(4, {4: 0.020})))
    for queries, tolerated in ((459, 0), (1001, 3)):
        found = rate(100, queries=queries, slower=SLOWER)
        schedule = arrivals(RULES.seeds.schedule, queries)
        assert sum(taken > 0.1 for taken in latencies(workers, found, 0.1, schedule)) <= tolerated
        assert sum(taken > 0.1 for taken in latencies(workers, 1.05 * found, 0.1, schedule)) > tolerated


def tight(slower: float) -> dict[str, Any]:
    """Facts of one session that takes 4.4 ms a sample, as EfficientNet-Lite0 on two cores; the constraint is 15 ms."""
    server = {**WORKERS, "sessions": 1, "max_batch": 2, "batch_us": (4424, 7780)}
    trial = {**TRIAL, "sessions": 1, "batch": 2, "samples_per_second": 257.0, "batch_ms": 7.78}
    return {"workers": {**TUNED["workers"], "Server": server}, "table": [trial, TRIAL], "server_slower": slower}


def test_a_rate_that_is_valid_is_asked_for_however_far_below_the_capacity() -> None:
    found = asked("Server", workers=tight(1.5))
    assert 15 < found < LOW_UTILISATION * 2 / 0.00778 / 1.5, "34/s, a fifth of the capacity, was INVALID"
    assert FEWEST / found < RULES.styles["test"].max_duration_ms / 1000


def test_a_rate_that_the_time_of_the_style_does_not_allow_is_not_asked_for() -> None:
    slow = tight(2.0)
    assert asked("Server", workers=slow) == pytest.approx(LOW_UTILISATION * 2 / 0.00778 / 2, rel=0.05)
    assert 0 < asked("Server", workers=slow, options={"style": "valid"}) < 6, "by the rules there is no such limit"


def test_queries_that_take_longer_after_a_pause_are_said() -> None:
    heard: list[events.AnyEvent] = []
    asked("Server", heard, workers=tight(4.0))
    (warned,) = heard
    assert isinstance(warned, events.Warned)
    assert "one sample takes 4.42 ms, and up to 17.7 ms when it comes after a pause" in warned.text
    asked("Server", heard, workers=tight(1.5))
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("scenario", "busy", "late_ms", "said"),
    [
        ("Server", 0.1, 29.4, True),
        ("Server", 0.1, 15.0, False),
        ("Server", 0.5, 29.4, False),
        ("Offline", 0.1, 29.4, False),
    ],
)
def test_late_queries_of_idle_workers_are_not_the_rates_fault(
    scenario: Scenario, busy: float, late_ms: float, said: bool
) -> None:
    tuned = msgspec.convert(TUNED, Tuned)
    capacity = WORKERS["sessions"] * TRIAL["batch"] / TRIAL["batch_ms"] * 1000
    made = LoadGenSettings(
        scenario=scenario,
        mode="performance",
        min_duration_ms=2000,
        min_query_count=1001,
        performance_sample_count=20,
        target_qps=busy * capacity,
        target_latency_ns=15_000_000,
        target_latency_percentile=0.99,
        qsl_rng_seed=1,
        sample_index_rng_seed=2,
        schedule_rng_seed=3,
    )
    found = late_though_idle(made, tuned, median_ns=9_000_000, late_ns=round(late_ms * 1e6))
    assert bool(found) == said
    if said:
        assert "p99 is 29.4 ms, over 15 ms, though the workers were busy for 10% of the time only" in found
        assert "half of the queries took up to 9 ms" in found
