"""The Pareto front by intervals: which points are surely on it, which are surely beaten, and which can't be told apart.

With N points that count, K objectives and the confidence 1 - a (noise as in `estimates`):

- B is **dominated** if a point A exists that is surely at least as good in all objectives and surely better in one.
  Surely better in an objective: the difference of the means exceeds t · its standard error, t being the one-sided
  quantile at 1 - a / (N - 1). Surely at least as good: that, or both figures are equal and without any noise (an
  accuracy, the size of a model). All K statements must hold at once, so that they need no correction; the division by
  N - 1 is for the many points that could beat B by chance. So a point that nothing beats is called dominated with a
  probability of at most a.
- B is **on the front** if every other point that is not dominated is surely worse in an objective, t at 1 - a / K, or
  equal in all without any noise.
- The rest is **indistinguishable** from the front: more trials could move it to either side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from engine.design_space.exploration import CONFIDENCE
from engine.design_space.points import axis_differences
from engine.design_space.trials import Constraint, Objective, Point, Trial

if TYPE_CHECKING:
    from engine.design_space.estimates import Array, Estimates

Test = Callable[["Array", "Array"], "Array"]
Word = Literal["on the front", "indistinguishable", "dominated"]
_AT_ONCE = 1_000_000
"""Pairs of points that are compared in one step: 8 MB for each objective and array."""
_NEAR = 0.1
"""Noise of a difference, relative, up to which two points may be called as good as each other."""
_MOST_RIVALS = 500
"""Points behind the best that may beat others surely: those with the most trials."""


@dataclass(frozen=True)
class Standing:
    """How a point stands among the others."""

    word: Word
    means: Mapping[str, float]
    """By the keys of the objectives, in their units; of the point's longest trials."""
    intervals: Mapping[str, tuple[float, float]]
    """Two-sided interval of each mean; without the objectives whose noise is not known."""
    n: int
    """Number of these trials."""
    stage: int = 0
    """Their duration, as in `Trial.stage`."""


def standing(
    trials: Sequence[Trial],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
    confidence: float = CONFIDENCE,
) -> dict[Point, Standing]:
    """Return the standing of each point that works and keeps the constraints, in the order of their first trial.

    Trials of points measured under other conditions (see `drift`) are to be left out before.
    """
    from engine.design_space.estimates import Estimates  # noqa: PLC0415  (numpy)

    return standings_of(Estimates(trials, objectives, constraints), confidence)


def standings_of(found: Estimates, confidence: float = CONFIDENCE) -> dict[Point, Standing]:
    """Return the standing of each point that counts."""
    words = words_of(found, confidence)
    return {point: _standing(found, number, words[number], confidence) for number, point in enumerate(found.points)}


def words_of(found: Estimates, confidence: float = CONFIDENCE) -> list[Word]:
    """Return the word of each point."""
    import numpy as np  # noqa: PLC0415

    count, objectives = len(found.points), len(found.objectives)
    words: list[Word] = ["indistinguishable"] * count
    if not count:
        return words
    strict = 1 - (1 - confidence) / _rounded(count - 1)
    best = front_of(found.gain)
    alive = np.arange(count)
    for step in (0, 1):
        beaten = _any_pair(found, _surest(found, alive) if step else best, alive, strict, beats)
        for number in alive[beaten]:
            words[number] = "dominated"
        alive = alive[~beaten]
    single = 1 - (1 - confidence) / objectives
    sure = alive[~_any_pair(found, np.intersect1d(best, alive), alive, single, _may_beat)]
    for number in sure[~_any_pair(found, alive, sure, single, _may_beat)]:
        words[number] = "on the front"
    return words


