"""Builds a stand-in for the rules' BERT-Large: its exact graph and arithmetic, but weights that anyone can make.

Speed depends on the graph and on the lengths of the samples, so a machine can be measured without the published
weights. All weights are random, of the deviation that BERT's training starts from. What it answers means nothing: an
accuracy can't be measured with it.

The weights lie in a file beside the model, written one tensor at a time: what is held in memory is the largest of them,
the word embeddings (125 MB), and not the 1.34 GB of all.
"""

from typing import Any

import numpy as np

from engine.formats.onnx_files import checksum
from engine.networks.bert_graph import OUTPUTS, BertConfig, build
from engine.networks.beside import WEIGHTS, Beside
from engine.standins.options import SeedOptions
from engine.step import Step
from engine.store.files import disk_errors

Array = np.ndarray[Any, np.dtype[Any]]

MODEL = "model.onnx"

DEVIATION = 0.02
"""Of the weights (initializer_range of BERT's configuration)."""


def standin(step: Step) -> dict[str, Any]:
    """Write `model.onnx` and `model.onnx.data`, BERT-Large with the names of the rules' model.

    Inputs `input_ids`, `input_mask`, `segment_ids` int64 [B,L], outputs `output_start_logits`, `output_end_logits`
    float32 [B,L]; B and L open, L at most 512. Option: `seed`. Facts beside the usual: `stand_in`, `parameters`.
    """
    return build_form(step, BertConfig())


def build_form(step: Step, form: BertConfig) -> dict[str, Any]:
    """Do what `standin` says with a network of other sizes."""
    step.phase("making weights")
    source = _Random(step.read_options(SeedOptions).seed)
    with disk_errors(step.output), (step.output / WEIGHTS).open("wb") as file:
        beside = Beside(file, step, form.parameters)
        model = build(form, source.tensor, name="bert-stand-in", store=beside.store)
        data = model.SerializeToString()
        (step.output / MODEL).write_bytes(data)
    return {
        "model": MODEL,
        "format": "onnx",
        "sha256": checksum(step.output / MODEL),
        "outputs": list(OUTPUTS),
        "task_options": {},
        "starting_weights_filename": MODEL,
        "weight_data_types": "fp32",
        "input_data_types": "int64",
        "retraining": "no",
        "weight_transformations": "none: a stand-in with random weights",
        "stand_in": True,
        "parameters": beside.written,
    }


class _Random:
    """Draws each tensor as it is asked for."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def tensor(self, name: str, shape: tuple[int, ...]) -> Array:
        """Return ones for the scale of a normalisation, else normal values of DEVIATION, float32."""
        if name.endswith(".scale"):
            return np.ones(shape, np.float32)
        values = self._random.standard_normal(shape, np.float32)
        values *= np.float32(DEVIATION)
        return values
