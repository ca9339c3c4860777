"""Features, answers and scores compared with the rules' own scripts (language/bert, v2.1), run once on generated files.

squad_goldens.json has their results: counts, digests of the rows of each feature, the printed line for each kind of
log, and a digest of the answers. They ran with transformers 2.4.0 and, for the text alignment, the tokenization of
NVIDIA's PyTorch example; that of the TensorFlow example differs where a context has a word such as [SEP].
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from engine.mlperf_logs import accuracy_log as accuracy
from engine.tasks import question_answering as task
from engine.tasks import squad
from engine.tasks.wordpiece import UNKNOWN, Tokenizer, Vocabulary
from tests.engine.tasks import squad_cases as cases

GOLDENS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "squad_goldens.json").read_text())


@pytest.fixture(scope="module", params=GOLDENS)
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def labels(seed: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cases.write(tmp_path_factory.mktemp("squad"), seed)[0]


@pytest.fixture(scope="module")
def made(labels: Path) -> list[squad.Feature]:
    return list(squad.features(squad.read(labels), tokenizer(labels)))


def tokenizer(labels: Path) -> Tokenizer:
    return Tokenizer(Vocabulary.read(labels.parent / "vocab.txt"))


def test_features_are_the_reference_s(seed: int, labels: Path, made: list[squad.Feature]) -> None:
    golden, ids = GOLDENS[str(seed)], tokenizer(labels).ids
    assert len(squad.read(labels)) == golden["questions"]
    assert (len(made), sum(len(one.tokens) for one in made)) == (golden["features"], golden["tokens"])
    rows = {
        "ids": [[ids.get(token, ids[UNKNOWN]) for token in one.tokens] for one in made],
        "segments": [[int(place >= one.start) for place in range(len(one.tokens))] for one in made],
        "words": [one.word.tolist() for one in made],
        "counts": [one.counts.astype(int).tolist() for one in made],
    }
    assert {name: cases.digest(found) for name, found in rows.items()} == {name: golden[name] for name in rows}


@pytest.mark.parametrize("kind", cases.KINDS)
def test_score_is_what_the_script_prints(seed: int, labels: Path, made: list[squad.Feature], kind: str) -> None:
    log = labels.with_name(f"{kind}.json")
    accuracy.write_log(log, cases.records(kind, seed, [len(one.tokens) for one in made]))
    transposed = kind == "transposed"
    golden = GOLDENS[str(seed)]
    texts = task.answers(log, labels, transposed=transposed).texts
    assert hashlib.sha256("\n".join(texts).encode()).hexdigest() == golden["predictions"][kind]
    found = task.score(log, labels, transposed=transposed)
    assert found.text == golden["lines"][kind] + "\n"
    assert found.value == json.loads(found.text)["f1"]
