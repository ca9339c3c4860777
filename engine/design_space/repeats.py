"""Which point is worth another trial: repeats are spent only where they could change the front."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.design_space.estimates import Array, Estimates, StageFigures
from engine.design_space.exploration import CONFIDENCE
from engine.design_space.front import words_of
from engine.design_space.trials import Constraint, Objective, Point, Trial
from engine.explore.student import one_sided

PRECISION = 0.01
"""Relative difference below which two figures need not be told apart."""
MOST = 8
"""Trials of a point, at most: where more would be needed, the difference is not worth them."""
_MOST_RIVALS = 150
"""Points that are compared; more can't be told apart only while hardly anything is known."""


def worth_repeating(
    trials: Sequence[Trial],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
    confidence: float = CONFIDENCE,
    precision: float = PRECISION,
) -> Point | None:
    """Return the point whose repeat is most likely to tell two points of the front apart; only short trials count.

    Two points that are not dominated are open while one may beat the other. If the means say that it does, the
    difference must become sure in every objective; if not, in the one where that takes fewest trials. It takes so many
    trials more of both that the margin is less than the difference, or than `precision` of the figure, whichever is
    larger. The pair that needs fewest is taken, and of it the point with fewer trials. First come points that are on
    the front by a single trial: the best of many looks better than it is. None where every pair is told apart, or would
    need more than MOST trials of a point.
    """
    shortest = min((trial.stage for trial in trials), default=0)
    found = Estimates([trial for trial in trials if trial.stage == shortest], objectives, constraints)
    words = words_of(found, confidence)
    rivals = np.array([number for number, word in enumerate(words) if word != "dominated"], int)[:_MOST_RIVALS]
    if len(found.points) < 2:
        return None
    figures = found.stages[shortest]
    if not figures.noise_freedom.all():
        return found.points[min(rivals, key=lambda number: (figures.count[number], number))]
    alone = [one for one in rivals if words[one] == "on the front" and figures.count[one] == 1]
    if alone and figures.noise.any():
        return found.points[alone[0]]
    if len(rivals) < 2:
        return None
    needed = _needed(found, figures, rivals, confidence, precision)
    best = needed.min()
    if not np.isfinite(best):
        return None
    first, second = divmod(int(needed.argmin()), len(rivals))
    pair = (int(rivals[first]), int(rivals[second]))
    return found.points[min(pair, key=lambda number: (figures.count[number], number))]


def _needed(found: Estimates, figures: StageFigures, rivals: Array, confidence: float, precision: float) -> Array:
    """Return the trials that tell each pair of rivals apart, infinite where none or too many; (rivals, rivals)."""
    difference, margin = found.difference(rivals, rivals, 1 - (1 - confidence) / len(found.objectives))
    mean, count = np.abs(figures.mean[:, rivals]), figures.count[rivals]
    scale = np.maximum(np.abs(difference), precision * np.maximum(mean[:, :, None], mean[:, None, :]))
    variance = figures.error[:, rivals] ** 2 * count
    more = np.full(difference.shape, np.inf)
    for further in range(MOST):
        freedom = figures.noise_freedom + 2 * further
        quantile = np.array([one_sided(one, 1 - (1 - confidence) / len(found.objectives)) for one in freedom])
        share = variance / (count + further)
        width = quantile[:, None, None] * np.sqrt(share[:, :, None] + share[:, None, :])
        room = np.minimum(count[:, None], count[None, :]) + further <= MOST
        more = np.where(np.isinf(more) & (width <= scale) & room, further, more)
    ahead = difference >= 0
    # Whether the first beats the second: surely not where the second is surely better in an objective.
    open_ = ~(-difference > margin).any(axis=0) & ~np.eye(len(rivals), dtype=bool)
    beaten = ahead.all(axis=0)
    told = np.where(beaten, more.max(axis=0), np.where(ahead, np.inf, more).min(axis=0))
    told = np.where(open_, told, np.inf)
    return np.where(told > 0, told, np.inf)
