"""Samples, programs and scores of question answering, including invalid input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from onnx import TensorProto

from engine import events
from engine.backends import onnxruntime
from engine.backends.base import Array, BackendOptions
from engine.backends.graph import Graph
from engine.errors import DataError
from engine.facts import Ragged, SamplesFacts
from engine.harness.model import GraphFile, Model
from engine.harness.samples import SampleLibrary
from engine.mlperf_logs import accuracy_log as accuracy
from engine.step import Artifact
from engine.tasks import question_answering as task
from engine.tasks import squad
from engine.tasks.programs import MODEL, Padded
from engine.tasks.squad_files import LABELS
from engine.tasks.wordpiece import Tokenizer, Vocabulary
from tests.engine.networks.running import step
from tests.engine.tasks import span_model, squad_cases

SEED = 2
OPTIONS = {"dtype": "int64", "count": None}


def prepare(
    output: Path, source: Path, said: list[events.AnyEvent] | None = None, **options: Any
) -> tuple[SamplesFacts, SampleLibrary]:
    output.mkdir()
    found = Artifact(str(source), {})
    made = task.prepare(step(output, OPTIONS | options, {"dataset": found, "vocabulary": found}, said))
    facts = msgspec.convert(made, SamplesFacts)
    files = [one for one in facts.paths(output) if isinstance(one, Ragged)]
    library = SampleLibrary(files, facts.count)
    library.load(range(facts.count))
    return facts, library


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return squad_cases.write(tmp_path_factory.mktemp("source"), SEED)[0].parent


@pytest.fixture(scope="module")
def folder(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample set."""
    place = tmp_path_factory.mktemp("sets") / "int64"
    prepare(place, source)
    return place


@pytest.fixture
def library(folder: Path) -> SampleLibrary:
    files = [Ragged(str(folder / f"{name}.npy"), str(folder / "offsets.npy")) for name in span_model.NAMES]
    found = SampleLibrary(files, len(np.load(folder / "offsets.npy")) - 1)
    found.load(range(found.count))
    return found


def tokens(folder: Path) -> int:
    return len((folder / "vocab.txt").read_bytes().splitlines())


def features(folder: Path) -> list[squad.Feature]:
    tokenizer = Tokenizer(Vocabulary.read(folder / "vocab.txt"))
    return list(squad.features(squad.read(folder / LABELS), tokenizer))


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_samples_are_three_rows_of_their_own_length(tmp_path: Path, source: Path, dtype: str) -> None:
    facts, library = prepare(tmp_path / "out", source, dtype=dtype)
    made = features(source)
    assert facts.count == len(made)
    assert library.lengths is not None
    assert library.lengths.tolist() == [len(one.tokens) for one in made]
    ids = Vocabulary.read(source / "vocab.txt").ids
    for index in range(0, len(made), 9):
        one, rows = made[index], [library.sample(number, index) for number in range(3)]
        assert [row.dtype for row in rows] == [np.dtype(dtype)] * 3
        assert rows[0].tolist() == [ids.get(token, ids["[UNK]"]) for token in one.tokens]
        assert rows[1].tolist() == [1] * len(one.tokens)
        assert rows[2].tolist() == [0] * one.start + [1] * (len(one.tokens) - one.start)
    for name in ("dev-v1.1.json", "vocab.txt"):
        assert (tmp_path / "out" / name).read_bytes() == (source / name).read_bytes()


def test_the_first_questions_can_be_had_alone(tmp_path: Path, source: Path) -> None:
    facts, library = prepare(tmp_path / "out", source, count=5)
    assert [one.id for one in squad.read(tmp_path / "out" / facts.labels)] == [
        one.id for one in squad.read(source / "dev-v1.1.json")[:5]
    ]
    assert library.count == len(features(tmp_path / "out"))


def test_questions_that_are_cut_are_named(tmp_path: Path) -> None:
    qas = [{"id": f"q{n}", "question": "b " * n, "answers": [{"text": "b", "answer_start": 0}]} for n in (64, 65, 90)]
    data = {"version": "1.1", "data": [{"paragraphs": [{"context": "b", "qas": qas}]}]}
    (tmp_path / "dev-v1.1.json").write_text(json.dumps(data))
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nb\n")
    said: list[events.AnyEvent] = []
    _, library = prepare(tmp_path / "out", tmp_path, said)
    (warning,) = [one.text for one in said if isinstance(one, events.Warned)]
    assert warning == "dev-v1.1.json: 2 questions have more than 64 tokens, and are truncated: q65, q90"
    assert library.lengths is not None
    assert library.lengths.tolist() == [68, 68, 68]


