"""The chosen workers, on a model whose speed is a formula."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.backends import onnxruntime
from engine.backends.base import Array, BackendOptions, Shapes, TensorSpec
from engine.errors import DataError, RunError
from engine.harness.spec import Workers
from engine.mlperf import SCENARIOS
from engine.tuning import bench, tune
from engine.tuning.tuned import Tuned
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

    def bind(self, shapes: Shapes) -> FakeBinding:
        batch = shapes if isinstance(shapes, int) else shapes[0][0]
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
    monkeypatch: pytest.MonkeyPatch,
    speed: Speed,
    *,
    fixed: int | None = None,
    spaced: Callable[[bench.Bench, bench.Candidate], float] | None = None,
    **more: Any,
) -> tuple[Tuned, FakeBackend]:
    def run_together(
        bindings: Sequence[FakeBinding], groups: Sequence[tuple[int, ...]], seconds: float, enough: float
    ) -> tuple[float, bool]:
        taken = speed(len(bindings), bindings[0].threads, bindings[0].batch)
        return taken, taken > enough

    monkeypatch.setattr(bench, "run_together", run_together)
    monkeypatch.setattr(
        bench.Bench, "spaced", spaced or (lambda _, candidate: speed(1, candidate.threads, candidate.batch))
    )
    backend = FakeBackend(fixed)
    return tune.choose_workers(
        backend, Path("none"), BackendOptions(), **{"cores": range(8), "samples_per_query": 8, "share": 0.99, **more}
    ), backend


def serial_part(sessions: int, threads: int, batch: int) -> float:
    """Threads help a part of the work only, so that many sessions are best; batches gain nothing."""
    return 0.001 * batch * (0.2 + 0.8 / threads)


def test_latency_gets_threads_and_throughput_gets_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, backend = chosen(monkeypatch, serial_part)
    assert set(tuned.workers) == set(SCENARIOS)
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


def test_a_split_that_cannot_win_is_not_measured_on(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(
        monkeypatch, lambda sessions, threads, batch: 0.001 * batch * (1 if sessions == 1 else 4 * sessions)
    )
    batches: dict[int, set[int]] = {}
    for trial in tuned.table:
        batches.setdefault(trial.sessions, set()).add(trial.batch)
    assert batches[1] == {1, 2, 4, 8, 16, 32}
    assert batches[8] == {1, 8}, "a quarter as fast: a first look is enough"
    assert any(trial.dropped for trial in tuned.table)


def test_batches_end_where_they_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(monkeypatch, lambda sessions, threads, batch: 0.001 * sessions * batch * (1 + (batch > 8)))
    assert max(trial.batch for trial in tuned.table) == 32, "one loss may be chance"
    steep, _ = chosen(monkeypatch, lambda sessions, threads, batch: 0.001 * sessions * batch * (1 + (batch > 4)))
    assert max(trial.batch for trial in steep.table) == 16


def test_cores_are_pinned_where_that_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_together(
        bindings: Sequence[FakeBinding], groups: Sequence[tuple[int, ...]], seconds: float, enough: float
    ) -> tuple[float, bool]:
        return (0.001 if any(groups) else 0.0011), False

    monkeypatch.setattr(bench, "run_together", run_together)
    monkeypatch.setattr(bench.Bench, "spaced", lambda *_: 0.0011)
    tuned = tune.choose_workers(
        FakeBackend(), Path("none"), BackendOptions(), cores=(3, 5, 6, 7), latency_constraint_ms=10, share=0.99
    )
    workers = tuned.workers["Offline"]
    assert len(workers.cores) == workers.sessions
    assert {core for group in workers.cores for core in group} == {3, 5, 6, 7}
    assert tuned.workers["Server"].cores == workers.cores
    assert tuned.trial("Offline").pinned
    assert not tuned.trial("Server").pinned or tuned.workers["Server"].max_batch == workers.max_batch


def test_server_keeps_room_under_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(monkeypatch, serial_part, latency_constraint_ms=1.5)
    workers = tuned.workers["Server"]
    assert serial_part(workers.sessions, workers.intra_op_threads, workers.max_batch) <= 0.0015
    best = max(trial.samples_per_second for trial in tuned.table)
    assert 0 < tuned.server_qps < best
    assert len(workers.batch_us) == workers.max_batch
    slow, _ = chosen(monkeypatch, serial_part, latency_constraint_ms=0.001)
    assert slow.workers["Server"].intra_op_threads == 8
    assert slow.server_qps == 0


def test_server_takes_batches_where_they_bring_more(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(
        monkeypatch, lambda sessions, threads, batch: 0.001 * (4 + batch) * sessions, latency_constraint_ms=100
    )
    assert tuned.workers["Server"].max_batch > 4
    assert tuned.server_qps > 1.5 * 1000 / 5, "one by one it would be less than 200 queries/s"


def test_several_samples_are_shared_out_by_what_they_take_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fixed batch size of one: eight samples take two sessions of four threads four rounds each."""
    tuned, _ = chosen(monkeypatch, lambda sessions, threads, batch: 0.001 / min(threads, 1.5), fixed=1)
    assert tuned.workers["MultiStream"].sessions == 8
    assert tuned.workers["MultiStream"].max_batch == 1


def test_several_samples_go_in_small_batches_where_large_ones_bring_next_to_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tuned, _ = chosen(monkeypatch, lambda sessions, threads, batch: 0.001 * sessions * (batch + 0.001) / 8)
    assert tuned.workers["MultiStream"].max_batch == 1
    gains, _ = chosen(monkeypatch, lambda sessions, threads, batch: 0.001 * sessions * (batch + 1) / 8)
    assert gains.workers["MultiStream"].max_batch == 8


