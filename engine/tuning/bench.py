"""Measure candidates: sessions of one model running concurrently, each on its own thread.

Candidates are measured round-robin; a candidate's score is the median of its best round, because other load on the
machine can only make a run longer. The best is confirmed when another round comes near it. A hopeless candidate gets no
more time after its first runs.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from statistics import fmean, median
from threading import Barrier, BrokenBarrierError
from time import monotonic, perf_counter, process_time, sleep
from typing import Final, NamedTuple

import numpy as np

from engine.backends.base import BackendOptions, Binding, Runner
from engine.errors import RunError
from engine.harness.cores import by_node, core_groups, pin
from engine.tuning.tuned import Trial, shared_out

Load = Callable[[BackendOptions], Runner]
Groups = Sequence[tuple[int, ...]]

ROUNDS: Final = 2
_ALIKE: Final = 0.98
"""Fraction of a candidate's best round that confirms it, if another round reaches it."""
HOPELESS: Final = 0.75
"""Fraction of the best throughput: a candidate below it after its first runs is dropped."""
_FEWEST: Final = 2
"""Runs before a candidate is dropped."""
_LONGEST: Final = 1.5
"""Multiple of a measurement's time slice: a candidate with longer runs is skipped."""

_SPACED_SECONDS: Final = 1.0
_PAUSE: Final = 0.005
"""Seconds; longer than a backend's threads spin while they wait for work (ONNX Runtime: about 1 ms)."""


class Candidate(NamedTuple):
    """A configuration to measure."""

    sessions: int
    threads: int
    batch: int
    pinned: bool = False


