"""Axes as written: lists, ranges, doublings; anything else is refused with what to write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.design_space.axis_words import axes_of, axis_text
from engine.errors import UsageError


@pytest.mark.parametrize(
    ("text", "values", "is_number"),
    [
        ("backend=onnxruntime,openvino", ("onnxruntime", "openvino"), False),
        ("sessions=4,1,2,2", ("1", "2", "4"), True),
        ("max_batch=1:64:log2", ("1", "2", "4", "8", "16", "32", "64"), True),
        ("max_batch=3:20:log2", ("3", "6", "12"), True),
        ("queue_wait_us=0:1000:250", ("0", "250", "500", "750", "1000"), True),
        ("rate=0.1:0.3:0.1", ("0.1", "0.2", "0.3"), True),
        ("sessions=default,1:4:log2", ("default", "1", "2", "4"), False),
        ("onnxruntime.version=1.20,1.32", ("1.20", "1.32"), False),
        ("model_path=/data/a:b.onnx,/data/c.onnx", ("/data/a:b.onnx", "/data/c.onnx"), False),
    ],
)
def test_an_axis_is_read(text: str, values: tuple[str, ...], is_number: bool) -> None:
    (axis,) = axes_of([text])
    assert (axis.values, axis.is_number) == (values, is_number)
    assert axes_of([axis_text(axis)]) == (axis,)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("sessions", "is not an axis"),
        ("=1,2", "is not an axis"),
        ("sessions=,", "is not an axis"),
        ("max_batch=8:1:log2", "no range"),
        ("max_batch=0:8:log2", "above 0"),
        ("max_batch=1:8:twice", "no step"),
        ("max_batch=1:8:0", "no step"),
        ("max_batch=0:1e9:1", "more than 1000 values"),
        ("max_batch=nan:8:1", "no range"),
    ],
)
def test_what_is_no_axis_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        axes_of([text])


def test_an_axis_is_given_once() -> None:
    with pytest.raises(UsageError, match="given twice"):
        axes_of(["sessions=1", "sessions=2"])


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        axes = axes_of([text])
    except UsageError:
        return
    assert all(axis.values and len(set(axis.values)) == len(axis.values) for axis in axes)
