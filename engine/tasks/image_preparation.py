"""Preparation of image samples: a folder of files into one memory-mapped array, on all cores and resumable.

The order of the samples is the order of the labels whose file exists, as in the rules' reference; missing ones are
counted and reported, in the plan, in every run and with every score.
"""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from engine.errors import DataError
from engine.facts import DataFacts, OnLoad
from engine.step import Artifact, Step, SurveyContext, SurveyResult, read_options
from engine.system import disk_free, usable_cores
from engine.tasks.image_form import ImageForm
from engine.tasks.labelled import Labelled, collecting, labelled, refuse_bad

if TYPE_CHECKING:  # numpy is imported later: a plan must be instant
    from engine.tasks.base import Array
    from engine.tasks.image_task import ImageTask

SAMPLES = "samples.npy"
DONE = "done.npy"
FILES = "files.lst"
"""Paths of the images in QSL order separated by zero bytes, for samples made on load."""
MAKE_ON_LOAD = "--adr.preprocessed.tags=_on-load makes samples when LoadGen asks for them and stores none"
ON_LOAD = "on load"
"""Part of the identity of a sample set that is not stored."""
CHUNK = 64
"""Samples between two progress reports."""

BYTES = {"float32": 4, "uint8": 1}
USUAL_RATE = 100.0
"""Images per second and core, for the estimate in the plan."""


class TaskForm(ImageForm, frozen=True, kw_only=True):
    """How a task prepares an image."""

    task: str
    """Its module."""


class PreparationOptions(TaskForm, frozen=True, kw_only=True):
    """Which images are prepared, and how."""

    dtype: Literal["float32", "uint8"]
    count: int | None
    """The first samples; None for all."""
    on_load: bool = False


def survey(context: SurveyContext) -> SurveyResult:
    """Estimate size and time, and find the images in the user's own folder.

    Stored artifacts were checked when they were made, and are covered by their keys.
    """
    options = context.read_options(PreparationOptions)
    dataset, labels = context.inputs["dataset"], context.inputs["labels"]
    expected_facts = Artifact("", dict(context.expected_facts.get("dataset", {})))
    there = (dataset or expected_facts).read(DataFacts).count
    count = min((one for one in (options.count, there) if one is not None), default=None)
    identity = warning = ""
    if dataset is not None and labels is not None and not dataset.folder.is_relative_to(context.store):
        found = _labelled(options, dataset, labels)
        count, warning = len(found.samples), _warning(found, dataset)
        state = "" if labels.folder.is_relative_to(context.store) else found.labels
        identity = f"{found.identity} {state}".rstrip()
    if options.on_load:
        identity = f"{identity} {ON_LOAD}".lstrip()
    if count is None:
        return SurveyResult("run", identity=identity)
    sample = 3 * options.image_size**2 * BYTES[options.dtype]
    needed = 0 if options.on_load else count * sample
    return SurveyResult(
        "run",
        identity=identity,
        warning=warning,
        remedy=MAKE_ON_LOAD if needed > disk_free(context.store) else "",
        disk_bytes=needed,
        seconds=count / USUAL_RATE / _cores(),
    )


def prepare(step: Step) -> dict[str, Any]:
    """Write `samples.npy` ([count, *sample shape]) and the labels of exactly these samples in the same order.

    Facts: `arrays`, `count`, `labels`, `labelled` (images that the labels name), `left_out` (those without a file).
    With the option `on_load` every image is checked, but no array is written: `on_load` describes how LoadGen's sets
    are made when it asks for them, which the rules do not time. Raises DataError that names every image that is broken
    or of another size than in the labels.
    """
    import cv2  # noqa: PLC0415  (heavy, and only a running step needs it)
    import numpy as np  # noqa: PLC0415

    options = step.read_options(PreparationOptions)
    task: Any = importlib.import_module(options.task)
    dataset, labels = step.inputs["dataset"], step.inputs["labels"]
    found = _labelled(options, dataset, labels)
    if warning := _warning(found, dataset):
        step.warn(warning)
    task.keep(labels.folder / str(labels.read(DataFacts).labels), found.indices, step.output / task.LABELS)
    files = [found.folder / sample.name for sample in found.samples]
    shape, dtype = options.shape, np.dtype(options.dtype)
    facts = {
        "count": len(files),
        "labels": task.LABELS,
        "labelled": found.named,
        "left_out": len(found.missing),
    }
    if options.on_load:
        _check(step, task, found, files)
        return {**facts, "on_load": _on_load(step, files)}
    samples = _array(step.output / SAMPLES, (len(files), *shape), dtype)
    done = _array(step.output / DONE, (len(files),), np.dtype(np.uint8))
    cv2.setNumThreads(1)
    todo = [index for index in range(len(files)) if not done[index]]

    start = samples.offset
    del samples  # pages written through a mapping count as this process's memory, and a full disk raises SIGBUS

    bad = dict(found.bad)

    def one(index: int) -> None:
        sample, name = np.empty(shape, dtype), found.samples[index].name
        with collecting(bad, files[index], name):
            size = task.preprocess(files[index], options, sample)
            _same_size(size, found.samples[index].size)
            _write(file.fileno(), sample, start + index * sample.nbytes)
            done[index] = 1

    step.progress(len(files) - len(todo), len(files), "images")
    with (step.output / SAMPLES).open("r+b") as file, ThreadPoolExecutor(_cores()) as pool:
        for number, _ in enumerate(_bounded(pool, one, todo), start=len(files) - len(todo) + 1):
            if number % CHUNK == 0 or number == len(files):
                step.progress(number, len(files), "images")
    refuse_bad(bad, found.folder, len(files) + len(found.bad))
    (step.output / DONE).unlink()
    return {"arrays": [SAMPLES], **facts}


