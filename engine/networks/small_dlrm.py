"""The small recommendation models: their sizes, and how their weights become a model.

They are built as the rules' DLRM is, with the same inputs and output, only with small tables and narrow layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.networks import dlrm_graph
from engine.store.files import disk_errors, sha256_of
from engine.tasks.criteo_files import CATEGORICAL
from engine.tasks.dlrm_form import Form

Array = np.ndarray[Any, np.dtype[Any]]

WIDTH = 8
MODEL = "model.onnx"


def form(tables: Sequence[int]) -> Form:
    """Return the form with tables of so many rows."""
    return Form(tables=tuple(tables), width=WIDTH, bottom=(64, WIDTH), top=(64, 32, 1))


def save_dlrm(weights: Mapping[str, Array], folder: Path, *, name: str) -> dict[str, Any]:
    """Write a model with these weights, by their names in the form, and return its facts."""
    tables = [len(weights[f"emb_l.{number}.weight"]) for number in range(CATEGORICAL)]
    model = dlrm_graph.build(form(tables), lambda tensor, _: weights[tensor].astype(np.float32), name=name)
    with disk_errors(folder):
        (folder / MODEL).write_bytes(model.SerializeToString())
    return {
        "model": MODEL,
        "format": "onnx",
        "sha256": sha256_of(folder / MODEL),
        "outputs": [dlrm_graph.OUTPUT],
        "task_options": {},
        "starting_weights_filename": MODEL,
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "no",
        "weight_transformations": "none",
    }
