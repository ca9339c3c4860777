"""What the search itself costs: the decision about the next trial, resuming, and the report, with many trials."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

import psutil

from engine.design_space import reports
from engine.design_space.exploration import Exploration
from engine.design_space.exploration_findings import findings
from engine.design_space.policy import Policy, Purpose, next_trials
from engine.design_space.samplers import next_points
from engine.design_space.trial_log import LogWriter, TrialEnded, progress
from engine.design_space.trials import Axis, Point, Trial
from tests.benchmarks.explore_replay import OBJECTIVES

AXES = tuple(Axis(name=f"axis {n}", values=tuple(map(str, range(12))), is_number=n > 1) for n in range(5))
RESUME_SECONDS, TRIAL_SECONDS = 2.0, 0.05
TURNS = 5


def print_costs(count: int) -> None:
    """Print seconds and megabytes with few trials and with many."""
    print("\nown cost\ntrials    next trial: random    sobol       tpe    resume    findings    HTML   memory")
    for trials in (100, 1000, count):
        made = _made(trials)
        steps = [_next(made, sampler) for sampler in ("random", "sobol", "tpe")]
        asked = Exploration(name="cost", axes=AXES, objectives=OBJECTIVES, trials=tuple(made), default=made[0].point)
        whole = [_timed(lambda: findings(asked)), _timed(lambda: reports.html(asked))]  # noqa: B023
        memory = psutil.Process().memory_info().rss / 1e6
        texts = [f"{1000 * one:.0f} ms" for one in (*steps, _resume(made), *whole)]
        print(f"{trials:<9}{''.join(f'{text:>11}' for text in texts)}   {memory:.0f} MB")
    print(f"targets: next trial <= {1000 * TRIAL_SECONDS:.0f} ms, resume of {count:,} trials <= {RESUME_SECONDS} s")


def _next(made: list[Trial], sampler: str) -> float:
    """Return the median seconds of decisions that follow each other, in one process as the driver makes them."""
    policy = Policy(axes=AXES, objectives=OBJECTIVES, default=made[0].point, sampler=sampler)
    history, seconds = list(made), []
    for _ in range(TURNS + 1):
        start = perf_counter()
        (one,) = next_trials(policy, history, lambda point: True, 1e6, history[-1].session)
        seconds.append(perf_counter() - start)
        history.append(_trial(len(history) + 1, one.point, one.purpose, Random(len(history))))
    return median(seconds[1:])


def _resume(made: list[Trial]) -> float:
    """Return the seconds that reading the log and deciding the next trial take."""
    with tempfile.TemporaryDirectory() as name:
        log = LogWriter(Path(name))
        for trial in made:
            log.write(TrialEnded(at=0.0, trial=trial, spent=trial.seconds))
        log.close()
        policy = Policy(axes=AXES, objectives=OBJECTIVES, default=made[0].point, sampler="random")
        return _timed(lambda: next_trials(policy, progress(Path(name)).trials, lambda point: True, 1e6, 9))


def _timed(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _made(count: int) -> list[Trial]:
    """Return trials as an exploration has them: every tenth of the baseline, a quarter repeats."""
    random = Random(1)
    points = next_points("random", AXES, OBJECTIVES, (), count, 1, lambda point: True)
    fresh = iter(points)
    trials: list[Trial] = []
    while len(trials) < count:
        turn = len(trials)
        if turn % 10 == 0:
            trials.append(_trial(turn + 1, points[0], "baseline", random))
        elif turn % 4 == 1 and turn > 8:
            trials.append(_trial(turn + 1, random.choice(trials).point, "repeat", random))
        else:
            trials.append(_trial(turn + 1, next(fresh), "search", random))
    return trials


def _trial(number: int, point: Point, purpose: Purpose, random: Random) -> Trial:
    values = [int(value) for _, value in point]
    rate = 100 * (1 + values[0] / 4) * (1 + values[1] / 9) * (1.6 - 0.1 * abs(values[2] - 6))
    latency = 10 * (1 + values[1] / 3) * (1 + values[3] / 20) / (1 + values[4] / 10)
    figures = {"samples_per_second": rate * random.gauss(1, 0.01), "mean_ms": latency * random.gauss(1, 0.01)}
    return Trial(
        number=number,
        point=point,
        state="valid",
        purpose=purpose,
        figures=figures,
        session=1 + number // 3000,
        seconds=2.0,
    )
