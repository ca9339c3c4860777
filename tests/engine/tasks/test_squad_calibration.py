"""Calibration samples by the rules' two lists."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import DataError
from engine.step import Artifact
from engine.tasks import squad, squad_calibration
from engine.tasks.wordpiece import Tokenizer, Vocabulary
from tests.engine.networks.running import step
from tests.engine.tasks import squad_cases
from tests.helpers import SHARED

LISTS = SHARED / "data" / "calibration"
RULES = {by: md5 for md5, by in squad_calibration.RULES_LISTS.items()}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return squad_cases.write(tmp_path_factory.mktemp("source"), 2)[0].parent


def chosen(folder: Path, source: Path, text: str, by: str, md5: str = "") -> dict[str, Any]:
    (folder / "list.txt").write_text(text)
    (folder / "out").mkdir()
    data = Artifact(str(source), {})
    inputs = {"list": Artifact(str(folder), {}), "dataset": data, "vocabulary": data}
    return squad_calibration.chosen(step(folder / "out", {"by": by, "md5": md5, "filename": "list.txt"}, inputs))


def names(source: Path) -> list[str]:
    """Return the question of each feature."""
    tokenizer = Tokenizer(Vocabulary.read(source / "vocab.txt"))
    questions = squad.read(source / "dev-v1.1.json")
    return [questions[one.question].id for one in squad.features(questions, tokenizer)]


def test_features_are_taken_by_their_index_in_the_order_of_the_list(tmp_path: Path, source: Path) -> None:
    facts = chosen(tmp_path, source, "7\n3\n\n90\n", "features", RULES["features"])
    known = names(source)
    assert (tmp_path / "out" / "chosen.txt").read_text() == f"7 {known[7]}\n3 {known[3]}\n90 {known[90]}\n"
    assert (facts["count"], facts["by_rules"]) == (3, True)
    assert facts["what"] == "features of the rules' calibration list, list.txt (SQuAD v1.1 dev)"
    assert len(np.load(tmp_path / "out" / "offsets.npy")) == 4


def test_questions_bring_all_their_features(tmp_path: Path, source: Path) -> None:
    known = names(source)
    long = next(name for name in known if known.count(name) > 1)
    facts = chosen(tmp_path, source, f"{known[0]}\n{long}\n", "questions", RULES["questions"])
    assert facts["count"] == known.count(known[0]) + known.count(long)
    assert facts["by_rules"]


@pytest.mark.skipif(not LISTS.is_dir(), reason="needs the calibration lists of the rules in shared/")
@pytest.mark.parametrize(
    ("name", "by"), [("bert_calibration_features.txt", "features"), ("bert_calibration_qas_ids.txt", "questions")]
)
def test_the_lists_of_the_rules_are_known(name: str, by: str) -> None:
    data = (LISTS / name).read_bytes()
    assert squad_calibration.RULES_LISTS[hashlib.md5(data, usedforsecurity=False).hexdigest()] == by
    lines = data.decode().split()
    assert len(set(lines)) == 100
    assert by == "questions" or max(map(int, lines)) < 10_833


@pytest.mark.parametrize(("by", "md5"), [("features", ""), ("features", RULES["questions"])])
def test_another_list_is_none_of_the_rules(tmp_path: Path, source: Path, by: str, md5: str) -> None:
    facts = chosen(tmp_path, source, "1\n", by, md5)
    assert not facts["by_rules"]
    assert facts["what"].startswith("features of a calibration list")


@pytest.mark.parametrize(
    ("text", "by", "says"),
    [
        ("1\n10833\n", "features", r"list\.txt:2: '10833' is no feature: there are \d+"),
        ("one\n", "features", r"list\.txt:1: 'one' is no feature"),
        ("57\n", "questions", r"list\.txt:1: there is no question '57'"),
        ("\n \n", "features", r"list\.txt names nothing"),
        ("\u00e9\n", "features", r"list\.txt is no list"),
    ],
)
def test_a_line_that_fits_nothing_is_named(tmp_path: Path, source: Path, text: str, by: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        chosen(tmp_path, source, text, by)


def test_generated_questions_are_taken_whole_and_are_not_the_rules(tmp_path: Path, source: Path) -> None:
    data = Artifact(str(source), {})
    facts = squad_calibration.generated(step(tmp_path, {}, {"dataset": data, "vocabulary": data}))
    known = names(source)
    assert (tmp_path / "chosen.txt").read_text().splitlines() == [f"{at} {name}" for at, name in enumerate(known)]
    assert (facts["count"], facts["by_rules"]) == (len(known), False)
    assert facts["what"] == f"features of {len(set(known))} generated questions that no test set has"
