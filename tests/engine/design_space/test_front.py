"""The front by intervals: as by hand without noise, and rarely wrong with it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.design_space.estimates import Estimates
from engine.design_space.front import simpler, simpler_text, standing
from engine.design_space.trials import Constraint, Trial
from tests.engine.design_space.spaces import OBJECTIVES, measured, numbered, trial


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] >= other[0] and one[1] <= other[1] and one != other


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=25))
def test_without_noise_as_by_hand(truth: list[tuple[float, float]]) -> None:
    found = standing(measured(truth, [2] * len(truth)), OBJECTIVES)
    for number, one in enumerate(truth):
        beaten = any(beats(other, one) for other in truth)
        assert found[numbered(number)].word == ("dominated" if beaten else "on the front")


def test_what_nothing_beats_is_rarely_called_dominated() -> None:
    """As `front` states: with a probability of at most 5 %, here with 30 rivals a hair worse."""
    wrong = 0
    for seed in range(300):
        truth = [(100.0, 10.0), *[(99.99, 10.001)] * 30]
        found = standing(measured(truth, [1, 6, *[1] * 29], noise=0.02, seed=seed), OBJECTIVES)
        wrong += found[numbered(0)].word == "dominated"
    assert wrong / 300 <= 0.05


def test_what_is_beaten_is_rarely_called_on_the_front() -> None:
    wrong = 0
    for seed in range(300):
        truth = [(100.0, 10.0), (99.99, 10.001)]
        found = standing(measured(truth, [4, 4], noise=0.02, seed=seed), OBJECTIVES)
        wrong += found[numbered(1)].word == "on the front"
    assert wrong / 300 <= 0.05


def test_what_is_clearly_beaten_is_found() -> None:
    random = Random(1)
    truth = [(100.0, 10.0), (150.0, 20.0), *[(random.uniform(20, 70), random.uniform(22, 60)) for _ in range(50)]]
    found = standing(measured(truth, [5, 5, *[1] * 50], noise=0.02), OBJECTIVES)
    words = [found[numbered(number)].word for number in range(len(truth))]
    assert words[:2] == ["on the front"] * 2
    assert words[2:].count("dominated") >= 48


def test_nothing_is_said_before_something_was_repeated() -> None:
    found = standing(measured([(100.0, 10.0), (1.0, 99.0)], [1, 1]), OBJECTIVES)
    assert {one.word for one in found.values()} == {"indistinguishable"}
    assert all(not one.intervals for one in found.values())


def test_means_intervals_and_counts() -> None:
    trials = [trial(numbered(0), 1, 90.0, 10.0), trial(numbered(0), 2, 110.0, 10.0)]
    found = standing(trials, OBJECTIVES)[numbered(0)]
    assert found.means == {"Offline": 100.0, "SingleStream": 10.0}
    low, high = found.intervals["Offline"]
    assert (low + high) / 2 == pytest.approx(100.0)
    assert high - 100.0 == pytest.approx(12.706 * 10.0, rel=1e-3), "t of one degree of freedom · s / √2"
    assert found.intervals["SingleStream"] == (10.0, 10.0)
    assert (found.n, found.stage) == (2, 0)


def test_points_out_of_bounds_do_not_count() -> None:
    trials = measured([(100.0, 10.0), (200.0, 5.0), (50.0, 20.0)], [2, 2, 2])
    trials += [Trial(number=9, point=numbered(3), state="refused"), Trial(number=10, point=numbered(4), state="failed")]
    trials.append(trial(numbered(5), 11, 900.0, 1.0, state="breaks"))
    bound = Constraint(key="SingleStream", at_least=False, bound=15.0)
    assert set(standing(trials, OBJECTIVES, (bound,))) == {numbered(0), numbered(1)}


def test_a_failed_repeat_does_not_take_a_point_off_the_front() -> None:
    trials = measured([(100.0, 10.0), (50.0, 20.0)], [2, 2])
    trials.append(Trial(number=9, point=numbered(0), state="failed", reason="killed", stage=1))
    assert standing(trials, OBJECTIVES)[numbered(0)].word == "on the front"


def test_trials_of_another_duration_are_compared_only_with_their_like() -> None:
    """Long runs are 10 % slower: the finalist with one must not seem worse than a point that it beats in short runs."""
    trials = measured([(100.0, 10.0), (97.0, 10.3)], [5, 5], noise=0.001)
    trials += [trial(numbered(0), 11 + one, 90.0 + one / 10, 11.1, stage=1) for one in range(3)]
    found = standing(trials, OBJECTIVES)
    assert found[numbered(0)].word == "on the front"
    assert found[numbered(1)].word == "dominated"
    assert (found[numbered(0)].stage, found[numbered(0)].n) == (1, 3)


def test_a_point_with_noise_of_its_own() -> None:
    """Twenty points hardly scatter; one does, so its single good trials prove little."""
    random = Random(3)
    truth = [(100.0 + number, 10.0) for number in range(20)]
    trials = measured(truth, [3] * 20, noise=0.001)
    trials += [trial(numbered(20), 100 + one, 140 + 40 * random.uniform(-1, 1), 9.99) for one in range(4)]
    found = standing(trials, OBJECTIVES)
    wide, narrow = (found[numbered(number)].intervals["Offline"] for number in (20, 19))
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_simpler_within_noise() -> None:
    default = (("backend", "onnxruntime"), ("precision", "fp32"), ("max_batch", "1"))
    simple = (("backend", "openvino"), ("precision", "fp32"), ("max_batch", "1"))
    fancy = (("backend", "openvino"), ("precision", "fp32"), ("max_batch", "4"))
    trials = [trial(default, 1, 50.0, 20.0), trial(default, 2, 50.5, 20.2)]
    trials += [trial(simple, 3, 100.0, 10.0), trial(simple, 4, 101.0, 10.1), trial(simple, 5, 100.5, 10.0)]
    trials += [trial(fancy, 6, 100.4, 10.0), trial(fancy, 7, 101.1, 10.1), trial(fancy, 8, 100.9, 10.0)]
    found = standing(trials, OBJECTIVES)
    assert simpler(Estimates(trials, OBJECTIVES), found, default) == {fancy: simple}
    assert simpler_text(fancy, simple, default) == (
        "a simpler point is as good within noise: 1 of the default's choices changed instead of 2"
    )
    assert simpler_text(fancy, default, default).endswith("it is the default")
