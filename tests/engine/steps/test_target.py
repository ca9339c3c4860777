"""What a run is asked for: who is believed first, and what is asked of a server that nobody has configured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import events
from engine.profile.catalog import profile_file
from engine.profile.rounds import load_round
from engine.steps.base import Artifact, Step
from engine.steps.target import HARNESS_QPS, SERVER_SHARE, UNHURRIED, bound_ms, read_tuned, server_rate, target
from profiles import FOLDER

RULES = load_round(profile_file((FOLDER,), "rounds", "v2.1"))
MODEL = "ab" * 32
WORKERS: dict[str, Any] = {"sessions": 2, "intra_op_threads": 1, "max_batch": 4, "cores": ()}
OPTIONS: dict[str, Any] = {"scenario": "Server", "benchmark": "resnet50", "target_latency_ms": None}
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


def asked(scenario: str, heard: list[events.AnyEvent] | None = None, **inputs: dict[str, Any]) -> float:
    """Return the target of a run that stands on these facts."""
    sut = {"system": "box", "figures": {}, "found": {}}
    facts: dict[str, dict[str, Any]] = {"workers": TUNED, "model": {"sha256": MODEL}, "sut": sut, **inputs}
    step = Step(
        id="run",
        title="run",
        options={"scenario": scenario, "benchmark": "resnet50", "target_latency_ms": None},
        inputs={name: Artifact("", one) for name, one in facts.items()},
        output=Path(),
        emit=(heard if heard is not None else []).append,
    )
    return target(step, RULES)


def configured(scenario: str, figure: float, model: str = "") -> dict[str, Any]:
    """Facts of a run configuration with one figure, which a search found with `model` if that is given."""
    found = {scenario: {"target": figure, "model": model}} if model else {}
    return {"system": "box", "figures": {scenario: figure}, "found": found}


def test_without_a_figure_it_is_what_the_workers_reached() -> None:
    assert asked("Offline") == 50
    assert asked("SingleStream") == asked("MultiStream") == 20
    assert asked("Server") == SERVER_SHARE * rate(15)


def test_a_configured_figure_goes_before_the_measured_one() -> None:
    assert asked("Offline", sut=configured("Offline", 70)) == 70
    assert asked("Server", sut=configured("Offline", 70)) == SERVER_SHARE * rate(15)


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


@pytest.mark.parametrize(("given_ms", "bound"), [(None, 15), (150.0, 150)])
def test_the_bound_is_the_persons_or_the_benchmarks(given_ms: float | None, bound: float) -> None:
    assert bound_ms({"target_latency_ms": given_ms, "benchmark": "resnet50"}, RULES) == bound


def rate(bound: float, batch_us: tuple[int, ...] = ()) -> float:
    """Return what the workers of this module should reach within a bound in ms."""
    workers = {**TUNED["workers"], "Server": {**WORKERS, "batch_us": batch_us}}
    return server_rate({**OPTIONS, "target_latency_ms": bound}, read_tuned({**TUNED, "workers": workers}), RULES)


@settings(max_examples=20)
@given(st.floats(1, 1000))
def test_a_server_is_asked_for_less_than_it_reached(bound: float) -> None:
    assert 0 < rate(bound) <= 2 * 4 / 0.020
    assert rate(bound, (5000, 10000, 15000, 20000)) <= 2 * 4 / 0.020


def test_a_tiny_model_is_asked_for_what_the_harness_keeps_pace_with() -> None:
    tiny = {**TUNED, "workers": {**TUNED["workers"], "Server": {**WORKERS, "batch_us": (20, 30, 40, 50)}}}
    assert asked("Server", workers=tiny) == SERVER_SHARE * HARNESS_QPS
    assert rate(15, (20, 30, 40, 50)) > 10 * HARNESS_QPS, "a search may begin higher"


def test_a_sample_that_takes_longer_than_the_bound_is_said_and_not_asked_for_slowly() -> None:
    heard: list[events.AnyEvent] = []
    assert asked("Server", heard) == pytest.approx(SERVER_SHARE * UNHURRIED * 2 * 4 / 0.02026)
    (warned,) = heard
    assert isinstance(warned, events.Warned)
    assert "a sample takes 20.1 ms while all workers are busy, the bound is 15 ms" in warned.text


def test_a_looser_bound_allows_more() -> None:
    assert rate(1) < rate(40) < rate(200)
