"""Generates impressions and clicks like those of the Criteo Terabyte data set, with a planted truth.

Where the real days cannot be had, every step still runs on data of the real kind: 13 counts, 26 hashed categories of
which few values are frequent and most are rare, missing values, and labels drawn from a known probability. Its logit is
the sum of an effect of each value and of products of hidden vectors, as in a factorisation machine. The days before the
last are always the same, so that a trained model's tables fit every test set; the last day depends on the seed.
A row depends on purpose, seed, day and its number alone: a larger set begins with the smaller one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

import numpy as np

from engine.datasets.patterns import Purpose
from engine.tasks.criteo_files import CATEGORICAL, DAYS, DENSE

Array = np.ndarray[Any, np.dtype[Any]]

VOCABULARY = (
    *(20_000, 6_000, 4_000, 2_000, 5_000, 3, 1_500, 400, 63, 18_000, 9_000, 7_000, 10),
    *(1_200, 3_000, 155, 4, 976, 14, 20_000, 16_000, 19_000, 8_000, 5_000, 108, 36),
)
"""Different values of each categorical column, few and many where the real data have few and many."""
WITH_MISSING = range(0, CATEGORICAL, 3)
"""Columns whose most frequent value is that there is none."""
BLOCK = 4096
"""Rows that are drawn at once."""
DAY_ROWS = BLOCK // 2
"""Rows of each day before the last."""
LAST_DAY = DAYS - 1

_WORLD = 20_210_604
_DRAWS = 1 << 16
"""A value is drawn by a 16-bit number, which a table of that length turns into the value."""
_HIDDEN = 4
"""Length of the hidden vectors."""
_DENSE, _SINGLE, _PAIRS = 0.9, 1.4, 1.3
"""Standard deviations, about, of the dense effects in the logit, of the categorical ones and of the products."""
_SHIFT = -1.2
"""Of the logit: about every third impression is clicked."""


@dataclass(frozen=True)
class Impressions:
    """Some rows."""

    dense: Array
    """int32 [13, n], at least -1."""
    absent: Array
    """bool [13, n]: the dense value is missing, and 0 in `dense`."""
    values: Array
    """int32 [26, n]: which value of the column's vocabulary."""
    chance: Array
    """float64 [n]: the probability of a click."""
    labels: Array
    """int32 [n], 0 or 1."""


@dataclass(frozen=True)
class _World:
    """The planted truth: which values there are, how often each comes, and what it does."""

    dense: Array
    """int32 [13, _DRAWS]."""
    absent: Array
    """bool [13, _DRAWS]."""
    effects: Array
    """float64 [13, _DRAWS], in the logit."""
    values: Array
    """int32 [26, _DRAWS]."""
    weights: list[Array]
    """float64 [vocabulary] for each column, in the logit."""
    hidden: list[Array]
    """float64 [_HIDDEN, vocabulary] for each column: products of two columns' are added to the logit."""
    hashes: list[Array]
    """uint32 [vocabulary] for each column: the hashes that stand in the files. 0 where the value is missing."""


@cache
def _world() -> _World:
    random = np.random.default_rng(_WORLD)
    middle = (np.arange(_DRAWS) + 0.5) / _DRAWS
    dense, absent = zip(*(_counts(random, middle) for _ in range(DENSE)), strict=True)
    pairs = CATEGORICAL * (CATEGORICAL - 1) / 2
    spread = (_PAIRS / np.sqrt(pairs * _HIDDEN)) ** 0.5
    return _World(
        np.stack(dense),
        np.stack(absent),
        np.stack([_DENSE / DENSE**0.5 * _curve(random, one) for one in dense]),
        np.stack([((size + 1) ** middle - 1).astype(np.int32) for size in VOCABULARY]),
        [_SINGLE / CATEGORICAL**0.5 * random.standard_normal(size) for size in VOCABULARY],
        [spread * random.standard_normal((_HIDDEN, size)) for size in VOCABULARY],
        [_hashes(random, column) for column in range(CATEGORICAL)],
    )


def _counts(random: np.random.Generator, middle: Array) -> tuple[Array, Array]:
    """Return a dense column by its quantiles: the values, and where they are missing."""
    typical, spread = random.uniform(0, 6), random.uniform(0.3, 1.0)
    values = np.exp(typical + spread * np.log(middle / (1 - middle))) - 1.5
    missing = middle > 1 - random.choice([0, 0.1, 0.4])
    return np.where(missing, 0, np.clip(np.round(values), -1, 1e9)).astype(np.int32), missing


def _curve(random: np.random.Generator, dense: Array) -> Array:
    """Return the effect of each count, by its logarithm: standard deviation 1."""
    x = np.log1p(np.maximum(dense, 0.0))
    x = (x - x.mean()) / x.std()
    slope, bend = random.standard_normal(2)
    effect = slope * x + bend * np.tanh(x) ** 2
    scaled: Array = (effect - effect.mean()) / effect.std()
    return scaled


def _hashes(random: np.random.Generator, column: int) -> Array:
    found = np.unique(random.integers(1, 1 << 32, 2 * VOCABULARY[column], np.uint32))
    found = random.permutation(found)[: VOCABULARY[column]]
    if column in WITH_MISSING:
        found[0] = 0
    return found


def hashes() -> list[Array]:
    """Return the hash of each value, by column: uint32 [vocabulary], 0 for a missing value."""
    return _world().hashes


def other_days() -> Iterator[Impressions]:
    """Draw the days before the last, which are the same in every set."""
    for day in range(LAST_DAY):
        yield from ClickSet(0).rows(day, DAY_ROWS)


@dataclass(frozen=True)
class ClickSet:
    """Days of impressions that exist as soon as they are named: each is drawn on demand."""

    seed: int
    purpose: Purpose = "test"

    def rows(self, day: int, count: int) -> Iterator[Impressions]:
        """Draw the first so many rows of a day, block by block."""
        first = (get_args(Purpose).index(self.purpose), self.seed) if day == LAST_DAY else (0, 0)
        for block, start in enumerate(range(0, count, BLOCK)):
            yield _drawn(np.random.default_rng([*first, day, block]), min(BLOCK, count - start))


def _drawn(random: np.random.Generator, count: int) -> Impressions:
    world = _world()
    # Always a whole block, so that the first rows are the same however many are kept.
    draws = random.integers(0, _DRAWS, (DENSE + CATEGORICAL, BLOCK), np.uint16)[:, :count]
    luck = random.random(BLOCK)[:count]
    dense, categorical = draws[:DENSE], draws[DENSE:]
    values = np.stack([table[draw] for table, draw in zip(world.values, categorical, strict=True)])
    logit = np.full(count, _SHIFT)
    for effect, draw in zip(world.effects, dense, strict=True):
        logit += effect[draw]
    total, squares = np.zeros((_HIDDEN, count)), np.zeros((_HIDDEN, count))
    for weights, hidden, value in zip(world.weights, world.hidden, values, strict=True):
        logit += weights[value]
        vector = hidden.take(value, 1)
        total += vector
        squares += vector**2
    logit += ((total**2 - squares) / 2).sum(0)
    chance = 1 / (1 + np.exp(-logit))
    return Impressions(
        np.stack([table[draw] for table, draw in zip(world.dense, dense, strict=True)]),
        np.stack([table[draw] for table, draw in zip(world.absent, dense, strict=True)]),
        values,
        chance,
        (luck < chance).astype(np.int32),
    )
