"""The search on simulated systems: a cliff, a random edge, never valid, always valid."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from math import comb

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tuning.search import Aim, Found, RateTrial, found, next_rate, settled, spread, tolerated

System = Callable[[float], bool]
RESOLUTION = 0.03


def aim_at(start: float, span: float = 1000.0) -> Aim:
    return Aim(start=start, lowest=start / span, highest=start * span, resolution=RESOLUTION)


def searched(system: System, aim: Aim) -> list[RateTrial]:
    return tried(lambda rate: RateTrial(rate=rate, valid=system(rate)), aim)


def tried(trial: Callable[[float], RateTrial], aim: Aim, most: int = 200) -> list[RateTrial]:
    trials: list[RateTrial] = []
    while (rate := next_rate(trials, aim)) is not None:
        trials.append(trial(rate))
        assert len(trials) <= most, "the search does not end"
    return trials


@given(st.floats(0.01, 1e6), st.floats(-4, 4))
def test_a_cliff_is_found_to_the_resolution(start: float, powers: float) -> None:
    cliff = start * 2**powers
    outcome = found(searched(lambda rate: rate <= cliff, aim_at(start)))
    assert outcome.rate is not None
    assert outcome.refused is not None
    assert outcome.rate <= cliff < outcome.refused
    assert outcome.refused / outcome.rate <= 1 + RESOLUTION + 2e-3, "the last digit of a rate is a thousandth at most"
    assert outcome.repeats == 2


@given(st.floats(0.01, 1e6), st.floats(-1, 1))
def test_few_trials_are_enough(start: float, powers: float) -> None:
    cliff = start * 2**powers
    assert len(searched(lambda rate: rate <= cliff, aim_at(start))) <= 11
    near = start * 1.2 ** (powers / 1.01)
    assert len(searched(lambda rate: rate <= near, aim_at(start))) <= 6


@given(st.floats(0.1, 1e5), st.floats(-3, 3), st.floats(0.001, 0.2), st.integers(0, 2**32))
def test_a_system_that_hesitates_ends_at_a_rate_that_held_twice(
    start: float, powers: float, width: float, seed: int
) -> None:
    """Between cliff / (1 + width) and cliff * (1 + width) the answer is chance, which gets worse with the rate."""
    noise, cliff = random.Random(seed), start * 2**powers

    def system(rate: float) -> bool:
        share = (cliff * (1 + width) - rate) / (cliff * (1 + width) - cliff / (1 + width))
        return noise.random() < share

    trials = searched(system, aim_at(start))
    outcome = found(trials)
    assert outcome.rate is not None
    assert outcome.rate <= cliff * (1 + width)
    asked = [trial.valid for trial in trials if trial.rate == outcome.rate]
    assert asked == [True, True]
    assert all(trial.rate > outcome.rate for trial in trials if not trial.valid)


def test_a_repeat_that_fails_moves_the_target_down() -> None:
    answers = iter([True, False, True, False])

    def system(rate: float) -> bool:
        return next(answers, rate < 99)

    trials = searched(system, aim_at(100.0))
    outcome = found(trials)
    assert trials[0].rate == 100
    assert outcome.rate is not None
    assert outcome.rate < 100 * 1.2
    assert outcome.repeats == 2


BOUND = 100.0


def queueing(capacity: float) -> Callable[[float], float]:
    """Return the latency of a server by its rate: it meets BOUND up to nine tenths of the capacity."""
    return lambda rate: BOUND / 10 / (1 - rate / capacity) if rate < capacity else 100 * BOUND


@given(st.floats(0.1, 1e5), st.floats(-3, 3), st.integers(0, 8))
def test_a_disturbed_trial_does_not_end_the_search(start: float, powers: float, spoilt: int) -> None:
    """Whichever it is. That of a rate far from the edge is found out."""
    capacity = start * 2**powers
    latency = queueing(capacity)
    number = count()

    def trial(rate: float) -> RateTrial:
        figure = latency(rate) + BOUND * (next(number) == spoilt)
        return RateTrial(rate=rate, valid=figure <= BOUND, figure=figure)

    outcome = found(tried(trial, msgspec.structs.replace(aim_at(start), constraint_ms=BOUND), most=25))
    assert outcome.rate is not None
    assert outcome.rate <= 0.9 * capacity
    assert outcome.repeats >= 2
    # Half the latency constraint is used up at 0.8 of the capacity.
    assert outcome.rate >= 0.8 * capacity / (1 + RESOLUTION)


def test_a_refusal_is_doubted_only_where_half_the_bound_is_to_spare() -> None:
    aim = Aim(start=100, lowest=1, highest=1000, resolution=0.05, constraint_ms=BOUND)
    near = RateTrial(rate=100, valid=True, figure=45.0)
    refused = RateTrial(rate=104, valid=False, figure=300.0)
    held = RateTrial(rate=104, valid=True, figure=46.0)
    assert next_rate([refused, near], aim) == 104
    assert next_rate([refused, near, refused], aim) == 100, "refused twice: the winner is repeated"
    assert next_rate([refused, near, held], aim) == 104, "one against one"
    assert found([refused, near, held]).refused == 104
    assert found([refused, near, held, held]) == Found(rate=104, refused=None, repeats=2, trials=4, spread=0.0)
    assert next_rate([refused, near, held, held], aim) == 124.8
    assert next_rate([refused, near], msgspec.structs.replace(aim, constraint_ms=80.0)) == 100
    assert next_rate([refused, near], msgspec.structs.replace(aim, constraint_ms=None)) == 100


@given(st.floats(0.1, 1e5))
def test_where_nothing_holds_it_ends_without_a_rate(start: float) -> None:
    trials = searched(lambda _: False, aim_at(start))
    assert found(trials).rate is None
    assert min(trial.rate for trial in trials) == pytest.approx(start / 1000, rel=1e-3)
    assert len(trials) <= 10


def test_where_everything_holds_it_ends_at_the_highest_rate() -> None:
    outcome = found(searched(lambda _: True, aim_at(10.0)))
    assert (outcome.rate, outcome.refused, outcome.repeats) == (10_000, None, 2)


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.floats(0.1, 1e4))
def test_the_last_trial_goes_to_the_repeat(answers: list[bool], start: float) -> None:
    trials: list[RateTrial] = []
    for valid in answers:
        rate = next_rate(trials, aim_at(start))
        if rate is None:
            break
        trials.append(RateTrial(rate=rate, valid=valid))
    now = found(trials)
    if now.rate is not None:
        assert next_rate(trials, aim_at(start), last=True) == (now.rate if now.repeats < 2 else None)


def test_what_was_found_says_how_sure_it_is() -> None:
    trials = [
        RateTrial(rate=50, valid=True, figure=9.0),
        RateTrial(rate=60, valid=False),
        RateTrial(rate=55, valid=True, figure=10.0),
        RateTrial(rate=55, valid=True, figure=12.0),
        RateTrial(rate=70, valid=True, figure=1.0),
    ]
    outcome = found(trials)
    assert (outcome.rate, outcome.refused, outcome.repeats, outcome.trials) == (55, 60, 2, 5)
    assert outcome.spread == pytest.approx(0.2)
    assert found([]) == Found(rate=None, refused=None, repeats=0, trials=0, spread=None)


def test_a_measured_figure_is_settled_when_two_in_a_row_agree() -> None:
    assert not settled([], 0.03, 3)
    assert not settled([50.0], 0.03, 3)
    assert settled([50.0, 51.0], 0.03, 3)
    assert not settled([50.0, 60.0], 0.03, 3)
    assert settled([50.0, 60.0, 60.5], 0.03, 3)
    assert settled([50.0, 60.0, 70.0], 0.03, 3)
    assert spread([0.0, 1.0]) is None


@pytest.mark.parametrize(
    ("queries", "share", "misses"),
    [(458, 0.99, None), (459, 0.99, 0), (661, 0.99, 0), (662, 0.99, 1), (63, 0.9, 0), (64, 0.9, 1), (43, 0.9, None)],
)
def test_the_misses_that_early_stopping_tolerates(queries: int, share: float, misses: int | None) -> None:
    """Sources: the smallest counts that LoadGen accepts are 459 (no miss), 662 and 64 (one miss)."""
    assert tolerated(queries, share) == misses


@given(st.integers(1, 3000), st.sampled_from([0.9, 0.97, 0.99]))
def test_tolerated_misses_are_those_of_the_binomial_distribution(queries: int, share: float) -> None:
    def chance(misses: int) -> float:
        return sum(
            comb(queries, k) * ((1 - share) ** k) * (share ** (queries - k)) for k in range(min(misses, 100) + 1)
        )

    misses = tolerated(queries, share)
    if misses is None:
        assert chance(0) > 0.01 * (1 - 1e-9)
    elif misses < 50:
        assert chance(misses) <= 0.01 * (1 + 1e-9)
        assert chance(misses + 1) > 0.01 * (1 - 1e-9)
