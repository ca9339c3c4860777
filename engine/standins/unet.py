"""Builds a stand-in for the rules' 3-D U-Net: its exact graph and arithmetic, but weights that anyone can make.

Speed depends on the graph and on the volumes, so a machine can be measured without the published weights. Weights are
random, and every convolution keeps the size of what it gets, as trained ones do. What it answers means nothing: an
accuracy can't be measured with it.
"""

from math import prod, sqrt
from typing import Any

import numpy as np
import onnx

from engine.networks.unet_graph import OUTPUT, UnetConfig, build
from engine.step import Step
from engine.store.files import disk_errors, sha256_of

Array = np.ndarray[Any, np.dtype[Any]]

MODEL = "model.onnx"


def standin(step: Step) -> dict[str, Any]:
    """Write `model.onnx`, the rules' 3-D U-Net by names, shapes and types. Option: `seed`.

    Input `input` float32 [B,1,128,128,128], output `output` float32 [B,3,128,128,128]; B is open. Facts beside the
    usual: `stand_in`, `parameters`.
    """
    return build_form(step, UnetConfig())


def build_form(step: Step, form: UnetConfig) -> dict[str, Any]:
    """Do what `standin` says with a network of other sizes."""
    step.phase("making weights")
    source = _Random(int(step.options["seed"]), step, form.parameters)
    model = build(form, source.tensor, name="3d-unet-stand-in")
    with disk_errors(step.output):
        onnx.save(model, step.output / MODEL)
    return {
        "model": MODEL,
        "format": "onnx",
        "sha256": sha256_of(step.output / MODEL),
        "outputs": [OUTPUT],
        "task_options": {},
        "starting_weights_filename": MODEL,
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "no",
        "weight_transformations": "none: a stand-in with random weights",
        "stand_in": True,
        "parameters": source.made,
    }


class _Random:
    """Draws each tensor as it is asked for."""

    def __init__(self, seed: int, step: Step, parameters: int) -> None:
        self._random = np.random.default_rng(seed)
        self._step, self._parameters = step, parameters
        self.made = 0
        """Elements so far."""

    def tensor(self, name: str, shape: tuple[int, ...]) -> Array:
        """Return ones for the scale of a normalisation, 0 for shift or bias, else normal values (He et al. 2015)."""
        self.made += prod(shape)
        self._step.progress(self.made, self._parameters, "weights")
        if name.endswith(".scale"):
            return np.ones(shape, np.float32)
        if name.endswith((".shift", ".bias")):
            return np.zeros(shape, np.float32)
        values = self._random.standard_normal(shape, np.float32)
        inputs = shape[0] if name.endswith(".doubled.weight") else prod(shape[1:])
        values *= np.float32(sqrt(2 / inputs))
        return values
