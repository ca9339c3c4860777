"""int8 models: as accurate as the fp32 ones on other images, deterministic, and clear errors for what can't be
quantized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine import events
from engine.backends.base import Array
from engine.datasets import patterns
from engine.errors import DataError
from engine.facts import ChosenSamplesFacts, ModelFacts
from engine.formats import onnx_files
from engine.networks import patterns_net, quantizable, ranges
from engine.networks.bert_graph import BertConfig
from engine.networks.convnet import ConvNet, model_facts, tensor
from engine.standins import bert as standin_bert
from engine.step import Artifact, read_options
from engine.steps.models import calibration, quantize
from engine.system import detect
from engine.tasks import image_calibration, image_classification
from engine.tasks.image_form import ImageForm
from tests.engine.networks.running import run, step
from tests.engine.networks.transformer import INPUTS, features, transformer

OPTIONS = {"task": "engine.tasks.image_classification", "preprocessing": "unit", "weight_bits": 8}
IMAGES = {"count": 100, "seed": 2, "size": 320, "classes": 50, "purpose": "calibration"}
CHAIN = {"preprocessing": "unit", "layout": "NCHW", "dtype": "float32", "image_size": 64, "label_offset": 0}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("calibration")
    return Artifact(str(folder), calibration.generated(step(folder, IMAGES)))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("fp32")
    return Artifact(str(folder), patterns_net.shipped(step(folder, {})))


def quantized(
    folder: Path, fp32: Artifact, images: Artifact, said: list[events.AnyEvent] | None = None, **options: Any
) -> dict[str, Any]:
    folder.mkdir()
    return quantize.quantize(step(folder, OPTIONS | options, {"fp32": fp32, "calibration": images}, said))


def stored(folder: Path, model: onnx.ModelProto) -> Artifact:
    """Return a model as another step leaves it."""
    folder.mkdir()
    onnx.save(model, folder / "own.onnx")
    facts = model_facts(
        folder / "own.onnx", outputs=["scores"], task_options={"label_offset": 0}, weight_transformations="none"
    )
    return Artifact(str(folder), facts)


def network(shape: Sequence[int | str], *, opset: int = 13, ir_version: int = 8) -> onnx.ModelProto:
    """Convolution, batch normalisation, ReLU, mean and a dense layer, as frameworks export them; weights as Constants
    where the opset is the newer one, and listed as inputs where it is the old one."""
    random = np.random.default_rng(0)
    channels = 3
    values = {
        "w": random.standard_normal((8, channels, 3, 3), np.float32),
        **{name: random.uniform(0.5, 2, 8).astype(np.float32) for name in ("gamma", "beta", "mean", "var")},
        "dense": random.standard_normal((10, 8), np.float32),
        "bias": random.standard_normal(10, np.float32),
    }
    tensors = [numpy_helper.from_array(value, name) for name, value in values.items()]
    constants = [helper.make_node("Constant", [], [one.name], value=one) for one in tensors] if opset > 8 else []
    nodes = [
        *constants,
        helper.make_node("Conv", ["x", "w"], ["c"], name="c", kernel_shape=[3, 3], pads=[1] * 4),
        helper.make_node("BatchNormalization", ["c", "gamma", "beta", "mean", "var"], ["n"], name="n"),
        helper.make_node("Relu", ["n"], ["r"], name="r"),
        helper.make_node("GlobalAveragePool", ["r"], ["g"], name="g"),
        helper.make_node("Flatten", ["g"], ["f"], name="f"),
        helper.make_node("Gemm", ["f", "dense", "bias"], ["scores"], name="scores", transB=1),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))]
    if opset <= 8:
        inputs += [helper.make_tensor_value_info(one.name, TensorProto.FLOAT, list(one.dims)) for one in tensors]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [shape[0], 10])]
    graph = helper.make_graph(nodes, "own", inputs, outputs, tensors if opset <= 8 else [])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)


def test_int8_answers_as_fp32_does_on_pictures_that_neither_has_seen(
    tmp_path: Path, shipped: Artifact, images: Artifact
) -> None:
    said: list[events.AnyEvent] = []
    facts = quantized(tmp_path / "int8", shipped, images, said)
    held_out = patterns.ImageSet(seed=77, count=400)
    list(patterns.write(held_out, tmp_path))
    form = read_options(CHAIN, ImageForm)
    samples = np.empty((held_out.count, *form.shape), form.dtype)
    for index, slot in enumerate(samples):
        image_classification.preprocess(tmp_path / patterns.file_name(index), form, slot)
    labels = np.array([held_out.label(index) for index in range(held_out.count)])
    right = {}
    for name, path in (("fp32", shipped.folder / "model.onnx"), ("int8", tmp_path / "int8" / "model.onnx")):
        classes = run(path, {"input": samples})["scores"].argmax(1)
        right[name] = int((classes == labels).sum())
    assert right["int8"] >= 0.99 * right["fp32"]
    assert facts["outputs"] == ["scores"]
    assert [path.name for path in (tmp_path / "int8").iterdir()] == ["model.onnx"]
    progress = [event for event in said if isinstance(event, events.Progress)]
    assert (progress[-1].done, progress[-1].total) == (100, 100)


def test_the_facts_say_what_was_done(tmp_path: Path, shipped: Artifact, images: Artifact) -> None:
    facts = quantized(tmp_path / "int8", shipped, images)
    assert (facts["weight_data_types"], facts["input_data_types"]) == ("int8", "fp32")
    assert facts["starting_weights_filename"] == shipped.facts["starting_weights_filename"]
    assert "100 images generated by inferdeck for calibration (seed 2)" in facts["weight_transformations"]
    assert not facts["weight_transformations"].startswith("none")
    assert facts["calibration"]["by_rules"] is False
    assert len(facts["calibration"]["sha256"]) == 64
    assert facts["sha256"] != shipped.facts["sha256"]


def test_weights_are_int8_by_channel_and_symmetric_and_the_last_layer_is_fp32(
    tmp_path: Path, shipped: Artifact, images: Artifact
) -> None:
    quantized(tmp_path / "int8", shipped, images)
    graph = onnx.load(tmp_path / "int8" / "model.onnx").graph
    values = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    producers = {output: node for node in graph.node for output in node.output}
    weighted = [node for node in graph.node if node.op_type == "Conv"]
    assert len(weighted) == len(patterns_net.LAYERS)
    for node in weighted:
        weights, scale, zero = (values[name] for name in producers[node.input[1]].input)
        assert weights.dtype == np.int8
        assert scale.shape == (len(weights),)
        assert not zero.any()
        assert producers[node.input[0]].op_type == "DequantizeLinear"
        assert values[producers[node.input[0]].input[2]].dtype == np.uint8
    assert producers["scores"].op_type == "Gemm"
    assert values[producers["scores"].input[1]].dtype == np.float32
    size = (tmp_path / "int8" / "model.onnx").stat().st_size
    assert size < (shipped.folder / "model.onnx").stat().st_size / 2.5


@pytest.mark.parametrize(("flags", "architecture"), [((), "x86_64"), (("avx512_vnni",), "x86_64"), ((), "aarch64")])
def test_a_processor_whose_sums_overflow_is_told_of_seven_bits(
    tmp_path: Path,
    shipped: Artifact,
    images: Artifact,
    monkeypatch: pytest.MonkeyPatch,
    flags: tuple[str, ...],
    architecture: str,
) -> None:
    system = detect()
    cpu = msgspec.structs.replace(system.cpu, flags=flags, architecture=architecture)
    monkeypatch.setattr(quantize, "detect", lambda: msgspec.structs.replace(system, cpu=cpu))
    said: list[events.AnyEvent] = []
    facts = quantized(tmp_path / "int8", shipped, images, said)
    remedies = [event.remedy for event in said if isinstance(event, events.Warned)]
    assert remedies == (["--adr.model.weight_bits=7"] if (flags, architecture) == ((), "x86_64") else [])
    seven = quantized(tmp_path / "seven", shipped, images, said, weight_bits=7)
    assert len([event for event in said if isinstance(event, events.Warned)]) == len(remedies)
    assert "int8 of 7 bits" in seven["weight_transformations"]
    assert "bits" not in facts["weight_transformations"]
    for folder, most in (("int8", 127), ("seven", 64)):
        graph = onnx.load(tmp_path / folder / "model.onnx").graph
        weights = [numpy_helper.to_array(one) for one in graph.initializer if one.dims[1:]]
        assert max(np.abs(one.astype(int)).max() for one in weights if one.dtype == np.int8) == most


def test_the_same_bytes_twice(tmp_path: Path, shipped: Artifact, images: Artifact) -> None:
    first = quantized(tmp_path / "first", shipped, images)
    assert first == quantized(tmp_path / "second", shipped, images)
    assert (tmp_path / "first/model.onnx").read_bytes() == (tmp_path / "second/model.onnx").read_bytes()


def test_no_more_than_one_picture_is_held(
    tmp_path: Path, shipped: Artifact, images: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each image is dropped before the next one is requested."""
    import gc
    import weakref

    batches: list[weakref.ref[Array]] = []
    original = image_calibration._batches

    def watched(*given: Any) -> Iterator[Mapping[str, Array]]:
        made = original(*given)
        while True:
            gc.collect()
            alive.append(sum(one() is not None for one in batches))
            batch = next(made, None)
            if batch is None:
                return
            batches.extend(weakref.ref(value) for value in batch.values())
            yield batch
            del batch

    alive: list[int] = []
    monkeypatch.setattr(image_calibration, "_batches", watched)
    gc.freeze()  # what other tests left needs no look a hundred times
    quantized(tmp_path / "int8", shipped, images)
    gc.unfreeze()
    assert len(batches) == 100
    assert max(alive) <= 1


