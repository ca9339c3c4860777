"""Which points of a space are measured next: all in order, at random, spread evenly, or where the best are likely.

Nothing is kept between two calls but what follows from the arguments, so an exploration goes on from its trials alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from math import prod
from random import Random
from typing import TYPE_CHECKING, Any

from engine.design_space.points import every_point, pick
from engine.design_space.trials import Axis, Constraint, Objective, Point, Trial
from engine.errors import UsageError, nearest

if TYPE_CHECKING:
    from engine.design_space.tpe import Study

SAMPLERS = ("grid", "random", "sobol", "tpe")
REMEDY = "pip install 'inferdeck[explore]'"
_STALE = 1000
"""After so many known points in a row the rest of a space is taken in order."""
_ASKED = 10
"""After so many points from Optuna in a row that are known or refused the evenly spread ones follow."""
_LISTED = 100_000
"""Points of a space that are listed, at most."""
_BLOCK = 6
"""The first draw is of two to the power of this."""
_SPREAD = 5
"""Points spread evenly before the likely best are asked for."""


def next_points(
    sampler: str,
    axes: Sequence[Axis],
    objectives: Sequence[Objective],
    history: Sequence[Trial],
    count: int,
    seed: int,
    valid: Callable[[Point], bool],
    constraints: Sequence[Constraint] = (),
) -> list[Point]:
    """Return at most `count` points that are not in the history, and that `valid` does not refuse.

    `grid`: all, shuffled, so that a budget that ends early leaves no value out. `random` and `sobol`: along a sequence
    that the seed alone decides, so that the same points are measured in the end however often the exploration is
    interrupted. `tpe`: Optuna's multi-objective tree-structured Parzen estimator, behind some points of `sobol`. Fewer
    points are returned only where the space has no more. Raises UsageError for an unknown sampler, and where its
    package is not installed.
    """
    if sampler not in SAMPLERS:
        raise UsageError(f"there is no sampler '{sampler}'", nearest(sampler, SAMPLERS))
    known = {trial.point for trial in history}
    asked = _asked(sampler, tuple(axes), objectives, constraints, history, len(known), seed)
    fresh: dict[Point, None] = {}
    for point in asked:
        if point not in known and point not in fresh and valid(point):
            fresh[point] = None
            if len(fresh) >= count:
                break
    return list(islice(fresh, count))


def require(sampler: str) -> None:
    """Raise UsageError with the remedy where the package that a sampler needs is not installed."""
    if sampler == "sobol":
        _sobol_module()
    elif sampler == "tpe":
        _tpe_study()


def _asked(
    sampler: str,
    axes: tuple[Axis, ...],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    history: Sequence[Trial],
    measured: int,
    seed: int,
) -> Iterable[Point]:
    if sampler == "grid":
        return _shuffled(axes, seed)
    if sampler != "tpe":
        return _Sequence.of(sampler, axes, seed)
    study = _tpe_study()
    spread = _Sequence.of("sobol", axes, seed)
    if measured < _SPREAD:
        return spread
    return _then(study(axes, objectives, constraints, history, seed).asked(_ASKED), spread)


@lru_cache(maxsize=4)
def _shuffled(axes: tuple[Axis, ...], seed: int) -> Iterable[Point]:
    """Return all points, so mixed that a budget that ends early leaves no value out."""
    if prod(len(axis.values) for axis in axes) > _LISTED:
        return _Sequence.of("random", axes, seed)
    points = list(every_point(axes))
    Random(seed).shuffle(points)  # noqa: S311  (nothing secret)
    return points


def _then(*parts: Iterable[Point]) -> Iterator[Point]:
    for part in parts:
        yield from part


class _Sequence:
    """All points of a space without repeats, in an order that is drawn; as much of it as was asked for."""

    def __init__(self, shares: Iterator[Sequence[float]], axes: tuple[Axis, ...]) -> None:
        self._found: list[Point] = []
        self._more = _unique(shares, axes)

    @staticmethod
    @lru_cache(maxsize=4)
    def of(sampler: str, axes: tuple[Axis, ...], seed: int) -> _Sequence:
        """Return the sequence of a sampler; it is kept, because it is gone through for each trial."""
        draw = _sobol_shares if sampler == "sobol" else _random_shares
        return _Sequence(draw(len(axes), seed), axes)

    def __iter__(self) -> Iterator[Point]:
        at = 0
        while True:
            while at < len(self._found):
                yield self._found[at]
                at += 1
            point = next(self._more, None)
            if point is None:
                return
            self._found.append(point)


def _unique(shares: Iterator[Sequence[float]], axes: tuple[Axis, ...]) -> Iterator[Point]:
    known: set[Point] = set()
    stale = 0
    for one in shares:
        point = pick(axes, one)
        if point not in known:
            known.add(point)
            stale = 0
            yield point
        elif (stale := stale + 1) == _STALE:
            break
    for point in every_point(axes):
        if point not in known:
            yield point


def _random_shares(count: int, seed: int) -> Iterator[Sequence[float]]:
    random = Random(seed)  # noqa: S311  (nothing secret)
    while True:
        yield [random.random() for _ in range(count)]


def _sobol_shares(count: int, seed: int) -> Iterator[Sequence[float]]:
    sequence = _sobol_module()(max(count, 1), scramble=True, seed=seed)
    power = _BLOCK
    yield from sequence.random_base2(power)[:, :count].tolist()
    while power < sequence.bits - 1:
        # As many again, so that there are a power of two in all: only then they are spread evenly.
        yield from sequence.random_base2(power)[:, :count].tolist()
        power += 1


def _sobol_module() -> Any:
    try:
        from scipy.stats.qmc import Sobol  # noqa: PLC0415
    except ImportError as error:
        raise UsageError("the sampler 'sobol' needs the package scipy, which is not installed", REMEDY) from error
    return Sobol


def _tpe_study() -> type[Study]:
    try:
        import optuna  # noqa: F401, PLC0415
    except ImportError as error:
        raise UsageError("the sampler 'tpe' needs the package optuna, which is not installed", REMEDY) from error
    from engine.design_space.tpe import Study  # noqa: PLC0415

    return Study
