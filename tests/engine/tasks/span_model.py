"""Small ONNX models with the inputs and outputs of BERT's files, and their expected outputs, computed with numpy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from engine.backends.base import Array

NAMES = ("input_ids", "input_mask", "segment_ids")
OTHER_NAMES = ("input_ids", "attention_mask", "token_type_ids")


def tables(tokens: int) -> tuple[Array, Array]:
    """Return begin and end logit of each id, float32 [tokens,2], and of each segment, float32 [2,2]."""
    random = np.random.default_rng(7)
    return random.normal(size=(tokens, 2)).astype(np.float32), random.normal(size=(2, 2)).astype(np.float32)


def expected(ids: Array, segments: Array, tokens: int) -> Array:
    """Return the logits of a sample without padding, float32 [length,2]."""
    of_id, of_segment = tables(tokens)
    logits: Array = of_id[ids] + of_segment[segments]
    return logits


def write(
    path: Path,
    tokens: int,
    *,
    names: Sequence[str] = NAMES,
    order: Sequence[int] = (0, 1, 2),
    shape: Sequence[int | str] = ("batch", "length"),
    dtype: int = TensorProto.INT64,
    stacked: bool = False,
) -> Path:
    """Write a model that adds a logit of the id and one of the segment, times the mask.

    `order`: that of the inputs in the graph. `stacked`: one output `logits` [B,L,2] in place of two.
    """
    ids, mask, segments = names
    nodes = [
        helper.make_node("Gather", ["of_id", ids], ["a"]),
        helper.make_node("Gather", ["of_segment", segments], ["b"]),
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Cast", [mask], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["sum", "column"], ["logits"]),
    ]
    outputs = [("logits", [*shape, 2])]
    if not stacked:
        nodes += [
            helper.make_node("Split", ["logits"], ["c", "d"], axis=2),
            helper.make_node("Squeeze", ["c", "last"], ["output_start_logits"]),
            helper.make_node("Squeeze", ["d", "last"], ["output_end_logits"]),
        ]
        outputs = [("output_start_logits", [*shape]), ("output_end_logits", [*shape])]
    constants = dict(zip(("of_id", "of_segment"), tables(tokens), strict=True)) | {"last": np.array([2])}
    graph = helper.make_graph(
        nodes,
        "span",
        [helper.make_tensor_value_info(names[place], dtype, shape) for place in order],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes) for name, sizes in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path