def _check(step: Step, task: ImageTask, found: Labelled, files: Sequence[Path]) -> None:
    """Preprocess every sample without storing it. Raises DataError that names all unusable images."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    cv2.setNumThreads(1)
    form = step.read_options(PreparationOptions)
    bad = dict(found.bad)

    def one(index: int) -> None:
        with collecting(bad, files[index], found.samples[index].name):
            size = task.preprocess(files[index], form, np.empty(form.shape, form.dtype))
            _same_size(size, found.samples[index].size)

    with ThreadPoolExecutor(_cores()) as pool:
        for number, _ in enumerate(_bounded(pool, one, range(len(files))), start=1):
            if number % CHUNK == 0 or number == len(files):
                step.progress(number, len(files), "images")
    refuse_bad(bad, found.folder, len(files) + len(found.bad))


def _on_load(step: Step, files: Sequence[Path]) -> dict[str, Any]:
    """Write the list of images that the samples are made from; return the facts of OnLoad."""
    names = b"\0".join(os.fsencode(file.absolute()) for file in files)
    (step.output / FILES).write_bytes(names)
    form = step.read_options(TaskForm)
    how = OnLoad(
        maker=f"{__name__}:maker",
        options=msgspec.to_builtins(form),
        count=len(files),
        shape=form.shape,
        dtype=form.dtype,
        bytes=math.prod(form.shape) * BYTES[form.dtype],
    )
    made: dict[str, Any] = msgspec.to_builtins(how)
    return made


def maker(folder: Path, options: Mapping[str, Any]) -> Callable[[int, Array], None]:
    """Return a function that makes one sample as `prepare` would have stored it: QSL index, output array.

    It raises DataError if an image has become unreadable.
    """
    import cv2  # noqa: PLC0415

    cv2.setNumThreads(1)
    form = read_options(options, TaskForm)
    task: ImageTask = importlib.import_module(form.task)
    files = [Path(os.fsdecode(line)) for line in (folder / FILES).read_bytes().split(b"\0")]

    def make(index: int, out: Array) -> None:
        task.preprocess(files[index], form, out)

    return make


def _labelled(options: PreparationOptions, dataset: Artifact, labels: Artifact) -> Labelled:
    folder = dataset.folder / dataset.read(DataFacts).images
    return labelled(options.task, folder, labels.folder / str(labels.read(DataFacts).labels), options.count)


def _warning(found: Labelled, dataset: Artifact) -> str:
    """Return a warning about missing images, unless the labels are known to name more than this data set has."""
    whole = found.named - len(found.missing) == dataset.read(DataFacts).count and not found.bad
    return "" if whole else found.warning()


def _same_size(found: tuple[int, int], stated: tuple[int, int] | None) -> None:
    """Raise DataError if the labels are of another image: boxes would be misplaced.

    The labels of an image rotated by its EXIF data may have its sides swapped, which the rules' reference accepts.
    """
    if stated is not None and stated not in (found, found[::-1]):
        raise DataError("the image is {} x {}, its labels say {} x {}".format(*found, *stated))


def _array(path: Path, shape: tuple[int, ...], dtype: Any) -> Any:
    """Open an interrupted attempt's array if it has this shape, or create a zeroed one."""
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
    """Write a sample at its offset. Raises OSError if the disk is full."""
    left = memoryview(sample).cast("B")
    while left:
        written = os.pwrite(file, left, offset)
        left, offset = left[written:], offset + written


def _bounded(pool: ThreadPoolExecutor, work: Any, indices: Iterable[int]) -> Iterator[int]:
    """Run `work` on all indices with a bounded number waiting, so that 50,000 of them need no memory.

    After an exception of `work` no more work is started.
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
