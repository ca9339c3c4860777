"""The text files of a step that a person may want to read: its log, LoadGen's files, settings and scores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.harness.spec import REPORT
from engine.jobs import places
from engine.jobs.child import file_name
from engine.jobs.jobs import Job
from engine.mlperf import (
    ACCURACY_TEXT,
    DETAIL_LOG,
    MLPERF_CONF,
    SUMMARY_LOG,
    TEST_FOLDER,
    USER_CONF,
    VERIFY_ACCURACY,
    VERIFY_PERFORMANCE,
)
from engine.watch.diagnosis import step_log

_NAMES = (SUMMARY_LOG, ACCURACY_TEXT, VERIFY_PERFORMANCE, VERIFY_ACCURACY, DETAIL_LOG, USER_CONF, MLPERF_CONF, REPORT)
"""Most wanted first. The accuracy log is no text for people: it has a line of hexadecimal digits per sample."""


def step_files(job: Job, step: str | None) -> list[Path]:
    """Return the files that exist, the step's log first and the job's own last; without a step, the job's own."""
    found = [] if step is None else [step_log(job, step), *_outputs(job, step)]
    return [path for path in (*found, job.folder / places.LOG) if path.is_file()]


def _outputs(job: Job, step: str) -> Iterator[Path]:
    output = job.folder / "steps" / file_name(step) / "output"
    for name in _NAMES:
        yield from (output / name, output / TEST_FOLDER / name)
