"""Per-thread counters and latencies: the measured code only appends, everything else is done by the ticker."""

from array import array
from collections.abc import Iterable
from time import perf_counter_ns

now = perf_counter_ns


class Tally:
    """Counters and latencies of one thread. Only that thread writes them; the ticker takes the latencies."""

    __slots__ = ("batches", "completed", "issued", "latencies")

    def __init__(self) -> None:
        self.issued = 0
        self.completed = 0
        self.batches = 0
        self.latencies = array("q")

    def record(self, issued_at: Iterable[int]) -> None:
        """Count one finished batch, given its samples' issue times (`now()`, nanoseconds)."""
        done = now()
        latencies = [done - at for at in issued_at]
        self.latencies.extend(latencies)
        self.completed += len(latencies)
        self.batches += 1

    def drain(self) -> "array[int]":
        """Take the latencies since the last call, in nanoseconds. Safe while another thread calls `record`."""
        taken = self.latencies[:]
        del self.latencies[: len(taken)]
        return taken
