"""Which workers are chosen, on a model whose speed is a formula."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest

from engine import events
from engine.backends import onnxruntime
from engine.backends.base import Array, BackendOptions, TensorSpec
from engine.errors import DataError, RunError, UsageError
from engine.harness import tune
from engine.harness.spec import Scenario, Workers
from engine.steps.base import Artifact, Step
from tests.engine.harness.runs import sum_model

Speed = Callable[[int, int, int], float]
"""Seconds of a batch, from sessions, threads and batch."""


@dataclass
class FakeBinding:
    threads: int
    batch: int
    failing: bool = False
    inputs: tuple[Array, ...] = (np.zeros(1, np.float32),)

    def run(self) -> tuple[Array, ...]:
        if self.failing:
            raise RunError("the model failed")
        time.sleep(0.001)
        return ()


@dataclass
class FakeRunner:
    backend: "FakeBackend"
    threads: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...] = ()

    def bind(self, batch: int) -> FakeBinding:
        return FakeBinding(self.threads, batch, self.backend.failing_batch == batch)

    def close(self) -> None:
        self.backend.open -= 1


@dataclass
class FakeBackend:
    fixed: int | None = None
    failing_batch: int | None = None
    open: int = 0
    options: list[BackendOptions] = field(default_factory=list)

    def version(self) -> str:
        return "0"

    def load(self, model: Path, options: BackendOptions) -> FakeRunner:
        self.open += 1
        self.options.append(options)
        return FakeRunner(self, options.intra_op_threads, (TensorSpec("x", (self.fixed, 4), "float32"),))


def chosen(
    monkeypatch: pytest.MonkeyPatch, speed: Speed, *, fixed: int | None = None, **more: Any
) -> tuple[tune.Tuned, FakeBackend]:
    def median_run(bindings: Sequence[FakeBinding], groups: Sequence[tuple[int, ...]], seconds: float) -> float:
        return speed(len(bindings), bindings[0].threads, bindings[0].batch)

    monkeypatch.setattr(tune, "_median_run", median_run)
    backend = FakeBackend(fixed)
    return tune.choose_workers(backend, Path("none"), BackendOptions(), cores=range(8), **more), backend


def serial_part(sessions: int, threads: int, batch: int) -> float:
    """Threads help a part of the work only, so that many sessions are best; batches gain nothing."""
    return 0.001 * batch * (0.2 + 0.8 / threads)


def test_latency_gets_threads_and_throughput_gets_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, backend = chosen(monkeypatch, serial_part)
    assert set(tuned.workers) == set(get_args(Scenario))
    assert tuned.workers["SingleStream"] == Workers(sessions=1, intra_op_threads=8, max_batch=1)
    assert tuned.workers["MultiStream"] == Workers(sessions=8, intra_op_threads=1, max_batch=1)
    assert tuned.workers["Offline"] == Workers(sessions=8, intra_op_threads=1, max_batch=1)
    assert tuned.workers["Server"] == tuned.workers["Offline"]
    assert backend.open == 0


def test_no_trial_asks_for_more_threads_than_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(monkeypatch, serial_part)
    assert {(trial.sessions, trial.intra_op_threads) for trial in tuned.table} >= {(1, 8), (2, 4), (4, 2), (8, 1)}
    assert all(trial.sessions * trial.intra_op_threads <= 8 for trial in tuned.table)


def test_the_smallest_batch_that_is_nearly_the_best_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(monkeypatch, lambda sessions, threads, batch: 0.001 * (max(batch, 8) + batch / 1000))
    assert tuned.workers["Offline"].max_batch == 8


def test_cores_are_pinned_where_that_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    def median_run(bindings: Sequence[FakeBinding], groups: Sequence[tuple[int, ...]], seconds: float) -> float:
        return 0.001 if any(groups) else 0.0011

    monkeypatch.setattr(tune, "_median_run", median_run)
    tuned = tune.choose_workers(FakeBackend(), Path("none"), BackendOptions(), cores=(3, 5, 6, 7))
    workers = tuned.workers["Offline"]
    assert len(workers.cores) == workers.sessions
    assert {core for group in workers.cores for core in group} == {3, 5, 6, 7}


def test_server_keeps_room_under_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(monkeypatch, serial_part, latency_bound_ms=1.5)
    workers = tuned.workers["Server"]
    assert serial_part(workers.sessions, workers.intra_op_threads, workers.max_batch) <= 0.00075
    slow, _ = chosen(monkeypatch, serial_part, latency_bound_ms=0.001)
    assert slow.workers["Server"].intra_op_threads == 8


def test_a_turn_that_was_disturbed_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    disturbance = iter([5.0] + [1.0] * 1000)
    tuned, _ = chosen(monkeypatch, lambda *way: serial_part(*way) * next(disturbance))
    assert tuned.workers["SingleStream"].intra_op_threads == 8


def test_a_fixed_batch_is_the_only_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(monkeypatch, serial_part, fixed=4)
    assert {trial.batch for trial in tuned.table} == {4}


def test_batches_that_would_take_too_long_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(monkeypatch, lambda sessions, threads, batch: 1.0 * batch * sessions, seconds=40)
    assert max(trial.batch * trial.sessions for trial in tuned.table) <= 8


def test_a_large_model_gets_few_sessions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = tmp_path / "large.onnx"
    model.write_bytes(b"")
    with model.open("r+b") as file:
        file.truncate(2**42)
    monkeypatch.setattr(tune, "_median_run", lambda bindings, groups, seconds: 0.001)
    tuned = tune.choose_workers(FakeBackend(), model, BackendOptions(), cores=range(8))
    assert {trial.sessions for trial in tuned.table} == {1}


def test_sessions_are_closed_when_a_run_fails() -> None:
    backend = FakeBackend(failing_batch=4)
    with pytest.raises(RunError, match="the model failed"):
        tune.choose_workers(backend, Path("none"), BackendOptions(), cores=(0, 1), seconds=0.1)
    assert backend.open == 0


def test_the_failure_is_what_one_hears_of_not_those_who_waited_for_it() -> None:
    for failing in range(3):
        bindings = [FakeBinding(1, 1, failing=number == failing) for number in range(3)]
        with pytest.raises(RunError, match="the model failed"):
            tune._median_run(bindings, [()] * 3, 0.1)


def test_groups_of_cores_are_neighbours_and_must_fit() -> None:
    assert tune.core_groups((4, 5, 6, 7), 2, 2) == ((4, 5), (6, 7))
    with pytest.raises(UsageError, match="do not fit 3 cores"):
        tune.core_groups((0, 1, 2), 2, 2)


def test_the_step_measures_a_real_model(tmp_path: Path) -> None:
    sum_model(tmp_path / "sum.onnx")
    seen: list[events.AnyEvent] = []
    step = Step(
        id="tune",
        title="tune",
        options={"seconds": 0.2, "max_batch": 2},
        inputs={
            "model": Artifact(str(tmp_path), {"model": "sum.onnx", "outputs": ["total"]}),
            "backend": Artifact("", {"module": "engine.backends.onnxruntime", "device": "cpu", "settings": {}}),
        },
        output=tmp_path,
        emit=seen.append,
    )
    facts = tune.choose(step)
    assert set(facts) == {"workers", "table"}
    workers = msgspec.convert(facts["workers"], dict[Scenario, Workers])
    assert set(workers) == set(get_args(Scenario))
    assert all(trial["samples_per_second"] > 0 for trial in facts["table"])
    assert len([event for event in seen if isinstance(event, events.Progress)]) == 2 * len(facts["table"])


def test_no_thread_of_a_session_is_left(tmp_path: Path) -> None:
    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    model, before = sum_model(tmp_path / "sum.onnx"), threads()
    tune.choose_workers(onnxruntime, model, BackendOptions(), cores=(0, 1), seconds=0.1, max_batch=2)
    until = time.monotonic() + 5  # the kernel takes a moment to forget a thread that has ended
    while threads() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threads() <= before


def test_what_the_backend_refuses_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no output 'sum'"):
        tune.choose_workers(onnxruntime, sum_model(tmp_path / "sum.onnx"), BackendOptions(outputs=("sum",)))
