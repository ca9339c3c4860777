"""Objectives and constraints as written, the figures that runs give for them, and the state of a trial."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.design_space.objectives import (
    constraints,
    figures,
    limits_of,
    needs_accuracy,
    objectives_of,
    scenarios_of,
    with_constraints,
)
from engine.design_space.trials import Trial
from engine.errors import UsageError
from engine.explore.runs import Run


def run(scenario: str, mode: str, **found: float) -> Run:
    return Run(id=f"r-1/{scenario}/{mode}", job="r-1", step="", scenario=scenario, mode=mode, figures=found)


def test_the_better_direction_is_known_or_said() -> None:
    found = objectives_of(["Offline,SingleStream", "accuracy", "min:Server.latency_p99", "max:batch_mean"])
    assert [(one.key, one.unit, one.maximize) for one in found] == [
        ("Offline", "samples/s", True),
        ("SingleStream", "ms", False),
        ("accuracy", "%", True),
        ("Server.latency_p99", "ms", False),
        ("batch_mean", "samples", True),
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Ofline", "no metric 'Ofline'"),
        ("batch_mean", "is more batch_mean better"),
        ("most:Offline", "is not an objective"),
        ("Offline,Offline", "given twice"),
        ("Offline.speed", "no metric"),
        ("", "there is no objective"),
    ],
)
def test_a_wrong_objective_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        objectives_of([text])


def test_constraints_are_read_and_written() -> None:
    found = limits_of(["accuracy>=99%", "Server.latency_p99 <= 15", "peak_memory≤2000"])
    assert [(one.key, one.at_least, one.bound, one.percent) for one in found] == [
        ("accuracy", True, 99, True),
        ("Server.latency_p99", False, 15, False),
        ("peak_memory", False, 2000, False),
    ]
    assert limits_of(one.text for one in found) == found


@given(st.text(max_size=30))
def test_any_text_is_a_constraint_or_refused(text: str) -> None:
    try:
        found = limits_of([text])
    except UsageError:
        return
    assert limits_of(one.text for one in found) == found


def test_what_must_be_measured_follows_from_the_keys() -> None:
    assert scenarios_of(["Offline", "Server.latency_p99", "peak_memory"]) == ("Server", "Offline")
    assert needs_accuracy(["Offline", "accuracy"])
    assert not needs_accuracy(["Offline", "peak_memory"])


def test_figures_of_runs_are_in_display_units() -> None:
    runs = [
        run("Offline", "performance", samples_per_second=1000.0, peak_memory=2e8),
        run("SingleStream", "performance", estimate_90=2.5e6, peak_memory=3e8),
        run("Offline", "accuracy", accuracy=76.1, peak_memory=9e8),
    ]
    keys = ("Offline", "SingleStream", "peak_memory", "accuracy", "Server")
    assert figures(runs, keys) == {"Offline": 1000.0, "SingleStream": 2.5, "peak_memory": 300.0, "accuracy": 76.1}


def test_a_constraint_in_per_cent_is_of_the_default_or_of_its_reference() -> None:
    (limit,) = limits_of(["accuracy>=99%"])
    assert constraints([limit], {}) == ()
    assert constraints([limit], {"accuracy": 80.0})[0].bound == pytest.approx(79.2)
    (absolute,) = constraints(limits_of(["peak_memory<=100"]), {})
    trial = Trial(number=1, point=(), state="valid", figures={"peak_memory": 120.0})
    assert with_constraints(trial, [absolute]).state == "breaks"
    assert with_constraints(trial, [absolute]).reason == "peak_memory 120 MB is above 100 MB"
    failed = Trial(number=1, point=(), state="failed", reason="killed", figures={"peak_memory": 120.0})
    assert with_constraints(failed, [absolute]) == failed
