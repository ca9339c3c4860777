"""Repeats go where they could change the front, and nowhere else."""

from __future__ import annotations

from engine.design_space.front import standing
from engine.design_space.repeats import MOST, worth_repeating
from engine.design_space.trials import Constraint, Trial
from tests.engine.design_space.spaces import OBJECTIVES, measured, numbered, trial


def repeated(truth: list[tuple[float, float]], counts: list[int], noise: float, most: int = 100) -> list[Trial]:
    """Return trials with as many repeats as are worth it."""
    trials = measured(truth, counts, noise, seed=5)
    for seed in range(most):
        point = worth_repeating(trials, OBJECTIVES)
        if point is None:
            break
        (more,) = measured([truth[int(point[0][1])]], [1], noise, seed=100 + seed)
        trials.append(trial(point, len(trials) + 1, more.figures["Offline"], more.figures["SingleStream"]))
    return trials


def count(trials: list[Trial], number: int) -> int:
    return sum(one.point == numbered(number) for one in trials)


def test_only_close_points_are_repeated() -> None:
    truth = [(100.0, 10.0), (103.0, 9.8), (40.0, 30.0), (35.0, 33.0)]
    trials = repeated(truth, [4, 1, 1, 1], noise=0.01)
    assert count(trials, 2) <= 2
    assert count(trials, 3) <= 2
    assert standing(trials, OBJECTIVES)[numbered(1)].word == "on the front"


def test_equal_points_are_given_up() -> None:
    trials = repeated([(100.0, 10.0), (100.0, 10.0)], [2, 2], noise=0.02)
    assert len(trials) <= 2 * MOST
    assert worth_repeating(trials, OBJECTIVES) is None


def test_points_that_are_told_apart_are_not_repeated() -> None:
    assert worth_repeating(measured([(100.0, 10.0), (50.0, 20.0), (200.0, 40.0)], [3, 3, 3], 0.001), OBJECTIVES) is None


def test_a_point_on_the_front_by_a_single_trial_is_measured_again() -> None:
    trials = measured([(100.0, 10.0), (50.0, 20.0), (400.0, 2.0)], [4, 3, 1], 0.01)
    assert standing(trials, OBJECTIVES)[numbered(2)].word == "on the front"
    assert worth_repeating(trials, OBJECTIVES) == numbered(2)
    without_noise = measured([(100.0, 10.0), (400.0, 2.0)], [3, 1])
    assert worth_repeating(without_noise, OBJECTIVES) is None


def test_something_is_repeated_while_the_noise_is_not_known() -> None:
    assert worth_repeating(measured([(100.0, 10.0), (50.0, 5.0)], [1, 1]), OBJECTIVES) == numbered(0)


def test_nothing_to_compare() -> None:
    assert worth_repeating([], OBJECTIVES) is None
    assert worth_repeating(measured([(100.0, 10.0)], [1]), OBJECTIVES) is None


def test_what_breaks_a_constraint_is_not_repeated() -> None:
    bound = Constraint(key="SingleStream", at_least=False, bound=15.0)
    trials = measured([(100.0, 10.0), (300.0, 20.0), (299.0, 20.0)], [3, 1, 1], 0.01)
    assert worth_repeating(trials, OBJECTIVES, (bound,)) is None
