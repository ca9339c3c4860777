"""Both forms of a model agree: ONNX Runtime in NCHW, TensorFlow in NHWC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from engine.backends.base import Array, BackendOptions
from engine.datasets import patterns
from engine.errors import DataError
from engine.networks import efficientnet_lite, patterns_net, span_net
from engine.networks.bert_graph import INPUTS, OUTPUTS
from engine.networks.convnet import ConvNet, tensor
from engine.standins import resnet50 as standin_resnet50
from engine.step import Artifact
from engine.tasks import image_classification
from engine.tasks.image_form import ImageForm
from tests.engine.networks.running import run, step
from tests.engine.networks.test_efficientnet_lite import WEIGHTS

backend: Any = pytest.importorskip("engine.backends.tensorflow", reason="needs pip install 'inferdeck[tensorflow]'")
tensorflow_graph: Any = pytest.importorskip("engine.networks.tensorflow_graph")

FORMS = {"frozen-graph": "model.pb", "saved-model": "saved_model"}


def converted(folder: Path, facts: Mapping[str, Any], form: str = "frozen-graph") -> tuple[dict[str, Any], Path]:
    """Convert the model whose facts are given in this folder; return the new facts and the place of the model."""
    output = folder / form
    output.mkdir()
    found = tensorflow_graph.convert(step(output, {"form": form}, {"onnx": Artifact(str(folder), dict(facts))}))
    return found, output / found["model"]


def answers(model: Path, outputs: Sequence[str], images: Array) -> list[Array]:
    """Run a TensorFlow model on images that are NCHW."""
    runner = backend.load(model, BackendOptions(outputs=tuple(outputs)))
    binding = runner.bind(len(images))
    binding.inputs[0][:] = images.transpose(0, 2, 3, 1)
    return list(binding.run())


def held_out(folder: Path, count: int, form: ImageForm) -> Array:
    """Images that no model here was trained with, preprocessed."""
    list(patterns.write(patterns.ImageSet(seed=77, count=count), folder))
    samples = np.empty((count, *form.shape), form.dtype)
    for index, slot in enumerate(samples):
        image_classification.preprocess(folder / patterns.file_name(index), form, slot)
    return samples


def softmax(scores: Array) -> Array:
    powers = np.exp(scores.astype(np.float64) - scores.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


@pytest.mark.parametrize("form", FORMS)
def test_the_shipped_model_in_both_forms(tmp_path: Path, form: str) -> None:
    facts = patterns_net.shipped(step(tmp_path, {}))
    found, path = converted(tmp_path, facts, form)
    unit = ImageForm(preprocessing="unit", layout="NCHW", dtype="float32", image_size=64)
    images = held_out(tmp_path, 300, unit)
    expected = run(tmp_path / "model.onnx", {"input": images})["scores"]
    (scores,) = answers(path, found["outputs"], images)
    np.testing.assert_allclose(softmax(scores), softmax(expected), atol=1e-4)
    assert np.array_equal(scores.argmax(1), expected.argmax(1))


def test_facts_say_what_it_is_and_what_was_done(tmp_path: Path) -> None:
    facts = patterns_net.shipped(step(tmp_path, {}))
    found = {form: converted(tmp_path, facts, form) for form in FORMS}
    for form, (changed, path) in found.items():
        assert path.name == FORMS[form]
        assert changed["format"] == "tf"
        assert changed["layout"] == "NHWC"
        assert changed["weight_transformations"] == "written as a TensorFlow graph in NHWC"
        assert changed["task_options"] == facts["task_options"]
        assert len(changed["sha256"]) == 64
    assert [found[form][0]["outputs"] for form in FORMS] == [["scores:0"], ["scores"]]
    (tmp_path / "again").mkdir()
    patterns_net.shipped(step(tmp_path / "again", {}))
    again = {form: converted(tmp_path / "again", facts, form)[0] for form in FORMS}
    assert again == {form: changed for form, (changed, _) in found.items()}, "the same weights give the same files"


def test_what_was_done_before_is_said_too(tmp_path: Path) -> None:
    facts = patterns_net.shipped(step(tmp_path, {})) | {"weight_transformations": "folded", "stand_in": True}
    found, _ = converted(tmp_path, facts)
    assert found["weight_transformations"] == "folded; written as a TensorFlow graph in NHWC"
    assert found["stand_in"] is True


def test_efficientnet(tmp_path: Path) -> None:
    onnx.save(efficientnet_lite.build(WEIGHTS), tmp_path / "model.onnx")
    facts = {"model": "model.onnx", "outputs": ["logits"], "weight_transformations": "folded"}
    _, path = converted(tmp_path, facts)
    own = ImageForm(preprocessing="efficientnet-lite", layout="NCHW", dtype="float32", image_size=224)
    images = held_out(tmp_path, 20, own)
    expected = run(tmp_path / "model.onnx", {"input": images})["logits"]
    (logits,) = answers(path, ["logits"], images)
    np.testing.assert_allclose(softmax(logits), softmax(expected), atol=1e-4)
    assert np.array_equal(logits.argmax(1), expected.argmax(1))


@pytest.mark.parametrize("form", FORMS)
def test_the_shipped_span_model_in_both_forms(tmp_path: Path, form: str) -> None:
    """Batch and length are open, ids int32; logits as ONNX Runtime's within 1e-4, of filled-up samples too."""
    facts = span_net.shipped(step(tmp_path, {}))
    found, path = converted(tmp_path, facts, form)
    assert (found["input_data_types"], found["weight_transformations"]) == ("int32", "written as a TensorFlow graph")
    assert "layout" not in found
    runner = backend.load(path, BackendOptions(outputs=tuple(found["outputs"])))
    random = np.random.default_rng(3)
    for lengths in ([384, 300], [40], [17, 9, 24]):
        own = np.array(lengths)[:, None]
        places = np.arange(max(lengths))
        mask = (places < own).astype(np.int64)
        ids, segments = random.integers(0, span_net.PIECES, mask.shape) * mask, (places > own // 3) * mask
        fed = dict(zip(INPUTS, (ids, mask, segments), strict=True))
        expected = run(tmp_path / "model.onnx", fed)
        binding = runner.bind(tuple(mask.shape for _ in INPUTS))
        for spec, held in zip(runner.inputs, binding.inputs, strict=True):
            assert (spec.shape, spec.dtype) == ((None, None), "int32")
            held[:] = fed[spec.name.removesuffix(":0")]
        for name, logits in zip(OUTPUTS, binding.run(), strict=True):
            np.testing.assert_allclose(logits, expected[name], atol=1e-4)


@pytest.mark.slow
def test_the_stand_in_has_the_tensors_of_the_rules(tmp_path: Path) -> None:
    options = {"seed": 1, "training_pictures": 60, "held_out_pictures": 10}
    facts = standin_resnet50.build(step(tmp_path, options))
    found, path = converted(tmp_path, facts)
    assert found["outputs"] == ["ArgMax:0"]
    assert found["stand_in"] is True
    runner = backend.load(path, BackendOptions())
    assert [(spec.name, spec.shape, spec.dtype) for spec in runner.inputs] == [
        ("input_tensor:0", (None, 224, 224, 3), "float32")
    ]
    assert {(spec.name, spec.shape, spec.dtype) for spec in runner.outputs} == {
        ("ArgMax:0", (None,), "int64"),
        ("softmax_tensor:0", (None, 1001), "float32"),
    }
    images = held_out(tmp_path, 40, standin_resnet50.PREPROCESSING)
    expected = run(tmp_path / "model.onnx", {"input_tensor:0": images})
    classes, scores = answers(path, ["ArgMax:0", "softmax_tensor:0"], images)
    np.testing.assert_allclose(scores, expected["softmax_tensor:0"], atol=1e-4)
    assert np.array_equal(classes, expected["ArgMax:0"])


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "depthwise"),
    [
        (1, 1, 0, False),
        (3, 1, 1, False),
        (3, 2, 1, False),
        (5, 2, 2, True),
        (3, 2, None, True),
        (3, 2, None, False),
        (7, 2, 3, False),
        (1, 2, 0, False),
    ],
)
def test_convolutions(
    tmp_path: Path, size: int, kernel: int, stride: int, padding: int | None, depthwise: bool
) -> None:
    random = np.random.default_rng(size * kernel)
    weight = random.standard_normal((4, 1 if depthwise else 4, kernel, kernel), np.float32)
    net, groups = ConvNet(), 4 if depthwise else 1
    bias = random.standard_normal(4, np.float32)
    net.convolution("x", "_y", weight, bias, stride=stride, groups=groups, padding=padding)
    model = net.model(
        "one", [tensor("x", "float32", ["N", 4, size, size])], [tensor("_y", "float32", ["N", 4, "H", "W"])]
    )
    images = random.standard_normal((2, 4, size, size), np.float32)
    expected = run(model, {"x": images})["_y"]
    tensorflow_graph.write_frozen(tensorflow_graph.build(model), model, tmp_path / "model.pb")
    (found,) = answers(tmp_path / "model.pb", ["y:0"], images)
    np.testing.assert_allclose(found.transpose(0, 3, 1, 2), expected, rtol=1e-4, atol=1e-4)


