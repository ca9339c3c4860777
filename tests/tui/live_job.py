"""A job that seems to measure: its folder, its lock, and a log that grows by four ticks a second."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.events import Tick
from engine.jobs.jobs import Job
from engine.store.files import locked
from engine.store.folders import folders
from tests.engine.jobs import synthetic

PAST = 60.0
"""Seconds that the measurement has been running already, so that the charts are full."""
FUTURE = 400.0
_SHOWN = re.compile(r"queries +([0-9][0-9 \u00a0\u202f]*)(?:of|/)")


@dataclass(frozen=True)
class LiveJob:
    """The job, and when each of its figures was true."""

    job: Job
    completed: dict[int, float]
    """Samples completed -> seconds since the epoch of the first event with that count."""

    def age(self, screen: str) -> float | None:
        """Return how many seconds old the figure is that a Run screen shows; None where it shows none."""
        found = _SHOWN.search(screen)
        at = self.completed.get(int(re.sub(r"\D", "", found[1]))) if found else None
        return None if at is None else time.time() - at


@contextmanager
def live_job(home: Path) -> Iterator[LiveJob]:
    """Make the job below a home; it grows until the end of the block."""
    begin = time.time() - PAST
    ahead = begin - synthetic.BEGIN - 3
    job = synthetic.write(folders(str(home)).jobs, synthetic.shifted(synthetic.before(), ahead))
    ticks = synthetic.shifted(synthetic.ticks(PAST + FUTURE, rate=100.0), ahead)
    past = [tick for tick in ticks if tick.at <= time.time()]
    synthetic.append(job, past)
    over = threading.Event()

    def grow() -> None:
        for tick in ticks[len(past) :]:
            if over.wait(max(0.0, tick.at - time.time())):
                return
            synthetic.append(job, [tick])

    with locked(job.folder / "run.lock", wait=False) as mine:
        assert mine is not None
        grower = threading.Thread(target=grow)
        grower.start()
        try:
            yield LiveJob(job, {tick.completed: tick.at for tick in ticks if isinstance(tick, Tick)})
        finally:
            over.set()
            grower.join()