@pytest.mark.parametrize(
    ("shape", "opset", "ir_version"),
    [(["N", 3, 64, 64], 13, 8), (["N", 3, 64, 64], 11, 6), (["N", 3, 64, 64], 8, 3), ([3, 3, 64, 64], 11, 6)],
)
def test_models_as_frameworks_export_them(
    tmp_path: Path, images: Artifact, shape: list[int | str], opset: int, ir_version: int
) -> None:
    """Old opsets, weights that are inputs too, normalisations, a fixed batch that the images do not fill."""
    source = stored(tmp_path / "own", network(shape, opset=opset, ir_version=ir_version))
    facts = quantized(tmp_path / "int8", source, images)
    model = onnx.load(tmp_path / "int8" / facts["model"])
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
    assert [one.name for one in model.graph.input] == ["x"]
    random = np.random.default_rng(1)
    batch = random.random((3, 3, 64, 64), np.float32)
    old = onnx.version_converter.convert_version(network(shape, opset=13), 13)
    want, got = run(old, {"x": batch})["scores"], run(model, {"x": batch})["scores"]
    assert np.abs(want - got).max() < 0.05 * np.abs(want).max()


def test_a_model_that_takes_the_colours_last(tmp_path: Path, images: Artifact) -> None:
    net = ConvNet()
    turned = net.node("Transpose", ["x"], "turned", perm=[0, 3, 1, 2])
    random = np.random.default_rng(0)
    x = net.convolution(turned, "c", random.standard_normal((8, 3, 3, 3), np.float32), np.zeros(8, np.float32))
    net.dense(net.pool_to_vector(x), "scores", random.standard_normal((5, 8), np.float32), np.zeros(5, np.float32))
    model = net.model("own", [tensor("x", "float32", ["N", 32, 32, 3])], [tensor("scores", "float32", ["N", 5])])
    facts = quantized(tmp_path / "int8", stored(tmp_path / "own", model), images)
    assert run(tmp_path / "int8" / facts["model"], {"x": np.zeros((2, 32, 32, 3), np.float32)})["scores"].shape == (
        2,
        5,
    )


