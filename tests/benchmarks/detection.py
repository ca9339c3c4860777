"""Object detection: scoring a log as large as the rules' data set, preprocessing for RetinaNet, making responses.

A log is scored in a process of its own, so that its peak memory is the scoring's.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from engine.datasets import patterns
from engine.mlperf_logs import accuracy_log as accuracy
from engine.tasks import object_detection as task
from engine.tasks.image_form import ImageForm
from tests.benchmarks.runs import ROOT

Array = np.ndarray[Any, np.dtype[Any]]

IMAGES = 24_781
DETECTIONS, CLASSES, OBJECTS = 36, 3, 6
"""On a picture: detections, their classes, and objects (on average)."""
CATEGORIES = 264
WIDTH, HEIGHT = 1024, 683
TARGET_SECONDS, TARGET_GB = 120, 4

FORM = ImageForm(preprocessing="retinanet", layout="NCHW", dtype="float32", image_size=800)

RESPONSES = 2000
INFERENCES = 30
TARGET_SHARE = 0.01


def main(argv: list[str]) -> None:
    """Print the figures beside their targets."""
    parser = argparse.ArgumentParser(prog="detection", description=main.__doc__)
    parser.add_argument("--images", type=int, default=IMAGES, help="pictures in the log that is scored")
    parser.add_argument("--pictures", type=int, default=256, help="pictures that are preprocessed")
    parser.add_argument("--model", type=Path, help="a detector's ONNX file; else the small one that is shipped")
    parser.add_argument("--score", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(argv)
    if chosen.score:
        _score(chosen.score)
        return
    with TemporaryDirectory() as name:
        _scoring(Path(name), chosen.images)
    with TemporaryDirectory() as name:
        _preprocessing(Path(name), chosen.images)
    if chosen.model:
        _responses(chosen.model)
    else:
        with as_file(files("profiles") / "models" / "scenes-net.onnx") as model:
            _responses(model)


def _scoring(folder: Path, images: int) -> None:
    accuracy.write_log(folder / "log.json", _write_annotations(folder / task.LABELS, images))
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{images} pictures, {DETECTIONS} detections of {CLASSES} classes on each, {size / 1e6:.0f} MB on disk")
    words = [sys.executable, "-m", "tests.benchmarks.detection", "--score", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True)


def _score(folder: Path) -> None:
    start = time.perf_counter()
    score = task.score(folder / "log.json", folder / task.LABELS)
    seconds = time.perf_counter() - start
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1e6
    print(
        f"scored, log and annotations read: {seconds:.1f} s (target {TARGET_SECONDS}), "
        f"{peak:.2f} GB at most (target {TARGET_GB}), mAP {score.value:.3f} %"
    )


def _write_annotations(path: Path, images: int) -> Iterator[accuracy.Record]:
    """Write annotations of generated pictures, and yield the responses of a detector that is often right."""
    random = np.random.default_rng(0)
    whole: dict[str, Any] = {
        "images": [
            {"id": n + 1, "file_name": f"{n:016x}.jpg", "width": WIDTH, "height": HEIGHT, "license": None}
            for n in range(images)
        ],
        "categories": [{"id": n, "name": f"thing {n}", "supercategory": None} for n in range(CATEGORIES)],
        "annotations": [],
    }
    responses = []
    for index in range(images):
        corners, sides = random.uniform(0, 0.7, (OBJECTS, 2)), random.uniform(0.02, 0.3, (OBJECTS, 2))
        classes = random.choice(CATEGORIES, CLASSES, replace=False)
        kinds = classes[random.integers(0, CLASSES, OBJECTS)]
        whole["annotations"] += _objects(corners, sides, kinds, index + 1, len(whole["annotations"]), random)
        which = random.integers(0, OBJECTS, DETECTIONS)
        boxes = np.hstack([corners[which], corners[which] + sides[which]]) + random.normal(0, 0.02, (DETECTIONS, 4))
        scores = np.sort(random.uniform(0.05, 1, DETECTIONS))[::-1]
        labels = np.where(random.random(DETECTIONS) < 0.7, kinds[which], random.choice(classes, DETECTIONS))
        fields = np.column_stack([np.full(DETECTIONS, index), boxes[:, [1, 0, 3, 2]].clip(0, 1), scores, labels])
        responses.append(fields.astype("<f4").tobytes())
    path.write_text(json.dumps(whole))
    for index, data in enumerate(responses):
        yield accuracy.Record(index, index, data)


def _objects(
    corners: Array, sides: Array, kinds: Array, image: int, before: int, random: np.random.Generator
) -> Iterator[dict[str, Any]]:
    scale = np.array([WIDTH, HEIGHT])
    for number, (corner, side, kind) in enumerate(zip(corners * scale, sides * scale, kinds, strict=True), 1):
        yield {
            "id": before + number,
            "image_id": image,
            "category_id": int(kind),
            "bbox": [*corner.tolist(), *side.tolist()],
            "area": float(side.prod()),
            "iscrowd": int(random.random() < 0.05),
        }


def _preprocessing(folder: Path, count: int) -> None:
    list(patterns.write(patterns.ImageSet(seed=0, count=count, size=WIDTH), folder))
    paths = [folder / patterns.file_name(index) for index in range(count)]
    cv2.setNumThreads(1)
    np.testing.assert_array_equal(_ours(paths[0]), _plain(paths[0]))
    cores = len(os.sched_getaffinity(0))
    print(f"{count} JPEGs of about {WIDTH}x768, chain retinanet, 800x800")
    for label, threads, work in (
        ("rules' steps, one thread", 1, _plain),
        ("one thread", 1, _ours),
        (f"{cores} threads", cores, _ours),
    ):
        print(f"{label:<26}{_rate(paths, threads, work):>7.1f} pictures/s")


def _rate(paths: Sequence[Path], threads: int, work: Callable[[Path], Array]) -> float:
    """Return pictures per second, after a first few."""
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, paths[: 4 * threads]):
            pass
        start = time.perf_counter()
        for _ in pool.map(work, paths):
            pass
        return len(paths) / (time.perf_counter() - start)


def _plain(path: Path) -> Array:
    """Return a picture by the rules' steps, one OpenCV call or numpy expression after the other."""
    raw = cv2.imread(str(path))
    assert raw is not None
    pixels = cv2.cvtColor(raw.astype(np.float32), cv2.COLOR_BGR2RGB)
    return (cv2.resize(pixels, (800, 800), interpolation=cv2.INTER_LINEAR) / np.float32(255)).transpose(2, 0, 1).copy()


