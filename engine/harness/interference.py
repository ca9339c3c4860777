"""Detect CPU load from other processes during a measurement."""

import os
import time
from typing import Final

import psutil

from engine.harness.cores import usable

_BUSY: Final = ("user", "nice", "system", "irq", "softirq", "steal")
_TOLERATED: Final = 0.05
"""Fraction of the cores; the system's own load is below."""
_SHORTEST_S: Final = 1.0
"""Processor time is counted in hundredths of a second, too coarse for shorter intervals."""


class Interference:
    """Measures other processes' CPU time from its creation on."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._before = _others()

    def cores(self) -> float:
        """Return how many of the usable cores were busy, on average, with other processes."""
        return max(_others() - self._before, 0.0) / max(time.monotonic() - self._start, 1e-9)

    def complaint(self) -> str:
        """Return a warning if other processes may have changed the figures, else an empty text."""
        cores = self.cores()
        too_short = time.monotonic() - self._start < _SHORTEST_S
        if too_short or cores <= _TOLERATED * len(usable()):
            return ""
        return (
            f"other work kept {cores:.1f} of {len(usable())} cores busy during the measurement: "
            "the figures may be worse than what the machine can do"
        )


def _others() -> float:
    """Return processor seconds of other processes on the usable cores since the machine started.

    Load on other cores does not interfere.
    """
    cores, own = usable(), os.times()
    each = psutil.cpu_times(percpu=True)
    ours = [each[core] for core in cores if core < len(each)] or each
    return sum(float(getattr(one, name, 0.0)) for one in ours for name in _BUSY) - (own.user + own.system)
