"""Choose sessions, threads, batch size, queue delay and pinning per scenario by measuring.

With all cores in every session they compete, one session with all threads leaves cores idle in small operators, and the
best split between these depends on the model and the machine. Every split of the cores is measured briefly; those that
could win in some scenario are measured over batch sizes; the best few are measured round-robin, until each has
confirmed its best or the time is up, and with pinned cores. Server's workers are chosen by simulating random arrivals
with the measured times.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from engine.backends.base import Backend, BackendOptions
from engine.formats.onnx_files import weight_bytes
from engine.harness.cores import affordable
from engine.harness.spec import Workers
from engine.mlperf import Scenario
from engine.system import cpu_quota, free_memory
from engine.tuning.bench import ROUNDS, Bench, Candidate, Load, opened
from engine.tuning.server_model import Server, highest_rate, times_up_to
from engine.tuning.tuned import SLOWER, Trial, Tuned

One = TypeVar("One")

SECONDS: Final = 20.0
MAX_BATCH: Final = 32

_WORTH: Final = 0.98
"""Fraction of the best from which a smaller batch, no queue delay or no pinning is preferred, as the simpler
candidate."""
_PROMISING: Final = 0.9
"""Fraction of the best, in any scenario, from which a split is measured further after its first measurement."""
_NEAR: Final = 0.9
"""Fraction of the best from which a candidate may be the best: single measurements differ by so much."""
_FINALISTS: Final = 4
_OTHERS: Final = 2
"""Candidates in addition to the finalists that are measured in each round."""
_SPACED: Final = 3
"""Server candidates that are measured with pauses between queries."""
_FAR: Final = 10
"""Batches within Server's latency constraint from which slower single batches make no difference."""
_WAITS: Final = (0.05, 0.15)
"""Queue delays that are tried, as fractions of Server's latency constraint."""
_MEMORY_PER_FILE_BYTE: Final = 3
"""Estimated memory of a session per byte of its model file: weights, packed weights, activations."""


@dataclass(frozen=True)
class ServerChoice:
    """Workers of Server, and their predicted rate."""

    trial: Trial
    server: Server
    qps: float
    """The highest rate within the latency constraint, if batches take `slower` times as long as in tuning."""
    slower: float


def choose_workers(
    backend: Backend,
    model: Path,
    options: BackendOptions,
    *,
    samples_per_query: int = 1,
    cores: Sequence[int] | None = None,
    seconds: float = SECONDS,
    max_batch: int = MAX_BATCH,
    latency_constraint_ms: float | None = None,
    share: float = 1.0,
    report: Callable[[float], None] = lambda _: None,
    load: Load | None = None,
    typical_cost: int = 0,
    model_bytes: int = 0,
) -> Tuned:
    """Return the best workers of every scenario on this machine, in about `seconds`.

    `options` without threads and cores. `samples_per_query` are those of MultiStream. `cores` are the processors to
    use; by default the physical cores within this process's affinity and quota. `latency_constraint_ms` is Server's
    latency constraint, which `share` of its queries must meet (all by default); without one Server gets Offline's
    workers. Under a CPU quota the sustained throughput counts. `report` is called with the seconds used. `load` makes
    what is timed in place of the model alone (engine.tuning.sampled), on samples of `typical_cost` each, if samples
    differ in cost. `model_bytes` is the size of all graphs, if there are more than `model`: it limits the sessions by
    memory. Raises the backend's errors.
    """
    load = load or (lambda chosen: backend.load(model, chosen))
    quota = cpu_quota() if cores is None else None
    cores = tuple(cores) if cores is not None else affordable()
    with opened(load, options, 1, ((),)) as (runner,):
        fixed = runner.inputs[0].shape[0] if runner.inputs else None
    splits = _splits(len(cores), _most_sessions(model_bytes or weight_bytes(model), len(cores)))
    batches = [fixed] if fixed else [2**power for power in range(max_batch.bit_length())]
    # half more than without disturbances, for the rounds that confirm the best
    expected = 4 * len(splits) + 3 * len(batches) + 4 * _FINALISTS * ROUNDS
    short = quota if quota is not None and quota < len(cores) else None
    bench = Bench(load, options, cores, seconds, expected, report, short)
    tuner = _Tuner(
        bench,
        splits,
        batches,
        latency_constraint_ms / 1000 if latency_constraint_ms else None,
        share,
        samples_per_query,
    )
    return _by_cost(tuner.tuned(), typical_cost) if typical_cost else tuner.tuned()


