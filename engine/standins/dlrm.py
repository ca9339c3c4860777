"""Builds a stand-in for the rules' DLRM: its graph and arithmetic, cut tables, and weights that anyone can make.

Speed depends on the layers and on how the tables are read. A table that is cut wraps: an index is taken modulo its
rows, so that any data set can be measured, with as many reads as the rules' model makes. All weights are random, of
the deviations that DLRM's training starts from. What it answers means nothing: an accuracy can't be measured with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from engine.formats.onnx_files import checksum
from engine.networks.beside import WEIGHTS, Beside
from engine.networks.dlrm_graph import OUTPUT, build
from engine.step import Step
from engine.store.files import disk_errors
from engine.tasks.dlrm_form import CutOptions, Form, cut_text, limited

Array = np.ndarray[Any, np.dtype[Any]]

MODEL = "model.onnx"


def standin(step: Step) -> dict[str, Any]:
    """Write `model.onnx` and its tables beside it. Options: `rows_per_table`, above which tables are cut, and `seed`.

    Inputs and output are those of engine.networks.dlrm_graph. Facts beside the usual: `stand_in`, `parameters`, and
    `shared_bytes`, which all sessions have in common.
    """
    return build_form(step, limited(step.read_options(CutOptions).rows_per_table))


def build_form(step: Step, form: Form) -> dict[str, Any]:
    """Do what `standin` says with a network of other sizes."""
    step.phase("making weights")
    random = np.random.default_rng(int(step.options["seed"]))
    with disk_errors(step.output), (step.output / WEIGHTS).open("wb") as file:
        beside = Beside(file, step, form.parameters)
        model = build(
            form, lambda name, shape: _drawn(random, name, shape), name="dlrm-stand-in", store=beside.store, wrap=True
        )
        onnx.save(model, step.output / MODEL)
    text = cut_text(form)
    return {
        "model": MODEL,
        "format": "onnx",
        "sha256": checksum(step.output / MODEL),
        "outputs": [OUTPUT],
        "task_options": {},
        "starting_weights_filename": MODEL,
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "no",
        "weight_transformations": f"none: a stand-in with random weights, {text}",
        "stand_in": True,
        "parameters": form.parameters,
        "shared_bytes": form.table_bytes,
        "text": text,
    }


def _drawn(random: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Return random values: of a table uniform in ±sqrt(1/rows), else normal."""
    if name.startswith("emb_l"):
        values = random.random(shape, np.float32)
        values -= np.float32(0.5)
        values *= np.float32(2 / np.sqrt(shape[0]))
        return values
    values = random.standard_normal(shape, np.float32)
    values *= np.float32(np.sqrt(1 / shape[0] if len(shape) == 1 else 2 / sum(shape)))
    return values