def identity(shape: Sequence[int | str]) -> onnx.ModelProto:
    net = ConvNet()
    net.node("Identity", ["x"], "scores")
    return net.model("own", [tensor("x", "float32", shape)], [tensor("scores", "float32", shape)])


def test_what_can_not_be_quantized_is_said(tmp_path: Path, shipped: Artifact, images: Artifact) -> None:
    with pytest.raises(DataError, match="nothing to quantize") as caught:
        quantized(tmp_path / "a", stored(tmp_path / "identity", identity(["N", 3, 8, 8])), images)
    assert "without _int8" in caught.value.remedy
    net = ConvNet()
    net.dense(net.pool_to_vector("x"), "scores", np.ones((5, 3), np.float32), np.zeros(5, np.float32))
    last = net.model("own", [tensor("x", "float32", ["N", 3, 8, 8])], [tensor("scores", "float32", ["N", 5])])
    with pytest.raises(DataError, match="nothing to quantize"):
        quantized(tmp_path / "f", stored(tmp_path / "last", last), images)
    again = Artifact(str(tmp_path / "b"), quantized(tmp_path / "b", shipped, images))
    with pytest.raises(DataError, match="quantized already"):
        quantized(tmp_path / "c", again, images)
    with pytest.raises(DataError, match="not square RGB images"):
        quantized(tmp_path / "d", stored(tmp_path / "open", network(["N", 3, "H", "W"])), images)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model.onnx").write_bytes(b"\x00\x01nonsense")
    with pytest.raises(DataError, match="is not an ONNX model"):
        quantized(tmp_path / "e", Artifact(str(tmp_path / "broken"), shipped.facts), images)
    for name in "acdef":
        assert not list((tmp_path / name).iterdir()), "nothing half made is left"


