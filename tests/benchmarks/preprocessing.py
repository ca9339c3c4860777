"""How fast pictures are preprocessed: one OpenCV thread, against all cores by threads and by processes."""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from engine.models import patterns
from engine.tasks import image_classification

OPTIONS = {"preprocessing": "vgg", "layout": "NCHW", "dtype": "float32", "image_size": 224}
PICTURE_SIZE = 500
"""Typical long side of an ImageNet photograph, in pixels."""

CHUNK = 16


def main(argv: list[str]) -> None:
    """Print pictures per second of the rules' chain for ImageNet."""
    parser = argparse.ArgumentParser(prog="preprocessing", description=main.__doc__)
    parser.add_argument("--pictures", type=int, default=1024)
    count = parser.parse_args(argv).pictures
    cores = len(os.sched_getaffinity(0))
    with TemporaryDirectory() as name:
        folder = Path(name)
        list(patterns.write(patterns.PictureSet(seed=0, count=count, size=PICTURE_SIZE), folder))
        paths = [folder / patterns.file_name(index) for index in range(count)]
        size = sum(path.stat().st_size for path in paths) / count
        sys.stdout.write(
            f"{count} JPEGs of about 500x375, {size / 1000:.0f} kB each, chain {OPTIONS['preprocessing']}\n"
        )
        spawn = multiprocessing.get_context("spawn")
        rows: list[tuple[str, Callable[[], Executor]]] = [
            ("one thread", lambda: ThreadPoolExecutor(1)),
            (f"{cores} threads", lambda: ThreadPoolExecutor(cores)),
            (
                f"{cores} processes",
                lambda: ProcessPoolExecutor(cores, spawn, initializer=cv2.setNumThreads, initargs=(1,)),
            ),
        ]
        cv2.setNumThreads(1)
        for label, executor in rows:
            sys.stdout.write(f"{label:<16}{count / _seconds(executor(), paths):>9.0f} pictures/s\n")


def _seconds(executor: Executor, paths: Sequence[Path]) -> float:
    """Return how long the executor takes for all pictures, once its workers have started."""
    chunks = [tuple(paths[start : start + CHUNK]) for start in range(0, len(paths), CHUNK)]
    with executor:
        list(executor.map(_preprocess, chunks[:1] * 2 * len(os.sched_getaffinity(0))))
        start = time.perf_counter()
        list(executor.map(_preprocess, chunks))
        return time.perf_counter() - start


def _preprocess(paths: tuple[Path, ...]) -> None:
    shape, dtype = image_classification.sample_shape(OPTIONS)
    slot = np.empty(shape, dtype)
    for path in paths:
        image_classification.preprocess(path, OPTIONS, slot)


if __name__ == "__main__":
    main(sys.argv[1:])
