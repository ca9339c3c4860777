"""Turn a folder of raw samples into one memory-mapped array, on all cores and resumable.

The order of the samples is the order of the labels whose file exists, as in the rules' reference; those without a file
are counted and said, never passed over in silence.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DataError
from engine.steps.base import Look, Sight, Step
from engine.system import usable_cores

if TYPE_CHECKING:  # numpy: a plan must be instant
    from engine.tasks.base import Sample, Task

SAMPLES = "samples.npy"
DONE = "done.npy"
CHUNK = 64
"""Samples between two reports of progress."""

BYTES = {"float32": 4, "uint8": 1}
USUAL_RATE = 100.0
"""Pictures per second and core, for the estimate in the plan."""


def survey(look: Look) -> Sight:
    """Estimate size and time where the number of samples is known before the work."""
    dataset = look.inputs["dataset"]
    facts = look.foreseen.get("dataset", {}) if dataset is None else dataset.facts
    count = look.options["count"] or facts.get("count")
    if count is None:
        return Sight("run")
    sample = 3 * look.options["image_size"] ** 2 * BYTES[look.options["dtype"]]
    return Sight("run", disk_bytes=count * sample, seconds=count / USUAL_RATE / _cores())


def preprocess(step: Step) -> dict[str, Any]:
    """Write `samples.npy` ([count, *sample shape]) and the labels of exactly these samples in the same order.

    Facts: `arrays`, `count`, `labels`, `left_out` (labels without a file). Raises DataError naming a picture that is
    broken, or of another size than the labels state.
    """
    import cv2  # noqa: PLC0415  (heavy, and only a running step needs it)
    import numpy as np  # noqa: PLC0415

    task: Any = importlib.import_module(step.options["task"])
    wanted, left_out = _wanted(step, task)
    folder = _folder(step)
    files = [folder / sample.name for sample in wanted]
    shape, dtype = task.sample_shape(step.options)
    samples = _array(step.output / SAMPLES, (len(files), *shape), dtype)
    done = _array(step.output / DONE, (len(files),), np.dtype(np.uint8))
    cv2.setNumThreads(1)
    todo = [index for index in range(len(files)) if not done[index]]

    start = samples.offset
    del samples  # what is written through a mapping counts as this process's memory, and a full disk kills it

    def one(index: int) -> None:
        sample = np.empty(shape, dtype)
        size = task.preprocess(files[index], step.options, sample)
        _same_size(files[index], size, wanted[index].size)
        _write(file.fileno(), sample, start + index * sample.nbytes)
        done[index] = 1

    step.progress(len(files) - len(todo), len(files), "pictures")
    with (step.output / SAMPLES).open("r+b") as file, ThreadPoolExecutor(_cores()) as pool:
        for number, _ in enumerate(_bounded(pool, one, todo), start=len(files) - len(todo) + 1):
            if number % CHUNK == 0 or number == len(files):
                step.progress(number, len(files), "pictures")
    (step.output / DONE).unlink()
    return {"arrays": [SAMPLES], "count": len(files), "labels": task.LABELS, "left_out": left_out}


def _folder(step: Step) -> Path:
    dataset = step.inputs["dataset"]
    return dataset.folder / str(dataset.facts.get("images", ""))


def _wanted(step: Step, task: Task) -> tuple[list[Sample], int]:
    """Return the samples in QSL order and the number that was left out, and write the labels of the former."""
    folder, labels = _folder(step), step.inputs["labels"]
    file = labels.folder / labels.facts["labels"]
    named = task.samples(file)
    present = {entry.name for entry in os.scandir(folder)}
    kept = [
        index
        for index, sample in enumerate(named)
        if sample.name in present or ("/" in sample.name and (folder / sample.name).is_file())
    ]
    if not kept:
        first = named[0].name if named else "nothing"
        raise DataError(f"{folder} holds none of the pictures that the labels name ({first} ...)", "check the folder")
    left_out = len(named) - len(kept)
    if left_out:
        step.warn(f"{left_out} of {len(named)} labelled pictures are not in {folder}: left out")
    kept = kept[: step.options["count"]]
    task.keep(file, kept, step.output / task.LABELS)
    return [named[index] for index in kept], left_out


def _same_size(file: Path, found: tuple[int, int], stated: tuple[int, int] | None) -> None:
    """Raise DataError where the labels are of another picture: boxes would be in the wrong place.

    A picture that was turned as its EXIF data says may have its sides the other way round in the labels, which the
    rules' reference takes as it is.
    """
    if stated is not None and stated not in (found, found[::-1]):
        raise DataError(
            "{}: the picture is {} x {}, its labels say {} x {}".format(file, *found, *stated),
            "take pictures and labels of one version of the data set; fetching anew gets both",
        )


def _array(path: Path, shape: tuple[int, ...], dtype: Any) -> Any:
    """Open the array that an interrupted attempt left if it is of this shape, or make a new one of zeros."""
    import numpy as np  # noqa: PLC0415

    if path.exists():
        try:
            found = np.lib.format.open_memmap(path, mode="r+")
        except (ValueError, EOFError):
            found = None
        if found is not None and found.shape == shape and found.dtype == dtype:
            return found
    return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)


def _write(file: int, sample: Any, offset: int) -> None:
    """Write a sample at its place. Raises OSError where the disk is full."""
    left = memoryview(sample).cast("B")
    while left:
        written = os.pwrite(file, left, offset)
        left, offset = left[written:], offset + written


def _bounded(pool: ThreadPoolExecutor, work: Any, indices: Iterable[int]) -> Iterator[int]:
    """Run `work` on all indices with a bounded number waiting, so that 50,000 of them need no memory.

    The first error ends it: later work is not started.
    """
    waiting: list[Any] = []
    for index in indices:
        waiting.append(pool.submit(work, index))
        if len(waiting) >= 4 * CHUNK:
            waiting.pop(0).result()
            yield index
    for future in waiting:
        future.result()
        yield 0


def _cores() -> int:
    return usable_cores()
