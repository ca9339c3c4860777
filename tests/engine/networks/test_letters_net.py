from importlib.resources import files
from itertools import chain
from pathlib import Path

import onnx
import pytest

from engine.datasets.utterances import UtteranceSet
from engine.errors import DataError
from engine.facts import ModelFacts
from engine.networks import letters_net
from engine.networks.transducer import OUTPUTS
from engine.step import Artifact
from engine.tasks.speech_features import Features
from engine.tasks.word_errors import distance
from tests.engine.networks.running import step
from tools import plain_transducer as plain

HELD_OUT = UtteranceSet(seed=77, count=64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("letters-net")


@pytest.fixture(scope="module")
def decoder(folder: Path) -> plain.Decoder:
    facts = letters_net.shipped(step(folder, {}))
    model = Artifact(str(folder), facts).read(ModelFacts)
    assert model.model == {name: f"{name}.onnx" for name in OUTPUTS}
    assert model.outputs == OUTPUTS
    assert not model.stand_in
    return plain.decoder({name: (folder / f"{name}.onnx").read_bytes() for name in OUTPUTS}, letters_net.FORM)


@pytest.fixture(scope="module")
def heard(decoder: plain.Decoder) -> list[tuple[str, list[list[int]]]]:
    """Of each held-out utterance the transcript, and the symbols of each frame."""
    features = Features(letters_net.FORM.features // 3)
    spoken = [HELD_OUT.utterance(index) for index in range(HELD_OUT.count)]
    return [(one.transcript, decoder.symbols(features.of(one.audio))) for one in spoken]


def test_it_recognises_words_of_voices_that_it_never_heard(heard: list[tuple[str, list[list[int]]]]) -> None:
    errors = sum(
        distance(plain.text_of(chain.from_iterable(frames)).split(), transcript.split()) for transcript, frames in heard
    )
    words = sum(len(transcript.split()) for transcript, _ in heard)
    assert words > 250
    assert errors / words <= 0.03


def test_some_frames_give_several_symbols_and_many_give_none(heard: list[tuple[str, list[list[int]]]]) -> None:
    counts = [len(symbols) for _, frames in heard for symbols in frames]
    assert sum(count > 1 for count in counts) > len(counts) / 20
    assert sum(count == 0 for count in counts) > len(counts) / 4
    assert max(counts) < plain.MOST_SYMBOLS


def test_the_graphs_have_the_sizes_of_the_network(folder: Path, decoder: plain.Decoder) -> None:
    for name in OUTPUTS:
        onnx.checker.check_model(onnx.load(folder / f"{name}.onnx"), full_check=True)
    assert decoder.form == letters_net.FORM
    assert letters_net.FORM.parameters < 400_000


def test_the_shipped_file_is_small_and_described() -> None:
    folder = files("profiles") / "models"
    assert len((folder / letters_net.FILE).read_bytes()) <= 1_000_000
    assert letters_net.SHA256 in (folder / "README.md").read_text()


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters_net, "SHA256", "0" * 64)
    with pytest.raises(DataError, match="damaged"):
        letters_net.shipped(step(tmp_path, {}))
    assert not list(tmp_path.iterdir())


def test_word_errors_are_counted_as_a_person_would() -> None:
    for reference, found, count in (
        ("a b c", "a b c", 0),
        ("a b c", "a c", 1),
        ("a b", "a x b", 1),
        ("a b c", "a c d", 2),
        ("a b", "", 2),
        ("", "a", 1),
    ):
        assert distance(found.split(), reference.split()) == count