class Bench:
    """Measures candidates of one model within a time, and keeps the results."""

    def __init__(
        self,
        load: Load,
        options: BackendOptions,
        cores: Sequence[int],
        seconds: float,
        measurements: int,
        report: Callable[[float], None],
        quota: float | None = None,
    ) -> None:
        """`seconds` is the total time for about `measurements` measurements; `report` is called with the seconds used.

        `quota` is the CPU quota in cores, if less than `cores`.
        """
        self._quota = quota
        self.trials: dict[Candidate, Trial] = {}
        self._rounds: dict[Candidate, list[float]] = {}
        self._load = load
        self._options = options
        self._nodes = by_node(cores)
        self._share = seconds / measurements
        self._seconds = seconds
        self._started = monotonic()
        self._report = report

    @property
    def is_late(self) -> bool:
        """Whether the time is used up: only indispensable measurements are still made."""
        return monotonic() - self._started >= self._seconds

    def best_rate(self) -> float:
        """Return the highest samples per second so far; 0 initially."""
        return max((trial.samples_per_second for trial in self.trials.values()), default=0.0)

    def scan(self, sessions: int, threads: int, batches: Sequence[int]) -> None:
        """Measure new batch sizes of one split in one round, in ascending order.

        Stops when larger batches reduce the throughput, or take too long.
        """
        new = [candidate for batch in batches if (candidate := Candidate(sessions, threads, batch)) not in self.trials]
        if not new:
            return
        with closing(self._measured_on_one_set(new)) as measured:
            for candidate in measured:
                if self.is_late or self._is_falling(candidate):
                    return

    def compare(self, candidates: Sequence[Candidate]) -> None:
        """Measure candidates in rounds, the first one regardless of time; those that take too long are skipped."""
        for alike in _by_split(candidates).values():
            list(self._measured_on_one_set(alike))
        for _ in range(ROUNDS - 1):
            if not self.is_late:
                self.again(candidates)

    def again(self, candidates: Sequence[Candidate]) -> None:
        """Measure candidates in one more round, as time permits."""
        for alike in _by_split(candidates).values():
            with closing(self._measured_on_one_set(alike)) as measured:
                for _ in measured:
                    if self.is_late:
                        return

    def spaced(self, candidate: Candidate) -> float:
        """Return the 95th percentile, in seconds, of batches of one session that arrive one by one, with pauses.

        After a pause threads must wake up and caches are cold: it takes longer than in a loop without pauses.
        """
        seconds = min(_SPACED_SECONDS, self._seconds / 20)
        with opened(self._load, self._options, candidate.threads, ((),)) as (runner,):
            binding = runner.bind(candidate.batch)
            _fill(binding)
            binding.run()
            times = sorted(_with_pauses(binding, perf_counter() + seconds))
        return times[len(times) * 95 // 100]

    def is_settled(self, candidate: Candidate) -> bool:
        """Return whether another round confirmed the best one. A skipped candidate needs no confirmation."""
        best = sorted(self._rounds.get(candidate, ()))[:2]
        return self._is_left_out(candidate) if not best else len(best) == 2 and _ALIKE * best[1] <= best[0]

    def _is_left_out(self, candidate: Candidate) -> bool:
        """Return whether one run of a candidate, except the first of its split, would take too much of the time."""
        if candidate in self.trials or not any(one[:2] == candidate[:2] for one in self.trials):
            return False
        return candidate.sessions * candidate.batch / self.best_rate() > _LONGEST * self._share

    def _measured_on_one_set(self, candidates: Sequence[Candidate]) -> Generator[Candidate, None, None]:
        """Measure candidates that one set of loaded models can run, and yield each that was measured."""
        if all(map(self._is_left_out, candidates)):
            return
        sessions, threads, _, pinned = candidates[0]
        groups = self.groups(sessions, threads, pinned=pinned)
        with opened(self._load, self._options, threads, groups) as runners:
            _bind_largest(runners, max(candidate.batch for candidate in candidates))
            for candidate in candidates:
                if self._is_left_out(candidate):
                    continue
                self._keep(candidate, self._run(candidate, runners, groups))
                yield candidate

    def groups(self, sessions: int, threads: int, *, pinned: bool) -> Groups:
        """Return the cores of each session; none without pinning."""
        return core_groups(self._nodes, sessions, threads) if pinned else ((),) * sessions

    def _run(self, candidate: Candidate, runners: Sequence[Runner], groups: Groups) -> tuple[float, bool]:
        best = self.best_rate()
        enough = candidate.sessions * candidate.batch / (HOPELESS * best) if best else float("inf")
        try:
            bindings = [runner.bind(candidate.batch) for runner in runners]
            if self._quota is None:
                found = run_together(bindings, groups, self._share, enough)
            else:
                found = run_throttled(bindings, groups, self._share, enough, self._quota)
        except RunError as error:
            tried = shared_out(candidate.sessions, candidate.threads, candidate.batch)
            raise RunError(f"{error.what} (tuning tried {tried})", error.remedy) from error
        self._report(min(monotonic() - self._started, self._seconds))
        return found

    def _keep(self, candidate: Candidate, found: tuple[float, bool]) -> None:
        """Record a measurement, keeping the shortest of several."""
        batch_s, dropped = found
        self._rounds.setdefault(candidate, []).append(batch_s)
        old = self.trials.get(candidate)
        if old is not None and old.batch_ms <= batch_s * 1e3:
            return
        self.trials[candidate] = Trial(
            sessions=candidate.sessions,
            intra_op_threads=candidate.threads,
            batch=candidate.batch,
            pinned=candidate.pinned,
            batch_ms=batch_s * 1e3,
            samples_per_second=candidate.sessions * candidate.batch / batch_s,
            dropped=dropped,
        )

    def _is_falling(self, candidate: Candidate) -> bool:
        """Return whether this batch size, the largest so far, and the previous one are below the best of their
        split."""
        split = sorted(
            (
                (known.batch, one)
                for known, one in self.trials.items()
                if known[:2] == candidate[:2] and not known.pinned
            ),
            key=lambda pair: pair[0],
        )
        rates = [one.samples_per_second for _, one in split]
        return len(rates) > 2 and candidate.batch == split[-1][0] and max(rates[-2:]) < 0.97 * max(rates)


def _by_split(candidates: Sequence[Candidate]) -> dict[tuple[int, int, bool], list[Candidate]]:
    """Return the candidates grouped by the set of loaded models that can run them."""
    found: dict[tuple[int, int, bool], list[Candidate]] = {}
    for candidate in dict.fromkeys(candidates):
        found.setdefault((candidate.sessions, candidate.threads, candidate.pinned), []).append(candidate)
    return found


@contextmanager
def opened(load: Load, options: BackendOptions, threads: int, groups: Groups) -> Iterator[list[Runner]]:
    """Load one runner for each group of cores, and close them at the end."""
    runners: list[Runner] = []
    try:
        for cores in groups:
            runners.append(load(_options(options, threads, cores)))
        yield runners
    finally:
        for runner in runners:
            runner.close()


def run_together(bindings: Sequence[Binding], groups: Groups, seconds: float, enough: float) -> tuple[float, bool]:
    """Run all bindings concurrently, each on its own thread, for `seconds` or until they are clearly too slow.

    Returns the median seconds of a run, and whether it stopped early because runs take more than `enough` seconds.
    """
    times, _ = _times(bindings, groups, seconds, enough)
    return median(times), min(times) > enough


def run_throttled(
    bindings: Sequence[Binding], groups: Groups, seconds: float, enough: float, quota: float
) -> tuple[float, bool]:
    """Do the same under a CPU quota of `quota` cores; return the sustained seconds of a run.

    The system throttles a process that has used up its quota: between two stops runs are faster than the sustained
    rate.
    """
    times, used = _times(bindings, groups, seconds, enough)
    return max(fmean(times), len(bindings) * used / len(times) / quota), min(times) > enough


def _times(bindings: Sequence[Binding], groups: Groups, seconds: float, enough: float) -> tuple[list[float], float]:
    """Return the seconds of every run, and their total processor seconds."""
    ready = Barrier(len(bindings))

    def work(binding: Binding, cores: tuple[int, ...]) -> tuple[list[float], float]:
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
            return [], 0.0  # another one failed and reports why
        before = process_time()
        return list(_timed(binding, perf_counter() + seconds, enough)), process_time() - before

    with ThreadPoolExecutor(len(bindings)) as pool:
        found = list(pool.map(work, bindings, groups))
    return [taken for times, _ in found for taken in times], max(used for _, used in found)


def _timed(binding: Binding, until: float, enough: float) -> Iterator[float]:
    """Yield the seconds of each run until the time is over, or not even the fastest of several is fast enough."""
    best, start = float("inf"), perf_counter()
    for number in count(1):
        binding.run()
        end = perf_counter()
        best = min(best, end - start)
        yield end - start
        if end > until or (number >= _FEWEST and best > enough):
            return
        start = end


def _with_pauses(binding: Binding, until: float) -> Iterator[float]:
    """Yield the seconds of each run, after a pause as long as the previous run, or longer."""
    taken = 0.0
    while True:
        sleep(max(_PAUSE, taken))
        start = perf_counter()
        binding.run()
        taken = perf_counter() - start
        yield taken
        if start > until:
            return


def _bind_largest(runners: Sequence[Runner], batch: int) -> None:
    """Bind the largest batch first: the buffers of the others are parts of its own."""
    for runner in runners:
        runner.bind(batch)


def _options(options: BackendOptions, threads: int, cores: tuple[int, ...]) -> BackendOptions:
    return BackendOptions(
        device=options.device, intra_op_threads=threads, cores=cores, outputs=options.outputs, extra=options.extra
    )


def _fill(binding: Binding) -> None:
    """Fill floating-point inputs with noise; integers stay 0, which is always a valid index."""
    rng = np.random.default_rng(0)
    for array in binding.inputs:
        if np.issubdtype(array.dtype, np.floating):
            array[...] = rng.random(array.shape, np.float32)
