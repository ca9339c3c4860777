import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from engine.datasets import scenes
from engine.errors import DataError
from engine.networks import scenes_net
from engine.step import Artifact, read_options
from engine.steps.models.quantize import quantize
from engine.tasks import object_detection
from engine.tasks.image_form import ImageForm
from tests.engine.networks.running import run, step

Array = np.ndarray[Any, np.dtype[Any]]

OPTIONS = {"preprocessing": "unit", "layout": "NCHW", "dtype": "float32", "image_size": scenes_net.IMAGE_SIZE}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The shipped model as its step leaves it."""
    folder = tmp_path_factory.mktemp("model")
    return Artifact(str(folder), scenes_net.shipped(step(folder, {})))


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes that the model was not trained on."""
    folder = tmp_path_factory.mktemp("held-out")
    list(scenes.write(scenes.SceneSet(seed=77, count=120, purpose="held-out"), folder))
    return folder


def shipped_weights() -> dict[str, Array]:
    """The constants of the shipped file by name."""
    shipped = onnx.load_from_string((files("profiles") / "models" / scenes_net.FILE).read_bytes())
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in shipped.graph.initializer}


def answers(model: Path, folder: Path) -> list[dict[str, Array]]:
    """The model's outputs for each scene, with the task's own preprocessing."""
    form = read_options(OPTIONS, ImageForm)
    found, sample = [], np.empty((1, *form.shape), form.dtype)
    loaded = onnx.load(model)
    for one in object_detection.samples(folder / scenes.LABELS):
        object_detection.preprocess(folder / scenes.IMAGES / one.name, form, sample[0])
        found.append(run(loaded, {"input": sample}))
    return found


def mean_average_precision(found: list[dict[str, Array]], folder: Path) -> float:
    """Score answers as a measurement would: through the responses and an accuracy log."""
    lines, model = [], object_detection.DetectorOptions(image_size=scenes_net.IMAGE_SIZE)
    for index, outputs in enumerate(found):
        ordered = [outputs[name] for name in ("boxes", "scores", "labels")]
        response = object_detection.respond(ordered, [index], model)
        lines.append({"seq_id": index, "qsl_idx": index, "data": response.data.tobytes().hex().upper()})
    log = folder / "mlperf_log_accuracy.json"
    log.write_text("[\n" + ",\n".join(json.dumps(line) for line in lines) + "\n]\n")
    return object_detection.score(log, folder / scenes.LABELS).value


def test_the_shipped_model_finds_the_objects_of_scenes_that_it_never_saw(model: Artifact, held_out: Path) -> None:
    assert model.facts["sha256"] == scenes_net.SHA256
    assert model.facts["outputs"] == ["boxes", "scores", "labels"]
    assert model.facts["task_options"] == {"image_size": scenes_net.IMAGE_SIZE}
    found = answers(model.folder / "model.onnx", held_out)
    for outputs in found:
        boxes, scores, labels = outputs["boxes"], outputs["scores"], outputs["labels"]
        assert [one.dtype.name for one in (boxes, scores, labels)] == ["float32", "float32", "int64"]
        assert boxes.shape == (len(scores), 4)
        assert labels.shape == scores.shape
        assert len(scores) <= scenes_net.MOST
        assert (scores > scenes_net.LEAST_SCORE).all()
        assert (np.diff(scores) <= 0).all()
        assert ((boxes >= 0) & (boxes <= scenes_net.IMAGE_SIZE)).all()
        assert ((labels >= 0) & (labels < scenes_net.CLASSES)).all()
    assert mean_average_precision(found, held_out) > 75


def test_int8_finds_nearly_as_well(model: Artifact, held_out: Path, tmp_path: Path) -> None:
    images, target = tmp_path / "pictures", tmp_path / "int8"
    images.mkdir()
    target.mkdir()
    options = {"count": 60, "seed": 2, "size": 320, "purpose": "calibration"}
    calibration = Artifact(str(images), scenes.calibration(step(images, options)))
    asked = {"task": "engine.tasks.object_detection", "preprocessing": "unit", "weight_bits": 8}
    facts = quantize(step(target, asked, {"fp32": model, "calibration": calibration}))
    assert facts["weight_data_types"] == "int8"
    assert facts["task_options"] == {"image_size": scenes_net.IMAGE_SIZE}
    fp32, int8 = (
        mean_average_precision(answers(folder / "model.onnx", held_out), held_out) for folder in (model.folder, target)
    )
    assert int8 > fp32 - 4


def test_a_picture_on_which_nothing_scores_has_no_detections() -> None:
    weights = shipped_weights()
    weights["classes.bias"] = weights["classes.bias"] - 30
    side = scenes_net.IMAGE_SIZE
    outputs = run(scenes_net.build(weights), {"input": np.full((1, 3, side, side), 0.5, np.float32)})
    assert [outputs[name].shape for name in ("boxes", "scores", "labels")] == [(0, 4), (0,), (0,)]


def test_no_more_than_the_best_are_given_out() -> None:
    weights = shipped_weights()
    weights["classes.bias"] = weights["classes.bias"] + 30
    image = np.random.default_rng(1).random((1, 3, scenes_net.IMAGE_SIZE, scenes_net.IMAGE_SIZE), np.float32)
    outputs = run(scenes_net.build(weights), {"input": image})
    assert [len(outputs[name]) for name in ("boxes", "scores", "labels")] == 3 * [scenes_net.MOST]


def test_the_shipped_file_is_small_and_described() -> None:
    folder = files("profiles") / "models"
    assert len((folder / scenes_net.FILE).read_bytes()) <= 1_500_000
    assert scenes_net.SHA256 in (folder / "README.md").read_text()


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes_net, "SHA256", "0" * 64)
    with pytest.raises(DataError, match="damaged"):
        scenes_net.shipped(step(tmp_path, {}))
    assert not list(tmp_path.iterdir())


def test_the_architecture_is_the_one_of_the_shipped_file() -> None:
    shipped = (files("profiles") / "models" / scenes_net.FILE).read_bytes()
    assert scenes_net.build(shipped_weights()).SerializeToString() == shipped