def test_a_broken_calibration_picture_is_named(tmp_path: Path, shipped: Artifact) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    found = Artifact(str(folder), calibration.generated(step(folder, IMAGES | {"count": 2})))
    (folder / patterns.file_name(1)).write_bytes(b"no image")
    with pytest.raises(DataError, match=patterns.file_name(1)):
        quantized(tmp_path / "int8", shipped, found)


TRANSFORMER: dict[str, Any] = {
    "task": "tests.engine.harness.padded_task",
    "operators": ["MatMul", "Gemm"],
    "weights_only": True,
}


def prepared(folder: Path, count: int, length: int) -> Artifact:
    """Calibration samples as a text task prepares them: three rows of int64 each."""
    folder.mkdir()
    for name, rows in zip(INPUTS, features(count, length, seed=1), strict=True):
        np.save(folder / f"{name}.npy", rows)
    arrays = tuple(f"{name}.npy" for name in INPUTS)
    facts = ChosenSamplesFacts(arrays=arrays, count=count, what="features of list 1", by_rules=True)
    return Artifact(str(folder), msgspec.to_builtins(facts))


def transformer_model(folder: Path, *, outside: bool = False, **sizes: Any) -> Artifact:
    folder.mkdir()
    model = transformer(**sizes)
    onnx.save(model, folder / "own.onnx", save_as_external_data=outside, location="own.data", size_threshold=100)
    return Artifact(str(folder), msgspec.to_builtins(ModelFacts(model="own.onnx", outputs=("logits",))))


@pytest.mark.parametrize("sizes", [{}, {"length": 24, "batch": 3}], ids=["open", "fixed"])
def test_a_transformer_is_calibrated_with_prepared_samples(tmp_path: Path, sizes: dict[str, Any]) -> None:
    """Five samples of int64 that a batch of three does not divide."""
    source, samples = transformer_model(tmp_path / "fp32", **sizes), prepared(tmp_path / "samples", 5, 24)
    said: list[events.AnyEvent] = []
    facts = quantized(tmp_path / "int8", source, samples, said, **TRANSFORMER)
    assert facts["input_data_types"] == "int64"
    assert facts["calibration"]["text"] == "5 features of list 1"
    assert facts["calibration"]["by_rules"] is True
    progress = [event for event in said if isinstance(event, events.Progress)]
    assert (progress[-1].done, progress[-1].total, progress[-1].unit) == (5, 5, "samples")
    graph = onnx.load(tmp_path / "int8" / "model.onnx").graph
    values = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    producers = {output: node for node in graph.node for output in node.output}
    matmuls = [node for node in graph.node if node.op_type in ("MatMul", "Gemm")]
    weighted = [producers[node.input[1]] for node in matmuls if node.input[1] in producers]
    scales = [values[node.input[1]].shape for node in weighted if node.input[0] in values]
    assert sorted(scales) == sorted([(32,)] * 4 * 2 + [(64,), (32,)] * 2), "a scale for each output channel"
    feeds = dict(zip(INPUTS, features(3, 24, seed=2), strict=True))
    want = run(tmp_path / "fp32" / "own.onnx", feeds)["logits"]
    got = run(tmp_path / "int8" / "model.onnx", feeds)["logits"]
    assert np.linalg.norm(want - got) < 0.15 * np.linalg.norm(want)


