"""LoadGen's schedule of Server queries: the same random numbers from the same seed.

The rules fix the seed, so a run of a given length always has the same bursts, only closer together at a higher rate. In
a short run a single one of them decides whether a rate is valid, so a replay must use the same schedule.
"""

from functools import lru_cache
from itertools import accumulate
from math import log
from random import Random
from typing import Final

_WORDS: Final = 624
_WORD: Final = 0xFFFFFFFF
_MULTIPLIER: Final = 1_812_433_253


@lru_cache(maxsize=8)
def arrivals(seed: int, count: int) -> tuple[float, ...]:
    """Return the arrival times of `count` queries, in seconds at one per second on average; the first at 0.

    As loadgen/loadgen.cc with libstdc++: gaps are exponentially distributed, -log(1 - u), where each u in [0, 1) is
    made of two numbers of std::mt19937(seed), the lower half first. The seed is truncated to 32 bits.
    """
    random = mersenne_twister(seed)
    gaps = (-log(1 - _fraction(random)) for _ in range(count - 1))
    return tuple(accumulate(gaps, initial=0.0))


def mersenne_twister(seed: int) -> Random:
    """Return Python's generator in the initial state of std::mt19937(seed): getrandbits(32) gives its numbers.

    Python expands a seed in another way than the C++ standard (26.6.4.3).
    """
    state = [seed & _WORD]
    for index in range(1, _WORDS):
        before = state[-1]
        state.append((_MULTIPLIER * (before ^ (before >> 30)) + index) & _WORD)
    random = Random()  # noqa: S311  (the numbers of a simulation, no secret)
    random.setstate((random.VERSION, (*state, _WORDS), None))
    return random


def _fraction(random: Random) -> float:
    """Return std::generate_canonical<double, 53>."""
    low, high = random.getrandbits(32), random.getrandbits(32)
    return min((low + high * 2.0**32) / 2.0**64, 1 - 2.0**-53)