def one_operator(kind: str, inputs: Sequence[str], weights: Mapping[str, Array], **attributes: Any) -> onnx.ModelProto:
    net = ConvNet()
    for name, values in weights.items():
        net.weight(name, values)
    net.node(kind, inputs, "y", **attributes)
    return net.model("one", [tensor("x", "float32", ["N", 4, 8, 8])], [tensor("y", "float32", None)])


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (one_operator("Sigmoid", ["x"], {}), "the operator Sigmoid"),
        (one_operator("Flatten", ["x"], {}), "flattens images"),
        (one_operator("MaxPool", ["x"], {}, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4), "pads as"),
        (one_operator("Clip", ["x", "low", "high"], {"low": np.zeros(()), "high": np.ones(())}), "other limits"),
        (
            one_operator(
                "Conv",
                ["x", "w", "b"],
                {"w": np.zeros((4, 2, 1, 1), np.float32), "b": np.zeros(4, np.float32)},
                group=2,
                kernel_shape=[1, 1],
                strides=[1, 1],
                pads=[0] * 4,
            ),
            "2 groups of 4 channels",
        ),
    ],
    ids=["operator", "flatten", "pool", "clip", "groups"],
)
def test_what_has_no_form_is_refused(model: onnx.ModelProto, what: str) -> None:
    with pytest.raises(DataError, match=what):
        tensorflow_graph.build(model)
