"""The backend that computes nothing."""

from pathlib import Path

import pytest

from engine.backends import null
from engine.backends.base import BackendOptions, TensorSpec
from engine.errors import UsageError


def test_its_tensors_are_what_the_options_say() -> None:
    extra = {"inputs": "image:uint8:3,4 mask:bool:", "outputs": "a:int64: b:float32:7"}
    runner = null.load(Path("nowhere"), BackendOptions(extra=extra))
    assert runner.inputs == (TensorSpec("image", (None, 3, 4), "uint8"), TensorSpec("mask", (None,), "bool"))
    binding = runner.bind(5)
    assert [array.shape for array in binding.inputs] == [(5, 3, 4), (5,)]
    assert [(array.shape, array.dtype.name) for array in binding.run()] == [((5,), "int64"), ((5, 7), "float32")]
    runner.close()


def test_it_gives_the_outputs_that_are_asked_for() -> None:
    options = BackendOptions(outputs=("b",), extra={"outputs": "a:int64: b:float32:7"})
    assert [spec.name for spec in null.load(Path(), options).outputs] == ["b"]


@pytest.mark.parametrize("extra", [{"inputs": "x"}, {"inputs": "x:float32"}, {"outputs": "x:float:3,a"}, {"dim": "3"}])
def test_options_that_say_no_tensor_are_refused(extra: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        null.load(Path(), BackendOptions(extra=extra))
