"""Measuring candidates, on bindings that only sleep or fail."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pytest

from engine.backends.base import Array
from engine.errors import RunError
from engine.tuning import bench
from engine.tuning.bench import run_throttled, run_together


@dataclass
class Binding:
    """Sleeps, or fails."""

    seconds: float = 0.0005
    failing: bool = False
    hiccups: bool = False
    runs: int = 0
    inputs: tuple[Array, ...] = (np.zeros(1, np.float32),)

    def run(self) -> tuple[Array, ...]:
        if self.failing:
            raise RunError("the model failed")
        self.runs += 1
        time.sleep(0.01 if self.hiccups and self.runs == 2 else self.seconds)
        return ()


def test_the_failure_is_what_one_hears_of_not_those_who_waited_for_it() -> None:
    for failing in range(3):
        bindings = [Binding(failing=number == failing) for number in range(3)]
        with pytest.raises(RunError, match="the model failed"):
            run_together(bindings, [()] * 3, 0.1, 1.0)


def test_what_is_hopeless_is_not_measured_on() -> None:
    slow, quick = Binding(0.002), Binding(0.002)
    _, dropped = run_together([slow], [()], 0.1, 0.0001)
    assert dropped
    assert slow.runs == 3, "one to begin with, and two that counted"
    slow = Binding(0.0002)
    slow.hiccups = True
    _, dropped = run_together([slow], [()], 0.1, 0.005)
    assert not dropped, "one slow run among quick ones says nothing"
    assert slow.runs > 10
    _, dropped = run_together([quick], [()], 0.1, 10.0)
    assert not dropped
    assert quick.runs > 10


def test_inputs_are_filled_so_that_no_processor_takes_a_short_cut_for_zeros() -> None:
    binding = Binding(inputs=(np.zeros((2, 3), np.float32), np.zeros(2, np.int64)))
    run_together([binding], [()], 0.001, 1.0)
    assert binding.inputs[0].any()
    assert not binding.inputs[1].any(), "0 is always a valid index"


def test_the_stops_of_a_quota_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """The median run lies between two stops, and half a core would look like a whole one."""
    clock = iter([0.0, 4.0, 0.0, 4.0, 0.0, 1.0])
    monkeypatch.setattr(bench, "process_time", lambda: next(clock))
    monkeypatch.setattr(bench, "_timed", lambda *_: [1.0] * 4)
    assert run_together([Binding()], [()], 1.0, 2.0) == (1.0, False)
    assert run_throttled([Binding()], [()], 1.0, 2.0, 0.5) == (2.0, False), "each run takes a second of processor time"
    assert run_throttled([Binding()], [()], 1.0, 2.0, 0.5) == (1.0, False), "it waits for something else"
