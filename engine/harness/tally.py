"""What a thread has done so far: kept so that the measured code only appends, and everything else is the ticker's."""

from array import array
from collections.abc import Iterable
from time import perf_counter_ns

now = perf_counter_ns


class Tally:
    """Counters and latencies of one thread. That thread alone writes them; the ticker takes the latencies away."""

    __slots__ = ("batches", "completed", "issued", "latencies")

    def __init__(self) -> None:
        self.issued = 0
        self.completed = 0
        self.batches = 0
        self.latencies = array("q")

    def record(self, issued_at: Iterable[int]) -> None:
        """Count one finished batch, of whose samples these are the issue times (`now()`, nanoseconds)."""
        done = now()
        latencies = [done - at for at in issued_at]
        self.latencies.extend(latencies)
        self.completed += len(latencies)
        self.batches += 1

    def drain(self) -> "array[int]":
        """Take the latencies since the last call, in nanoseconds. Safe beside `record` in another thread."""
        taken = self.latencies[:]
        del self.latencies[: len(taken)]
        return taken
