"""Makes the rules' test rows of Criteo's days, which are the user's files or are fetched one by one."""

from __future__ import annotations

import shutil
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.step import Step
from engine.steps.download import reporter
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
        _Reading(step, options, work).run()
        step.phase("writing the test rows")
        samples = criteo_days.merge(work, options.max_ind_range, step.output, reporter(step, "rows"))
        if not samples:
            raise DataError(f"day_{DAYS - 1} has no rows", "fetch or copy it again")
        shutil.rmtree(work)
    return {"images": "", "labels": TEST, "count": samples}


class _StopError(Exception):
    """Another day could not be read."""


class _Reading:
    """Reads the days that were not read, several at once."""

    def __init__(self, step: Step, options: DaysOptions, work: Path) -> None:
        self._options, self._work = options, work
        self._folder = criteo_day_files.folder_of(options.path, step.inputs)
        self._files = criteo_day_files.files(self._folder) if self._folder else {}
        self._shares = [float(criteo_days.is_read(work, day)) for day in range(DAYS)]
        self._report = reporter(step, "days")
        self._stopped = False

    def run(self) -> None:
        """Read them. The first error stops all, once those that are read come to their next piece."""
        todo = [day for day, share in enumerate(self._shares) if not share]
        with ThreadPoolExecutor(criteo_day_files.at_once(self._options.max_ind_range)) as pool:
            running = [pool.submit(self._day, day) for day in todo]
            done, _ = wait(running, return_when=FIRST_EXCEPTION)
            failed = [one for one in done if one.exception()]
            self._stopped = bool(failed)
            pool.shutdown(cancel_futures=True)
        for one in failed:
            one.result()

    def _day(self, day: int) -> None:
        if self._folder is None:
            source = self._fetched(day)
        else:
            source = criteo_day_files.day_file(self._files, day, self._folder)
        begun, whole = self._shares[day], source.stat().st_size
        criteo_days.read_day(
            source,
            day,
            self._options.max_ind_range,
            self._work,
            lambda place: self._went_on(day, begun + (1 - begun) * place / whole),
        )
        if self._folder is None:
            source.unlink()

    def _fetched(self, day: int) -> Path:
        from engine.fetch.one import fetch  # noqa: PLC0415  (few fetch the days)

        target = self._work / f"day_{day}.gz"
        urls = [one.format(day=day) for one in self._options.url]
        fetch(urls, target, progress=lambda done, all_: self._went_on(day, _FETCHED * done / (all_ or float("inf"))))
        return target

    def _went_on(self, day: int, share: float) -> None:
        if self._stopped:
            raise _StopError
        self._shares[day] = share
        self._report(sum(self._shares), DAYS)
