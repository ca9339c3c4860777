"""A table of measured points, and an exploration that is replayed on it by the product's own policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import fmean, median

import numpy as np

from engine.design_space.estimates import Estimates
from engine.design_space.exploration import CONFIDENCE
from engine.design_space.front import beats, front_of, standing
from engine.design_space.hypervolume import hypervolume
from engine.design_space.policy import Policy, next_trials
from engine.design_space.trials import Axis, Objective, Point, Trial
from tests.benchmarks.explore_table import BACKENDS, BATCHES, SPLITS, description, rows

OBJECTIVES = (
    Objective(key="samples_per_second", title="throughput", unit="samples/s", maximize=True),
    Objective(key="mean_ms", title="latency", unit="ms", maximize=False),
)
KEYS = tuple(one.key for one in OBJECTIVES)
MAXIMIZE = tuple(one.maximize for one in OBJECTIVES)
NUMBERS = ("batch",)
NAMES = ("backend", "precision", "split", "batch")
_REPEATS = 5
Figures = tuple[float, ...]


@dataclass(frozen=True)
class Table:
    """Repeated measurements of every point of a space."""

    name: str
    axes: tuple[Axis, ...]
    figures: Mapping[Point, Sequence[Figures]]
    """The measurements of each point, in the order of OBJECTIVES."""
    seconds: float
    """Of one measurement."""

    @property
    def repeats(self) -> int:
        """Measurements of a point, at least."""
        return min(map(len, self.figures.values()))

    @property
    def truth(self) -> dict[Point, Figures]:
        """The means of each point."""
        return {point: tuple(map(fmean, zip(*many, strict=True))) for point, many in self.figures.items()}

    def share(self, points: Sequence[Point]) -> float:
        """Return the hypervolume of some points in that of all; reference: the worst figure of each objective."""
        truth = self.truth
        ways = list(zip(zip(*truth.values(), strict=True), MAXIMIZE, strict=True))
        worst = [(min if maximize else max)(figures) for figures, maximize in ways]
        whole = hypervolume(list(truth.values()), worst, MAXIMIZE)
        return hypervolume([truth[point] for point in points], worst, MAXIMIZE) / whole


@dataclass(frozen=True)
class Outcome:
    """What one replay found."""

    share: float
    """Hypervolume of the points on the front of its own means, by their true figures, in that of the whole table."""
    claims: int
    """Pairs of points of which it says that one beats the other."""
    false: int
    """Those that the whole table does not confirm."""
    trials: int
    points: int


def replay(table: Table, sampler: str, seed: int, seconds: float) -> Outcome:
    """Explore a table for so many measuring seconds; a trial is one of the point's measurements, drawn by the seed."""
    random = Random(seed)
    order = {point: random.sample(range(len(many)), len(many)) for point, many in table.figures.items()}
    default = next(iter(table.figures))
    policy = Policy(
        axes=table.axes,
        objectives=OBJECTIVES,
        sampler=sampler,
        seed=seed,
        default=default,
        stage_seconds=(table.seconds,),
    )
    trials: list[Trial] = []
    while found := next_trials(
        policy, trials, table.figures.__contains__, seconds - sum(one.seconds for one in trials) + 1e-6
    ):
        (one,) = found
        times = sum(trial.point == one.point for trial in trials)
        many = order[one.point]
        figures = table.figures[one.point][many[times % len(many)]]
        trials.append(
            Trial(
                number=len(trials) + 1,
                point=one.point,
                state="valid",
                figures=dict(zip(KEYS, figures, strict=True)),
                purpose=one.purpose,
                seconds=table.seconds,
            )
        )
    return _outcome(table, trials)


def measured_table(path: Path) -> Table:
    """Return the table of a file that `explore-table` wrote; only points that every round has."""
    found: dict[Point, list[Figures]] = {}
    for one in rows(path):
        point = tuple((name, str(one[name])) for name in NAMES)
        found.setdefault(point, []).append(tuple(float(one[key]) for key in KEYS))
    rounds = max(map(len, found.values()))
    whole = {point: many for point, many in found.items() if len(many) == rounds}
    said = description(path)
    others = median(one["busy_by_others"] for one in rows(path))
    return Table(
        f"measured: {path.stem}, {said['processor']}, {said['cores']} cores, of which others kept {others:.2f} busy",
        _axes(whole),
        whole,
        said["seconds_of_a_point"],
    )


def synthetic_table(seed: int = 1, noise: float = 0.015, repeats: int = _REPEATS) -> Table:
    """Return a made-up table in the shape of a small machine's: nothing of it was measured.

    Throughput rises with the batch and falls when a batch no longer fits the cache; the noise is 1.5 % for most splits
    and twice that where sessions share cores, and one measurement of fifty is 8 % slow.
    """
    random = Random(seed)
    bases = {"onnxruntime": 60.0, "openvino": 66.0}
    gains = {"1x1": 1.0, "1x2": 1.7, "2x1": 1.9, "2x2": 1.75}
    sessions = {"1x1": 1, "1x2": 1, "2x1": 2, "2x2": 2}
    figures: dict[Point, list[Figures]] = {}
    for backend in BACKENDS:
        for precision, factor in (("fp32", 1.0), ("int8", 1.9 if backend == "onnxruntime" else 2.2)):
            for split in SPLITS:
                for batch in BATCHES:
                    size = float(batch)
                    rate = bases[backend] * factor * gains[split] * size**0.12 / (1 + (size / 24) ** 2 / 4)
                    rate *= 1 + 0.03 * random.uniform(-1, 1)
                    spread = noise * (2.0 if split == "2x2" else 1.0)
                    values: list[Figures] = []
                    for _ in range(repeats):
                        one = rate * random.gauss(1, spread) * (0.92 if random.random() < 0.02 else 1.0)
                        values.append((one, 1000 * size * sessions[split] / one))
                    figures[tuple(zip(NAMES, (backend, precision, split, batch), strict=True))] = values
    return Table("SYNTHETIC: made up, not measured", _axes(figures), figures, 2.0)


def _axes(points: Mapping[Point, object]) -> tuple[Axis, ...]:
    values: dict[str, dict[str, None]] = {}
    for point in points:
        for name, value in point:
            values.setdefault(name, {})[value] = None
    return tuple(
        Axis(
            name=name,
            values=tuple(sorted(found, key=float) if name in NUMBERS else found),
            is_number=name in NUMBERS,
        )
        for name, found in values.items()
    )


def _outcome(table: Table, trials: Sequence[Trial]) -> Outcome:
    found = Estimates(trials, OBJECTIVES)
    best = [found.points[number] for number in front_of(found.gain)]
    every = np.arange(len(found.points))
    strict = 1 - (1 - CONFIDENCE) / max(len(every) - 1, 1)
    claimed = beats(*found.difference(every, every, strict))
    np.fill_diagonal(claimed, val=False)
    truth = table.truth
    gains = np.array([[sign * truth[point][row] for point in found.points] for row, sign in ((0, 1), (1, -1))])
    true = (gains[:, :, None] >= gains[:, None, :]).all(axis=0)
    dominated = sum(one.word == "dominated" for one in standing(trials, OBJECTIVES).values())
    assert dominated <= claimed.any(axis=0).sum()
    return Outcome(
        share=table.share(best),
        claims=int(claimed.sum()),
        false=int((claimed & ~true).sum()),
        trials=len(trials),
        points=len(found.points),
    )
