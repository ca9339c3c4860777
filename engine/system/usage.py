"""What a process used while it measured: processor time, memory, and the energy of the processor packages."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_PACKAGES = Path("sys/class/powercap")
_KIB = 1024


@dataclass(frozen=True)
class Used:
    """What was used; None where this machine does not tell."""

    cpu_seconds: float
    """User and system time of all threads."""
    peak_memory: int
    """Largest resident set since the process started, in bytes."""
    joules: float | None
    """Of all processor packages: other processes' share is in it."""


class Usage:
    """Starts counting when it is made. `root` is that of the file tree."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._energy = energy(root)
        self._cpu = time.process_time()

    def end(self) -> Used:
        """Return what was used since."""
        cpu = time.process_time() - self._cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return Used(cpu, peak * (1 if sys.platform == "darwin" else _KIB), self._joules())

    def _joules(self) -> float | None:
        after = energy(self._root)
        if not after or after.keys() != self._energy.keys():
            return None
        took = 0
        for name, (now, largest) in after.items():
            before = self._energy[name][0]
            took += now - before if now >= before else now + largest - before  # the counter started again
        return took / 1e6


def energy(root: Path = Path("/")) -> dict[str, tuple[int, int]]:
    """Return the energy counter of each processor package and its largest value, in microjoules.

    Empty where there is none, or a user may not read it, as on most systems by default.
    """
    found = {}
    for folder in sorted((root / _PACKAGES).glob("intel-rapl:*")):
        if folder.name.count(":") != 1:  # a part of a package
            continue
        try:
            counter = int((folder / "energy_uj").read_text())
            found[folder.name] = (counter, int((folder / "max_energy_range_uj").read_text()))
        except (OSError, ValueError):
            return {}
    return found
