"""Work that is not ours on the machine while we measure: it makes a result worse, and nobody would know why."""

import os
import time
from typing import Final

import psutil

from engine.harness.cores import usable

_BUSY: Final = ("user", "nice", "system", "irq", "softirq", "steal")
_TOLERATED: Final = 0.05
"""Of the cores: what a system does for itself stays below."""
_SHORTEST_S: Final = 1.0
"""Systems count processor time in hundredths of a second, too coarse for less."""


class Interference:
    """Counts from its creation on."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._before = _others()

    def cores(self) -> float:
        """Return how many of the cores that it may use were busy, on average, with anything but this process."""
        return max(_others() - self._before, 0.0) / max(time.monotonic() - self._start, 1e-9)

    def complaint(self) -> str:
        """Return a sentence for a person where other work may have changed the figures, else nothing."""
        cores = self.cores()
        too_short = time.monotonic() - self._start < _SHORTEST_S
        if too_short or cores <= _TOLERATED * len(usable()):
            return ""
        return (
            f"other work kept {cores:.1f} of {len(usable())} cores busy during the measurement: "
            "the figures may be worse than what the machine can do"
        )


def _others() -> float:
    """Return processor seconds on the cores that this process may use, since the machine started, that were not its.

    What runs on other cores disturbs nothing.
    """
    cores, own = usable(), os.times()
    each = psutil.cpu_times(percpu=True)
    ours = [each[core] for core in cores if core < len(each)] or each
    return sum(float(getattr(one, name, 0.0)) for one in ours for name in _BUSY) - (own.user + own.system)
