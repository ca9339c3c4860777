from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from engine.backends.base import Array
from engine.errors import DataError
from engine.facts import ModelFacts
from engine.networks import transducer_checkpoint as checkpoint
from engine.step import Artifact
from tests.engine.formats import torch_files as tf
from tests.engine.networks import plain_lstm as plain
from tests.engine.networks.running import run, step
from tests.engine.networks.test_transducer import SMALL

FILE = "epoch-100.pt"
FEATURIZER = {name: np.ones(4, "<f4") for name in checkpoint.LEFT_OUT}


def published(weights: Mapping[str, Array]) -> dict[str, Array]:
    """The tensors as the training names them."""
    return FEATURIZER | {name.replace("joint.net.", "joint_net."): values for name, values in weights.items()}


def written(tensors: Mapping[str, Array], *, zip_form: bool, beside: bytes = tf.number(3)) -> bytes:
    """A checkpoint: the epoch, the weights, and the state of the optimiser with a tensor of its own."""
    storages = {str(place): values for place, values in enumerate(tensors.values())}
    rows = {name: tf.contiguous(str(place), values) for place, (name, values) in enumerate(tensors.items())}
    moments = np.zeros(3, "<f4")
    optimiser = b"}" + tf.text("exp_avg") + tf.contiguous("m", moments) + b"s"
    entries = {"epoch": beside, "state_dict": tf.ordered_dict(rows), "optimizer": optimiser}
    body = b"}(" + b"".join(tf.text(name) + value for name, value in entries.items()) + b"u"
    return (tf.zipped if zip_form else tf.legacy)(body, storages | {"m": moments})


def convert(folder: Path, data: bytes) -> dict[str, Any]:
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    (folder / "in" / FILE).write_bytes(data)
    options = {"filename": FILE, "starting_weights": f"https://example.org/{FILE}"}
    made = step(folder / "out", options, {"checkpoint": Artifact(str(folder / "in"), {})})
    return checkpoint.convert_form(made, SMALL)


@pytest.mark.parametrize("zip_form", [False, True])
def test_a_checkpoint_gives_the_outputs_of_a_plain_lstm(tmp_path: Path, zip_form: bool) -> None:
    weights = plain.random_weights(SMALL)
    facts = convert(tmp_path, written(published(weights), zip_form=zip_form))
    assert facts["parameters"] == SMALL.parameters
    model = Artifact(str(tmp_path / "out"), facts).read(ModelFacts)
    assert isinstance(model.model, dict)
    graphs = {name: tmp_path / "out" / file for name, file in model.model.items()}
    assert list(graphs) == ["encoder", "prediction", "joint"]
    assert isinstance(model.outputs, dict)
    for name, path in graphs.items():
        assert tuple(one.name for one in onnx.load(path).graph.output) == model.outputs[name]

    x = np.random.default_rng(2).normal(0, 1, (7, 1, SMALL.features)).astype(np.float32)
    encoded = run(graphs["encoder"], {"x": x, "lengths": np.array([7])})["encoded"]
    assert np.abs(encoded[0] - plain.encoder(SMALL, weights, x[:, 0])).max() < 1e-5
    state = np.zeros((2, 1, SMALL.prediction), np.float32)
    predicted = run(graphs["prediction"], {"symbol": np.array([-1]), "hidden": state, "cell": state})["predicted"]
    assert np.abs(predicted - plain.prediction(SMALL, weights, [])).max() < 1e-5
    logits = run(graphs["joint"], {"encoded": encoded[:, 0], "predicted": predicted})["logits"]
    assert np.abs(logits[0] - plain.joint(weights, encoded[0, 0], predicted[0])).max() < 1e-5


def test_a_missing_and_an_extra_tensor_are_named_with_the_file(tmp_path: Path) -> None:
    tensors = published(plain.random_weights(SMALL))
    fewer = {name: values for name, values in tensors.items() if name != "joint_net.0.weight"}
    for number, (changed, words) in enumerate(
        (
            (fewer, r"epoch-100\.pt.*lacks joint\.net\.0\.weight"),
            (tensors | {"encoder.extra": np.ones(1, "<f4")}, r"epoch-100\.pt.*has besides encoder\.extra"),
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(DataError, match=words):
            convert(folder, written(changed, zip_form=False))
        assert not list((folder / "out").iterdir())


@pytest.mark.parametrize("zip_form", [False, True])
def test_any_other_name_in_the_pickle_is_refused_and_not_called(tmp_path: Path, zip_form: bool) -> None:
    target = tmp_path / "made"
    call = tf.name("os", "mkdir") + tf.tuple_of(tf.text(str(target))) + b"R"
    data = written(published(plain.random_weights(SMALL)), zip_form=zip_form, beside=call)
    with pytest.raises(DataError, match=r"needs os\.mkdir"):
        convert(tmp_path, data)
    assert not target.exists()


def test_a_file_without_a_state_dict_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it has no entry 'state_dict'"):
        convert(tmp_path, tf.state_dict(published(plain.random_weights(SMALL))))


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    data = written(published(plain.random_weights(SMALL)), zip_form=False)
    with pytest.raises(DataError, match="ends inside storage"):
        convert(tmp_path, data[:-40])
