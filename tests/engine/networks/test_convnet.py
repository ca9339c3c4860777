import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends.base import Array
from engine.networks.convnet import ConvNet, fold_batch_norm, model_facts, tensor
from tests.engine.networks.running import run


def reference_convolution(x: Array, weight: Array, stride: int, groups: int, before: int, size: int) -> Array:
    """Convolution by its definition, zero-padded by `before` at top and left; `size` is that of the output."""
    kernel = weight.shape[2]
    padded = np.zeros((x.shape[1], x.shape[2] + 2 * kernel, x.shape[3] + 2 * kernel))
    padded[:, before : before + x.shape[2], before : before + x.shape[3]] = x[0]
    result = np.zeros((weight.shape[0], size, size))
    inputs, outputs = weight.shape[1], weight.shape[0] // groups
    for channel in range(weight.shape[0]):
        first = channel // outputs * inputs
        for row in range(size):
            for column in range(size):
                top, left = row * stride, column * stride
                patch = padded[first : first + inputs, top : top + kernel, left : left + kernel]
                result[channel, row, column] = (patch * weight[channel]).sum()
    return result


@settings(deadline=None, max_examples=25)
@given(
    size=st.integers(5, 9),
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.sampled_from([1, 2]),
    depthwise=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_same_padding_is_tensorflows(size: int, kernel: int, stride: int, depthwise: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.standard_normal((1, 4, size, size), np.float32)
    weight = random.standard_normal((4, 1 if depthwise else 4, kernel, kernel), np.float32)
    net, groups = ConvNet(), 4 if depthwise else 1
    net.convolution("x", "y", weight, np.zeros(4, np.float32), stride=stride, groups=groups, padding=None)
    model = net.model(
        "one", [tensor("x", "float32", ["N", 4, size, size])], [tensor("y", "float32", ["N", 4, "H", "W"])]
    )
    outside = -(-size // stride)
    before = max((outside - 1) * stride + kernel - size, 0) // 2
    expected = reference_convolution(x, weight, stride, groups, before, outside)
    np.testing.assert_allclose(run(model, {"x": x})["y"][0], expected, rtol=1e-4, atol=1e-4)


@given(st.integers(0, 10_000), st.floats(1e-5, 1e-2))
def test_a_folded_normalisation_gives_the_same_numbers(seed: int, epsilon: float) -> None:
    random = np.random.default_rng(seed)
    weight = random.standard_normal((3, 2, 1, 1), np.float32)
    gamma, beta, mean = (random.standard_normal(3).astype(np.float32) for _ in range(3))
    variance = random.uniform(0.1, 2, 3).astype(np.float32)
    folded, bias = fold_batch_norm(weight, gamma, beta, mean, variance, epsilon)
    x = random.standard_normal(2)
    y = weight[:, :, 0, 0] @ x
    expected = (y - mean) / np.sqrt(variance + epsilon) * gamma + beta
    assert folded.dtype == bias.dtype == np.float32
    np.testing.assert_allclose(folded[:, :, 0, 0] @ x + bias, expected, rtol=1e-4, atol=1e-4)


def test_facts_name_the_file_and_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"a model")
    assert model_facts(path, outputs=("a", "b"), task_options={"label_offset": 1}, weight_transformations="none") == {
        "model": "model.onnx",
        "format": "onnx",
        "layout": "NCHW",
        "sha256": hashlib.sha256(b"a model").hexdigest(),
        "input_dtype": "float32",
        "outputs": ["a", "b"],
        "task_options": {"label_offset": 1},
        "starting_weights_filename": "model.onnx",
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "no",
        "weight_transformations": "none",
    }


def test_parameters_are_counted() -> None:
    net = ConvNet()
    x = net.convolution("x", "c", np.zeros((8, 3, 3, 3), np.float32), np.zeros(8, np.float32))
    net.dense(net.pool_to_vector(x), "d", np.zeros((5, 8), np.float32), np.zeros(5, np.float32))
    assert net.parameters == pytest.approx(8 * 27 + 8 + 5 * 8 + 5)
