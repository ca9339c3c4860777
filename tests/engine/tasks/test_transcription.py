"""Whisper: its file, graphs, decoding, text and score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.backends import onnxruntime
from engine.backends.base import Array, BackendOptions
from engine.backends.graph import Graph
from engine.errors import DataError
from engine.facts import ModelFacts
from engine.formats import ctranslate2_file, safetensors_file
from engine.networks import whisper_checkpoint, whisper_tiny
from engine.step import Artifact
from engine.tasks import transcription as task
from engine.tasks.english_text import normalised
from engine.tasks.whisper_features import LONGEST_AUDIO, LogMel
from engine.tasks.word_errors import joined
from tests.engine.networks.running import step
from tests.engine.tasks import whisper_model

PROMPT = (30, 31)
LENGTHS = (16_000, 4_000, 40_000)


class Audio:
    """Samples of noise."""

    lengths: Array | None = np.array(LENGTHS)
    shapes: Array | None = None

    def sample(self, number: int, index: int) -> Array:
        random = np.random.default_rng(index)
        return (random.standard_normal(LENGTHS[index]) * 3000).astype(np.int16)

    def check(self, inputs: Any) -> None: ...

    def gather(self, indices: Any, outs: Any) -> None: ...


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelFacts, Path]:
    folder = tmp_path_factory.mktemp("whisper")
    whisper_model.write(folder / "package", whisper_model.weights(7))
    (folder / "out").mkdir()
    options = {
        "weights_file": "model.bin",
        "vocabulary_file": "tokenizer.json",
        "prompt": tuple(map(str, PROMPT)),
        "end": 27,
    }
    made = whisper_tiny.convert(step(folder / "out", options, {"weights": Artifact(str(folder / "package"), {})}))
    return msgspec.convert(made, ModelFacts), folder / "out"


def transcriber(model: tuple[ModelFacts, Path], **options: Any) -> task.Transcriber:
    facts, folder = model
    known = msgspec.convert({**facts.options(folder), **options}, task.WhisperOptions)
    paths = facts.paths(folder)
    assert isinstance(paths, dict)
    graphs = {name: Graph(onnxruntime.load(Path(path), BackendOptions())) for name, path in paths.items()}
    return task.program(graphs, Audio(), known)


def test_a_batch_says_what_plain_arithmetic_says(model: tuple[ModelFacts, Path]) -> None:
    plain, mel = whisper_model.Plain(whisper_model.weights(7)), LogMel(whisper_model.BANDS)
    heard = [mel.of(Audio().sample(0, index)) for index in range(3)]
    endless = plain.said(heard[0], PROMPT, -1, 12)
    end = endless[5]  # so that the samples of the batch end at different places
    expected = [plain.said(one, PROMPT, end, 200) for one in heard]
    program = transcriber(model, end=end)
    program.prepare(3)
    found = program.infer([0, 1, 2])
    assert list(found.tokens) == [max(len(one), 1) for one in expected]
    texts = ["".join(chr(97 + one) for one in tokens if one < 26) for tokens in expected]
    symbols = [one for text in texts for one in task.symbols(text)]
    assert "".join(task.ALPHABET[one] for one in found.data.tolist()) == "".join(task.ALPHABET[one] for one in symbols)
    program.close()


def test_features_are_those_of_the_definition() -> None:
    phase = np.arange(16_000) ** 2 / 40_000
    audio = (8000 * np.sin(phase)).astype(np.int16)
    found = LogMel(80).of(audio)
    assert found.shape == (80, LONGEST_AUDIO // 160)
    places = [(0, 0), (5, 10), (20, 40), (40, 90), (79, 98), (60, 2000)]
    golden = [0.42088, 1.234418, 1.214907, 0.61834, -0.69916, -0.69916]
    assert [float(found[place]) for place in places] == pytest.approx(golden, abs=1e-4), "by Whisper's filters"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Twenty one men, and 4. Queen of Clothes", "21 men and 4 queen of clothes"),
        ("one hundred and five", "105"),
        ("five 5", "5 5"),
        ("one hundred twenty three thousand four hundred fifty six", "123456"),
        ("and then one", "and then one"),
        ("nineteen ninety", "1990"),
        ("It's Mr. Smith's; won't", "it is mister smith is will not"),
        ("an ill-disposed (so to say) young man, um.", "an ill disposed young man"),
        ("$5 or 5% of 1,000.50", "$5 or 5% of 1000.50"),
        ("a hundred", "a 100"),
    ],
)
def test_text_is_normalised_as_by_whispers_own_normaliser(text: str, expected: str) -> None:
    assert normalised(text) == expected


@given(some.text(max_size=60))
def test_any_text_is_normalised_to_single_blanks(text: str) -> None:
    found = normalised(text)
    assert found == " ".join(found.split())


def test_words_written_as_one_are_no_error() -> None:
    assert joined("some one is here".split(), "someone is here".split()) == (["someone", "is", "here"],) * 2
    assert joined(["a", "b"], ["a", "c", "d"]) == (["a", "b"], ["a", "c", "d"])


def manifest(folder: Path, *transcripts: str) -> Path:
    entries = [
        {
            "files": [{"fname": f"dev-clean-wav/1/1/1-1-{number}.wav", "speed": 1}],
            "original_duration": 29.0,
            "original_num_samples": 464_000,
            "transcript": text,
        }
        for number, text in enumerate(transcripts)
    ]
    (folder / "manifest.json").write_text(json.dumps(entries))
    return folder / "manifest.json"


def log(folder: Path, *answers: tuple[int, str]) -> Path:
    rows = [
        {
            "seq_id": place,
            "qsl_idx": index,
            "data": np.array(task.symbols(text), np.int64).tobytes().hex().upper(),
            "token_count": 3,
        }
        for place, (index, text) in enumerate(answers)
    ]
    (folder / "log.json").write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    return folder / "log.json"


def test_the_score_is_that_of_the_first_answers_in_the_rules_form(tmp_path: Path) -> None:
    labels = manifest(tmp_path, "he was not an ill disposed young man", "four queen of clubs")
    found = task.score(
        log(tmp_path, (1, "4 Queen of clothes."), (0, "He was not an old-sposed young man"), (1, "x")), labels
    )
    assert found.text == "Word Error Rate: 25.0%, accuracy=75.0%\n"
    assert (found.value, found.total, found.figures) == (75.0, 2, {"wer": 25.0})


@pytest.mark.parametrize(
    ("data", "says"),
    [("01", "no whole int64"), (np.array([99], np.int64).tobytes().hex(), "the symbol 99; there are 45"), ("", "")],
)
def test_malformed_answers_are_named(tmp_path: Path, data: str, says: str) -> None:
    path = tmp_path / "log.json"
    path.write_text(f'[\n{{"seq_id": 0, "qsl_idx": 0, "data": "{data}"}}\n]\n')
    if not says:
        assert task.score(path, manifest(tmp_path, "four")).value == 0
        return
    with pytest.raises(DataError, match=says):
        task.score(path, manifest(tmp_path, "four"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data[:-60], "damaged, or no model of CTranslate2"),
        (lambda data: b"\x05" + data[1:], "not of CTranslate2's form 6"),
        (lambda data: b"", "damaged, or no model"),
        (lambda data: data.replace(b"conv2/weight", b"conv3/weight"), "conv2/weight' is missing"),
        (lambda data: data.replace(b"WhisperSpec", b"Transformer"), "is a Transformer, no Whisper"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, change: Any, says: str) -> None:
    whisper_model.write(tmp_path, whisper_model.weights(1))
    path = tmp_path / "model.bin"
    path.write_bytes(change(path.read_bytes()))
    options = {"weights_file": "model.bin", "vocabulary_file": "tokenizer.json", "prompt": ("1",), "end": 27}
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=says):
        whisper_tiny.convert(step(tmp_path / "out", options, {"weights": Artifact(str(tmp_path), {})}))


@given(some.binary(max_size=200))
def test_no_bytes_make_the_reader_fail_otherwise(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.bin"
        path.write_bytes(b"\x06\0\0\0" + data)
        with pytest.raises(DataError):
            ctranslate2_file.read_tensors(path)


def test_the_published_form_makes_the_same_graphs(tmp_path: Path, model: tuple[ModelFacts, Path]) -> None:
    whisper_model.write_published(tmp_path / "weights", whisper_model.weights(7))
    (tmp_path / "out").mkdir()
    names = {"weights_file": "model.safetensors", "vocabulary_file": "tokenizer.json"}
    options = {**names, "heads": whisper_model.HEADS, "prompt": ("30", "31"), "end": 27}
    needs = {name: Artifact(str(tmp_path / "weights"), {}) for name in ("weights", "vocabulary")}
    made = msgspec.convert(whisper_checkpoint.convert(step(tmp_path / "out", options, needs)), ModelFacts)
    assert made.outputs == model[0].outputs
    found, expected = (transcriber(one).infer([1]) for one in ((made, tmp_path / "out"), model))
    assert found.data.tolist() == expected.data.tolist()


@pytest.mark.parametrize(
    "data", [b"", b"12345678", b"\x02\0\0\0\0\0\0\0[]", b'\x30\0\0\0\0\0\0\0{"a": {"dtype": "F32"}}']
)
def test_a_damaged_safetensors_file_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(DataError, match="damaged, or no safetensors file"):
        safetensors_file.read_tensors(tmp_path / "x")
