"""What a process used: processor time, memory, and energy where its counters can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.system.usage import Usage, energy


def package(root: Path, number: int, counter: int) -> None:
    folder = root / "sys" / "class" / "powercap" / f"intel-rapl:{number}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "energy_uj").write_text(f"{counter}\n")
    (folder / "max_energy_range_uj").write_text("10000000\n")


def test_time_and_memory_are_counted(tmp_path: Path) -> None:
    used = Usage(tmp_path).end()
    assert used.cpu_seconds >= 0
    assert used.peak_memory > 1 << 20
    assert used.joules is None


def test_the_energy_of_all_packages_adds_up_also_across_an_overflow(tmp_path: Path) -> None:
    package(tmp_path, 0, 1_000_000)
    package(tmp_path, 1, 9_000_000)
    (tmp_path / "sys/class/powercap/intel-rapl:0:0").mkdir()
    usage = Usage(tmp_path)
    package(tmp_path, 0, 3_000_000)
    package(tmp_path, 1, 500_000)
    assert usage.end().joules == pytest.approx(2.0 + 1.5)


def test_what_can_not_be_read_is_unknown(tmp_path: Path) -> None:
    package(tmp_path, 0, 1)
    usage = Usage(tmp_path)
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").write_text("?")
    assert energy(tmp_path) == {}
    assert usage.end().joules is None
