"""How fast pictures are preprocessed: the rules' steps on one OpenCV thread, against ours on all cores.

The wall clock tells nothing while others use the machine, so the processor time of a picture stands beside it: both
together say how much of the cores was had.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from engine.datasets import patterns
from engine.tasks import image_classification
from engine.tasks.image_form import ImageForm

Array = np.ndarray[Any, np.dtype[Any]]
Work = Callable[[tuple[Path, ...]], None]

FORM = ImageForm(preprocessing="vgg", layout="NCHW", dtype="float32", image_size=224)
IMAGE_SIZE = 500
"""Typical long side of an ImageNet photograph, in pixels."""

CHUNK = 16

TARGET = 1.7
"""Times one OpenCV thread on two cores; more cores, more of it."""

VGG_MEAN = np.array([123.68, 116.78, 103.94], np.float32)


def main(argv: list[str]) -> None:
    """Print pictures per second of the rules' chain for ImageNet."""
    parser = argparse.ArgumentParser(prog="preprocessing", description=main.__doc__)
    parser.add_argument("--pictures", type=int, default=1024)
    count = parser.parse_args(argv).images
    cores = len(os.sched_getaffinity(0))
    with TemporaryDirectory() as name:
        folder = Path(name)
        list(patterns.write(patterns.ImageSet(seed=0, count=count, size=IMAGE_SIZE), folder))
        paths = [folder / patterns.file_name(index) for index in range(count)]
        size = sum(path.stat().st_size for path in paths) / count
        sys.stdout.write(f"{count} JPEGs of about 500x375, {size / 1000:.0f} kB each, chain {FORM.preprocessing}\n")
        spawn = multiprocessing.get_context("spawn")
        rows: list[tuple[str, Callable[[], Executor], Work]] = [
            ("rules' steps, one thread", lambda: ThreadPoolExecutor(1), _plain),
            ("one thread", lambda: ThreadPoolExecutor(1), _preprocess),
            (f"{cores} threads", lambda: ThreadPoolExecutor(cores), _preprocess),
            (
                f"{cores} processes",
                lambda: ProcessPoolExecutor(cores, spawn, initializer=cv2.setNumThreads, initargs=(1,)),
                _preprocess,
            ),
        ]
        cv2.setNumThreads(1)
        _same(paths[0])
        found = {label: _seconds(executor(), paths, work) for label, executor, work in rows}
        for label, (wall, spent) in found.items():
            own = f"{1000 * spent / count:>9.2f} ms of processor time each" if spent else ""
            sys.stdout.write(f"{label:<26}{count / wall:>7.0f} pictures/s{own}\n")
        (plain, _), (threads, _) = found["rules' steps, one thread"], found[f"{cores} threads"]
        sys.stdout.write(f"{cores} threads against the rules' steps: {plain / threads:.2f} times, target {TARGET}\n")


def _seconds(executor: Executor, paths: Sequence[Path], work: Work) -> tuple[float, float]:
    """Return how long the executor takes for all pictures, once its workers have started: wall clock, and this
    process's processor time, which is next to none where processes work."""
    chunks = [tuple(paths[start : start + CHUNK]) for start in range(0, len(paths), CHUNK)]
    with executor:
        list(executor.map(work, chunks[:1] * 2 * len(os.sched_getaffinity(0))))
        start, spent = time.perf_counter(), time.process_time()
        list(executor.map(work, chunks))
        own = 0.0 if isinstance(executor, ProcessPoolExecutor) else time.process_time() - spent
        return time.perf_counter() - start, own


def _plain(paths: tuple[Path, ...]) -> None:
    for path in paths:
        _steps(path)


def _steps(path: Path) -> Array:
    """Return a picture by the rules' steps, one OpenCV call or numpy expression after the other."""
    raw = cv2.imread(str(path))
    assert raw is not None
    image = cv2.cvtColor(raw, cv2.COLOR_BGR2RGB)
    height, width = image.shape[:2]
    target = (256, int(256 * height / width)) if height > width else (int(256 * width / height), 256)
    scaled = cv2.resize(image, target, interpolation=cv2.INTER_AREA)
    left, top = (target[0] - 224) // 2, (target[1] - 224) // 2
    middle = scaled[top : top + 224, left : left + 224]
    return (middle.astype(np.float32) - VGG_MEAN).transpose(2, 0, 1).copy()


def _same(path: Path) -> None:
    """Raise where both ways do not give the same bits: then there is nothing to compare."""
    slot = np.empty(FORM.shape, FORM.dtype)
    image_classification.preprocess(path, FORM, slot)
    np.testing.assert_array_equal(slot, _steps(path))


def _preprocess(paths: tuple[Path, ...]) -> None:
    slot = np.empty(FORM.shape, FORM.dtype)
    for path in paths:
        image_classification.preprocess(path, FORM, slot)


if __name__ == "__main__":
    main(sys.argv[1:])
