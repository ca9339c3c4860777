"""What a batch leaves out changes no answer: each sample is answered as if it were filled up to 384 tokens alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.backends import onnxruntime
from engine.backends.base import Array, BackendOptions
from engine.backends.graph import Graph
from engine.datasets.articles import ArticleSet, file_of
from engine.facts import Ragged, SamplesFacts
from engine.harness.samples import SampleLibrary
from engine.networks import span_net
from engine.networks.bert_graph import OUTPUTS
from engine.step import Artifact
from engine.tasks import question_answering as task
from engine.tasks import squad, squad_eval
from engine.tasks.programs import MODEL
from engine.tasks.squad_files import LABELS
from engine.tasks.wordpiece import Tokenizer, Vocabulary
from profiles import FOLDER
from tests.engine.networks.running import step

QUESTIONS = 60
BATCH = 6
VOCABULARY = FOLDER / "models" / "span-net-vocab.txt"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model, and a sample set of generated questions."""
    place = tmp_path_factory.mktemp("span-net")
    span_net.shipped(step(place, {}))
    (place / LABELS).write_bytes(file_of(ArticleSet(5, "held-out").first(QUESTIONS)))
    return place


@pytest.fixture(scope="module")
def library(folder: Path) -> SampleLibrary:
    needs = {
        "dataset": Artifact(str(folder), {}),
        "vocabulary": Artifact(str(VOCABULARY.parent), {"labels": VOCABULARY.name}),
    }
    (folder / "set").mkdir()
    made = task.prepare(step(folder / "set", {"dtype": "int64", "count": None}, needs))
    facts = msgspec.convert(made, SamplesFacts)
    found = SampleLibrary([one for one in facts.paths(folder / "set") if isinstance(one, Ragged)], facts.count)
    found.load(range(facts.count))
    return found


def graph(folder: Path) -> Graph:
    return Graph(onnxruntime.load(folder / "model.onnx", BackendOptions(outputs=OUTPUTS)))


@pytest.fixture(scope="module")
def padded(folder: Path, library: SampleLibrary) -> list[Array]:
    """Both logits of each sample, run alone and filled up to 384 tokens: float32 [384,2] each."""
    whole = graph(folder)
    binding = whole.bound(((1, squad.LONGEST),) * 3)
    found = []
    for index in range(library.count):
        for number, held in enumerate(binding.inputs):
            values = library.sample(number, index)
            held[:] = 0
            held[0, : len(values)] = values
        found.append(np.stack([one[0] for one in binding.run()], axis=1))
    whole.close()
    return found


@pytest.fixture(scope="module")
def bucketed(folder: Path, library: SampleLibrary) -> list[Array]:
    """Both logits of each sample as the product's program answers: in batches, in whole buckets, [length,2] each."""
    program = task.program({MODEL: graph(folder)}, library, task.PaddingOptions())
    program.prepare(BATCH)
    found: list[Array] = []
    for start in range(0, library.count, BATCH):
        answer = program.infer(range(start, min(start + BATCH, library.count)))
        assert isinstance(answer.sizes, list)
        parts = np.cumsum([size // task.TOKEN_BYTES for size in answer.sizes])[:-1]
        found += [part.copy() for part in np.split(answer.data.reshape(-1, 2), parts)]
    program.close()
    return found


def test_logits_are_those_of_the_padded_run(library: SampleLibrary, bucketed: list[Array], padded: list[Array]) -> None:
    assert library.lengths is not None
    lengths = library.lengths.tolist()
    assert min(lengths) < 100 < max(lengths) == squad.LONGEST
    for mine, whole, length in zip(bucketed, padded, lengths, strict=True):
        assert mine.shape == (length, 2)
        np.testing.assert_allclose(mine, whole[:length], rtol=0, atol=1e-4)


def sums(feature: squad.Feature, logits: Array) -> Array:
    """Return begin plus end logit of every answer that a feature can give, in no order."""
    begins = feature.start + np.flatnonzero(feature.counts)
    last = feature.start + len(feature.word)
    return np.concatenate(
        [
            logits[begin, 0].astype(np.float64) + logits[begin : min(begin + squad_eval.LONGEST_ANSWER, last), 1]
            for begin in begins
        ]
    )


def answered(
    questions: Sequence[squad.SquadQuestion], features: Sequence[squad.Feature], logits: list[Array]
) -> list[str]:
    """Return the answer to each question, as scoring reads it out of responses."""
    spans: list[list[squad_eval.Span | None]] = [[] for _ in questions]
    for feature, own in zip(features, logits, strict=True):
        filled = np.full((squad.LONGEST, 2), task.PADDING, np.float32)
        filled[: len(own)] = own
        spans[feature.question].append(squad_eval.best_span(feature, filled))
    return [squad_eval.answer(question, own) for question, own in zip(questions, spans, strict=True)]


def test_answers_are_those_of_the_padded_run_wherever_the_margin_says_so(
    folder: Path, bucketed: list[Array], padded: list[Array]
) -> None:
    questions = squad.read(folder / LABELS)
    features = list(squad.features(questions, Tokenizer(Vocabulary.read(VOCABULARY))))
    possible: list[list[Array]] = [[] for _ in questions]
    for feature, logits in zip(features, padded, strict=True):
        possible[feature.question].append(sums(feature, logits))
    best = [np.sort(np.concatenate(one))[-2:] for one in possible]
    clear = [second + 1e-3 < first for second, first in best]
    assert sum(clear) > 0.9 * len(questions)
    pairs = zip(answered(questions, features, bucketed), answered(questions, features, padded), clear, strict=True)
    assert [(mine, whole) for mine, whole, sure in pairs if sure and mine != whole] == []
