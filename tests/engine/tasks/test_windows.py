"""Windows of a volume: places, weights and blending, against the arithmetic of the rules' reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backends.base import Array
from engine.tasks.windows import Blend, count, patch, places, within


def test_windows_go_by_the_stride_with_the_last_axis_fastest() -> None:
    found = places((192, 128, 256), (128, 128, 128), (64, 64, 64))
    assert found == [(i, 0, k) for i in (0, 64) for k in (0, 64, 128)]
    assert places((127, 128, 128), (128, 128, 128), (64, 64, 64)) == []


@given(st.lists(st.tuples(*[st.integers(1, 9)] * 3), min_size=1, max_size=4))
def test_their_number_is_known_without_them(shapes: list[tuple[int, int, int]]) -> None:
    size, stride = (4, 3, 2), (2, 3, 1)
    assert count(np.array(shapes), size, stride).tolist() == [len(places(one, size, stride)) for one in shapes]


def test_the_weights_are_those_of_the_rules() -> None:
    weights = patch((128, 128, 128))
    assert (weights.dtype.name, weights.shape, weights.max()) == ("float32", (128, 128, 128), 1.0)
    # The figures of inference_utils.gaussian_kernel(128, 16) with SciPy's own window.
    assert weights[0, 0, 0] == pytest.approx(3.801e-4, abs=1e-7)
    assert weights[32, 32, 32] == pytest.approx(0.14406367, abs=5e-9)
    assert weights.sum(dtype=np.float64) == pytest.approx(314764.46, abs=0.01)


def test_the_weights_equal_scipys() -> None:
    from scipy.signal.windows import gaussian

    bell = gaussian(128, 16.0)
    cube = np.cbrt(np.outer(np.outer(bell, bell), bell).reshape(128, 128, 128))
    assert (patch((128, 128, 128)) == (cube / cube.max()).astype(np.float32)).all()


def reference(shape: tuple[int, ...], outputs: list[Array], found: list[tuple[int, int, int]], weights: Array) -> Array:
    """The loop of base_SUT.py and finalize of inference_utils.py."""
    result = np.zeros((1, len(outputs[0]), *shape), np.float32)
    norm = np.zeros_like(result)
    for place, output in zip(found, outputs, strict=True):
        where = (..., *within(place, weights.shape))
        result[where] += output[None] * weights
        norm[where] += weights
    labels: Array = (result / norm).argmax(axis=1)[0].astype(np.uint8)
    return labels


@pytest.mark.parametrize("shape", [(6, 8, 10), (4, 4, 4)])
def test_blending_is_the_rules_loop_to_the_bit(shape: tuple[int, int, int]) -> None:
    rng, size = np.random.default_rng(1), (4, 4, 4)
    weights, found = patch(size), places(shape, size, (2, 2, 2))
    outputs = [rng.integers(-1, 2, (3, *size)).astype(np.float32) for _ in found]  # whole numbers: equal ones occur
    blend = Blend(shape, 3, weights)
    for place, output in zip(found, outputs, strict=True):
        blend.add(place, output * weights)
    assert (blend.labels() == reference(shape, outputs, found, weights)).all()


def test_voxels_without_a_window_are_background() -> None:
    blend = Blend((3, 2, 2), 2, np.ones((2, 2, 2), np.float32))
    blend.add((0, 0, 0), np.stack([np.zeros((2, 2, 2)), np.ones((2, 2, 2))]).astype(np.float32))
    assert blend.labels().tolist() == [[[1, 1], [1, 1]]] * 2 + [[[0, 0], [0, 0]]]


def test_one_output_is_held_against_a_threshold() -> None:
    blend = Blend((1, 1, 3), 1, np.full((1, 1, 3), 0.5, np.float32))
    blend.add((0, 0, 0), np.array([0.2, 0.25, 0.3], np.float32).reshape(1, 1, 1, 3))
    assert blend.labels(0.5).tolist() == [[[0, 0, 1]]]
