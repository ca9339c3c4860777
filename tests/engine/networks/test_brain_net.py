"""The brain mask network, converted from constants, computes what TensorFlow's operators do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import DataError
from engine.facts import ModelFacts
from engine.networks import brain_net
from engine.step import Artifact
from engine.tasks import medical_segmentation
from engine.tasks.base import model_options
from tests.engine.formats.test_tensorflow_constants import constant, tensor
from tests.engine.networks.running import run, step

Array = np.ndarray[Any, np.dtype[Any]]

SIDE = 8
WIDTHS = {
    "conv3d": (1, 8), "conv3d_1": (8, 8), "conv3d_2": (8, 16), "conv3d_3": (16, 16), "conv3d_4": (16, 32),
    "conv3d_5": (32, 32), "conv3d_6": (64, 32), "conv3d_7": (32, 16), "conv3d_8": (16, 8), "conv3d_9": (8, 1),
}  # fmt: skip
UP = {"conv3d_transpose": (32, 32), "conv3d_transpose_1": (16, 32), "conv3d_transpose_2": (8, 16)}
"""Outputs and inputs of a transposed convolution."""
OPTIONS = {"channels": "last", "threshold": 0.5}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brain_net, "SIDE", SIDE)


def constants() -> dict[str, Array]:
    random, found = np.random.default_rng(5), {}
    for name, widths in (WIDTHS | UP).items():
        side = 1 if name == "conv3d_9" else 3
        deviation = 1.5 / np.sqrt(side**3 * widths[name in UP])
        found[f"{name}/kernel"] = random.standard_normal((side, side, side, *widths), np.float32) * np.float32(
            deviation
        )
        if name in WIDTHS:
            found[f"{name}/bias"] = random.standard_normal(widths[1], np.float32) * np.float32(0.1)
    return found


def graph(values: dict[str, Array]) -> bytes:
    return b"".join(constant(name, tensor(one.shape, one.astype("<f4").tobytes())) for name, one in values.items())


def package(folder: Path, data: bytes) -> Artifact:
    folder.mkdir()
    (folder / "graph.pb").write_bytes(data)
    return Artifact(str(folder), {"package": "deepbrain", "version": "0.1", "files": ["graph.pb"]})


def test_it_computes_what_tensorflow_does() -> None:
    tf = pytest.importorskip("tensorflow")
    made = constants()

    def layer(x: Any, name: str) -> Any:
        return tf.nn.conv3d(x, made[f"{name}/kernel"], [1] * 5, "SAME") + made[f"{name}/bias"]

    x = np.random.default_rng(0).random((2, SIDE, SIDE, SIDE, 1), np.float32)
    value, ways = x, []
    for number in range(0, 6, 2):
        for name in (f"conv3d_{number}" if number else "conv3d", f"conv3d_{number + 1}"):
            value = tf.nn.relu(layer(value, name))
        ways.append(value)
        value = tf.nn.max_pool3d(value, [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "VALID")
    for number, (name, (width, _)) in enumerate(UP.items()):
        way = ways.pop()
        value = tf.nn.conv3d_transpose(value, made[f"{name}/kernel"], [*way.shape[:4], width], [1, 2, 2, 2, 1], "SAME")
        value = tf.nn.relu(layer(tf.concat([value, way], -1), f"conv3d_{6 + number}"))
    wanted = tf.sigmoid(layer(value, "conv3d_9")).numpy()
    assert wanted.std() > 0.01
    np.testing.assert_allclose(run(brain_net.build(made), {"img": x})["prob"], wanted, atol=1e-5)


def test_the_published_graph_becomes_a_model_of_whole_volumes(tmp_path: Path) -> None:
    source = package(tmp_path / "package", graph(constants()))
    (tmp_path / "out").mkdir()
    facts = brain_net.convert(step(tmp_path / "out", OPTIONS, {"package": source}))
    model = Artifact(str(tmp_path / "out"), facts).read(ModelFacts)
    assert model.outputs == ("prob",)
    options = model_options(medical_segmentation, model.task_options)
    assert isinstance(options, medical_segmentation.OPTIONS)
    assert (options.window, options.channels, options.threshold) == (None, "last", 0.5)


@pytest.mark.parametrize("fault", ["missing", "other shape", "no graph"])
def test_another_network_is_refused(tmp_path: Path, fault: str) -> None:
    made = constants()
    if fault == "missing":
        del made["conv3d_7/bias"]
    if fault == "other shape":
        made["conv3d_transpose/kernel"] = made["conv3d_transpose/kernel"][:2, :2, :2]
    source = package(tmp_path / "package", b"\x0a\xff" if fault == "no graph" else graph(made))
    with pytest.raises(DataError, match="no brain mask network"):
        brain_net.convert(step(tmp_path, OPTIONS, {"package": source}))
