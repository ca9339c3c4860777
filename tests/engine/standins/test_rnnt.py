"""The stand-in for the rules' RNN-T, built narrow: the same builder, a few seconds."""

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from engine.datasets.utterances import UtteranceSet
from engine.facts import ModelFacts
from engine.networks.transducer import OUTPUTS, TransducerConfig
from engine.standins import rnnt
from engine.step import Artifact
from engine.tasks.speech_features import Features
from tests.engine.networks.running import step
from tools import plain_transducer as plain

SMALL = TransducerConfig(encoder=96, prediction=48, joint=128)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder of the graphs, and their facts."""
    folder = tmp_path_factory.mktemp("stand-in")
    return folder, rnnt.build_form(step(folder, {"seed": 2021}), SMALL)


def decoder(folder: Path) -> plain.Decoder:
    return plain.decoder({name: (folder / f"{name}.onnx").read_bytes() for name in OUTPUTS}, SMALL)


def test_it_says_what_it_is(built: tuple[Path, dict[str, Any]]) -> None:
    folder, facts = built
    model = Artifact(str(folder), facts).read(ModelFacts)
    assert model.stand_in
    assert model.outputs == OUTPUTS
    assert facts["parameters"] == SMALL.parameters
    for name in OUTPUTS:
        onnx.checker.check_model(onnx.load(folder / f"{name}.onnx"), full_check=True)


def test_the_blank_wins_about_as_often_as_in_speech(built: tuple[Path, dict[str, Any]]) -> None:
    folder, facts = built
    assert abs(facts["blank_share"] - rnnt.BLANK_SHARE) < 0.05
    said, features = UtteranceSet(4, 24), Features(SMALL.features // 3)
    frames = [
        len(symbols)
        for index in range(said.count)
        for symbols in decoder(folder).symbols(features.of(said.utterance(index).audio))
    ]
    assert 0.35 < len(frames) / (len(frames) + sum(frames)) < 0.75, "of utterances that it was not set on"


def test_what_comes_out_depends_on_what_goes_in(built: tuple[Path, dict[str, Any]]) -> None:
    features, said = Features(SMALL.features // 3), UtteranceSet(4, 8)
    heard = [decoder(built[0]).symbols(features.of(said.utterance(index).audio)) for index in range(said.count)]
    texts = {tuple(chain.from_iterable(frames)) for frames in heard}
    assert len(texts) >= 4
    assert len(set(chain.from_iterable(texts))) >= 8, "not always the same symbols"


def test_rounding_errors_do_not_grow_from_step_to_step(built: tuple[Path, dict[str, Any]]) -> None:
    """Otherwise batches of different sizes would give different symbols."""
    run, random = decoder(built[0]).encoder, np.random.default_rng(1)
    x = random.standard_normal((400, 1, SMALL.features), np.float32)
    lengths = np.array([400])
    exact, _ = run({"x": x, "lengths": lengths})
    near, _ = run({"x": x + random.standard_normal(x.shape, np.float32) * np.float32(1e-6), "lengths": lengths})
    assert np.abs(near - exact).max() < 1e-3
