"""RetinaNet with synthetic weights, narrow and on small images: the same builder in a few seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from engine.datasets.scenes import SceneSet
from engine.networks.detection_head import DetectionLimits, anchors
from engine.standins.retinanet import RATIOS, SIZES, RetinaNetConfig, build_form, images
from engine.step import Step

SIZE = 256
SMALL = RetinaNetConfig(
    choice=DetectionLimits(image_size=SIZE, classes=12),
    blocks=(1, 1, 1, 1),
    groups=4,
    group_width=2,
    stem=8,
    pyramid=16,
    tower=1,
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The model file and its facts."""
    folder = tmp_path_factory.mktemp("stand-in")
    step = Step(id="s", title="s", options={"seed": 7}, inputs={}, output=folder, emit=lambda event: None)
    return folder / "model.onnx", build_form(step, SMALL)


def found(model: Path, image: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], ...]:
    """Return boxes, scores and labels."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    return tuple(session.run(["boxes", "scores", "labels"], {"images": image}))


def test_what_it_gives_is_what_the_task_reads(built: tuple[Path, dict[str, Any]]) -> None:
    model, facts = built
    assert facts["outputs"] == ["boxes", "scores", "labels"]
    assert facts["task_options"] == {"image_size": SIZE}
    assert facts["stand_in"] is True
    for image in images(SceneSet(3, 2, "test"), SIZE):
        boxes, scores, labels = found(model, image)
        assert boxes.shape == (len(scores), 4)
        assert (boxes.dtype, scores.dtype, labels.dtype) == (np.float32, np.float32, np.int64)
        assert len(scores) <= 300
        assert (np.diff(scores) <= 0).all()
        assert (scores > 0.05).all()
        assert ((boxes >= 0) & (boxes <= SIZE)).all()
        assert (boxes[:, 2:] >= boxes[:, :2]).all()
        assert ((labels >= 0) & (labels < SMALL.choice.classes)).all()


def test_no_two_boxes_of_a_class_overlap_by_more_than_half(built: tuple[Path, dict[str, Any]]) -> None:
    [image] = images(SceneSet(3, 1, "test"), SIZE)
    boxes, _, labels = found(built[0], image)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    overlap = shared / np.maximum(areas[:, None] + areas[None] - shared, 1e-9)
    same = labels[:, None] == labels[None]
    np.fill_diagonal(same, False)
    assert overlap[same].max(initial=0.0) <= 0.5 + 1e-4


def test_boxes_come_out_and_their_number_is_told(built: tuple[Path, dict[str, Any]]) -> None:
    detections = built[1]["detections"]
    assert 0 < detections["least"] <= detections["median"] <= detections["most"] <= 300


def test_the_same_seed_gives_the_same_file(built: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    step = Step(id="s", title="s", options={"seed": 7}, inputs={}, output=tmp_path, emit=lambda event: None)
    assert build_form(step, SMALL)["sha256"] == built[1]["sha256"]


def test_the_anchors_are_those_of_the_rules() -> None:
    cells = (100, 50, 25, 13, 7)
    all_ = [anchors(800, size, sides, RATIOS) for size, sides in zip(cells, SIZES, strict=True)]
    assert sum(len(one) for one in all_) == 120_087
    assert SIZES[0] == (32, 40, 50)
    assert SIZES[-1] == (512, 645, 812)
