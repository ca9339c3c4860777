"""ONNX nodes of a one-stage detector's postprocessing: anchors, box decoding, non-maximum suppression.

The steps and their order are those of torchvision's exported RetinaNet, because they are part of the measured time:
sigmoid of every score, threshold and top k of each level, decoding of these alone, suppression per class, top k of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from engine.networks.convnet import ConvNet

Array = np.ndarray[Any, np.dtype[Any]]

GROWTH_LIMIT = float(np.log(1000 / 16))
"""The greatest logarithm by which a box outgrows its anchor (torchvision's box coder)."""

DETECTION_OUTPUTS = ("boxes", "scores", "labels")


@dataclass(frozen=True)
class DetectionLimits:
    """Limits of the selected boxes; the defaults are those of the rules' RetinaNet."""

    image_size: int = 800
    classes: int = 264
    least_score: float = 0.05
    """Exclusive lower limit of a score."""
    most_of_level: int = 1000
    overlap: float = 0.5
    """IoU above which the box with the lower score, of two in one class, is suppressed."""
    most: int = 300


def anchors(image_size: int, cells: int, sizes: Sequence[int], ratios: Sequence[float]) -> Array:
    """Return xmin, ymin, xmax, ymax of each anchor of a level with `cells` by `cells` cells, float32 [n,4].

    In the order of rows, cells, ratios (height over width), sizes. As torchvision computes them: corners of whole
    pixels around the cell's upper left corner, and cells of whole pixels, which leaves a rest at the far sides if the
    cells don't divide the image.
    """
    roots = np.sqrt(np.array(ratios, np.float32))
    width = (1 / roots[:, None] * np.array(sizes, np.float32)).ravel()
    height = (roots[:, None] * np.array(sizes, np.float32)).ravel()
    around = np.rint(np.stack([-width, -height, width, height], axis=1) / 2)
    y, x = np.meshgrid(*2 * [np.arange(cells, dtype=np.float32) * (image_size // cells)], indexing="ij")
    corners = np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4)
    found: Array = (corners + around).reshape(-1, 4).astype(np.float32)
    return found


class DetectionNet(ConvNet):
    """A detector graph under construction, for batch size 1."""

    def anchor_rows(self, x: str, cells: int, depth: int) -> str:
        """Add the reshape of a map [1, anchors per cell * depth, cells, cells] to [1, anchors, depth]."""
        apart = self.node("Reshape", [x, self.whole(1, -1, depth, cells, cells)], f"{x}.apart")
        last = self.node("Transpose", [apart], f"{x}.last", perm=[0, 3, 4, 1, 2])
        return self.node("Reshape", [last, self.whole(1, -1, depth)], f"{x}.rows")

    def detections(
        self, logits: Sequence[str], deltas: Sequence[str], around: Sequence[Array], choice: DetectionLimits
    ) -> None:
        """Add the outputs `boxes` float32 [n,4], `scores` float32 [n] in descending order, `labels` int64 [n].

        For each level: logits [1, anchors, classes], deltas [1, anchors, 4] (dx, dy, log width, log height in units of
        the anchor) and the anchors [n,4]. Boxes are xmin, ymin, xmax, ymax within 0...image_size.
        """
        sizes = self.whole(*(len(one) for one in around))
        all_logits = self._split(self.node("Concat", logits, "logits", axis=1), sizes, len(around))
        all_deltas = self._split(self.node("Concat", deltas, "deltas", axis=1), sizes, len(around))
        levels = [
            self._level(f"level{number}", *parts, choice)
            for number, parts in enumerate(zip(all_logits, all_deltas, around, strict=True))
        ]
        boxes, scores, labels = (
            self.node("Concat", parts, f"all.{name}", axis=0)
            for name, parts in zip(DETECTION_OUTPUTS, zip(*levels, strict=True), strict=True)
        )
        kept = self._kept(boxes, scores, labels, choice.most_of_level * len(around), choice)
        for name, values in zip(DETECTION_OUTPUTS, (boxes, scores, labels), strict=True):
            self.node("Gather", [values, kept], name, axis=0)

    def whole(self, *values: int) -> str:
        """Return a constant int64 [n]."""
        return self._constant(f"whole.{'.'.join(map(str, values))}", np.array(values, np.int64))

    def number(self, value: float, dtype: str = "float32") -> str:
        """Return a scalar constant."""
        return self._constant(f"{dtype}.{value}", np.array(value, dtype))

    def _level(
        self, name: str, logits: str, deltas: str, around: Array, choice: DetectionLimits
    ) -> tuple[str, str, str]:
        """Add the n best of a level: boxes [n,4], scores [n], labels [n]."""
        likely = self.node("Sigmoid", [logits], f"{name}.likely")
        scores = self.node("Reshape", [likely, self.whole(-1)], f"{name}.scores")
        good = self.node("Greater", [scores, self.number(choice.least_score)], f"{name}.good")
        where = self.node("Squeeze", [self.node("NonZero", [good], f"{name}.good.at"), self.whole(0)], f"{name}.at")
        values = self.node("Gather", [scores, where], f"{name}.values")
        found = self.node("Shape", [where], f"{name}.found")
        count = self.node("Min", [found, self.whole(choice.most_of_level)], f"{name}.count")
        best, order = self._many("TopK", [values, count], f"{name}.best", 2)
        chosen = self.node("Gather", [where, order], f"{name}.chosen")
        classes = self.number(choice.classes, "int64")
        anchor = self.node("Div", [chosen, classes], f"{name}.anchor")
        labels = self.node("Mod", [chosen, classes], f"{name}.labels")
        rows = self.node("Squeeze", [deltas, self.whole(0)], f"{name}.deltas")
        own = self._constant(f"{name}.anchors", _centred(around))
        rows, own = (self.node("Gather", [one, anchor], f"{one}.chosen") for one in (rows, own))
        return self._boxes(name, rows, own, choice), best, labels

    def _boxes(self, name: str, deltas: str, own: str, choice: DetectionLimits) -> str:
        """Add the boxes [n,4] of deltas [n,4] and of anchors [n,4] (centre x and y, width, height)."""
        move, grow = self._halves(deltas)
        middle, side = self._halves(own)
        centre = self.node("Add", [self.node("Mul", [move, side], f"{name}.move"), middle], f"{name}.centre")
        growth = self.node(
            "Exp", [self.node("Min", [grow, self.number(GROWTH_LIMIT)], f"{name}.log")], f"{name}.growth"
        )
        sides = self.node("Mul", [growth, side], f"{name}.sides")
        half = self.node("Mul", [sides, self.number(0.5)], f"{name}.half")
        ends = [self.node("Sub", [centre, half], f"{name}.upper"), self.node("Add", [centre, half], f"{name}.lower")]
        corners = self.node("Concat", ends, f"{name}.corners", axis=1)
        return self.node("Clip", [corners, self.number(0.0), self.number(float(choice.image_size))], f"{name}.boxes")

    def _kept(self, boxes: str, scores: str, labels: str, candidates: int, choice: DetectionLimits) -> str:
        """Add the indices [n] of the selected boxes in descending order of scores.

        Boxes are offset by class so that boxes of two classes never overlap, as torchvision does, and one suppression
        serves all. It costs precision of the overlaps: corners of the 264th class are in 64ths of a pixel.
        """
        classes = self.node("Cast", [labels], "classes", to=TensorProto.FLOAT)
        offset = self.node("Mul", [classes, self.number(choice.image_size + 1.0)], "offset")
        moved = self.node("Add", [boxes, self.node("Unsqueeze", [offset, self.whole(1)], "offsets")], "moved")
        inputs = [
            self.node("Unsqueeze", [moved, self.whole(0)], "moved.batch"),
            self.node("Unsqueeze", [scores, self.whole(0, 1)], "scores.batch"),
            self.whole(candidates),
            self.number(choice.overlap),
        ]
        chosen = self.node("NonMaxSuppression", inputs, "suppression")
        places = self.node("Gather", [chosen, self.number(2, "int64")], "places", axis=1)
        return self.node("Slice", [places, self.whole(0), self.whole(choice.most)], "kept")

    def _split(self, x: str, sizes: str, count: int) -> list[str]:
        return self._many("Split", [x, sizes], f"{x}.of", count, axis=1)

    def _halves(self, x: str) -> list[str]:
        return self._split(x, self.whole(2, 2), 2)

    def _many(self, operator: str, inputs: list[str], name: str, count: int, **attributes: Any) -> list[str]:
        """Add an operator with several outputs."""
        results = [f"{name}.{number}" for number in range(count)]
        self._nodes.append(helper.make_node(operator, inputs, results, name=name, **attributes))
        return results

    def _constant(self, name: str, values: Array) -> str:
        """Return a constant that does not count as a parameter; constants of one name are one constant."""
        self._weights[name] = numpy_helper.from_array(values, name)
        return name


def _centred(corners: Array) -> Array:
    """Return centre x and y, width and height of boxes [n,4] given by their corners."""
    sides = corners[:, 2:] - corners[:, :2]
    return np.concatenate([corners[:, :2] + sides / 2, sides], axis=1)
