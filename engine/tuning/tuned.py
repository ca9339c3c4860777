"""Tuning result records. Imports nothing heavy, because plans and targets read them."""

from typing import Final

import msgspec

from engine.harness.spec import Workers
from engine.mlperf import Scenario

HARNESS_SECONDS: Final = 40e-6
"""Overhead of a query outside the model (tests/benchmarks/harness.py); relevant for tiny models only."""

HARNESS_BATCH_SECONDS: Final = 100e-6
"""Overhead of a batch in addition to its queries, from threads switching the GIL. An estimate: with it the predicted
rates of a tiny model came near those of two slow cores. For others it is far below a batch's time."""

SLOWER: Final = 1.5
"""Least factor by which a batch is expected to take longer in a run than in tuning's best round. Measured with a
detector on two shared cores: one in ten took 1.5 times as long, half of them 1.28."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A measured candidate."""

    sessions: int
    intra_op_threads: int
    batch: int
    pinned: bool
    batch_ms: float
    """Median time of one batch while all sessions are busy."""
    samples_per_second: float
    """Of all sessions together, if every batch took the median."""
    parts: float = 0.0
    """Runs of the model that a sample takes on average, where all sessions work on a sample together; then `batch` is
    that many of them. 0 where a sample is one run."""
    dropped: bool = False
    """Dropped after its first runs, because it could not win."""

    @property
    def query_ms(self) -> float:
        """Time of a query of one batch, or of one sample that all sessions work on."""
        return 1000 / self.samples_per_second if self.parts else self.batch_ms


class Tuned(msgspec.Struct, frozen=True, kw_only=True):
    """The chosen workers, and all trials."""

    workers: dict[Scenario, Workers]
    table: tuple[Trial, ...]
    server_qps: float = 0.0
    """Predicted rate of Server within its latency constraint; 0 without a constraint or if none can be met."""
    server_slower: float = SLOWER
    """Factor by which a batch of Server is expected to take longer in a run than in tuning's best round."""

    def trial(self, scenario: Scenario) -> Trial:
        """Return the trial of a scenario's workers."""
        workers = self.workers[scenario]
        wanted = (workers.sessions, workers.intra_op_threads, workers.max_batch)
        same = [one for one in self.table if (one.sessions, one.intra_op_threads, one.batch) == wanted]
        # Server is pinned if another batch size of its split gained by it; its own was measured without.
        return next((one for one in same if one.pinned == bool(workers.cores)), same[0])


def divided(tuned: Tuned, parts: float) -> Tuned:
    """Return the result for samples of `parts` runs each on average, given that of single runs.

    All sessions work on a sample together, so what is best for many samples is best for one.
    """
    table = tuple(
        msgspec.structs.replace(one, samples_per_second=one.samples_per_second / parts, parts=parts)
        for one in tuned.table
    )
    return msgspec.structs.replace(tuned, workers=dict.fromkeys(tuned.workers, tuned.workers["Offline"]), table=table)


def shared_out(sessions: int, threads: int, batch: int) -> str:
    """Describe workers in words."""
    return f"{sessions} × {threads} threads, batch {batch}"
