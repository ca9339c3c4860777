"""Where SQuAD's questions and vocabularies are found."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DataError
from engine.step import Artifact, SurveyContext, SurveyResult
from engine.tasks import squad_files
from tests.engine.networks.running import step

VOCABULARY = b"[PAD]\n[UNK]\n"
SAMPLES = {"dtype": "int64", "count": None}
MD5 = hashlib.md5(VOCABULARY, usedforsecurity=False).hexdigest()


def context(path: Path | str | None, **options: Any) -> SurveyContext:
    return SurveyContext(options={"path": path and str(path), "md5": MD5, **options}, inputs={})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dev-v1.1.json").write_text("{}")
    (tmp_path / "vocab.txt").write_bytes(VOCABULARY)
    return tmp_path


def place(result: SurveyResult) -> tuple[str, Any]:
    assert result.state == "found"
    assert result.artifact is not None
    return result.artifact.path, result.artifact.facts["labels"]


def test_a_file_or_its_folder_is_taken_where_it_lies(folder: Path) -> None:
    for given in (folder, folder / "dev-v1.1.json"):
        assert place(squad_files.survey_questions(context(given))) == (str(folder), "dev-v1.1.json")
    for given in (folder, folder / "vocab.txt"):
        assert place(squad_files.survey_vocabulary(context(given))) == (str(folder), "vocab.txt")
        assert place(squad_files.survey_own_vocabulary(context(given))) == (str(folder), "vocab.txt")


def test_another_file_in_its_place_has_another_identity(folder: Path) -> None:
    before = squad_files.survey_questions(context(folder)).identity
    (folder / "dev-v1.1.json").write_text("{ }")
    assert squad_files.survey_questions(context(folder)).identity != before


def test_what_nobody_gives_is_fetched(folder: Path) -> None:
    assert squad_files.survey_questions(context(None)) == SurveyResult("run", expected_facts={"count": 10_833})
    assert squad_files.survey_vocabulary(context(None)) == SurveyResult("run")
    (folder / "vocab.txt").unlink()
    assert squad_files.survey_vocabulary(context(folder)).state == "run", "a folder with the questions alone"


@pytest.mark.parametrize(
    ("survey", "name"),
    [
        (squad_files.survey_questions, "dev-v1.1.json"),
        (squad_files.survey_vocabulary, "other.txt"),
        (squad_files.survey_own_vocabulary, "vocab.txt"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, survey: Any, name: str) -> None:
    found = survey(context(tmp_path / name))
    assert (found.state, found.text) == ("missing", f"there is no {tmp_path / name}")


def test_a_vocabulary_of_another_model_is_a_conflict(folder: Path) -> None:
    (folder / "vocab.txt").write_bytes(b"[PAD]\n")
    found = squad_files.survey_vocabulary(context(folder))
    assert found.state == "conflict"
    assert f"{folder / 'vocab.txt'} is the vocabulary of another model: its MD5 is" in found.text
    assert "_own" in found.remedy


def test_an_own_vocabulary_must_be_named() -> None:
    found = squad_files.survey_own_vocabulary(context(None))
    assert (found.state, "SQUAD_VOCAB_PATH" in found.remedy) == ("missing", True)


def test_questions_come_out_of_a_package(tmp_path: Path) -> None:
    (tmp_path / "squad.json").write_text("{}")
    facts = {"package": "p", "version": "1", "files": ["squad.json"]}
    out = tmp_path / "out"
    out.mkdir()
    one = step(out, {}, {"package": Artifact(str(tmp_path), facts)})
    assert squad_files.packaged(one) == {"labels": "dev-v1.1.json"}
    assert (out / "dev-v1.1.json").read_text() == "{}"
    two = step(out, {}, {"package": Artifact(str(tmp_path), {**facts, "files": ["a.json", "b.json"]})})
    with pytest.raises(DataError, match="has 2 JSON files, not one"):
        squad_files.packaged(two)


def test_a_shipped_vocabulary_is_copied(tmp_path: Path) -> None:
    (tmp_path / "profiles" / "models").mkdir(parents=True)
    (tmp_path / "profiles" / "models" / "v.txt").write_bytes(VOCABULARY)
    out = tmp_path / "out"
    out.mkdir()
    asked = replace(step(out, {"file": "v.txt"}), profiles=(tmp_path / "profiles",))
    assert squad_files.shipped_vocabulary(asked) == {"labels": "vocab.txt"}
    assert (out / "vocab.txt").read_bytes() == VOCABULARY
    with pytest.raises(DataError, match=r"w\.txt: the vocabulary cannot be read"):
        squad_files.shipped_vocabulary(replace(asked, options={"file": "w.txt"}))


def test_size_and_time_are_foreseen() -> None:
    context = SurveyContext(options=SAMPLES, inputs={"dataset": None}, expected_facts={"dataset": {"count": 1000}})
    assert squad_files.survey_samples(context).disk_bytes == 1000 * 180 * 3 * 8
    assert squad_files.survey_samples(
        SurveyContext(options={**SAMPLES, "count": 10, "dtype": "int32"}, inputs={"dataset": None})
    ).disk_bytes == (10 * 180 * 3 * 4)
    assert squad_files.survey_samples(SurveyContext(options=SAMPLES, inputs={"dataset": None})).disk_bytes is None
