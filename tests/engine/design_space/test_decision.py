"""What an exploration does next, leaves out and expects."""

from __future__ import annotations

from typing import Any

from engine.design_space.axis_words import axes_of
from engine.design_space.decision import End, Standpoint, near, next_step
from engine.design_space.policy import Planned
from engine.design_space.trials import Axis, Trial
from tests.engine.design_space.fake_bench import ALL, DEFAULT, spec


def standpoint(made: list[Trial], spent: float = 0.0, **changes: Any) -> Standpoint:
    return Standpoint(
        spec=spec(**changes), trials=made, constraints=(), session=1, spent=spent, settings={"sessions": 3.0}
    )


def trial(number: int, **changes: Any) -> Trial:
    usual = {
        "point": ALL[number - 1],
        "state": "valid",
        "figures": {"Offline": 1.0, "peak_memory": 1.0},
        "seconds": 10.0,
    }
    return Trial(number=number, session=1, **{**usual, **changes})


def every(**changes: Any) -> list[Trial]:
    return [trial(number, **changes) for number in range(1, 7)]


def test_the_default_is_first_and_a_refused_one_is_not() -> None:
    first = next_step(standpoint([]), lambda _: True)
    assert isinstance(first, Planned)
    assert (first.point, first.purpose) == (DEFAULT, "baseline")
    other = next_step(standpoint([]), lambda point: point != DEFAULT)
    assert isinstance(other, Planned)
    assert other.point != DEFAULT


def test_what_is_missing_is_counted_without_points_outside_the_axes() -> None:
    outside = trial(1, point=(("backend", "onnxruntime"), ("sessions", "default")))
    assert standpoint([outside]).missing == 6
    assert standpoint([outside, trial(2), trial(3)]).missing == 4


def test_the_end_names_what_is_left_out() -> None:
    found = next_step(standpoint([trial(1), trial(2)], spent=20.0, budget=25.0), lambda _: True)
    assert isinstance(found, End)
    assert (found.ending, found.left_out) == ("budget", ("4 of 6 points were not measured",))
    limited = next_step(standpoint([trial(1), trial(2)], trials=2), lambda _: True)
    assert isinstance(limited, End)
    assert limited.reason == "2 trials were asked for"
    assert limited.left_out


def test_the_time_left_is_told_with_what_it_may_become() -> None:
    assert standpoint([trial(1), trial(2)]).left_text == "about 0:45 left"
    assert standpoint([trial(1), trial(2)], spent=20.0, budget=600.0).left_text == "0:45 to 9:40 left"
    assert standpoint([trial(1), trial(2)], spent=20.0, budget=50.0).left_text == "about 0:30 left"
    assert standpoint(every()).left_text == ""


def test_the_point_near_a_plans_own_choice_is_known_to_be_good() -> None:
    axes = axes_of(["backend=openvino,onnxruntime", "sessions=1,2,8", "max_batch=1:64:log2"])
    default = (("backend", "onnxruntime"), ("sessions", "default"), ("max_batch", "default"))
    assert near(axes, default, {"sessions": 3.0, "max_batch": 40.0}) == (
        ("backend", "onnxruntime"),
        ("sessions", "2"),
        ("max_batch", "32"),
    )
    assert near(axes, default, {}) is None
    assert near(axes, (("backend", "openvino"), ("sessions", "1"), ("max_batch", "2")), {"sessions": 3.0}) is None
    conditional = (*axes[:1], Axis(name="streams", values=("1",), only_with=(("backend", frozenset({"openvino"})),)))
    assert near(conditional, default, {"sessions": 1.0}) == (("backend", "onnxruntime"),)
