"""How to share a machine out: sessions, threads and batch are measured on the model itself, in bounded time.

Asking for all cores in every session makes them fight, one session with all threads leaves cores idle in small
operators, and which of the splits between is best depends on the model and the machine. So each split of the cores is
tried, then batch sizes on the best split, then whether pinning pays. Ways that are compared take turns, twice; what
counts is the median run of the better turn, because other work on the machine can only make a run longer.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from threading import Barrier, BrokenBarrierError
from time import perf_counter
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import psutil

from engine.backends.base import Backend, BackendOptions, Binding, Runner
from engine.errors import UsageError
from engine.harness.cores import physical, pin, usable
from engine.harness.neighbours import Neighbours
from engine.harness.spec import Scenario, Workers
from engine.steps.base import Step

SECONDS: Final = 20.0
MAX_BATCH: Final = 32
MULTI_STREAM_SAMPLES: Final = 8
PASSES: Final = 2

_WORTH: Final = 0.98
"""A smaller batch, or no pinning, that reaches this part of the best is preferred: less waiting for the same work."""
_MEMORY_PER_FILE_BYTE: Final = 3
"""A session needs about this much memory per byte of its model file: weights, packed weights, activations."""
_HEADROOM: Final = 2
"""Server: a batch may take the latency bound divided by this, because a query also waits for the batch before."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One way of sharing the machine out, measured."""

    sessions: int
    intra_op_threads: int
    batch: int
    pinned: bool
    batch_ms: float
    """Median time of one batch while all sessions are busy."""
    samples_per_second: float
    """Of all sessions together, if every batch took the median."""