def test_a_turn_that_was_disturbed_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    disturbance = iter([5.0] + [1.0] * 1000)
    tuned, _ = chosen(monkeypatch, lambda *candidate: serial_part(*candidate) * next(disturbance))
    assert tuned.workers["SingleStream"].intra_op_threads == 8


def measurements(
    monkeypatch: pytest.MonkeyPatch, speed: Speed, seconds: float
) -> tuple[Tuned, Counter[tuple[int, ...]]]:
    """Tune with a clock on which each measurement takes a second."""
    counted: Counter[tuple[int, ...]] = Counter()
    monkeypatch.setattr(bench, "monotonic", counted.total)

    def counting(*candidate: int) -> float:
        counted[candidate] += 1
        return speed(*candidate)

    tuned, _ = chosen(monkeypatch, counting, seconds=seconds)
    return tuned, counted


def test_turns_end_when_each_way_has_confirmed_its_best(monkeypatch: pytest.MonkeyPatch) -> None:
    _, counted = measurements(monkeypatch, serial_part, 1000)
    assert max(counted.values()) == 3 * bench.ROUNDS, "the first look, the last, and pinned"


@pytest.mark.parametrize("seed", range(8))
def test_turns_go_on_while_other_work_disturbs(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    noise = random.Random(seed)
    tuned, counted = measurements(monkeypatch, lambda *candidate: serial_part(*candidate) * noise.uniform(1, 1.6), 150)
    assert tuned.workers["Offline"].sessions == 8
    assert tuned.workers["SingleStream"].intra_op_threads == 8
    assert max(counted.values()) > 3 * bench.ROUNDS
    assert counted.total() <= 155, "the time, and the measurement that was going on"


def test_a_way_that_was_measured_in_a_bad_moment_gets_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    noise, seen = random.Random(0), set[tuple[int, ...]]()

    def speed(*candidate: int) -> float:
        is_first = candidate not in seen
        seen.add(candidate)
        if candidate == (8, 1, 4):
            return serial_part(*candidate) * (1.6 if is_first else 0.8)
        return serial_part(*candidate) * noise.uniform(1, 1.1)

    tuned, _ = measurements(monkeypatch, speed, 150)
    assert tuned.workers["Offline"].max_batch == 4


def test_a_fixed_batch_is_the_only_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(monkeypatch, serial_part, fixed=32, latency_constraint_ms=100)
    assert {trial.batch for trial in tuned.table} == {32}
    assert tuned.workers["MultiStream"].max_batch == 32


def test_batches_that_would_take_too_long_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(monkeypatch, lambda sessions, threads, batch: 1.0 * batch * sessions, seconds=40)
    assert max(trial.batch for trial in tuned.table) == 1


def test_a_large_model_gets_few_sessions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = tmp_path / "large.onnx"
    model.write_bytes(b"")
    with model.open("r+b") as file:
        file.truncate(2**42)
    monkeypatch.setattr(bench, "run_together", lambda bindings, groups, seconds, enough: (0.001, False))
    tuned = tune.choose_workers(FakeBackend(), model, BackendOptions(), cores=range(8))
    assert {trial.sessions for trial in tuned.table} == {1}


def test_sessions_are_closed_when_a_run_fails() -> None:
    backend = FakeBackend(failing_batch=8)
    with pytest.raises(RunError, match=r"the model failed \(tuning tried .* batch 8\)"):
        tune.choose_workers(backend, Path("none"), BackendOptions(), cores=(0, 1), seconds=5)
    assert backend.open == 0


def test_the_time_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10**6))
    monkeypatch.setattr(bench, "monotonic", lambda: next(clock))
    used: list[float] = []
    tuned, _ = chosen(monkeypatch, serial_part, seconds=10, report=used.append)
    assert max(used) == 10
    assert len(tuned.table) < 20, "only what must be known is measured when the time is up"


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


@pytest.mark.parametrize(("bound_ms", "sessions"), [(15.0, 1), (500.0, 2)])
def test_a_near_latency_constraint_is_served_by_what_answers_sooner(
    monkeypatch: pytest.MonkeyPatch, bound_ms: float, sessions: int
) -> None:
    tuned, _ = chosen(
        monkeypatch,
        lambda _, threads, batch: {2: 0.0044, 1: 0.0080}[threads] * batch,
        cores=range(2),
        latency_constraint_ms=bound_ms,
    )
    assert tuned.workers["Server"].sessions == sessions
    assert tuned.workers["Offline"].sessions == 2


def test_pauses_between_queries_decide_where_the_constraint_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = {1: 0.014, 2: 0.009}
    asked: list[int] = []

    def spaced(_: bench.Bench, candidate: bench.Candidate) -> float:
        asked.append(candidate.sessions)
        return pauses[candidate.sessions]

    tuned, _ = chosen(
        monkeypatch,
        lambda many, threads, batch: {1: 0.0044, 2: 0.0085}[many] * batch,
        spaced=spaced,
        cores=range(2),
        latency_constraint_ms=15.0,
    )
    assert sorted(asked) == [1, 2]
    assert tuned.workers["Server"].sessions == 2
    assert tuned.server_slower == pytest.approx(1.5), "the tail of the one that was chosen"


def test_no_pauses_are_tried_where_the_constraint_is_far(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned, _ = chosen(
        monkeypatch, serial_part, latency_constraint_ms=500.0, spaced=lambda *_: pytest.fail("not needed")
    )
    assert tuned.server_slower == 1.5
