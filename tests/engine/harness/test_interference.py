"""CPU load of other processes is detected, this process's own is not."""

import os
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from engine.harness import interference
from engine.harness.interference import Interference


def test_another_process_is_seen() -> None:
    watch = Interference()
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        time.sleep(0.5)
        seen = watch.cores()
        process.kill()
    assert seen > 0.1


def test_only_what_is_not_ours_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(machine=100.0, own=10.0, now=0.0, elsewhere=0.0)

    def cores(*, percpu: bool) -> list[SimpleNamespace]:
        assert percpu
        used = SimpleNamespace(user=clock.machine / 2, system=1.0, idle=clock.now)
        return [used, used, SimpleNamespace(user=clock.elsewhere, system=1.0, idle=clock.now)]

    monkeypatch.setattr(psutil, "cpu_times", cores)
    monkeypatch.setattr(os, "times", lambda: SimpleNamespace(user=clock.own, system=0.5))
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(interference, "usable", lambda: (0, 1))
    watch = Interference()
    clock.machine, clock.own, clock.now = 120.0, 30.0, 10.0
    clock.elsewhere = 10.0  # on a core that this process may not use
    assert (watch.cores(), watch.complaint()) == (0.0, "")
    clock.machine = 135.0
    assert watch.cores() == pytest.approx(1.5)
    assert watch.complaint().startswith("other processes kept 1.5 of 2 cores busy")


def test_a_short_time_says_nothing() -> None:
    assert Interference().complaint() == ""
