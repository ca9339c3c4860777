"""Convert the SSD-MobileNetV2 in MediaPipe's Objectron package to an ONNX detector.

It is the one detector trained on OpenImages (version 4, 23 of its classes) in a package index. The network ends at raw
predictions per anchor; box decoding is added here after Liu et al. 2016 (SSD), with the anchors and scales of
TensorFlow's object detection: the package contains neither.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx

from engine.datasets import boxed_photographs
from engine.errors import DataError
from engine.facts import PackageFacts
from engine.formats import tflite_file
from engine.networks import tflite_convert
from engine.networks.convnet import Array, model_facts, tensor
from engine.networks.suppression import Limits, SuppressingNet
from engine.step import Options, Step

ARCHIVE = "objectron_solution_packed_assets.data"
"""Concatenated files of the package."""
TABLE = "objectron_solution_packed_assets_loader.js"
"""Index of the archive."""
LABELS, NETWORK = "object_detection_oidv4_labelmap.txt", "object_detection_ssd_mobilenetv2_oidv4_fp16.tflite"
"""Suffixes of their paths."""
ENCODINGS, PREDICTIONS = "raw_outputs/box_encodings", "raw_outputs/class_predictions"
"""The network's outputs: [1,A,4] as y, x, height, width; [1,A,classes], the first of which is the background."""

GRIDS = (19, 10, 5, 3, 2, 1)
"""Cells per side of each predicting layer."""
SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
"""Anchor sizes of each layer as fractions of the image's side; the last one limits the last layer's."""
CENTRE, SIZE = 10.0, 5.0
"""Scale factors of the encodings: of an anchor's centre offsets, and of the logarithms of its sides."""

OVERLAP = 0.5
"""IoU above which the box with the lower score, of two in one class, is suppressed."""
LEAST_SCORE = 0.05
MOST = 100
"""Maximum detections per image, and per class of one."""


class ClassesOptions(Options, frozen=True, kw_only=True):
    """Which classes are detected."""

    classes: Literal["all", "rules"]


def convert(step: Step) -> dict[str, Any]:
    """Write `model.onnx` from the files of the dependency `package`.

    Input `input` float32 [1,3,S,S] in -1...1; the outputs are those of `build`, labels by the numbers of
    engine.datasets.boxed_photographs. Option `classes`: all, or rules for those alone that the rules' OpenImages has.
    Raises DataError if the package's content is not as expected.
    """
    package = step.inputs["package"]
    found = {Path(name).name: package.folder / name for name in package.read(PackageFacts).files}
    step.phase("converting")
    try:
        parts = _parts(found[TABLE].read_text(encoding="utf-8"), found[ARCHIVE].read_bytes())
        labels = parts[LABELS].decode().splitlines()
        numbers = [boxed_photographs.boxes().number(name) for name in labels[1:]]
        end = boxed_photographs.RULES if step.read_options(ClassesOptions).classes == "rules" else max(numbers) + 1
        categories = [number if number < end else None for number in numbers]
        model, size = build(tflite_file.read(parts[NETWORK]), categories)
    except KeyError as error:
        raise DataError(
            f"{package.path}: it holds no {error.args[0]}", "give the package @mediapipe/objectron"
        ) from None
    except ValueError as error:
        raise DataError(
            f"{package.path}: no SSD-MobileNetV2: {error}", "give the package @mediapipe/objectron"
        ) from error
    path = step.output / "model.onnx"
    onnx.save(model, path)
    return model_facts(
        path,
        outputs=["boxes", "scores", "labels"],
        task_options={"image_size": size},
        weight_transformations="TFLite network with fp16 weights written as ONNX in fp32; anchors and NMS added",
    )


def _parts(table: str, archive: bytes) -> dict[str, bytes]:
    """Split the archive; the index is a list of {filename, start, end} in JSON inside JavaScript."""
    match = re.search(r'"files":\s*(\[[^\]]*\])', table)
    if match is None:
        raise ValueError(f"{TABLE} has no list of files")
    return {Path(one["filename"]).name: archive[one["start"] : one["end"]] for one in json.loads(match[1])}


