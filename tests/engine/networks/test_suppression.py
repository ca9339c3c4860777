"""Postprocessing of a small detector: suppression per class, descending scores, label mapping."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from engine.networks.convnet import Array, tensor
from engine.networks.suppression import Limits, SuppressingNet

CORNERS = np.array([[[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]]], np.float32)
LIMITS = Limits(overlap=0.5, least_score=0.1, most=3)


def run(likely: list[list[float]], limits: Limits = LIMITS, categories: Array | None = None) -> list[Array]:
    """Return boxes, scores and labels for the three CORNERS and scores [classes][3]."""
    net = SuppressingNet()
    net.detections("corners", "likely", limits, categories)
    inputs = [tensor("corners", "float32", [1, 3, 4]), tensor("likely", "float32", [1, len(likely), 3])]
    outputs = [
        tensor("boxes", "float32", ["n", 4]),
        tensor("scores", "float32", ["n"]),
        tensor("labels", "int64", ["n"]),
    ]
    session = onnxruntime.InferenceSession(net.model("test", inputs, outputs).SerializeToString())
    feed = {"corners": CORNERS, "likely": np.array([likely], np.float32)}
    found: list[Array] = session.run(["boxes", "scores", "labels"], feed)
    return found


def test_of_boxes_that_overlap_the_best_of_each_class_stays() -> None:
    boxes, scores, labels = run([[0.6, 0.9, 0.3], [0.8, 0.05, 0.0]])
    assert scores == pytest.approx([0.9, 0.8, 0.3])
    assert labels.tolist() == [0, 1, 0]
    assert boxes.tolist() == CORNERS[0, [1, 0, 2]].tolist()


def test_the_best_of_all_classes_go_out() -> None:
    _, scores, labels = run([[0.5, 0.0, 0.2], [0.7, 0.0, 0.6]], Limits(overlap=0.5, least_score=0.1, most=2))
    assert scores == pytest.approx([0.7, 0.6])
    assert labels.tolist() == [1, 1]


def test_labels_are_the_categories() -> None:
    assert run([[0.5, 0.0, 0.0], [0.0, 0.0, 0.9]], categories=np.array([7, 3], np.int64))[2].tolist() == [3, 7]


def test_nothing_found_is_an_empty_answer() -> None:
    assert [len(one) for one in run([[0.0, 0.0, 0.0]])] == [0, 0, 0]