class Tuned(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen, and what it was chosen from."""

    workers: dict[Scenario, Workers]
    table: tuple[Trial, ...]


class _Way(NamedTuple):
    sessions: int
    threads: int
    batch: int
    pinned: bool = False


class _Bench:
    """Measures ways of running one model and keeps what it measured."""

    def __init__(
        self,
        load: Callable[[BackendOptions], Runner],
        options: BackendOptions,
        cores: Sequence[int],
        run_seconds: float,
        report: Callable[[int], None],
    ) -> None:
        self.trials: dict[_Way, Trial] = {}
        self._load = load
        self._options = options
        self._cores = cores
        self._seconds = run_seconds
        self._report = report
        self._measured = 0

    def too_long(self, sessions: int, batch: int) -> bool:
        """Say whether one run would take more than its share of time, going by what has been measured."""
        best = max((trial.samples_per_second for trial in self.trials.values()), default=0.0)
        return best > 0 and sessions * batch / best > self._seconds

    def compare(self, ways: Sequence[_Way]) -> list[Trial]:
        """Measure ways in turn, those that are not known yet, and return the trials of all in the same order."""
        new = [way for way in dict.fromkeys(ways) if way not in self.trials]
        passes = [[self._measure(way) for way in new] for _ in range(PASSES)]
        for way, times in zip(new, zip(*passes, strict=True), strict=True):
            batch_s = min(times)
            self.trials[way] = Trial(
                sessions=way.sessions,
                intra_op_threads=way.threads,
                batch=way.batch,
                pinned=way.pinned,
                batch_ms=batch_s * 1e3,
                samples_per_second=way.sessions * way.batch / batch_s,
            )
        return [self.trials[way] for way in ways]

    def _measure(self, way: _Way) -> float:
        groups = core_groups(self._cores, way.sessions, way.threads) if way.pinned else ((),) * way.sessions
        with _opened(self._load, self._options, way.threads, groups) as runners:
            batch_s = _median_run([runner.bind(way.batch) for runner in runners], groups, self._seconds)
        self._measured += 1
        self._report(self._measured)
        return batch_s


def choose_workers(
    backend: Backend,
    model: Path,
    options: BackendOptions,
    *,
    cores: Sequence[int] | None = None,
    seconds: float = SECONDS,
    max_batch: int = MAX_BATCH,
    latency_bound_ms: float | None = None,
    report: Callable[[int, int], None] = lambda done, most: None,
) -> Tuned:
    """Measure for about `seconds`, loading not counted, and return workers for each scenario.

    `cores` are the processors to use, by default one per physical core that this process may run on. Of `options`,
    threads and cores are replaced. `latency_bound_ms` is Server's; without one its batches are Offline's. `report`
    gets the number of measurements done and how many there will be at the most. Raises what the backend raises.
    """
    cores = tuple(cores) if cores else physical(usable())
    with _opened(lambda chosen: backend.load(model, chosen), options, 1, ((),)) as (runner,):
        fixed = runner.inputs[0].shape[0]
    splits = _splits(len(cores), _most_sessions(model, len(cores)))
    batches = [fixed] if fixed else [2**power for power in range(max_batch.bit_length())]
    most = PASSES * (3 * len(splits) + len(batches) + 1)
    bench = _Bench(
        lambda chosen: backend.load(model, chosen), options, cores, seconds / most, lambda done: report(done, most)
    )
    shares = [(sessions, threads, -(-MULTI_STREAM_SAMPLES // sessions)) for sessions, threads in splits]
    single = _quickest(bench.compare([_Way(1, threads, fixed or 1) for _, threads in splits]))
    multi = _quickest(bench.compare([_Way(sessions, threads, fixed or share) for sessions, threads, share in shares]))
    offline = _best_throughput(bench, splits, batches)
    table = tuple(bench.trials.values())
    server = _within(table, latency_bound_ms) if latency_bound_ms else offline
    chosen: dict[Scenario, Trial] = {"SingleStream": single, "MultiStream": multi, "Server": server, "Offline": offline}
    return Tuned(workers={scenario: _workers(trial, cores) for scenario, trial in chosen.items()}, table=table)


def choose(step: Step) -> dict[str, Any]:
    """Step: choose the workers of a model. Facts: `workers` by scenario, and the `table` of what was measured.

    Needs `model` (facts `model`, its file, and `outputs`) and `backend` (facts `module`, `device` and `settings`).
    Options: `seconds`, and optionally `max_batch` and `target_latency_ms`, Server's bound.
    """
    model, options = step.inputs["model"], step.options
    chosen = step.inputs["backend"].facts
    backend: Any = import_module(chosen["module"])
    neighbours = Neighbours()
    tuned = choose_workers(
        backend,
        model.folder / model.facts["model"],
        BackendOptions(
            device=chosen["device"],
            outputs=tuple(model.facts.get("outputs", ())),
            extra=chosen["settings"],
        ),
        seconds=float(options["seconds"]),
        max_batch=int(options.get("max_batch", MAX_BATCH)),
        latency_bound_ms=options.get("target_latency_ms"),
        report=lambda done, most: step.progress(done, most, "measurements"),
    )
    if complaint := neighbours.complaint():
        step.warn(complaint)
    facts: dict[str, Any] = msgspec.to_builtins(tuned)
    return facts


def core_groups(cores: Sequence[int], sessions: int, threads: int) -> tuple[tuple[int, ...], ...]:
    """Return neighbouring cores for each session. Raises UsageError where there are not enough."""
    if sessions * threads > len(cores):
        raise UsageError(
            f"{sessions} sessions of {threads} threads do not fit {len(cores)} cores",
            "choose fewer sessions or threads",
        )
    return tuple(tuple(cores[start : start + threads]) for start in range(0, sessions * threads, threads))


def _splits(cores: int, most_sessions: int) -> list[tuple[int, int]]:
    """Return (sessions, threads) that use the cores: 1 x n, 2 x n/2, 4 x n/4 ... n x 1."""
    sessions = {min(2**power, cores) for power in range(cores.bit_length() + 1)}
    return [(count, cores // count) for count in sorted(sessions) if count <= max(most_sessions, 1)]


def _most_sessions(model: Path, cores: int) -> int:
    size = model.stat().st_size if model.is_file() else 0
    return psutil.virtual_memory().available // (_MEMORY_PER_FILE_BYTE * size) if size else cores


def _best_throughput(bench: _Bench, splits: Sequence[tuple[int, int]], batches: Sequence[int]) -> Trial:
    first = batches[len(batches) // 2]
    while first > batches[0] and bench.too_long(splits[-1][0], first):
        first = batches[batches.index(first) - 1]
    best = max(bench.compare([_Way(*split, first) for split in splits]), key=lambda trial: trial.samples_per_second)
    sessions, threads = best.sessions, best.intra_op_threads
    quick = [batch for batch in batches if batch <= first or not bench.too_long(sessions, batch)]
    tried = bench.compare([_Way(sessions, threads, batch) for batch in quick])
    enough = _WORTH * max(trial.samples_per_second for trial in tried)
    chosen = next(trial for trial in tried if trial.samples_per_second >= enough)
    (pinned,) = bench.compare([_Way(sessions, threads, chosen.batch, pinned=True)])
    return pinned if _WORTH * pinned.samples_per_second > chosen.samples_per_second else chosen


def _quickest(trials: Sequence[Trial]) -> Trial:
    return min(trials, key=lambda trial: trial.batch_ms)


def _within(table: Sequence[Trial], bound_ms: float) -> Trial:
    """Return the trial of the highest throughput whose batches leave room under the bound, else the quickest one."""
    fitting = [trial for trial in table if trial.batch_ms <= bound_ms / _HEADROOM]
    return max(fitting, key=lambda trial: trial.samples_per_second) if fitting else _quickest(table)


def _workers(trial: Trial, cores: Sequence[int]) -> Workers:
    groups = core_groups(cores, trial.sessions, trial.intra_op_threads) if trial.pinned else ()
    return Workers(
        sessions=trial.sessions, intra_op_threads=trial.intra_op_threads, max_batch=trial.batch, cores=groups
    )


@contextmanager
def _opened(
    load: Callable[[BackendOptions], Runner],
    options: BackendOptions,
    threads: int,
    groups: Sequence[tuple[int, ...]],
) -> Iterator[list[Runner]]:
    """Load one runner for each group of cores, and close them whatever happens."""
    runners: list[Runner] = []
    try:
        for cores in groups:
            runners.append(load(_options(options, threads, cores)))
        yield runners
    finally:
        for runner in runners:
            runner.close()


def _options(options: BackendOptions, threads: int, cores: tuple[int, ...]) -> BackendOptions:
    return BackendOptions(
        device=options.device, intra_op_threads=threads, cores=cores, outputs=options.outputs, extra=options.extra
    )


def _median_run(bindings: Sequence[Binding], groups: Sequence[tuple[int, ...]], seconds: float) -> float:
    """Run all bindings at once, each on its own thread, and return the median seconds of a run."""
    ready = Barrier(len(bindings))

    def work(binding: Binding, cores: tuple[int, ...]) -> list[float]:
        try:
            pin(cores)
            _fill(binding)
            binding.run()
        except BaseException:
            ready.abort()  # the others must not wait for this one
            raise
        try:
            ready.wait()
        except BrokenBarrierError:
            return []  # another one failed and says why
        return list(_timed(binding, perf_counter() + seconds))

    with ThreadPoolExecutor(len(bindings)) as pool:
        return median(taken for times in pool.map(work, bindings, groups) for taken in times)


def _timed(binding: Binding, until: float) -> Iterator[float]:
    start = perf_counter()
    while True:
        binding.run()
        end = perf_counter()
        yield end - start
        if end > until:
            return
        start = end


def _fill(binding: Binding) -> None:
    """Fill floating-point inputs with noise; whole numbers stay 0, which is always a valid index."""
    rng = np.random.default_rng(0)
    for array in binding.inputs:
        if np.issubdtype(array.dtype, np.floating):
            array[...] = rng.random(array.shape, np.float32)
