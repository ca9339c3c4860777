"""The machine's state is read from a file tree like Linux's; what is not there is not reported."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine.system.machine_state import MachineState, StateWatch


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file tree of a machine with two processors."""
    cpu = tmp_path / "sys/devices/system/cpu"
    for number, governor in enumerate(["powersave", "performance"]):
        place = cpu / f"cpu{number}/cpufreq"
        place.mkdir(parents=True)
        (place / "scaling_governor").write_text(f"{governor}\n")
        (place / "scaling_cur_freq").write_text("2700000\n")
    for name, text in (("smt/active", "1"), ("intel_pstate/no_turbo", "1"), ("cpufreq/boost", "1")):
        (cpu / name).parent.mkdir(parents=True, exist_ok=True)
        (cpu / name).write_text(text)
    for number in (0, 1):
        (tmp_path / f"sys/devices/system/node/node{number}").mkdir(parents=True)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("cpu 100 0 100 800 0 0 0 0 0 0\n")
    return tmp_path


def test_what_the_tree_says(root: Path) -> None:
    watch = StateWatch(root)
    (root / "proc/stat").write_text("cpu 150 0 120 820 0 0 0 10 0 0\n")
    state = watch.end()
    assert state.governors == ("performance", "powersave")
    assert (state.turbo, state.smt, state.numa_nodes) == (False, True, 2)
    assert state.mhz == (2700.0, 2700.0)
    assert state.steal == pytest.approx(0.1)
    texts = state.texts()
    assert "governor performance, powersave" in texts
    assert "turbo off" in texts
    assert "steal 10.0 %" in texts
    assert msgspec.json.decode(msgspec.json.encode(state), type=MachineState) == state


def test_amd_and_others_have_boost_instead(root: Path) -> None:
    (root / "sys/devices/system/cpu/intel_pstate/no_turbo").unlink()
    assert StateWatch(root).end().turbo is True


def test_a_tree_without_these_files_reports_nothing_of_them(tmp_path: Path) -> None:
    state = StateWatch(tmp_path).end()
    assert (state.governors, state.turbo, state.smt, state.numa_nodes, state.steal) == ((), None, None, None, None)
    assert MachineState().texts() == ()
