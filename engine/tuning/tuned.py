"""What came of tuning, as records: light to import, because plans and targets read them and measure nothing."""

from typing import Final

import msgspec

from engine.harness.spec import Workers
from engine.mlperf import Scenario

HARNESS_SECONDS: Final = 40e-6
"""What a query of its own costs outside the model (tests/benchmarks/harness.py); it counts for tiny models only."""

HARNESS_BATCH_SECONDS: Final = 100e-6
"""What a batch costs besides its queries, while threads hand the interpreter over to each other. An estimate: with it
the rates of a tiny model came near what two slow cores reached. For others it is far below a batch's time."""

SLOWER: Final = 1.5
"""How much longer than in tuning's best round a batch is expected to take in a run, at the least. Measured with a
detector on two shared cores: one in ten took 1.5 times as long, half of them 1.28."""


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
    dropped: bool = False
    """It could not win after its first runs, and was not measured to the end."""


class Tuned(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen, and what it was chosen from."""

    workers: dict[Scenario, Workers]
    table: tuple[Trial, ...]
    server_qps: float = 0.0
    """What Server should reach within its bound, by replay; 0 where no bound was given or none can be met."""
    server_slower: float = SLOWER
    """How much longer than in tuning's best round a batch of Server is expected to take in a run."""

    def trial(self, scenario: Scenario) -> Trial:
        """Return what the workers of a scenario reached when they were measured."""
        workers = self.workers[scenario]
        wanted = (workers.sessions, workers.intra_op_threads, workers.max_batch)
        same = [one for one in self.table if (one.sessions, one.intra_op_threads, one.batch) == wanted]
        # Server is pinned because another batch size of its split gained by it; its own was measured unpinned then.
        return next((one for one in same if one.pinned == bool(workers.cores)), same[0])


def shared_out(sessions: int, threads: int, batch: int) -> str:
    """Say how a machine is shared out."""
    return f"{sessions} × {threads} threads, batch {batch}"
