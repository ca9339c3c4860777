"""Makes the rules' test rows of Criteo's days, which are the user's files or are fetched one by one."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any, Protocol

from engine.errors import DataError
from engine.step import Step
from engine.steps.download import REPORT_SECONDS, reporter
from engine.store.files import disk_errors
from engine.tasks import criteo_day_files, criteo_days
from engine.tasks.criteo_day_files import DaysOptions
from engine.tasks.criteo_files import DAYS, TEST

_FETCHED = 0.5
"""Share of the work on a day that is done when it was fetched, for the progress."""


def test_rows(step: Step) -> dict[str, Any]:
    """Write TEST, TRACE and COUNTS of the days. Continues with the days that an interrupted attempt has not read.

    Options: DaysOptions. Facts: `images` (the artifact's folder), `labels` (TEST), `count` (samples).

    Raises DataError, with file and line, for a day that is not of Criteo's form; FetchError; StoreError.
    """
    options = step.read_options(DaysOptions)
    work = step.output / "days"
    with disk_errors(step.output):
        work.mkdir(exist_ok=True)
        step.phase("reading the days")
        _read_all(step, options, work)
        step.phase("writing the test rows")
        samples = criteo_days.merge(work, options.max_ind_range, step.output, reporter(step, "rows"))
        if not samples:
            raise DataError(f"day_{DAYS - 1} has no rows", "fetch or copy it again")
        shutil.rmtree(work)
    return {"images": "", "labels": TEST, "count": samples}


def _read_all(step: Step, options: DaysOptions, work: Path) -> None:
    """Read the days that were not read, several at once. The first error stops all at their next piece."""
    todo = [day for day in range(DAYS) if not criteo_days.is_read(work, day)]
    folder = criteo_day_files.folder_of(options.path, step.inputs)
    found = criteo_day_files.files(folder) if folder else {}
    sources = {day: criteo_day_files.day_file(found, day, folder) if folder else None for day in todo}
    # Processes, since much of the work on a piece is done by Python itself, of which a process runs one thread at once.
    spawn = multiprocessing.get_context("spawn")
    shares: Any = spawn.Array("d", [float(day not in sources) for day in range(DAYS)])
    stopped = spawn.Event()
    at_once = min(criteo_day_files.at_once(options.max_ind_range), max(1, len(todo)))
    report = reporter(step, "days")
    with ProcessPoolExecutor(at_once, spawn, _begin, (shares, stopped)) as pool:
        running = {pool.submit(_read, day, source, options, work) for day, source in sources.items()}
        ended: set[Future[None]] = set()
        while running and not any(one.exception() for one in ended):
            ended, running = wait(running, REPORT_SECONDS, FIRST_EXCEPTION)
            report(sum(shares), DAYS)
        if running:
            stopped.set()
            pool.shutdown(cancel_futures=True)
    for one in ended:
        one.result()


class _Event(Protocol):
    def is_set(self) -> bool: ...


class _StopError(Exception):
    """Another day could not be read."""


class _Process:
    """What the processes that read share: how far each day is, and whether they are to stop."""

    shares: Any
    stopped: _Event


def _begin(shares: Sequence[float], stopped: _Event) -> None:
    _Process.shares, _Process.stopped = shares, stopped


def _went_on(day: int, share: float) -> None:
    if _Process.stopped.is_set():
        raise _StopError
    _Process.shares[day] = share


def _read(day: int, source: Path | None, options: DaysOptions, work: Path) -> None:
    """Read one day, which is fetched first and deleted afterwards where there is no file."""
    path = source or _fetched(day, options.url, work)
    begun, whole = _Process.shares[day], path.stat().st_size
    criteo_days.read_day(
        path, day, options.max_ind_range, work, lambda place: _went_on(day, begun + (1 - begun) * place / whole)
    )
    if source is None:
        path.unlink()


def _fetched(day: int, urls: Sequence[str], work: Path) -> Path:
    from engine.fetch.one import fetch  # noqa: PLC0415  (few fetch the days)

    target = work / f"day_{day}.gz"
    fetch(
        [one.format(day=day) for one in urls],
        target,
        progress=lambda done, whole: _went_on(day, _FETCHED * done / whole if whole else 0),
    )
    return target
