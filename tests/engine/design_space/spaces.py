"""Spaces and trials for the tests of the search."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from engine.design_space.trials import Axis, Objective, Point, Trial

THROUGHPUT = Objective(key="Offline", title="Offline", unit="samples/s", maximize=True)
LATENCY = Objective(key="SingleStream", title="SingleStream", unit="ms", maximize=False)
OBJECTIVES = (THROUGHPUT, LATENCY)

AXES = (
    Axis(name="backend", values=("onnxruntime", "openvino", "tensorflow")),
    Axis(name="precision", values=("fp32", "int8")),
    Axis(name="workers.max_batch", values=("1", "2", "4", "8"), is_number=True),
    Axis(
        name="openvino.streams",
        values=("1", "2", "3"),
        is_number=True,
        only_with=(("backend", frozenset({"openvino"})),),
    ),
)
SIZE = 2 * 2 * 4 + 2 * 4 * 3
"""Number of points of these axes."""


def numbered(number: int) -> Point:
    """Return a point of a space of one axis."""
    return (("choice", str(number)),)


def measured(
    truth: Sequence[tuple[float, float]], repeats: Sequence[int], noise: float = 0.0, seed: int = 0
) -> list[Trial]:
    """Return trials of numbered points with these true figures of OBJECTIVES; `noise` is relative."""
    random = Random(seed)
    trials: list[Trial] = []
    for number, (figures, count) in enumerate(zip(truth, repeats, strict=True)):
        for _ in range(count):
            pair = [value * (1 + random.gauss(0, noise)) for value in figures]
            trials.append(trial(numbered(number), len(trials) + 1, *pair))
    return trials


def trial(point: Point, number: int, throughput: float, latency: float, **others: object) -> Trial:
    """Return a valid trial with figures of OBJECTIVES."""
    figures = {"Offline": throughput, "SingleStream": latency}
    return Trial(number=number, point=point, figures=figures, **{"state": "valid", "seconds": 2.0, **others})  # type: ignore[arg-type]