def simpler(
    found: Estimates, standings: Mapping[Point, Standing], default: Point, confidence: float = CONFIDENCE
) -> dict[Point, Point]:
    """Return for points of the front the simplest point that is not surely worse in any objective.

    Simpler: it differs from the default in fewer choices. Points without such a one are missing. Where the noise is not
    known, or larger than 10 %, anything would be within it, so that nothing is said.
    """
    import numpy as np  # noqa: PLC0415

    objectives = found.objectives
    open_ = [number for number, point in enumerate(found.points) if standings[point].word != "dominated"]
    known = np.array([one for one in open_ if len(standings[found.points[one]].intervals) == len(objectives)], int)
    known = _surest(found, known)
    changes = {one: len(axis_differences(found.points[one], default)) for one in known.tolist()}
    difference, margin = found.difference(known, known, 1 - (1 - confidence) / len(objectives))
    vague = margin > _NEAR * np.abs(found.mean[:, known])[:, :, None]
    worse = np.asarray((difference > margin).any(axis=0) | vague.any(axis=0))
    result = {}
    for row, number in enumerate(known.tolist()):
        others = [
            one
            for column, one in enumerate(known.tolist())
            if not worse[row, column] and changes[one] < changes[number]
        ]
        if others:
            result[found.points[number]] = found.points[min(others, key=lambda one: changes[one])]
    return result


def simpler_text(point: Point, other: Point, default: Point) -> str:
    """Return in words why a simpler point is preferred."""
    here, there = len(axis_differences(point, default)), len(axis_differences(other, default))
    kept = f"{there} of the default's choices changed instead of {here}" if there else "it is the default"
    return f"a simpler point is as good within noise: {kept}"


def _standing(found: Estimates, number: int, word: Word, confidence: float) -> Standing:
    stage = found.stage_of(number)
    figures = found.stages[stage]
    intervals = {
        one.key: interval
        for row, one in enumerate(found.objectives)
        if (interval := found.interval(number, row, confidence)) is not None
    }
    means = {one.key: float(figures.mean[row, number]) for row, one in enumerate(found.objectives)}
    return Standing(word, means, intervals, int(figures.count[number]), stage)


def _surest(found: Estimates, numbers: Array) -> Array:
    """Return the points with the most trials, at most _MOST_RIVALS."""
    import numpy as np  # noqa: PLC0415

    if len(numbers) <= _MOST_RIVALS:
        return numbers
    counts = np.sum([figures.count for figures in found.stages.values()], axis=0)[numbers]
    return np.asarray(numbers[np.argsort(-counts, kind="stable")[:_MOST_RIVALS]])


def _rounded(count: int) -> int:
    """Return the next power of two, so that a quantile serves for many counts."""
    return int(1 << max(count - 1, 0).bit_length())


def front_of(gain: Array) -> Array:
    """Return the indices of the columns that no other column equals or beats in every row and beats in one."""
    import numpy as np  # noqa: PLC0415

    left = np.lexsort(gain)[::-1]
    kept = []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        equal = (gain[:, left] == gain[:, [first]]).all(axis=0)
        left = left[equal | (gain[:, left] > gain[:, [first]]).any(axis=0)]
    return np.array(kept, int)


def _any_pair(found: Estimates, first: Array, second: Array, confidence: float, test: Test) -> Array:
    """Return for each of `second` whether the test holds with any other of `first`."""
    import numpy as np  # noqa: PLC0415

    result = np.zeros(len(second), bool)
    size = max(_AT_ONCE // max(len(second), 1), 1)
    for start in range(0, len(first), size):
        part = first[start : start + size]
        difference, margin = found.difference(part, second, confidence)
        holds = test(difference, margin) & (part[:, None] != second[None, :])
        result |= holds.any(axis=0)
    return result


def beats(difference: Array, margin: Array) -> Array:
    """Return whether the first is surely at least as good in all and surely better in one."""
    better = difference > margin
    equal = (difference == 0) & (margin == 0)
    return cast("Array", (better | equal).all(axis=0) & better.any(axis=0))


def _may_beat(difference: Array, margin: Array) -> Array:
    """Return whether the first may be at least as good in all and better in one."""
    worse = -difference > margin
    equal = (difference == 0) & (margin == 0)
    return cast("Array", ~worse.any(axis=0) & ~equal.all(axis=0))