def test_products_of_two_activations_are_the_components_choice(tmp_path: Path) -> None:
    source, samples = transformer_model(tmp_path / "fp32"), prepared(tmp_path / "samples", 3, 16)
    counts = []
    for name, only in (("weights", True), ("all", False)):
        quantized(tmp_path / name, source, samples, **TRANSFORMER | {"weights_only": only})
        graph = onnx.load(tmp_path / name / "model.onnx").graph
        counts.append(sum(node.op_type == "QuantizeLinear" for node in graph.node))
    assert counts[0] < counts[1]


@pytest.mark.parametrize("outside", [False, True])
def test_large_models_keep_their_weights_outside_and_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outside: bool
) -> None:
    """The path of a model of two gigabytes, with lowered limits."""
    samples = prepared(tmp_path / "samples", 4, 16)
    quantized(tmp_path / "small", transformer_model(tmp_path / "fp32"), samples, **TRANSFORMER)
    want = onnx.load(tmp_path / "small" / "model.onnx")
    monkeypatch.setattr(quantizable, "LARGE", 1000)
    monkeypatch.setattr(quantize, "MOST_IN_ONE_FILE", 1000)
    source = transformer_model(tmp_path / "large", outside=outside)
    facts = quantized(tmp_path / "int8", source, samples, **TRANSFORMER)
    assert sorted(path.name for path in (tmp_path / "int8").iterdir()) == ["model.onnx", "model.onnx.data"]
    assert facts["sha256"] == onnx_files.checksum(tmp_path / "int8" / "model.onnx")
    got = onnx.load(tmp_path / "int8" / "model.onnx")
    assert [node.SerializeToString() for node in got.graph.node] == [
        node.SerializeToString() for node in want.graph.node
    ]
    for one, other in zip(got.graph.initializer, want.graph.initializer, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(numpy_helper.to_array(one), numpy_helper.to_array(other))


def test_weights_outside_stay_there_where_the_opset_is_an_old_one(tmp_path: Path) -> None:
    """BERT's stand-in in small: opset 11, its weights in a file beside it."""
    form = BertConfig(layers=1, hidden=32, heads=2, feed_forward=64, vocabulary=50, positions=24)
    (tmp_path / "fp32").mkdir()
    facts = standin_bert.build_form(step(tmp_path / "fp32", {"seed": 1}), form)
    source = Artifact(str(tmp_path / "fp32"), facts)
    found = quantized(tmp_path / "int8", source, prepared(tmp_path / "samples", 4, 16), **TRANSFORMER)
    assert found["stand_in"] is True
    feeds = dict(zip(INPUTS, features(3, 24, seed=2), strict=True))
    want = run(onnx.load(tmp_path / "fp32" / "model.onnx"), feeds)
    got = run(tmp_path / "int8" / "model.onnx", feeds)
    for name, logits in want.items():
        assert np.linalg.norm(logits - got[name]) < 0.15 * np.linalg.norm(logits)


def test_ranges_are_least_and_greatest_over_all_batches(tmp_path: Path) -> None:
    onnx.save(transformer(), tmp_path / "model.onnx")
    batches = [dict(zip(INPUTS, features(1, 8, seed), strict=True)) for seed in range(3)]
    found = ranges.ranges(tmp_path / "model.onnx", ("MatMul",), iter(batches))
    assert "0.q.weight" not in found
    model = onnx.load(tmp_path / "model.onnx")
    for name in ("Add.2", "Softmax.17"):
        assert name in found
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [*"abc"]))
    outputs = [run(model, batch) for batch in batches]
    for name in ("Add.2", "Softmax.17"):
        values = np.concatenate([one[name].reshape(-1) for one in outputs])
        assert (found[name][0].item(), found[name][1].item()) == (values.min(), values.max())
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_samples_that_do_not_fit_the_model_are_said(tmp_path: Path) -> None:
    source = transformer_model(tmp_path / "fp32", length=24)
    with pytest.raises(DataError, match="input 'input_ids'"):
        quantized(tmp_path / "int8", source, prepared(tmp_path / "samples", 2, 16), **TRANSFORMER)
