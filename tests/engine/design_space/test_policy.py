"""What is measured next: order of the kinds of trials, budget, and the same points however often interrupted."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random

from engine.design_space.points import every_point
from engine.design_space.policy import Planned, Policy, baseline, next_trials
from engine.design_space.trials import Point, Trial
from tests.engine.design_space.spaces import AXES, OBJECTIVES, SIZE, trial

DEFAULT = next(every_point(AXES))
GOOD = (("backend", "openvino"), ("precision", "int8"), ("workers.max_batch", "4"), ("openvino.streams", "2"))
POLICY = Policy(
    axes=AXES, objectives=OBJECTIVES, sampler="random", default=DEFAULT, known_good=(GOOD,), stage_seconds=(2.0,)
)


def figures(point: Point, random: Random) -> tuple[float, float]:
    chosen = dict(point)
    speed = 100.0 * {"onnxruntime": 1.0, "openvino": 1.4, "tensorflow": 0.6}[chosen["backend"]]
    batch = float(chosen["workers.max_batch"])
    speed *= (1.8 if chosen["precision"] == "int8" else 1.0) * batch**0.3
    speed /= 1 + 0.1 * abs(int(chosen.get("openvino.streams", "2")) - 2)
    noisy = speed * random.gauss(1, 0.01)
    return noisy, 1000 * batch / speed * random.gauss(1, 0.01)


def explored(
    policy: Policy,
    budget: float | None,
    valid: Callable[[Point], bool] = lambda point: True,
    sessions: int = 1,
) -> tuple[list[Trial], list[Planned]]:
    """Return trials and plans of a whole exploration; of several sessions each ends after 12 trials."""
    random = Random(1)
    trials: list[Trial] = []
    plans: list[Planned] = []
    while True:
        spent = sum(one.seconds for one in trials)
        session = min(len(trials) // 12, sessions - 1)
        found = next_trials(policy, trials, valid, None if budget is None else budget - spent, session)
        if not found:
            return trials, plans
        (one,) = found
        plans.append(one)
        seconds = policy.stage_seconds[one.stage]
        trials.append(
            trial(
                one.point,
                len(trials) + 1,
                *figures(one.point, random),
                purpose=one.purpose,
                stage=one.stage,
                session=session,
                seconds=seconds,
            )
        )


def test_the_default_first_then_known_good_points() -> None:
    _, plans = explored(POLICY, 20.0)
    assert [(one.point, one.purpose) for one in plans[:2]] == [(DEFAULT, "baseline"), (GOOD, "search")]
    assert {one.purpose for one in plans[2:6]} == {"search"}


def test_the_baseline_comes_back() -> None:
    trials, _ = explored(POLICY, 90.0)
    places = [number for number, one in enumerate(trials) if one.point == DEFAULT]
    assert max(later - earlier for earlier, later in itertools.pairwise(places)) <= 11
    assert len(places) >= 4


def test_the_baseline_is_first_in_each_session() -> None:
    trials, plans = explored(POLICY, 90.0, sessions=3)
    for session in (1, 2):
        first = next(number for number, one in enumerate(trials) if one.session == session)
        assert plans[first].purpose == "baseline"
        assert "new session" in plans[first].why


def test_the_budget_is_kept() -> None:
    for budget in (1.0, 3.0, 31.0, 75.0):
        trials, _ = explored(POLICY, budget)
        assert budget - 2.0 <= sum(one.seconds for one in trials) <= budget or budget < 2.0


def test_without_limit_the_space_is_gone_through_and_it_ends() -> None:
    trials, plans = explored(POLICY, None)
    assert {one.point for one in trials} == set(every_point(AXES))
    assert any(one.purpose == "repeat" for one in plans)
    assert len(trials) < 3 * SIZE


def test_finalists_get_longer_trials_within_the_budget() -> None:
    policy = Policy(axes=AXES, objectives=OBJECTIVES, default=DEFAULT, stage_seconds=(2.0, 6.0), finalists=3)
    trials, plans = explored(policy, 140.0)
    finals = [one for one in plans if one.stage == 1]
    assert len({one.point for one in finals}) == 3
    assert len(finals) == 6
    assert plans[-6:] == finals
    assert [one.point for one in finals[:3]] == [one.point for one in finals[3:]], "in turn, so that drift hits all"
    assert sum(one.seconds for one in trials) <= 140.0


def test_refused_points_are_left_out() -> None:
    trials, _ = explored(POLICY, None, valid=lambda point: dict(point)["backend"] != "tensorflow")
    assert {dict(one.point)["backend"] for one in trials} == {"onnxruntime", "openvino"}


def test_several_machines_get_different_points() -> None:
    plans = next_trials(POLICY, [], lambda point: True, count=4)
    assert len({one.point for one in plans}) == 4
    more = next_trials(POLICY, [], lambda point: True, running=plans, count=4)
    assert not {one.point for one in plans} & {one.point for one in more}


def test_a_default_that_fails_is_no_baseline() -> None:
    failed = Trial(number=1, point=DEFAULT, state="failed", reason="out of memory")
    assert baseline([], DEFAULT) == DEFAULT
    assert baseline([failed], DEFAULT) is None
    assert baseline([failed, trial(GOOD, 2, 100.0, 10.0)], DEFAULT) == GOOD
    assert baseline([], None) is None


def test_points_caught_by_drift_are_measured_again() -> None:
    points = list(every_point(AXES))
    trials: list[Trial] = []
    for level in (1.0, 1.0, 0.7, 1.0, 1.0):
        for point in (points[1 + len(trials)], DEFAULT):
            trials.append(trial(point, len(trials) + 1, 100 * level, 10 / level))
    trials = [
        trial(one.point, one.number, one.figures["Offline"] * (1 + one.number / 1e3), 10.0, purpose="search")
        for one in trials
    ]
    (plan,) = next_trials(POLICY, trials, lambda point: point not in (GOOD,))
    assert (plan.point, plan.purpose) == (points[5], "repeat")
    assert "drifted" in plan.why