def build(network: tflite_file.Network, categories: Sequence[int | None]) -> tuple[onnx.ModelProto, int]:
    """Return the model and the side S of its images.

    `categories` are the numbers of the classes, without the background; None drops a class. Outputs in descending order
    of scores, at most MOST, above LEAST_SCORE: `boxes` float32 [n,4] (xmin, ymin, xmax, ymax in 0...S), `scores`
    float32 [n], `labels` int64 [n] (a category). Raises ValueError if the network is another one.
    """
    batch, height, width, channels = tflite_convert.image_shape(network)
    if (batch, channels) != (1, 3) or height != width:
        raise ValueError(f"it takes {[batch, height, width, channels]}, not one square RGB image")
    shapes = {network.tensors[one].name: network.tensors[one].shape for one in network.outputs}
    around = anchors()
    if shapes != {ENCODINGS: (1, len(around), 4), PREDICTIONS: (1, len(around), len(categories) + 1)}:
        raise ValueError(f"it gives {shapes} for {len(around)} anchors and {len(categories)} classes")
    net = _Ssd()
    outputs = tflite_convert.write(network, net, "input")
    corners = net.corners(outputs[ENCODINGS], around * np.float32(height), height)
    given = {place: number for place, number in enumerate(categories, start=1) if number is not None}
    likely = net.likely(outputs[PREDICTIONS], list(given))
    net.detections(corners, likely, Limits(OVERLAP, LEAST_SCORE, MOST), np.array(list(given.values()), np.int64))
    image = tensor("input", "float32", [1, 3, height, width])
    results = [tensor("boxes", "float32", ["n", 4]), tensor("scores", "float32", ["n"])]
    return net.model("ssd-mobilenet-v2", [image], [*results, tensor("labels", "int64", ["n"])]), height


def anchors() -> Array:
    """Return centre x, centre y, width and height of each anchor as fractions of the image's side, float32 [A,4]."""
    found = []
    for (scale, following), grid in zip(pairwise(SCALES), GRIDS, strict=True):
        middles = (np.arange(grid) + 0.5) / grid
        y, x = np.meshgrid(middles, middles, indexing="ij")
        sides = np.array(list(_sides(scale, following, first=grid == GRIDS[0])))
        layer = np.empty((grid, grid, len(sides), 4))
        layer[..., 0], layer[..., 1], layer[..., 2:] = x[..., None], y[..., None], sides
        found.append(layer.reshape(-1, 4))
    return np.concatenate(found).astype(np.float32)


def _sides(scale: float, following: float, *, first: bool) -> Iterator[tuple[float, float]]:
    """Yield width and height of a cell's anchors; the first layer has three, one of which is half as large."""
    if first:
        yield 0.1, 0.1
    for ratio in (2, 1 / 2) if first else (1, 2, 1 / 2, 3, 0.3333):
        yield scale * sqrt(ratio), scale / sqrt(ratio)
    if not first:
        between = sqrt(scale * following)
        yield between, between


class _Ssd(SuppressingNet):
    """The postprocessing nodes."""

    def corners(self, encodings: str, around: Array, side: int) -> str:
        """Add the corners [1,A,4] in pixels, clipped to the image, of encodings and anchors."""
        centre = self._columns(encodings, "centre", [1, 0])
        moved = self.node("Mul", [centre, self.weight("centre.scale", around[None, :, 2:] / CENTRE)], "moved")
        middle = self.node("Add", [moved, self.weight("anchors", around[None, :, :2])], "middle")
        logarithms = self._columns(encodings, "sides", [3, 2])
        growth = self.node(
            "Exp", [self.node("Mul", [logarithms, self._floats("sides.scale", 1 / SIZE)], "log")], "growth"
        )
        half = self.node("Mul", [growth, self.weight("half.anchors", around[None, :, 2:] / 2)], "half")
        ends = [self.node("Sub", [middle, half], "upper.left"), self.node("Add", [middle, half], "lower.right")]
        limits = [self._floats("least", 0), self._floats("greatest", side)]
        return self.node("Clip", [self.node("Concat", ends, "corners", axis=2), *limits], "corners.within")

    def likely(self, predictions: str, which: list[int]) -> str:
        """Add the probabilities [1,n,A] of n columns of the predictions."""
        classes = self._columns(predictions, "classes", which)
        return self.node("Sigmoid", [self.node("Transpose", [classes], "logits", perm=[0, 2, 1])], "likely")

    def _columns(self, x: str, name: str, which: list[int]) -> str:
        return self.node("Gather", [x, self.whole(f"{name}.columns", *which)], name, axis=2)

    def _floats(self, name: str, value: float) -> str:
        return self.weight(name, np.array(value, np.float32))
