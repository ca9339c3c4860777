"""The 3-D U-Net as ONNX, held against its arithmetic in numpy at tiny sizes."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import onnx
import pytest

from engine.networks import unet_graph
from engine.networks.unet_graph import EPSILON, UnetConfig, build
from tests.engine.networks.running import run

Array = np.ndarray[Any, np.dtype[Any]]

SIDE = 8


@pytest.fixture(autouse=True)
def small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unet_graph, "WINDOW", SIDE)


def weights(form: UnetConfig) -> dict[str, Array]:
    """Random weights, biases and scales included."""
    random = np.random.default_rng(3)
    return {name: random.standard_normal(shape, np.float32) for name, shape in form.shapes().items()}


def convolved(x: Array, weight: Array, stride: int = 1) -> Array:
    """A convolution with a zero around the volume, written as sums over its 27 taps: [I,D,H,W] → [O,d,h,w]."""
    padded, side = np.pad(x, [(0, 0)] + [(1, 1)] * 3), x.shape[1] // stride
    total = np.zeros((len(weight), side, side, side))
    for i, j, k in product(range(3), repeat=3):
        part = padded[:, i : i + x.shape[1] : stride, j : j + x.shape[2] : stride, k : k + x.shape[3] : stride]
        total += np.tensordot(weight[:, :, i, j, k], part, 1)
    return total


def doubled(x: Array, weight: Array, bias: Array) -> Array:
    """A transposed convolution of 2x2x2: each voxel becomes eight."""
    side = 2 * x.shape[1]
    found = np.zeros((weight.shape[1], side, side, side)) + bias[:, None, None, None]
    for i, j, k in product(range(2), repeat=3):
        found[:, i::2, j::2, k::2] += np.tensordot(weight[:, :, i, j, k].T, x, 1)
    return found


def layer(x: Array, w: dict[str, Array], name: str, stride: int = 1) -> Array:
    x = convolved(x, w[f"{name}.weight"], stride)
    middle, spread = x.mean((1, 2, 3), keepdims=True), x.var((1, 2, 3), keepdims=True)
    scale, shift = (w[f"{name}.{part}"][:, None, None, None] for part in ("scale", "shift"))
    found: Array = np.maximum((x - middle) / np.sqrt(spread + EPSILON) * scale + shift, 0)
    return found


def level(x: Array, w: dict[str, Array], name: str, stride: int = 1) -> Array:
    return layer(layer(x, w, f"{name}.first", stride), w, f"{name}.second")


def answer(form: UnetConfig, w: dict[str, Array], x: Array) -> Array:
    """The logits of one window [1,D,H,W], in float64."""
    ways = []
    for number in range(len(form.filters)):
        x = level(x, w, f"down{number}", 2 if number or form.halved else 1)
        ways.append(x)
    for number in reversed(range(len(form.filters) - 1)):
        up = doubled(x, w[f"up{number}.doubled.weight"], w[f"up{number}.doubled.bias"])
        x = level(np.concatenate([up, ways[number]]), w, f"up{number}")
    weight, bias = w["classes.weight"], w["classes.bias"]
    if form.halved:
        return doubled(x, weight, bias)
    logits: Array = np.tensordot(weight[:, :, 0, 0, 0], x, 1) + bias[:, None, None, None]
    return logits


@pytest.mark.parametrize("halved", [False, True])
def test_it_computes_what_a_u_net_does_in_batches_of_any_size(halved: bool) -> None:
    form = UnetConfig(filters=(3, 4), classes=2, halved=halved)
    made = weights(form)
    x = np.random.default_rng(1).standard_normal((2, 1, SIDE, SIDE, SIDE)).astype(np.float32)
    model = build(form, lambda name, _: made[name], name="small")
    assert [one.name for one in model.graph.input] == ["input"]
    wanted = np.stack([answer(form, made, one) for one in x])
    np.testing.assert_allclose(run(model, {"input": x})["output"], wanted, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(run(model, {"input": x[:1]})["output"], wanted[:1], rtol=1e-3, atol=1e-3)


def test_its_sizes_are_those_of_the_rules() -> None:
    form = UnetConfig()
    assert form.parameters == 31_190_243
    shapes = form.shapes()
    assert shapes["down5.first.weight"] == (320, 320, 3, 3, 3)
    assert shapes["up4.first.weight"] == (320, 640, 3, 3, 3)
    assert shapes["up3.doubled.weight"] == (320, 256, 2, 2, 2)
    assert shapes["classes.weight"] == (3, 32, 1, 1, 1)


def test_its_weights_are_asked_for_in_order_and_once() -> None:
    form = UnetConfig(filters=(2, 3, 3))
    asked: list[str] = []

    def zeros(name: str, shape: tuple[int, ...]) -> Array:
        asked.append(name)
        return np.zeros(shape, np.float32)

    model = build(form, zeros, name="small")
    assert sorted(asked) == sorted(form.shapes())
    assert len(model.graph.initializer) == len(asked)
    onnx.checker.check_model(model, full_check=True)
