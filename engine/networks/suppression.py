"""ONNX nodes of a small detector's postprocessing: non-maximum suppression per class, then the best of all.

Shared by the downloaded and the shipped detectors, which have a score of every class for every box. The rules'
RetinaNet first selects per level (engine.networks.detection_head).
"""

from dataclasses import dataclass

import numpy as np
from onnx import helper

from engine.networks.convnet import Array, ConvNet


@dataclass(frozen=True)
class Limits:
    """Limits of the selected boxes."""

    overlap: float
    """IoU above which the box with the lower score, of two in one class, is suppressed."""
    least_score: float
    most: int


class SuppressingNet(ConvNet):
    """A detector graph under construction, for batch size 1."""

    def detections(self, corners: str, likely: str, limits: Limits, categories: Array | None = None) -> None:
        """Add the outputs `boxes` float32 [n,4], `scores` float32 [n] in descending order, `labels` int64 [n].

        `corners` float32 [1,A,4], `likely` float32 [1,C,A]. A label is the index of the class, or its entry in
        `categories` int64 [C].
        """
        most = self.whole("most", limits.most)
        bounds = [
            self.weight(name, np.array([value], np.float32))
            for name, value in (("overlap", limits.overlap), ("score", limits.least_score))
        ]
        # The operator accepts corners in either order of the axes, if it is the same for all.
        kept = self.node("NonMaxSuppression", [corners, likely, most, *bounds], "kept")
        values = self.node("GatherND", [likely, kept], "kept.scores")
        count = self.node("Min", [self.node("Shape", [values], "kept.count"), most], "count")
        self._nodes.append(helper.make_node("TopK", [values, count], ["scores", "order"], name="best"))
        chosen = self.node("Gather", [kept, "order"], "chosen")
        if categories is None:
            self._column(chosen, 1, "labels")
        else:
            self.node(
                "Gather", [self.weight("categories", categories), self._column(chosen, 1, "chosen.classes")], "labels"
            )
        flat = self.node("Squeeze", [corners, self.whole("batch.axis", 0)], "candidates.flat")
        self.node("Gather", [flat, self._column(chosen, 2, "cells")], "boxes")

    def whole(self, name: str, *values: int) -> str:
        """Return a constant int64 [n]."""
        return self.weight(name, np.array(values, np.int64))

    def _column(self, x: str, which: int, name: str) -> str:
        column = self.node("Gather", [x, self.whole(f"{name}.column", which)], f"{name}.column.of", axis=1)
        return self.node("Squeeze", [column, self.whole(f"{name}.axis", 1)], name)
