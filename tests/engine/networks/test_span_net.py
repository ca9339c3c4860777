"""The shipped span model: it answers questions on articles that it was not trained on."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from engine.datasets.articles import ArticleSet, file_of
from engine.errors import DataError
from engine.networks import span_net
from engine.networks.bert_graph import INPUTS, OUTPUTS
from engine.tasks import squad, squad_eval
from engine.tasks.wordpiece import Tokenizer, Vocabulary
from profiles import FOLDER
from tests.engine.networks.running import step

VOCABULARY = FOLDER / "models" / "span-net-vocab.txt"


def test_it_answers_questions_of_another_seed(tmp_path: Path) -> None:
    facts = span_net.shipped(step(tmp_path, {}))
    assert facts["outputs"] == list(OUTPUTS)
    (tmp_path / "dev.json").write_bytes(file_of(ArticleSet(77, "held-out").first(120)))
    questions = squad.read(tmp_path / "dev.json")
    tokenizer = Tokenizer(Vocabulary.read(VOCABULARY))
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    spans: list[list[squad_eval.Span | None]] = [[] for _ in questions]
    for feature in squad.features(questions, tokenizer):
        ids = np.array([[tokenizer.ids[token] for token in feature.tokens]])
        segments = (np.arange(ids.shape[1]) >= feature.start).astype(np.int64)[None]
        found = session.run(list(OUTPUTS), dict(zip(INPUTS, (ids, np.ones_like(ids), segments), strict=True)))
        logits = np.full((squad.LONGEST, 2), -10_000.0, np.float32)
        logits[: ids.shape[1]] = np.stack(found, 2)[0]
        spans[feature.question].append(squad_eval.best_span(feature, logits))
    texts = [squad_eval.answer(question, own) for question, own in zip(questions, spans, strict=True)]
    assert squad_eval.evaluate(questions, texts).exact_match > 93


def test_it_is_small_and_described() -> None:
    folder = files("profiles") / "models"
    assert len((folder / span_net.FILE).read_bytes()) <= 2_500_000
    assert span_net.SHA256 in (folder / "README.md").read_text()
    assert 900_000 < span_net.FORM.parameters < 1_100_000


def test_the_vocabulary_is_that_of_the_model() -> None:
    assert list(Vocabulary.read(VOCABULARY).ids.values()) == list(range(span_net.PIECES))


def test_the_model_is_an_onnx_model_of_its_form(tmp_path: Path) -> None:
    span_net.shipped(step(tmp_path, {}))
    model = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    held = {one.name: tuple(one.dims) for one in model.graph.initializer}
    assert span_net.FORM.shapes().items() <= held.items()


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_net, "SHA256", "0" * 64)
    with pytest.raises(DataError, match="damaged"):
        span_net.shipped(step(tmp_path, {}))
    assert not list(tmp_path.iterdir())
