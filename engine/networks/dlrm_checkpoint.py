"""Turns the checkpoint of the rules' DLRM, as PyTorch's training wrote it, into an ONNX graph.

It is never held in memory: the tables are copied from the mapped file to the file beside the graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from engine.errors import DataError
from engine.formats import onnx_files
from engine.formats.torch_pickle import read_state_dict
from engine.networks.beside import WEIGHTS, Beside
from engine.networks.dlrm_graph import OUTPUT, build
from engine.step import Options, Step
from engine.store.files import disk_errors
from engine.tasks.dlrm_form import Form, published_form
from engine.text import clean

Array = np.ndarray[Any, np.dtype[Any]]

STATE_DICT = "state_dict"
"""The entry of the checkpoint that has the weights."""
MODEL = "model.onnx"

_WHOLE = "give the published files, whole: fetch them again"


class CheckpointOptions(Options, frozen=True, kw_only=True):
    """Which file of the need `checkpoint` has the weights, and where it is published."""

    max_ind_range: int
    filename: str
    starting_weights: str


def convert(step: Step) -> dict[str, Any]:
    """Write `model.onnx`, and its tables beside it, from the checkpoint in the need `checkpoint`.

    Facts beside the usual: `parameters`, `shared_bytes`. Raises DataError where the file is damaged, asks for anything
    but tensors and plain values, or has other tensors than the model of `max_ind_range`.
    """
    return convert_form(step, published_form(step.read_options(CheckpointOptions).max_ind_range))


def convert_form(step: Step, expected: Form) -> dict[str, Any]:
    """Do what `convert` says with a network of other sizes."""
    options = step.read_options(CheckpointOptions)
    step.phase("reading the checkpoint")
    path = step.inputs["checkpoint"].folder / options.filename
    weights = _tensors(path, expected)
    step.phase("writing the graph")
    with disk_errors(step.output), (step.output / WEIGHTS).open("wb") as file:
        beside = Beside(file, step, expected.parameters)
        onnx.save(build(expected, lambda name, _: weights[name], name="dlrm", store=beside.store), step.output / MODEL)
    return {
        "model": MODEL,
        "sha256": onnx_files.checksum(step.output / MODEL),
        "outputs": [OUTPUT],
        "starting_weights_filename": options.starting_weights,
        "weight_transformations": "PyTorch weights written as ONNX",
        "shared_bytes": expected.table_bytes,
        "parameters": expected.parameters,
        **common_facts(),
    }


def common_facts() -> dict[str, Any]:
    """Return the facts that every form of the rules' DLRM has."""
    return {
        "format": "onnx",
        "task_options": {},
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "no",
    }


def _tensors(path: Path, expected: Form) -> Mapping[str, Array]:
    """Return the tensors of a checkpoint by the names of a form. Raises DataError where they are others."""
    found = read_state_dict(path, within=STATE_DICT)
    wanted = expected.shapes()
    for name, shape in wanted.items():
        values = found.get(name)
        if values is None or values.shape != shape or values.dtype != np.float32:
            has = "no such tensor" if values is None else f"{values.dtype}{list(values.shape)}"
            what = f"{clean(str(path))}: {name} should be float32{list(shape)}, and there is {has}"
            raise DataError(f"{what}: it is not the model of this max_ind_range", _WHOLE)
    more = sorted(found.keys() - wanted.keys())
    if more:
        what = f"{clean(str(path))} has {clean(more[0])} besides, which a DLRM of this form has not"
        raise DataError(what, _WHOLE)
    return found
