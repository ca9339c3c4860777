"""How fast Criteo's days are read: the rules' reference line by line, against ours on one core and on all of them.

Each reads generated days of plain text, hashes modulo the rules' 40,000,000, and notes which values are new. The files
are in memory when they are read. All take turns in one run, and the best time of each counts.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.datasets.click_files import write_day
from engine.datasets.clicks import LAST_DAY, ClickSet
from engine.tasks.criteo_days import hashed
from engine.tasks.criteo_dictionary import Appeared
from engine.tasks.criteo_files import CATEGORICAL, HASH_RANGE
from tests.engine.tasks import criteo_reference

PLAIN_ROWS = 5_000
"""That the reference reads: it takes as long for each."""
TARGET = 1_000_000
"""Rows per second on two cores."""


def main(argv: list[str]) -> None:
    """Print rows per second of reading generated days of Criteo's form."""
    parser = argparse.ArgumentParser(prog="criteo", description=main.__doc__)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args(argv)
    cores = len(os.sched_getaffinity(0))
    with TemporaryDirectory() as name:
        days = [Path(name) / f"day_{core}" for core in range(cores)]
        for seed, day in enumerate(days):
            write_day(day, ClickSet(seed).rows(LAST_DAY, options.rows))
        with days[0].open(encoding="ascii") as file:
            lines = [line for line, _ in zip(file, range(PLAIN_ROWS), strict=False)]
        with ProcessPoolExecutor(cores, multiprocessing.get_context("spawn")) as pool:
            contestants: dict[str, tuple[Callable[[], object], int]] = {
                "the reference, line by line": (lambda: criteo_reference.prepare([lines], HASH_RANGE), PLAIN_ROWS),
                "one process": (lambda: pool.submit(_read, days[0]).result(), options.rows),
                f"{cores} processes, a day each": (lambda: list(pool.map(_read, days)), cores * options.rows),
            }
            list(pool.map(_read, days))  # the processes start, and take their memory
            best = dict.fromkeys(contestants, 0.0)
            for _ in range(options.turns):
                for label, (work, rows) in contestants.items():
                    start = time.perf_counter()
                    work()
                    best[label] = max(best[label], rows / (time.perf_counter() - start))
    for label, rate in best.items():
        sys.stdout.write(f"{label:<28}{rate:>12,.0f} rows/s\n")
    plain, *_, ours = best.values()
    sys.stdout.write(f"against the reference: {ours / plain:.0f} times; target on two cores {TARGET:,} rows/s\n")


@cache
def _appeared() -> Appeared:
    return Appeared(CATEGORICAL, HASH_RANGE)


def _read(day: Path) -> None:
    for _ in hashed(day, HASH_RANGE, _appeared(), lambda place: None):
        pass
