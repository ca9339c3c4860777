"""The present load of the machine, read from a file tree of the test and from this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.system.live import Live, Machine


def tree(root: Path, stat: str) -> Path:
    files = {
        "proc/stat": stat,
        "proc/meminfo": "MemTotal:       1000 kB\nMemFree:  100 kB\nMemAvailable:    400 kB\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "3000000\n",
        "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "2000000\n",
        "sys/class/hwmon/hwmon0/name": "nvme\n",
        "sys/class/hwmon/hwmon0/temp1_input": "90000\n",
        "sys/class/hwmon/hwmon1/name": "coretemp\n",
        "sys/class/hwmon/hwmon1/temp1_input": "61000\n",
        "sys/class/hwmon/hwmon1/temp2_input": "64500\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_what_the_files_say(tmp_path: Path) -> None:
    machine = Machine(tree(tmp_path, "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1 1\n"))
    first = machine.read()
    assert first.cpu is None, "one reading tells no share"
    assert (first.memory_used, first.memory_total) == (600 * 1024, 1000 * 1024)
    assert first.mhz == 2500
    assert first.celsius == 64.5
    (tmp_path / "proc/stat").write_text("cpu  150 0 125 820 5 0 0 0 0 0\n")
    assert machine.read().cpu == pytest.approx(0.75)


def test_a_clock_from_cpuinfo_where_there_is_no_other(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("cpu MHz\t\t: 2000.5\n\ncpu MHz\t\t: 1000.5\n")
    assert Machine(tmp_path).read().mhz == 1500.5


def test_nothing_to_read_is_not_an_error(tmp_path: Path) -> None:
    found = Machine(tmp_path).read()
    assert found == Live(cores=found.cores, load=found.load)


@pytest.mark.parametrize("text", ["", "cpu", "cpu a b", "intr 5", "\x00\xff"])
def test_odd_counters_are_no_share(tmp_path: Path, text: str) -> None:
    machine = Machine(tree(tmp_path, text))
    machine.read()
    assert machine.read().cpu is None


def test_it_loads_little() -> None:
    program = "import sys, engine.system.live; assert not {'psutil', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
