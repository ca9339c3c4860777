"""int8 LSTMs: the words of the fp32 model, the same bytes each time, and clear errors for other models."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import onnx
import pytest

from engine import events
from engine.datasets.utterances import UtteranceSet
from engine.errors import DataError
from engine.facts import ModelFacts
from engine.networks import letters_net, patterns_net
from engine.networks.transducer import OUTPUTS
from engine.step import Artifact
from engine.steps.models import quantize, quantize_lstm
from engine.tasks.speech_features import Features
from engine.tasks.word_errors import errors
from tests.engine.networks.running import step
from tools import plain_transducer as plain

HELD_OUT = UtteranceSet(seed=77, count=64)


@pytest.fixture(scope="module")
def fp32(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("fp32")
    return Artifact(str(folder), letters_net.shipped(step(folder, {})))


def quantized(folder: Path, model: Artifact, said: list[events.AnyEvent] | None = None, bits: int = 8) -> Artifact:
    folder.mkdir()
    facts: dict[str, Any] = quantize_lstm.quantize(step(folder, {"weight_bits": bits}, {"fp32": model}, said))
    return Artifact(str(folder), facts)


def graphs(model: Artifact) -> dict[str, onnx.ModelProto]:
    paths = model.read(ModelFacts).paths(model.folder)
    assert isinstance(paths, dict)
    return {name: onnx.load(path) for name, path in paths.items()}


def test_every_lstm_is_int8_and_nothing_else_changes(tmp_path: Path, fp32: Artifact) -> None:
    int8 = quantized(tmp_path / "int8", fp32)
    known = int8.read(ModelFacts)
    assert (known.weight_data_types, known.input_data_types, known.outputs) == ("int8", "fp32", OUTPUTS)
    assert "dynamic quantization to int8 of the LSTMs" in known.weight_transformations
    before, after = graphs(fp32), graphs(int8)
    for name in OUTPUTS:
        kinds = [[node.op_type for node in graph[name].graph.node] for graph in (before, after)]
        assert sorted(kinds[1]) == sorted(one.replace("LSTM", "DynamicQuantizeLSTM") for one in kinds[0])
        for ends in ("input", "output"):
            assert getattr(before[name].graph, ends) == getattr(after[name].graph, ends)
    assert quantized(tmp_path / "again", fp32).read(ModelFacts).sha256 == known.sha256
    assert quantized(tmp_path / "seven", fp32, bits=7).read(ModelFacts).sha256 != known.sha256


def test_it_recognises_nearly_the_words_of_the_fp32_model(tmp_path: Path, fp32: Artifact) -> None:
    features, spoken = Features(letters_net.FORM.features // 3), [HELD_OUT.utterance(place) for place in range(64)]
    rates = []
    for model in (fp32, quantized(tmp_path / "int8", fp32)):
        parts = {name: graph.SerializeToString() for name, graph in graphs(model).items()}
        decoder = plain.decoder(parts, letters_net.FORM)
        said = [plain.text_of(chain.from_iterable(decoder.symbols(features.of(one.audio)))) for one in spoken]
        wrong, words = errors((text, one.transcript) for text, one in zip(said, spoken, strict=True))
        rates.append(wrong / words)
    assert rates[1] <= rates[0] + 0.02


def test_other_models_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "patterns"
    folder.mkdir()
    one = Artifact(str(folder), patterns_net.shipped(step(folder, {})))
    with pytest.raises(DataError, match="no LSTM in several graphs"):
        quantized(tmp_path / "int8", one)


def test_a_processor_that_may_overflow_is_told(tmp_path: Path, fp32: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantize, "_overflows", lambda cpu: True)
    said: list[events.AnyEvent] = []
    quantized(tmp_path / "int8", fp32, said)
    quantized(tmp_path / "seven", fp32, said, bits=7)
    (warned,) = [one for one in said if isinstance(one, events.Warned)]
    assert "no VNNI" in warned.text
