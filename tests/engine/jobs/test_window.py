"""Figures over time: any interval is the sum of its ticks, including gaps and suspended machines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import Tick
from engine.histogram import percentiles
from engine.jobs.window import FRACTIONS, KEPT_SLOTS, TimeWindow
from tests.histograms import bucket_of, merged


def tick(elapsed: float, completed: int, latencies: dict[int, int]) -> Tick:
    return Tick(at=0.0, step="x", elapsed=elapsed, issued=completed, completed=completed, latencies=latencies)


@st.composite
def runs(draw: st.DrawFn) -> list[Tick]:
    """Ticks with pauses, some long, and with any latencies."""
    gaps = draw(st.lists(st.one_of(st.floats(0.01, 3.0), st.floats(100, 5000)), min_size=1, max_size=40))
    elapsed, completed, found = 0.0, 0, []
    for gap in gaps:
        latencies = draw(st.dictionaries(st.integers(0, 11_000), st.integers(1, 50), max_size=5))
        elapsed += gap
        completed += sum(latencies.values())
        found.append(tick(elapsed, completed, latencies))
    return found


@given(runs())
def test_the_whole_is_the_sum_of_all_ticks(seen: list[Tick]) -> None:
    window = TimeWindow()
    for one in seen:
        window.add(one)
    whole = window.whole()
    assert whole.samples == seen[-1].completed
    assert whole.seconds == seen[-1].elapsed
    assert whole.latencies == percentiles(merged(one.latencies for one in seen), FRACTIONS)


@given(runs(), st.sampled_from([1, 2, 5, 30]))
def test_stretches_neither_lose_nor_invent_samples(seen: list[Tick], seconds: int) -> None:
    window = TimeWindow()
    for one in seen:
        window.add(one)
    points = window.points(seconds, KEPT_SLOTS * 2)
    kept = sum(point.samples for point in points)
    assert kept <= seen[-1].completed
    if seen[-1].elapsed < KEPT_SLOTS:
        assert kept == seen[-1].completed
        assert sum(point.seconds for point in points) == pytest.approx(seen[-1].elapsed)


def test_a_second_without_ticks_has_no_rate() -> None:
    window = TimeWindow()
    window.add(tick(0.5, 10, {}))
    window.add(tick(7.5, 10, {}))
    window.add(tick(7.9, 18, {}))
    rates = [point.rate for point in window.points(1, 60)]
    assert rates[0] == 20
    assert rates[1:4] == [None, None, None]
    assert rates[-1] == pytest.approx(20)


def test_half_an_hour_is_kept_and_no_more() -> None:
    window = TimeWindow()
    for number in range(1, 4001):
        window.add(tick(float(number), number, {bucket_of(1000 * number): 1}))
    assert len(window.points(1, 10_000)) == KEPT_SLOTS + 1
    assert window.points(30, 60)[0].samples == 30
    assert window.whole().samples == 4000


def test_a_stretch_that_is_over_keeps_its_figures() -> None:
    window = TimeWindow()
    for number in range(1, 41):
        window.add(tick(number / 4, number * 5, {bucket_of(1000): 5}))
    before = window.points(2, 60)
    for number in range(41, 60):
        window.add(tick(number / 4, number * 5, {bucket_of(9000): 5}))
    assert window.points(2, 60)[: len(before) - 1] == before[:-1]


def test_a_run_whose_start_is_unknown_tells_no_percentiles_of_the_whole() -> None:
    window = TimeWindow(partial=True)
    window.add(tick(100.0, 4000, {bucket_of(1000): 3}))
    window.add(tick(100.25, 4100, {bucket_of(1000): 100}))
    assert window.whole().latencies == ()
    assert window.whole().samples == 4100
    assert window.last(5).samples == 100
    assert window.last(5).rate == pytest.approx(400)
