"""Points of a space with axes that exist only for some values of others."""

from __future__ import annotations

from engine.design_space.points import axis_differences, every_point, pick
from engine.design_space.trials import Axis
from tests.engine.design_space.spaces import AXES, SIZE


def test_every_point_once() -> None:
    points = list(every_point(AXES))
    assert len(points) == len(set(points)) == SIZE
    assert points[0] == (("backend", "onnxruntime"), ("precision", "fp32"), ("workers.max_batch", "1"))
    for point in points:
        assert ("openvino.streams" in dict(point)) == (dict(point)["backend"] == "openvino")


def test_an_axis_may_stand_before_the_one_that_it_needs() -> None:
    needs = Axis(name="streams", values=("1", "2"), only_with=(("backend", frozenset({"b"})),))
    axes = (needs, Axis(name="backend", values=("a", "b")))
    assert set(every_point(axes)) == {
        (("backend", "a"),),
        (("streams", "1"), ("backend", "b")),
        (("streams", "2"), ("backend", "b")),
    }


def test_an_axis_of_one_that_does_not_exist_does_not_exist() -> None:
    second = Axis(name="second", values=("x",), only_with=(("first", frozenset({"1"})),))
    first = Axis(name="first", values=("1",), only_with=(("backend", frozenset({"b"})),))
    axes = (Axis(name="backend", values=("a", "b")), first, second)
    assert list(every_point(axes)) == [(("backend", "a"),), (("backend", "b"), ("first", "1"), ("second", "x"))]


def test_shares_of_the_way_through_the_values() -> None:
    assert pick(AXES, (0.99, 0.0, 0.5, 0.9)) == (
        ("backend", "tensorflow"),
        ("precision", "fp32"),
        ("workers.max_batch", "4"),
    )
    assert dict(pick(AXES, (0.4, 0.6, 0.0, 0.7)))["openvino.streams"] == "3"


def test_differences_name_both_values() -> None:
    one = (("backend", "openvino"), ("openvino.streams", "2"))
    assert axis_differences(one, (("backend", "onnxruntime"),)) == (
        ("backend", "openvino", "onnxruntime"),
        ("openvino.streams", "2", ""),
    )
    assert axis_differences(one, one) == ()