def test_a_context_of_control_characters_alone_has_no_sample(tmp_path: Path) -> None:
    qa = {"id": "q", "question": "b", "answers": [{"text": "b", "answer_start": 0}]}
    data = {"version": "1.1", "data": [{"paragraphs": [{"context": "\x07", "qas": [qa]}]}]}
    (tmp_path / "dev-v1.1.json").write_text(json.dumps(data))
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nb\n")
    with pytest.raises(DataError, match=r"dev-v1\.1\.json: no context has a token"):
        prepare(tmp_path / "out", tmp_path)


def program(path: Path, library: SampleLibrary, **options: int) -> Padded:
    graph = GraphFile(path, ())
    found = Model(onnxruntime, task, task.PaddingOptions(**options), {MODEL: graph}).program(library, BackendOptions())
    assert isinstance(found, Padded)
    return found


def answers(program_: Padded, indices: list[int]) -> list[Array]:
    found = program_.infer(indices)
    assert isinstance(found.sizes, list)
    assert found.data.flags.c_contiguous
    parts = np.split(found.data.reshape(-1, 2), np.cumsum([size // 8 for size in found.sizes])[:-1])
    return [part.copy() for part in parts]


@pytest.mark.parametrize(
    ("form", "dtype", "batch"),
    [
        ({}, "int64", 5),
        ({"names": span_model.OTHER_NAMES}, "int64", 5),
        ({"order": (2, 0, 1)}, "int64", 5),
        ({"shape": ("batch", 384)}, "int64", 3),
        ({"stacked": True}, "int64", 5),
        ({"stacked": True, "shape": (1, 384), "dtype": TensorProto.INT32, "order": (1, 2, 0)}, "int32", 1),
    ],
    ids=["open", "other names", "other order", "384 tokens", "one output", "as TensorFlow's"],
)
def test_each_sample_is_answered_by_its_own_length(
    tmp_path: Path, source: Path, form: dict[str, Any], dtype: str, batch: int
) -> None:
    _, library = prepare(tmp_path / "set", source, dtype=dtype)
    running = program(span_model.write(tmp_path / "model.onnx", tokens(source), **form), library)
    running.prepare(batch)
    for start in (0, 17, 40):
        indices = [(start + 11 * number) % library.count for number in range(batch)]
        for index, found in zip(indices, answers(running, indices), strict=True):
            ids, segments = library.sample(0, index), library.sample(2, index)
            np.testing.assert_allclose(found, span_model.expected(ids, segments, tokens(source)), rtol=0, atol=1e-6)
    running.close()


def test_a_model_of_other_inputs_or_outputs_is_refused(tmp_path: Path, source: Path, library: SampleLibrary) -> None:
    strange = span_model.write(tmp_path / "a.onnx", tokens(source), names=("input_ids", "valid", "segment_ids"))
    with pytest.raises(DataError, match=r"inputs are input_ids, valid, segment_ids\n.*input_mask or attention_mask"):
        program(strange, library)
    narrow = span_model.write(tmp_path / "b.onnx", tokens(source), dtype=TensorProto.INT32)
    with pytest.raises(DataError, match=r"samples are int64\[None\], the model's input 'input_ids' is int32"):
        program(narrow, library)
    for wrong in ([np.zeros((2, 3))], [np.zeros((2, 3)), np.zeros((2, 4))], [np.zeros((1, 4, 2))]):
        with pytest.raises(DataError, match="start and end logits"):
            task.respond(wrong, [0, 1], [4, 4])


def test_a_batch_is_filled_up_to_whole_buckets(tmp_path: Path, source: Path, library: SampleLibrary) -> None:
    graph = Graph(onnxruntime.load(span_model.write(tmp_path / "m.onnx", tokens(source)), BackendOptions()))
    asked: list[Any] = []
    bound = graph.bound
    graph.bound = lambda shapes: asked.append(shapes) or bound(shapes)  # type: ignore[method-assign, func-returns-value]
    assert library.lengths is not None
    shortest = int(library.lengths.argmin())
    task.program({MODEL: graph}, library, task.PaddingOptions(bucket=32)).infer([shortest])
    length = int(library.lengths[shortest])
    assert asked == [((1, -(-length // 32) * 32),) * 3]


def test_a_sample_costs_its_tokens_and_their_attention(library: SampleLibrary) -> None:
    costs = task.cost(library, task.PaddingOptions())
    assert costs is not None
    assert library.lengths is not None
    assert costs.dtype == np.int64
    assert set(zip(library.lengths.tolist(), costs.tolist(), strict=True)) >= {(384, 384 + 24)}
    assert (np.diff(costs[library.lengths.argsort()]) >= 0).all()


def log_of(path: Path, folder: Path, **changes: Any) -> Path:
    lengths = [len(one.tokens) for one in features(folder)]
    accuracy.write_log(path, changes.get("records") or squad_cases.records("normal", SEED, lengths))
    return path


def test_features_in_another_order_are_told_by_the_question(tmp_path: Path, folder: Path) -> None:
    lengths = [len(one.tokens) for one in features(folder)]
    turned = squad_cases.records("normal", SEED, lengths[::-1])
    with pytest.raises(
        DataError, match=r"log\.json: the answer for sample \d+ \(question [0-9a-f]+\) has \d+ bytes"
    ) as found:
        task.score(log_of(tmp_path / "log.json", folder, records=turned), folder / LABELS)
    assert "features in another order give this" in found.value.remedy


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (accuracy.Record(0, 3, b""), r"sample 3 \(question [0-9a-f]+\) has 0 bytes"),
        (accuracy.Record(0, 0, bytes(8 * 385)), r"sample 0 \(question [0-9a-f]+\) has 3080 bytes"),
        (accuracy.Record(0, 0, bytes(8 * 384 - 4)), r"sample 0 \(question [0-9a-f]+\) has 3068 bytes"),
        (accuracy.Record(0, 0, b"\x00\x00\xc0\x7f" * 768), r"sample 0 \(question .*\) has a number that is not finite"),
        (accuracy.Record(0, 10_000, bytes(8)), r"sample 10000 is no feature of .*dev-v1\.1\.json, which has \d+"),
        (accuracy.Record(0, -1, bytes(8)), r"sample -1 is no feature"),
    ],
)
def test_a_response_that_cannot_be_is_named(tmp_path: Path, folder: Path, record: accuracy.Record, says: str) -> None:
    with pytest.raises(DataError, match=rf"log\.json: .*{says}"):
        task.score(log_of(tmp_path / "log.json", folder, records=[record]), folder / LABELS)


def test_a_log_without_answers_is_named(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "log.json"
    accuracy.write_log(path, [])
    with pytest.raises(DataError, match=r"log\.json: no sample was answered"):
        task.score(path, folder / LABELS)


def test_a_right_answer_at_the_very_end_scores_in_full(tmp_path: Path) -> None:
    qa = {"id": "q", "question": "b", "answers": [{"text": "End.", "answer_start": 4}]}
    data = {"version": "1.1", "data": [{"paragraphs": [{"context": "b b End.", "qas": [qa]}]}]}
    (tmp_path / "dev-v1.1.json").write_text(json.dumps(data))
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nb\nend\n.\n")
    _, library = prepare(tmp_path / "out", tmp_path)
    assert library.lengths is not None
    logits = np.zeros((int(library.lengths[0]), 2), np.float32)
    logits[-3, 0] = logits[-2, 1] = 9
    path = tmp_path / "log.json"
    accuracy.write_log(path, [accuracy.Record(0, 0, logits.tobytes())])
    found = task.score(path, tmp_path / "out" / LABELS)
    assert found.text == '{"exact_match": 100.0, "f1": 100.0}\n'
    assert (found.metric, found.unit, found.total, found.warning) == ("F1", "%", 1, "")


def test_doubts_are_said(tmp_path: Path, folder: Path) -> None:
    lengths = [len(one.tokens) for one in features(folder)]
    part = squad_cases.records("normal", SEED, lengths)[:3]
    found = task.score(log_of(tmp_path / "part.json", folder, records=part), folder / LABELS)
    assert "of 48 questions were not answered, and count as wrong" in found.warning
    flat = squad_cases.records("flat", SEED, lengths)
    found = task.score(log_of(tmp_path / "flat.json", folder, records=flat), folder / LABELS)
    assert found.value < task.POOR_F1
    assert "a vocabulary of another model" in found.warning
