"""Writes the end of a small detector as ONNX nodes: of boxes that overlap the best stays, and the best of all go out.

The detectors that are fetched and shipped end alike, with a score of every class for every box. The rules' RetinaNet
first chooses by level (engine.networks.detection_head).
"""

from dataclasses import dataclass

import numpy as np
from onnx import helper

from engine.networks.convnet import Array, ConvNet


@dataclass(frozen=True)
class Limits:
    """Which boxes are given out."""

    overlap: float
    """Of two boxes of a class that overlap more than this, the one with the lower score goes."""
    least_score: float
    most: int


class SuppressingNet(ConvNet):
    """A graph of a detector under construction, for one picture at a time."""

    def detections(self, corners: str, likely: str, limits: Limits, categories: Array | None = None) -> None:
        """Add the outputs `boxes` float32 [n,4], `scores` float32 [n] from best to worst, `labels` int64 [n].

        `corners` float32 [1,A,4], `likely` float32 [1,C,A]. A label is the number of the class, or what `categories`
        int64 [C] have in its place.
        """
        most = self.whole("most", limits.most)
        bounds = [
            self.weight(name, np.array([value], np.float32))
            for name, value in (("overlap", limits.overlap), ("score", limits.least_score))
        ]
        # The operator takes corners in either order of the axes, as long as all are alike.
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
