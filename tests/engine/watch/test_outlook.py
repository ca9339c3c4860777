"""The provisional verdict: what it depends on, and when there is none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine import events
from engine.jobs.fold import Fold, Measurement
from engine.watch.outlook import outlook
from tests.engine.jobs import synthetic as made
from tests.histograms import bucket_of


def measured(seconds: float, *, rate: float = 400.0, latency_ms: float = 8.0, **rules: Any) -> Measurement:
    fold = Fold(made.TITLES)
    fold.take(made.before()[:5])
    fold.take([made.measuring(**rules), *made.ticks(seconds, rate=rate, latency_ms=latency_ms)])
    found = fold.state().measurement
    assert found is not None
    return found


def test_server_needs_time_queries_and_the_limit() -> None:
    found = outlook(measured(60))
    assert [(one.kind, one.want, one.met) for one in found.conditions] == [
        ("time", 600.0, False),
        ("queries", 270_336, False),
        ("latency", 15_000_000, True),
    ]
    assert found.course == "VALID"
    assert found.left == pytest.approx(270_336 / 400 - 60, rel=0.05)
    assert found.share == pytest.approx(60 * 400 / 270_336, rel=0.05)


def test_server_over_its_limit_is_not_on_course() -> None:
    found = outlook(measured(20, latency_ms=14))
    assert found.course == "INVALID"
    assert "over 15 ms" in found.reason


def test_a_rate_at_which_nothing_waits_is_not_to_be_lowered() -> None:
    assert outlook(measured(20, rate=8, latency_ms=113, sessions=4)).reason.endswith("no rate helps")
    assert outlook(measured(20, rate=400, latency_ms=113, sessions=1)).reason.endswith("lower target_qps")


def test_nothing_is_said_too_early() -> None:
    assert outlook(measured(1)).course == "early"
    assert outlook(measured(20, rate=0)).course == "early"


def test_multistream_counts_queries_of_eight() -> None:
    found = outlook(measured(30, rate=80, scenario="MultiStream", bound_ns=None, min_queries=662, samples_per_query=8))
    assert found.conditions[1].have == pytest.approx(300, rel=0.05)
    assert found.course == "VALID"


def test_a_style_that_cuts_the_run_makes_it_invalid() -> None:
    rules: dict[str, Any] = {"scenario": "SingleStream", "bound_ns": None, "percentile": 0.9, "min_seconds": 2.0}
    found = outlook(measured(10, rate=12, min_queries=6400, max_seconds=150.0, **rules))
    assert found.course == "INVALID"
    assert "cuts at 150 s" in found.reason
    assert found.left == 140


OFFLINE: dict[str, Any] = {"scenario": "Offline", "bound_ns": None, "min_queries": 24_576, "percentile": 0.9}


class TestOffline:
    def test_it_ends_when_all_samples_are_answered(self) -> None:
        seen = measured(20, rate=30, **OFFLINE)
        found = outlook(seen)
        assert found.conditions[0].want == 24_576
        assert found.left == pytest.approx((24_576 - seen.completed) / 30, rel=0.1)
        assert found.course == "VALID"

    def test_too_fast_for_its_query_is_invalid(self) -> None:
        found = outlook(measured(20, rate=400, **OFFLINE))
        assert found.course == "INVALID"
        assert "target_qps" in found.reason


def test_an_accuracy_run_has_no_verdict() -> None:
    found = outlook(measured(10, rate=40, samples=500, min_seconds=0.0, min_queries=0))
    assert found.course == "none"
    assert found.share == pytest.approx(0.8, rel=0.05)
    assert [one.kind for one in found.conditions] == ["samples"]


def test_all_answered_is_the_end() -> None:
    found = outlook(measured(10, rate=400, samples=500, min_seconds=0.0, min_queries=0))
    assert found.share == 1.0
    assert found.left == 0.0


def in_parts(**rules: Any) -> Measurement:
    """A minute in which one sample of 20 windows was completed, and of the next 9 windows are done: one each 2 s."""
    fold = Fold(made.TITLES)
    fold.take(made.before()[:5])
    fold.take([made.measuring(bound_ns=None, **rules)])
    for number, tick in enumerate(made.ticks(58, rate=0)):
        assert isinstance(tick, events.Tick)
        windows = int(tick.elapsed / 2)
        parts = {"parts": windows, "parts_per_sample": 20.0, "unit": "windows"}
        done = {"issued": 43, "completed": windows // 20, "latencies": {SLOW_BUCKET: 1} if number == 160 else {}}
        fold.take([msgspec.structs.replace(tick, **parts, **done)])
    found = fold.state().measurement
    assert found is not None
    return found


SLOW_BUCKET = bucket_of(int(40e9))


@pytest.mark.parametrize(
    "rules",
    [
        {"scenario": "Offline", "min_queries": 43, "min_seconds": 60.0},
        {"scenario": "SingleStream", "min_queries": 43, "min_seconds": 60.0, "percentile": 0.9},
        {"scenario": "SingleStream", "min_queries": 0, "min_seconds": 0.0, "samples": 43, "percentile": 0.9},
    ],
)
def test_the_time_left_follows_from_the_windows_done(rules: dict[str, Any]) -> None:
    seen = in_parts(**rules)
    assert (seen.completed, seen.parts) == (1, "29 windows")
    assert seen.done == pytest.approx(1.45)
    found = outlook(seen)
    assert found.left == pytest.approx((43 - 1.45) * 40, rel=0.01)
    assert found.share == pytest.approx(1.45 / 43)
