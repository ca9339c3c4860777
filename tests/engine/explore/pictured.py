"""Accuracy runs of the three tasks with images, as files of a job that pictures are made from."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.explore.runs import Run
from engine.harness.spec import RunSpec
from engine.tasks import image_classification, medical_segmentation, object_detection
from tests.engine.harness.runs import settings, spec

SIDE = 32
CLASSES, DETECTION, SEGMENTATION = (
    f"engine.tasks.{name}" for name in ("image_classification", "object_detection", "medical_segmentation")
)
SHAPE = (6, 20, 30)


def run(folder: Path, mode: str = "accuracy") -> Run:
    """A run of a job whose files are in this folder."""
    return Run(
        id=f"r-0001/Offline{'/accuracy' if mode == 'accuracy' else ''}", job="r-0001", step=mode, benchmark="b",
        scenario="Offline", mode=mode, folder=str(folder),
    )  # fmt: skip


def classified(folder: Path, answers: Mapping[int, float]) -> Run:
    """Images NCHW of the labels 3, 4, 5."""
    _samples(folder, 3)
    (folder / image_classification.LABELS).write_text("a.jpg 3\nb c.jpg 4\nd.jpg 5\n", encoding="utf-8")
    return written(folder, CLASSES, {index: struct.pack("<f", value) for index, value in answers.items()})


def detected(folder: Path, answers: Mapping[int, Sequence[tuple[float, ...]]]) -> Run:
    """An image with a dog and a box of two cats, and one without; answers: left, top, right, bottom, score, class."""
    _samples(folder, 2)
    sizes = {"width": 200, "height": 100}
    boxes = [([20, 10, 100, 50], 0, 0), ([100, 40, 60, 60], 1, 1)]
    file = {
        "images": [{"id": 7, "file_name": "one.jpg", **sizes}, {"id": 8, "file_name": "two.jpg", **sizes}],
        "annotations": [
            {"id": number, "image_id": 7, "category_id": kind, "bbox": box, "area": 1.0, "iscrowd": crowd}
            for number, (box, kind, crowd) in enumerate(boxes, start=1)
        ],
        "categories": [{"id": 0, "name": "Dog"}, {"id": 1, "name": "Cat"}],
    }
    (folder / object_detection.LABELS).write_text(json.dumps(file), encoding="utf-8")
    rows = {
        index: b"".join(
            struct.pack("<7f", index, top, left, bottom, right, score, kind)
            for left, top, right, bottom, score, kind in found
        )
        for index, found in answers.items()
    }
    return written(folder, DETECTION, rows)


def segmented(folder: Path) -> Run:
    """A volume whose slices 2, 3 and 4 have a kidney at the left, found but for its last column, and a tumour."""
    (folder / "spec").mkdir(parents=True)
    volume = np.zeros(SHAPE, np.float32)
    truth = np.zeros(SHAPE, np.uint8)
    truth[2:5, 5:15, 2:12] = 1
    truth[3, 12:15, 2:6] = 2
    volume[truth > 0] = 1
    answer = truth.copy()
    answer[:, :, 11] = 0
    np.save(folder / medical_segmentation.VOXELS, volume.ravel())
    np.save(folder / medical_segmentation.TRUTH, truth.ravel())
    np.save(folder / medical_segmentation.OFFSETS, np.array([0, volume.size]))
    np.save(folder / medical_segmentation.SHAPES, np.array([SHAPE]))
    cases = {
        "classes": ["kidney", "tumor"],
        "cases": [{"name": "case_00003", "shape": SHAPE, "affine": np.eye(4).tolist()}],
    }
    (folder / medical_segmentation.LABELS).write_text(json.dumps(cases), encoding="utf-8")
    names = {"values": "voxels.npy", "offsets": "offsets.npy", "shapes": "shapes.npy"}
    files = {name: str(folder / file) for name, file in names.items()}
    return written(folder, SEGMENTATION, {0: answer.tobytes()}, samples=(files,))


def written(folder: Path, task: str, answers: Mapping[int, bytes], **changes: Any) -> Run:
    """Write spec and log of a run of this task over the samples in the folder."""
    made: dict[str, Any] = msgspec.to_builtins(spec(folder / "spec", settings("Offline", "accuracy"), task=task))
    made |= {"samples": (str(folder / "samples.npy"),), **changes}
    (folder / "spec.json").write_bytes(msgspec.json.encode(msgspec.convert(made, RunSpec)))
    log = [
        {"seq_id": number, "qsl_idx": index, "data": data.hex().upper()}
        for number, (index, data) in enumerate(answers.items())
    ]
    (folder / "mlperf_log_accuracy.json").write_text(json.dumps(log), encoding="ascii")
    return run(folder)


def _samples(folder: Path, count: int) -> None:
    (folder / "spec").mkdir(parents=True)
    ramp = np.linspace(-2, 2, SIDE, dtype=np.float32)
    images = np.broadcast_to(ramp, (count, 3, SIDE, SIDE)).copy()
    images[:, 0] = 2
    np.save(folder / "samples.npy", images)
