"""Present load of the machine: read from /proc and /sys, without starting processes or importing packages.

On a system without these files everything but the load is None, and so is what a virtual machine does not report.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "x86_pkg_temp", "soc_thermal", "acpitz")
"""Sensors of the processor's temperature, the best first."""
_CORES_READ = 8
"""The clock is averaged over this many processors: each of them is a file."""
_TEXT_READ = 8192
"""Bytes read of /proc/cpuinfo: the kernel takes long to write it for a machine of many processors."""


@dataclass(frozen=True)
class Live:
    """A reading. None: not available here."""

    cpu: float | None = None
    """Fraction of all processors busy since the previous reading, 0 to 1."""
    cores: int = 1
    memory_used: int | None = None
    """Bytes that can't be allocated without swapping."""
    memory_total: int | None = None
    mhz: float | None = None
    """Mean clock of the first processors."""
    celsius: float | None = None
    """The hottest sensor of the processor."""
    load: float | None = None
    """Load average of a minute."""


class Machine:
    """Takes readings; keeps the processor's counters between two of them. `root` is that of the file tree."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._counters: tuple[int, int] | None = None
        self._clocks = _clock_files(root)
        self._sensors = _sensor_files(root)

    def read(self) -> Live:
        """Return a new reading."""
        used, total = self._memory()
        return Live(
            cpu=self._busy(),
            cores=os.cpu_count() or 1,
            memory_used=used,
            memory_total=total,
            mhz=self._mhz(),
            celsius=max((value / 1000 for value in map(_number, self._sensors) if value is not None), default=None),
            load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        )

    def _busy(self) -> float | None:
        """Return the busy fraction from /proc/stat, in 1/100 s: user nice system idle iowait irq softirq steal."""
        words = read_text(self._root / "proc/stat").partition("\n")[0].split()
        if words[:1] != ["cpu"] or not all(word.isdigit() for word in words[1:]):
            return None
        spent = [int(word) for word in words[1:9]]
        now = (sum(spent) - sum(spent[3:5]), sum(spent))
        before, self._counters = self._counters, now
        if before is None or now[1] <= before[1]:
            return None
        return min(max((now[0] - before[0]) / (now[1] - before[1]), 0.0), 1.0)

    def _memory(self) -> tuple[int | None, int | None]:
        text = read_text(self._root / "proc/meminfo")
        total, free = (re.search(rf"^{name}:\s+(\d+) kB", text, re.M) for name in ("MemTotal", "MemAvailable"))
        if total is None or free is None:
            return None, None
        return (int(total[1]) - int(free[1])) * 1024, int(total[1]) * 1024

    def _mhz(self) -> float | None:
        found = [value / 1000 for value in map(_number, self._clocks) if value is not None]
        if not found:
            text = read_text(self._root / "proc/cpuinfo")
            found = [float(value) for value in re.findall(r"^cpu MHz\s*: ([\d.]+)$", text, re.M)[:_CORES_READ]]
        return sum(found) / len(found) if found else None


def _clock_files(root: Path) -> list[Path]:
    base = root / "sys/devices/system/cpu"
    paths = [base / f"cpu{number}/cpufreq/scaling_cur_freq" for number in range(_CORES_READ)]
    return [path for path in paths if path.exists()]


def _sensor_files(root: Path) -> list[Path]:
    """Return the files of the best available kind of sensor."""
    found: dict[str, list[Path]] = {}
    for name in (root / "sys/class/hwmon").glob("hwmon*/name"):
        found.setdefault(read_text(name).strip(), []).extend(sorted(name.parent.glob("temp*_input")))
    for kind in (root / "sys/class/thermal").glob("thermal_zone*/type"):
        found.setdefault(read_text(kind).strip(), []).append(kind.parent / "temp")
    return next((found[kind] for kind in _SENSORS if found.get(kind)), [])


def _number(path: Path) -> int | None:
    text = read_text(path).strip()
    return int(text) if re.fullmatch(r"-?\d+", text) else None


def read_text(path: Path) -> str:
    """Return the beginning of a file; empty if it does not exist or can't be read."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(_TEXT_READ).decode("utf-8", "replace")
    except OSError:
        return ""
