"""A hanging run is detected from another process, whatever holds it up."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine import events
from engine.errors import RunError
from engine.step import Step
from engine.steps.measuring import harness_process, listening
from engine.system import isolation


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "HUNG_S", 0.2)


def tick(issued: int, completed: int, parts: int = 0) -> bytes:
    made = events.Tick(at=0, step="run", elapsed=1, issued=issued, completed=completed, latencies={})
    return events.encode(msgspec.structs.replace(made, parts=parts, parts_per_sample=20.0 if parts else 0.0))


def test_events_come_whole_however_they_are_cut(pipe: tuple[int, int]) -> None:
    line = events.encode(events.Phase(at=1, step="run", name="load"))
    os.write(pipe[1], line + line[:7])
    found = listening.harness_events(pipe[0])
    first = next(found)
    os.write(pipe[1], line[7:])
    assert first == next(found) == events.Phase(at=1, step="run", name="load")


def test_silence_is_a_hang(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], events.encode(events.Phase(at=1, step="run", name="load")))
    with pytest.raises(RunError, match=r"no event from its process for 0\.2 s in 'load'"):
        list(listening.harness_events(pipe[0]))


def ticks(pipe: tuple[int, int], issued: int, completed: int) -> list[events.AnyEvent]:
    """Yield twenty equal ticks over a second."""
    found = listening.harness_events(pipe[0])
    harness_events = []
    for _ in range(20):
        os.write(pipe[1], tick(issued, completed))
        harness_events.append(next(found))
        time.sleep(0.05)
    return harness_events


def test_ticks_without_answers_are_a_hang(pipe: tuple[int, int]) -> None:
    with pytest.raises(RunError, match="5 samples are waiting and none completed"):
        ticks(pipe, 8, 3)


def test_a_run_with_nothing_to_do_does_not_hang(pipe: tuple[int, int]) -> None:
    assert len(ticks(pipe, 8, 8)) == 20


def test_a_process_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "pid"
    code = f"import os, time; open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    monkeypatch.setattr(isolation, "here", lambda: isolation.PythonCommand((sys.executable, "-c", code), None))
    monkeypatch.setattr(listening, "HUNG_S", 2.0)
    step = Step(id="run", title="run", options={}, inputs={}, output=tmp_path, emit=lambda event: None)
    with pytest.raises(RunError, match="hangs"):
        harness_process.harness(step, tmp_path / "spec.json")
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)


def test_a_run_of_slow_batches_has_more_time(pipe: tuple[int, int]) -> None:
    assert listening.patience(1.0) == listening.HUNG_S
    assert listening.patience(20_000) == 20 * listening.HUNG_BATCHES
    found = listening.harness_events(pipe[0], batch_ms=40)
    for _ in range(8):
        os.write(pipe[1], tick(4, 0))
        next(found)
        time.sleep(0.05)


def test_a_sample_whose_parts_go_on_does_not_hang(pipe: tuple[int, int]) -> None:
    found = listening.harness_events(pipe[0])
    for parts in range(1, 13):
        os.write(pipe[1], tick(8, 3, parts))
        next(found)
        time.sleep(0.05)
    os.write(pipe[1], tick(8, 3, 12) * 2)
    next(found)
    time.sleep(0.25)
    with pytest.raises(RunError, match="5 samples are waiting"):
        next(found)
