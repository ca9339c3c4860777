"""The U-Net that is shipped, on cases that it was not trained with."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from engine.datasets.abdomens import AbdomenSet
from engine.errors import DataError
from engine.facts import ModelFacts
from engine.networks import kidneys_net
from engine.step import Artifact
from engine.tasks.dice import dice
from engine.tasks.volumes import How, normalised
from tests.engine.networks.running import step

HELD_OUT = AbdomenSet(seed=77, count=2)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kidneys-net")
    facts = kidneys_net.shipped(step(folder, {}))
    known = Artifact(str(folder), facts).read(ModelFacts)
    assert not known.stand_in
    assert known.outputs == ("output",)
    assert known.task_options == {}, "windows and classes of the rules"
    return folder / known.file


def test_it_finds_kidneys_and_tumours_that_it_never_saw(model: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    scores = []
    for index in range(HELD_OUT.count):
        case = HELD_OUT.case(index)
        missing = [max(128 - size, 0) for size in case.image.shape]
        image, label = (np.pad(one, [(0, size) for size in missing], mode="edge") for one in (case.image, case.label))
        window = tuple(slice(0, 128) for _ in range(3))
        [[logits]] = session.run(None, {"input": normalised(image[window], How())[None, None]})
        scores.append(dice(logits.argmax(0), label[window], 3))
    assert np.mean(scores) >= 0.88


def test_its_file_is_small() -> None:
    assert (files("profiles") / "models" / kidneys_net.FILE).stat().st_size < 400_000  # type: ignore[attr-defined]


def test_weights_that_are_not_all_there_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", other=np.zeros(1, np.float16))
    with pytest.raises(DataError, match="lacks the weights"):
        kidneys_net.written((tmp_path / "some.npz").read_bytes())
