"""Drift of the baseline between sessions and within one."""

from __future__ import annotations

from random import Random

from engine.design_space.drift import comparable, drift
from engine.design_space.trials import Trial
from tests.engine.design_space.spaces import OBJECTIVES, numbered, trial

BASE = numbered(0)


def series(levels: list[tuple[int, float]], seed: int = 0, noise: float = 0.01) -> list[Trial]:
    """Return a baseline trial and two of other points for each (session, level of the machine's speed)."""
    random = Random(seed)
    trials: list[Trial] = []
    for number, (session, level) in enumerate(levels):
        for point in (BASE, numbered(2 * number + 1), numbered(2 * number + 2)):
            speed, latency = (level * (1 + random.gauss(0, noise)) for _ in range(2))
            trials.append(trial(point, len(trials) + 1, 100 * speed, 10 / latency, session=session))
    return trials


def test_a_steady_machine_is_rarely_flagged() -> None:
    flagged = 0
    for seed in range(200):
        found = drift(series([(0, 1.0)] * 6 + [(1, 1.0)] * 4, seed), OBJECTIVES, BASE)
        flagged += bool(found.apart)
    assert flagged / 200 <= 0.05


def test_a_session_of_a_slower_machine_is_apart() -> None:
    trials = series([(0, 1.0)] * 6 + [(1, 0.9)] * 3)
    found = drift(trials, OBJECTIVES, BASE)
    first, second = found.sessions
    assert not first.has_drifted
    assert not first.changes, "the one with most trials is what others are compared with"
    assert second.has_drifted
    assert -0.13 < second.changes["Offline"].share < -0.07
    assert {one.session for one in comparable(trials, found)} == {0}


def test_the_longer_session_is_kept() -> None:
    trials = series([(0, 1.0)] * 3 + [(1, 0.9)] * 6)
    assert {one.session for one in comparable(trials, drift(trials, OBJECTIVES, BASE))} == {1}


def test_a_stretch_of_a_session_is_apart() -> None:
    trials = series([(0, 1.0)] * 4 + [(0, 0.8)] + [(0, 1.0)] * 4)
    found = drift(trials, OBJECTIVES, BASE)
    assert found.apart == {11, 12, 13}, "the slow baseline trial, and those since the previous one"
    assert [one.trial.number for one in found.trials if one.has_drifted] == [13]


def test_too_little_to_tell() -> None:
    trials = series([(0, 1.0)])
    assert drift(trials, OBJECTIVES, BASE) == drift([], OBJECTIVES, BASE)
    assert not drift(trials, OBJECTIVES, BASE).is_known
    assert not drift(trials, OBJECTIVES, None).is_known
    assert not drift(series([(0, 1.0), (1, 0.5)]), OBJECTIVES, BASE).is_known, "one trial in each session"
