"""BERT's graph at tiny sizes, held against its arithmetic in numpy, and the parameters of the true one."""

from __future__ import annotations

from collections import Counter
from math import erf, prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from engine.networks.bert_graph import INPUTS, OUTPUTS, BertConfig, build

Array = np.ndarray[Any, np.dtype[Any]]

SMALL = BertConfig(layers=2, hidden=32, heads=4, feed_forward=48, vocabulary=50, positions=40)


def weights(seed: int = 0) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    return {name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in SMALL.shapes().items()}


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    values = weights()
    return build(SMALL, lambda name, _: values[name], name="small")


def session(model: onnx.ModelProto, path: Path | None = None) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    if path is not None:
        options.optimized_model_filepath = str(path)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def samples(batch: int, length: int) -> dict[str, Array]:
    random = np.random.default_rng(1)
    segments = np.tile(np.arange(length) > length // 3, (batch, 1)).astype(np.int64)
    ids = random.integers(0, SMALL.vocabulary, (batch, length))
    return dict(zip(INPUTS, (ids, np.ones_like(ids), segments), strict=True))


def by_hand(fed: dict[str, Array]) -> Array:
    """Return both logits [B,L,2], in float64, from the definition (Devlin et al. 2019, Vaswani et al. 2017)."""
    w = {name: values.astype(np.float64) for name, values in weights().items()}

    def linear(x: Array, name: str) -> Array:
        product: Array = x @ w[f"{name}.weight"] + w[f"{name}.bias"]
        return product

    def norm(x: Array, name: str) -> Array:
        unit = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        scaled: Array = unit * w[f"{name}.scale"] + w[f"{name}.shift"]
        return scaled

    ids, mask, segments = (fed[name] for name in INPUTS)
    x = w["embeddings.word"][ids] + w["embeddings.position"][: ids.shape[1]] + w["embeddings.segment"][segments]
    x = norm(x, "embeddings.norm")
    size = SMALL.hidden // SMALL.heads
    for number in range(SMALL.layers):
        name = f"layer{number}"
        parts = (linear(x, f"{name}.{part}") for part in ("query", "key", "value"))
        query, key, value = (one.reshape(*ids.shape, SMALL.heads, size).transpose(0, 2, 1, 3) for one in parts)
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(size) - 10_000.0 * (1 - mask[:, None, None])
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (shares / shares.sum(-1, keepdims=True) @ value).transpose(0, 2, 1, 3).reshape(x.shape)
        x = norm(x + linear(mixed, f"{name}.output"), f"{name}.attention.norm")
        inner = linear(x, f"{name}.inner")
        gelu = inner * (1 + np.vectorize(erf)(inner / np.sqrt(2))) / 2
        x = norm(x + linear(gelu, f"{name}.outer"), f"{name}.norm")
    logits: Array = linear(x, "answer")
    return logits


def test_the_true_network_has_the_parameters_of_the_published_one() -> None:
    assert BertConfig().parameters == 334_094_338


def test_the_graph_holds_the_parameters_of_its_form_and_is_an_onnx_model(model: onnx.ModelProto) -> None:
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 11
    held = {one.name: tuple(one.dims) for one in model.graph.initializer}
    assert SMALL.shapes().items() <= held.items()
    assert sum(prod(held[name]) for name in SMALL.shapes()) == SMALL.parameters


def test_inputs_and_outputs_are_those_of_the_rules_model(model: onnx.ModelProto) -> None:
    running = session(model)
    assert [(one.name, one.type, one.shape) for one in running.get_inputs()] == [
        (name, "tensor(int64)", ["batch", "length"]) for name in INPUTS
    ]
    assert [(one.name, one.type, one.shape) for one in running.get_outputs()] == [
        (name, "tensor(float)", ["batch", "length"]) for name in OUTPUTS
    ]


@pytest.mark.parametrize(("batch", "length"), [(1, 7), (3, 40)])
def test_it_computes_what_bert_is(model: onnx.ModelProto, batch: int, length: int) -> None:
    fed = samples(batch, length)
    fed["input_mask"][-1, -2:] = 0
    found = np.stack(session(model).run(list(OUTPUTS), fed), 2)
    np.testing.assert_allclose(found, by_hand(fed), atol=1e-4)


def test_what_fills_up_changes_nothing(model: onnx.ModelProto) -> None:
    running, short = session(model), samples(2, 11)
    filled = {name: np.pad(values, ((0, 0), (0, 20))) for name, values in short.items()}
    for one, other in zip(running.run(None, short), running.run(None, filled), strict=True):
        np.testing.assert_allclose(other[:, :11], one, atol=1e-5)


def test_onnx_runtime_fuses_it(model: onnx.ModelProto, tmp_path: Path) -> None:
    session(model, tmp_path / "optimised.onnx")
    found = Counter(node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node)
    assert found["Attention"] == SMALL.layers
    assert found["BiasGelu"] == SMALL.layers
    assert found["SkipLayerNormalization"] == 2 * SMALL.layers
    assert not found["Erf"] + found["ReduceMean"] + found["Softmax"]
