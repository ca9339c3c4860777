from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import pytest

from engine.datasets import patterns
from engine.errors import DataError
from engine.networks import patterns_net
from engine.tasks import image_classification
from engine.tasks.image_form import ImageForm
from tests.engine.networks.running import run, step

FORM = ImageForm(preprocessing="unit", layout="NCHW", dtype="float32", image_size=64)


def test_the_shipped_model_classifies_pictures_of_another_seed(tmp_path: Path) -> None:
    facts = patterns_net.shipped(step(tmp_path, {}))
    assert facts["sha256"] == patterns_net.SHA256
    assert facts["outputs"] == ["scores"]
    images = patterns.ImageSet(seed=77, count=400)
    list(patterns.write(images, tmp_path))
    samples = np.empty((images.count, *FORM.shape), FORM.dtype)
    for index, slot in enumerate(samples):
        image_classification.preprocess(tmp_path / patterns.file_name(index), FORM, slot)
    outputs = [run(tmp_path / "model.onnx", {"input": samples})["scores"]]
    model = image_classification.ClassOptions(label_offset=0)
    responses = image_classification.respond(outputs, range(images.count), model)
    labels = [images.label(index) for index in range(images.count)]
    assert (responses.data == labels).mean() > 0.97


def test_the_shipped_file_is_small_and_described() -> None:
    folder = files("profiles") / "models"
    assert len((folder / patterns_net.FILE).read_bytes()) <= 200_000
    assert patterns_net.SHA256 in (folder / "README.md").read_text()


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns_net, "SHA256", "0" * 64)
    with pytest.raises(DataError, match="damaged"):
        patterns_net.shipped(step(tmp_path, {}))
    assert not list(tmp_path.iterdir())


def test_the_architecture_is_the_one_of_the_shipped_file() -> None:
    shipped = onnx.load_from_string((files("profiles") / "models" / patterns_net.FILE).read_bytes())
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in shipped.graph.initializer}
    assert patterns_net.build(weights).SerializeToString() == shipped.SerializeToString()
