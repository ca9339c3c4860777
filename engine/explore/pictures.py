"""Pictures of a run: its samples with truth and answer, from the accuracy log and the sample set."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from engine import codec
from engine.errors import DataError, UsageError
from engine.explore.runs import Run
from engine.harness.samples import SampleLibrary
from engine.harness.spec import RunSpec
from engine.mlperf import ACCURACY_LOG
from engine.mlperf_logs import accuracy_log
from engine.store.files import read_plain
from engine.tasks.picture import Picture, PicturesOf

SPEC = "spec.json"
TASKS = "engine.tasks."
"""Whose code is run for a picture: a job's folder may be another's."""
_LARGEST = 16 << 20
_AGAIN = "run it in accuracy mode again"


def pictures(run: Run, known: Sequence[Run], count: int) -> list[Picture]:
    """Return pictures of the first `count` samples in the accuracy log that belongs to a run.

    `known`: all runs, unfolded. Raises UsageError where there is no accuracy run, or its samples are no images, and
    DataError where its files or its samples are missing or damaged.
    """
    folder = Path(_accuracy_run(run, known).folder)
    spec = _spec(folder / SPEC)
    task: Any = import_module(spec.task) if spec.task.startswith(TASKS) else None
    draw: PicturesOf | None = getattr(task, "pictures", None)
    if draw is None:
        raise UsageError(f"the samples of {run.id} are no images", "pictures are of images and volumes")
    first = spec.samples[0] if spec.samples else ""
    place = Path(spec.on_load.folder if spec.on_load else first if isinstance(first, str) else first.values)
    labels = (place if spec.on_load else place.parent) / task.LABELS
    if not labels.exists():
        raise DataError(f"the samples of {run.id} are no longer at {labels.parent}", _AGAIN)
    log = folder / ACCURACY_LOG
    answers: dict[int, bytes] = {}
    for record in accuracy_log.records(log):
        answers.setdefault(record.qsl_idx, record.data)
        if len(answers) == count:
            break
    library = SampleLibrary([Path(one) if isinstance(one, str) else one for one in spec.samples], 1, spec.on_load)
    if strange := [index for index in answers if not 0 <= index < library.count]:
        raise DataError(f"{log}: there is no sample {strange[0]}: there are {library.count}", _AGAIN)
    library.load(list(answers))
    return draw({index: (library.sample(0, index), data) for index, data in answers.items()}, labels, log)


def _accuracy_run(run: Run, known: Sequence[Run]) -> Run:
    """Return the accuracy run of the same scenario and job."""
    for one in (run, *known):
        if one.mode == "accuracy" and (one.job, one.benchmark, one.scenario) == (run.job, run.benchmark, run.scenario):
            return one
    raise UsageError(f"{run.id} has no accuracy run, whose log has the answers", "run it with _all-modes")


def _spec(path: Path) -> RunSpec:
    try:
        return codec.decode(read_plain(path, _LARGEST), type=RunSpec)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", _AGAIN) from error
    except msgspec.DecodeError as error:
        raise DataError(f"{path} is not the specification of a run: {error}", _AGAIN) from error
