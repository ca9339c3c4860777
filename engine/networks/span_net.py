"""A small span model of generated articles: its form, and the trained weights that come with inferdeck.

With it question answering runs anywhere at once: nothing to fetch, nothing to train. It is BERT in a small form, with
the inputs and outputs of the rules' model, and a vocabulary of its own (`span-net-vocab.txt`).
`tools/train_span_net.py` trains it.
"""

import io
from typing import Any

import numpy as np

from engine.errors import DataError
from engine.networks import bert_graph
from engine.networks.bert_graph import OUTPUTS, BertConfig
from engine.networks.shipped import contents
from engine.step import Step
from engine.store.files import disk_errors, sha256_of

Array = np.ndarray[Any, np.dtype[Any]]

PIECES = 1192
"""Of the vocabulary."""
FORM = BertConfig(layers=4, hidden=128, heads=4, feed_forward=512, vocabulary=PIECES, positions=384)

FILE = "span-net.npz"
"""The weights by the names of the form, float16."""
SHA256 = "bd868b9c00303c924a9fc521c61b7d0169a2bd4543cc24396bbaed95e16b1331"

MODEL = "model.onnx"


def shipped(step: Step) -> dict[str, Any]:
    """Write `model.onnx`: BERT's inputs and outputs, [B,L] each, both open, L at most 384; weights float32.

    Raises DataError where the installed file is not the one that was shipped.
    """
    data = contents(FILE, SHA256)
    with disk_errors(step.output):
        (step.output / MODEL).write_bytes(build(data))
    return {
        "model": MODEL,
        "format": "onnx",
        "sha256": sha256_of(step.output / MODEL),
        "outputs": list(OUTPUTS),
        "task_options": {},
        "starting_weights_filename": MODEL,
        "weight_data_types": "fp32",
        "input_data_types": "int64",
        "retraining": "no",
        "weight_transformations": "none",
    }


def build(weights: bytes) -> bytes:
    """Return the ONNX file with the weights of a .npz file. Raises DataError where it lacks one."""
    with np.load(io.BytesIO(weights), allow_pickle=False) as arrays:
        missing = [name for name in FORM.shapes() if name not in arrays]
        if missing:
            raise DataError(f"{FILE} lacks the weights {missing[0]}", "train it again: tools/train_span_net.py")
        model = bert_graph.build(FORM, lambda name, _: arrays[name].astype(np.float32), name="span-net")
    data: bytes = model.SerializeToString()
    return data