def _ours(path: Path) -> Array:
    slot = np.empty(FORM.shape, FORM.dtype)
    task.preprocess(path, FORM, slot)
    return slot


def _responses(model: Path) -> None:
    """Print what a response costs beside the inference that it follows."""
    import onnxruntime as ort

    session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    sample = np.random.default_rng(0).random(entry.shape, np.float32)
    names = ["boxes", "scores", "labels"]
    inference = _median(lambda: session.run(names, {entry.name: sample}), INFERENCES)
    print(f"{model.name}: an inference takes {inference * 1e3:.2f} ms")
    random, known = np.random.default_rng(0), task.DetectorOptions(image_size=entry.shape[-1])
    for count in (0, DETECTIONS, 300):
        boxes, labels = random.random((count, 4), np.float32), random.integers(0, CATEGORIES, count)
        outputs: list[Array] = [boxes, np.linspace(1, 0.06, count, dtype=np.float32), labels]
        seconds = _median(partial(task.respond, outputs, [7], known), RESPONSES)
        share = seconds / inference
        print(f"a response of {count:>3} detections: {seconds * 1e6:.1f} us, {share:.3%} (target {TARGET_SHARE:.0%})")


def _median(work: Callable[[], object], turns: int) -> float:
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


if __name__ == "__main__":
    main(sys.argv[1:])
