"""State of the machine around a measurement: what decides its clock, what others took, how warm it was."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from engine.system import cpu_quota, memory_room
from engine.system.live import Machine, read_text

_CPU = Path("sys/devices/system/cpu")


class MachineState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What could be read; None or empty where this machine does not report it."""

    governors: tuple[str, ...] = ()
    """Frequency governors of the processors, without repeats."""
    turbo: bool | None = None
    smt: bool | None = None
    """Whether several hardware threads share a core."""
    numa_nodes: int | None = None
    quota_cores: float | None = None
    """Cores that the CPU quota of the control group pays for; None without one."""
    memory_room: int | None = None
    """Bytes left below the memory limit of the control group; None without one."""
    mhz: tuple[float, ...] = ()
    """Mean clock of the first processors before and after."""
    celsius: tuple[float, ...] = ()
    """Hottest sensor of the processor before and after."""
    load: float | None = None
    """Load average of a minute, before."""
    steal: float | None = None
    """Fraction of processor time that the hypervisor gave to others meanwhile."""

    def texts(self) -> tuple[str, ...]:
        """Return what is known, a short text each."""
        ghz = " to ".join(f"{value / 1000:.1f}" for value in self.mhz)
        warm = " to ".join(f"{value:.0f}" for value in self.celsius)
        found = (
            f"governor {', '.join(self.governors)}" if self.governors else "",
            "" if self.turbo is None else f"turbo {_on(self.turbo)}",
            "" if self.smt is None else f"SMT {_on(self.smt)}",
            f"{self.numa_nodes} NUMA nodes" if self.numa_nodes and self.numa_nodes > 1 else "",
            f"quota {self.quota_cores:g} cores" if self.quota_cores else "",
            f"clock {ghz} GHz" if ghz else "",
            f"{warm} °C" if warm else "",
            "" if self.load is None else f"load before {self.load:.1f}",
            "" if self.steal is None else f"steal {100 * self.steal:.1f} %",
        )
        return tuple(text for text in found if text)


class StateWatch:
    """Reads the state when it is made, and once more at the end. `root` is that of the file tree."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root, self._machine = root, Machine(root)
        self._before, self._ticks = self._machine.read(), _ticks(root)

    def end(self) -> MachineState:
        """Return the state over the time since this was made."""
        after, ticks = self._machine.read(), _ticks(self._root)
        spent = sum(ticks) - sum(self._ticks)
        stolen = ticks[7] - self._ticks[7] if len(ticks) > 7 and len(self._ticks) > 7 else None
        return MachineState(
            governors=_governors(self._root),
            turbo=_turbo(self._root),
            smt=_flag(self._root / _CPU / "smt/active"),
            numa_nodes=len(list((self._root / "sys/devices/system/node").glob("node[0-9]*"))) or None,
            quota_cores=cpu_quota(),
            memory_room=memory_room(),
            mhz=tuple(one.mhz for one in (self._before, after) if one.mhz is not None),
            celsius=tuple(one.celsius for one in (self._before, after) if one.celsius is not None),
            load=self._before.load,
            steal=stolen / spent if stolen is not None and spent > 0 else None,
        )


def _on(value: bool) -> str:
    return "on" if value else "off"


def _ticks(root: Path) -> list[int]:
    """Return the counters of /proc/stat (proc(5)): user nice system idle iowait irq softirq steal, in 1/100 s."""
    words = read_text(root / "proc/stat").partition("\n")[0].split()[1:9]
    return [int(word) for word in words if word.isdigit()]


def _governors(root: Path) -> tuple[str, ...]:
    found = [read_text(path).strip() for path in (root / _CPU).glob("cpu[0-9]*/cpufreq/scaling_governor")]
    return tuple(sorted({one for one in found if one}))


def _turbo(root: Path) -> bool | None:
    """Return whether turbo frequencies are allowed: intel_pstate's `no_turbo` is the negation of cpufreq's `boost`."""
    off = _flag(root / _CPU / "intel_pstate/no_turbo")
    return _flag(root / _CPU / "cpufreq/boost") if off is None else not off


def _flag(path: Path) -> bool | None:
    text = read_text(path).strip()
    return text == "1" if re.fullmatch("[01]", text) else None