def _by_cost(tuned: Tuned, cost: int) -> Tuned:
    """Return the result with batches limited by cost: the measured samples had a cost of `cost` each."""
    workers = {name: _limited(one, cost) for name, one in tuned.workers.items()}
    return msgspec.structs.replace(tuned, workers=workers)


def _limited(workers: Workers, cost: int) -> Workers:
    times = tuple((cost * size, taken) for size, taken in enumerate(workers.batch_us, start=1))
    return msgspec.structs.replace(workers, max_cost=cost * workers.max_batch, cost_us=times)


class _Tuner:
    """One search; its results are in the bench."""

    def __init__(
        self,
        bench: Bench,
        splits: Sequence[tuple[int, int]],
        batches: Sequence[int],
        constraint_s: float | None,
        share: float,
        samples_per_query: int,
    ) -> None:
        self._samples_per_query = samples_per_query
        self._bench = bench
        self._splits = splits
        self._batches = batches
        self._constraint_s = constraint_s
        self._near_s = (constraint_s or 0.0) / _FAR
        self._share = share

    def tuned(self) -> Tuned:
        """Measure and choose."""
        first, middle = self._batches[0], self._batches[len(self._batches) // 2]
        alone = [Candidate(1, threads, first) for _, threads in self._splits]
        splits_first = [Candidate(*split, batch) for split in self._splits for batch in (first, middle)]
        self._bench.compare([*alone, *splits_first])
        for split in self._promising():
            self._bench.scan(*split, self._batches)
        self._settle()
        single, multi, offline = self._single()[0], self._multi()[0][1], self._offline()
        pinned = self._pinned(offline)
        served = self._quickest_to_serve() if self._constraint_s else None
        workers: dict[Scenario, Workers] = {
            "SingleStream": _workers(single),
            "MultiStream": _workers(multi),
            "Offline": self._on_cores(pinned or offline),
            "Server": self._serving(served, pinned) if served else self._on_cores(pinned or offline),
        }
        return Tuned(
            workers=workers,
            table=tuple(self._bench.trials.values()),
            server_qps=self._rate(served.server) if served else 0.0,
            server_slower=served.slower if served else SLOWER,
        )

    def _trials(self, *, pinned: bool = False) -> list[Trial]:
        return [trial for trial in self._bench.trials.values() if trial.pinned == pinned]

    def _promising(self) -> list[tuple[int, int]]:
        """Return the splits that could win in some scenario, the best of Offline first."""
        rates = {split: max(trial.samples_per_second for trial in self._of(split)) for split in self._splits}
        served = {(one.trial.sessions, one.trial.intra_op_threads): one.qps for one in self._servers()}
        multi = {(one.sessions, one.intra_op_threads): 1 / taken for taken, one in self._multi()}
        kept = {
            split
            for figures in (rates, served, multi)
            for split, figure in figures.items()
            if figure >= _PROMISING * max(figures.values())
        }
        return sorted((split for split in self._splits if split in kept), key=lambda split: -rates[split])

    def _settle(self) -> None:
        """Measure the best few round-robin, until each has confirmed its best or the time is up.

        Each round includes the next few: interference may have made one of them look slow in its only round so far.
        """
        for number in count():
            candidates = [*self._finalists(), _on_own_cores(self._offline())]
            settled = number >= ROUNDS and all(map(self._bench.is_settled, candidates))
            if settled or self._bench.is_late:
                return
            self._bench.again([*candidates, *self._others(candidates)])

    def _finalists(self) -> list[Candidate]:
        """Return the candidates to measure again: those near the best of each scenario."""
        offline = sorted(self._trials(), key=lambda trial: -trial.samples_per_second)
        near = [one for one in offline if one.samples_per_second >= _NEAR * offline[0].samples_per_second]
        served = [one.trial for one in self._servers()[:_FINALISTS]] if self._constraint_s else []
        chosen = [*near[:_FINALISTS], *self._single()[:2], *(one for _, one in self._multi()[:2]), *served]
        return list(dict.fromkeys(Candidate(one.sessions, one.intra_op_threads, one.batch) for one in chosen))

    def _others(self, finalists: Sequence[Candidate]) -> list[Candidate]:
        """Return the best of the other candidates that have not confirmed their best."""
        candidates = sorted(self._bench.trials, key=lambda candidate: -self._bench.trials[candidate].samples_per_second)
        others = (
            candidate
            for candidate in candidates
            if candidate not in finalists and not candidate.pinned and not self._bench.is_settled(candidate)
        )
        return list(islice(others, _OTHERS))

    def _single(self) -> list[Trial]:
        """Return the trials of one session and the smallest batch, the fastest first."""
        fitting = [one for one in self._trials() if one.sessions == 1 and one.batch == self._batches[0]]
        return sorted(fitting, key=lambda trial: trial.batch_ms)

    def _multi(self) -> list[tuple[float, Trial]]:
        """Return for each split its best trial for a query of several samples, with its ms, the fastest first.

        Sessions take the next batch when they finish one: of nearly equal batch sizes the smallest lets another session
        take over the work of a delayed one.
        """
        found = []
        for split in self._splits:
            part = -(-self._samples_per_query // split[0])
            trials = sorted(self._of(split), key=lambda trial: trial.batch)
            full = [one for one in trials if one.batch <= part] or trials[:1]
            timed = [(-(-part // one.batch) * one.batch_ms, one) for one in full]
            found.append(_simplest(timed, lambda pair: 1 / pair[0]))
        return sorted(found, key=lambda pair: pair[0])

    def _offline(self) -> Trial:
        """Return the smallest batch that is nearly the best of the best split."""
        best = max(self._trials(), key=lambda trial: trial.samples_per_second)
        split = sorted(self._of((best.sessions, best.intra_op_threads)), key=lambda trial: trial.batch)
        return _simplest(split, lambda trial: trial.samples_per_second)

    def _pinned(self, offline: Trial) -> Trial | None:
        """Return the trial with pinned sessions, if pinning is faster."""
        candidate = _on_own_cores(offline)
        if candidate not in self._bench.trials:
            self._bench.compare([candidate])
        trial = self._bench.trials.get(candidate)
        return trial if trial and _WORTH * trial.samples_per_second > offline.samples_per_second else None

    def _servers(self) -> list[ServerChoice]:
        """Return for each split its best Server choice, the highest rate first."""
        found = [self._served(split) for split in self._splits]
        return sorted(found, key=lambda choice: (-choice.qps, choice.server.batch_s[0]))

    def _served(self, split: tuple[int, int]) -> ServerChoice:
        """Return a split's batch size with the highest predicted rate, and a queue delay if it helps."""
        seconds = {trial.batch: trial.batch_ms / 1000 for trial in self._of(split)}
        choices = [
            self._choice(trial, Server(split[0], times_up_to(trial.batch, seconds))) for trial in self._of(split)
        ]
        choices.sort(key=lambda choice: choice.trial.batch)
        # A batch that takes longer than the latency constraint could only serve late queries.
        within = [one for one in choices if not self._constraint_s or one.server.batch_s[-1] <= self._constraint_s]
        best = _simplest(within or choices[:1], lambda choice: choice.qps)
        if not self._constraint_s or best.trial.batch == 1:
            return best
        waits = [replace(best.server, wait_s=part * self._constraint_s) for part in _WAITS]
        waiting = [self._choice(best.trial, server) for server in waits]
        return _simplest([best, *waiting], lambda choice: choice.qps)

    def _choice(self, trial: Trial, server: Server, slower: float = SLOWER) -> ServerChoice:
        qps = self._rate(server.slowed(slower)) if self._constraint_s else server.capacity
        return ServerChoice(trial=trial, server=server, qps=qps, slower=slower)

    def _rate(self, server: Server) -> float:
        return highest_rate(server, self._constraint_s, self._share) if self._constraint_s else 0.0

    def _quickest_to_serve(self) -> ServerChoice:
        """Return the best Server choice. If a batch's time is near the constraint, latencies after pauses decide,
        too."""
        choices = self._servers()
        if not choices[0].qps or choices[0].server.batch_s[0] < self._near_s:
            return choices[0]
        measured = [self._after_pauses(choice) for choice in choices[:_SPACED]]
        return min(measured, key=lambda choice: (-choice.qps, choice.server.batch_s[0]))

    def _after_pauses(self, choice: ServerChoice) -> ServerChoice:
        trial = choice.trial
        taken = self._bench.spaced(Candidate(trial.sessions, trial.intra_op_threads, self._batches[0]))
        return self._choice(trial, choice.server, max(SLOWER, taken / choice.server.batch_s[0]))

    def _of(self, split: tuple[int, int]) -> list[Trial]:
        return [one for one in self._trials() if (one.sessions, one.intra_op_threads) == split]

    def _on_cores(self, trial: Trial) -> Workers:
        groups = self._bench.groups(trial.sessions, trial.intra_op_threads, pinned=trial.pinned)
        return _workers(trial, groups if trial.pinned else ())

    def _serving(self, choice: ServerChoice, pinned: Trial | None) -> Workers:
        """Return the workers of Server, pinned if pinning was faster for the same split."""
        trial = choice.trial
        same = pinned is not None and (pinned.sessions, pinned.intra_op_threads) == (
            trial.sessions,
            trial.intra_op_threads,
        )
        groups = self._bench.groups(trial.sessions, trial.intra_op_threads, pinned=True) if same else ()
        return msgspec.structs.replace(
            _workers(trial, groups),
            queue_wait_us=round(1e6 * choice.server.wait_s),
            batch_us=tuple(round(1e6 * taken) for taken in choice.server.batch_s),
        )


def _simplest(candidates: Sequence[One], figure: Callable[[One], float]) -> One:
    """Return the first, simplest candidate whose figure is nearly the highest."""
    enough = _WORTH * max(map(figure, candidates))
    return next(candidate for candidate in candidates if figure(candidate) >= enough)


def _on_own_cores(trial: Trial) -> Candidate:
    return Candidate(trial.sessions, trial.intra_op_threads, trial.batch, pinned=True)


def _splits(cores: int, most_sessions: int) -> list[tuple[int, int]]:
    """Return (sessions, threads) that use the cores: 1 x n, 2 x n/2, 4 x n/4 ... n x 1."""
    sessions = {min(2**power, cores) for power in range(cores.bit_length() + 1)}
    return [(count, cores // count) for count in sorted(sessions) if count <= max(most_sessions, 1)]


def _most_sessions(size: int, cores: int) -> int:
    """Return how many sessions fit into memory, given the size of a model's files in bytes."""
    return free_memory() // (_MEMORY_PER_FILE_BYTE * size) if size else cores


def _workers(trial: Trial, cores: Sequence[tuple[int, ...]] = ()) -> Workers:
    return Workers(
        sessions=trial.sessions, intra_op_threads=trial.intra_op_threads, max_batch=trial.batch, cores=tuple(cores)
    )
