"""TFLite files as TensorFlow's own converter writes them give the same values as its own interpreter."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends.silent_tensorflow import tf
from engine.formats import tflite_file
from engine.networks import tflite_convert
from engine.networks.convnet import Array, ConvNet, tensor
from tests.engine.networks.running import run
from tests.fuzz import flatbuffer

SIDE = 15


def weights(*shape: int, seed: int) -> Array:
    return np.random.default_rng(seed).normal(0, 0.4, shape).astype(np.float32)


def convolution(x: Any, out: int, *, size: int = 3, stride: int = 1, padding: str = "SAME", seed: int) -> Any:
    y = tf.nn.conv2d(x, weights(size, size, x.shape[3], out, seed=seed), stride, padding)
    return tf.nn.bias_add(y, weights(out, seed=seed + 1))


def detector(image: Any) -> Any:
    """Every operator that is known, with every padding, stride and activation."""
    x = tf.nn.relu6(convolution(image, 8, stride=2, seed=1) * 3)
    y = tf.nn.depthwise_conv2d(x, weights(3, 3, 8, 1, seed=3), [1, 1, 1, 1], "SAME")
    x = tf.nn.relu(x + convolution(tf.nn.relu6(y), 8, size=1, seed=5))
    small = tf.nn.relu(convolution(x, 12, stride=2, padding="VALID", seed=7))
    rows = [tf.reshape(convolution(one, 6, size=1, seed=9), [1, -1, 3]) for one in (x, small)]
    return {"rows": tf.concat(rows, 1), "picture": small}


def converted(build: Callable[[Any], Any], *, half: bool = True) -> bytes:
    shape = tf.TensorSpec([1, SIDE, SIDE, 3], tf.float32)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([tf.function(build).get_concrete_function(shape)])
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    data: bytes = converter.convert()
    return data


def onnx_of(network: tflite_file.Network) -> tuple[Any, dict[str, str]]:
    net = ConvNet()
    names = tflite_convert.write(network, net, "picture")
    shapes = {network.tensors[one].name: network.tensors[one].shape for one in network.outputs}
    outputs = [tensor(names[name], "float32", list(shape)) for name, shape in shapes.items()]
    return net.model("test", [tensor("picture", "float32", [1, 3, SIDE, SIDE])], outputs), names


@pytest.mark.parametrize("half", [True, False], ids=["fp16", "fp32"])
def test_it_computes_what_tensorflow_lite_computes(half: bool) -> None:
    data = converted(detector, half=half)
    network = tflite_file.read(data)
    kinds = {one.kind for one in network.operators}
    assert kinds == {"Add", "Concatenation", "Conv2D", "DepthwiseConv2D", "Reshape"} | (
        {"Dequantize"} if half else set()
    )
    image = np.random.default_rng(0).uniform(-1, 1, (1, SIDE, SIDE, 3)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it moves to a package of its own
        interpreter = tf.lite.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    wanted = {one["name"]: interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()}
    model, names = onnx_of(network)
    found = run(model, {"picture": image.transpose(0, 3, 1, 2)})
    assert set(names) == set(wanted)
    for name, value in wanted.items():
        assert np.ptp(value) > 1
        np.testing.assert_allclose(found[names[name]], value, rtol=1e-4, atol=1e-4)


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(ValueError, match="operator of the code 28"):
        tflite_file.read(converted(lambda x: tf.tanh(convolution(x, 4, seed=1))))


def dilated(x: Any) -> Any:
    return tf.nn.conv2d(x, weights(3, 3, 3, 4, seed=1), 1, "VALID", dilations=2)


def multiplied(x: Any) -> Any:
    return tf.nn.depthwise_conv2d(x, weights(3, 3, 3, 2, seed=1), [1, 1, 1, 1], "SAME")


@pytest.mark.parametrize(
    ("build", "reason"), [(dilated, "dilation"), (multiplied, "6 channels of 3")], ids=["dilation", "multiplier"]
)
def test_a_use_without_a_form_is_refused(build: Callable[[Any], Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        onnx_of(tflite_file.read(converted(build)))


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="no TFLite file"):
        tflite_file.read(b"PK\x03\x04 something else")


def test_damage_is_told_as_such() -> None:
    """Truncated anywhere, or with any byte of its tables changed, a file is parsed or refused with an error."""
    data = converted(detector)
    for length in range(8, len(data), 97):
        with pytest.raises(ValueError, match=r"damaged|buffer|reshape|size"):
            tflite_file.read(data[:length])
    random = np.random.default_rng(11)
    for place in random.integers(8, len(data), 300):
        changed = bytearray(data)
        changed[place] ^= int(random.integers(1, 256))
        with suppress(ValueError):  # and nothing else
            tflite_file.read(bytes(changed))


SMALL = flatbuffer.network()


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(8, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_changed_bytes_are_another_network_or_told_as_damage(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for place, value in changes:
        data[place] = value
    with suppress(ValueError):
        network = tflite_file.read(bytes(data))
        assert tflite_convert.image_shape(network) in [one.shape for one in network.tensors]
        tflite_convert.write(network, ConvNet(), "picture")
