"""Where LibriSpeech is looked for, and what a plan says of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DataError
from engine.step import Artifact, SurveyContext
from engine.tasks import speech_files
from tests.engine.tasks import speech_cases as cases


def context(
    inputs: dict[str, Artifact | None] | None = None, expected_facts: Any = None, **options: Any
) -> SurveyContext:
    return SurveyContext(
        options=options, inputs=inputs or {}, expected_facts=expected_facts or {}, store=Path("/store")
    )


def flac_tree(root: Path, part: str = "dev-clean") -> Path:
    path = root / part / "12" / "34" / "12-34-0000.flac"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"fLaC")
    return root


@pytest.mark.parametrize("given", ["", "dev-clean", "LibriSpeech"])
@pytest.mark.parametrize("packed", ["", "LibriSpeech"])
def test_a_folder_is_known_in_each_way_of_giving_it(tmp_path: Path, given: str, packed: str) -> None:
    if given == "LibriSpeech" and not packed:
        pytest.skip("it is the folder of the others")
    root = flac_tree(tmp_path / packed)
    path = root / given if given == "dev-clean" else tmp_path / given
    found = speech_files.survey_audio(context(path=str(path), part="dev-clean"))
    assert (found.state, found.artifact) == ("found", Artifact(str(root), {"images": ""}))
    assert found.text == str(root / "dev-clean")
    opened = speech_files.opened(Artifact(str(path), {}))
    assert opened == speech_files.SpeechTree(root, is_flac=True)
    assert opened.file("dev-clean-wav/12/34/12-34-0000.wav") == root / "dev-clean" / "12" / "34" / "12-34-0000.flac"


def test_wav_files_are_taken_where_both_are_there(tmp_path: Path) -> None:
    cases.write(flac_tree(tmp_path), 1, 2)
    for path in (tmp_path, tmp_path / "dev-clean-wav"):
        assert speech_files.opened(Artifact(str(path), {})) == speech_files.SpeechTree(tmp_path, is_flac=False)
    assert speech_files.opened(Artifact(str(tmp_path / "dev-clean"), {})).is_flac


def test_a_folder_that_has_none_is_named(tmp_path: Path) -> None:
    found = speech_files.survey_audio(context(path=str(tmp_path), part="dev-clean"))
    assert (found.state, found.text) == ("missing", f"{tmp_path} has no dev-clean")
    assert "dev-clean-wav (WAV" in found.remedy
    found = speech_files.survey_audio(context(path=str(tmp_path), part="train-clean-100"))
    assert "train-clean-100-wav (WAV" in found.remedy
    with pytest.raises(DataError, match="has no dev-clean"):
        speech_files.opened(Artifact(str(tmp_path / "none"), {}))


def test_without_a_folder_it_is_fetched() -> None:
    assert speech_files.survey_audio(context(path=None, part="dev-clean")).state == "run"
    assert speech_files.survey_manifest(context(path=None)).state == "run"


@pytest.mark.parametrize("given", ["", "dev-clean-wav.json", "dev-clean-wav"])
def test_the_manifest_is_found_beside_the_audio(tmp_path: Path, given: str) -> None:
    cases.write(tmp_path, 1, 2)
    found = speech_files.survey_manifest(context(path=str(tmp_path / given)))
    assert (found.state, found.artifact) == ("found", Artifact(str(tmp_path), {"labels": "dev-clean-wav.json"}))
    (tmp_path / "dev-clean-wav.json").write_text("[]")
    assert speech_files.survey_manifest(context(path=str(tmp_path))).identity != found.identity


def test_a_folder_without_a_manifest_has_it_fetched(tmp_path: Path) -> None:
    found = speech_files.survey_manifest(context(path=str(tmp_path)))
    assert (found.state, found.text) == ("run", f"no {tmp_path}/dev-clean-wav.json: it is fetched")


def samples(dataset: Artifact | None, expected_facts: Any = None, count: int | None = None) -> Any:
    return speech_files.survey_samples(context({"dataset": dataset}, {"dataset": expected_facts or {}}, count=count))


def test_a_plan_says_that_soundfile_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_files, "find_spec", lambda _: None)
    fetched = speech_files.survey_audio(context(path=None, part="dev-clean")).expected_facts
    for found in (samples(None, fetched), samples(Artifact(str(flac_tree(tmp_path / "flac")), {}))):
        assert (found.state, found.text) == ("missing", "soundfile, which reads FLAC, is not installed")
        assert "pip install 'inferdeck[speech]'" in found.remedy
    cases.write(tmp_path / "wav", 1, 2)
    assert samples(Artifact(str(tmp_path / "wav"), {})).state == "run", "WAV needs nothing"


def test_sizes_are_estimated_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_files, "find_spec", lambda _: object())
    whole = samples(None, {"count": 2_513, "flac": True})
    assert whole.disk_bytes == 2_513 * 200_000
    assert samples(None, {"count": 2_513}, count=10).disk_bytes == 10 * 200_000


def test_files_that_change_make_other_samples(tmp_path: Path) -> None:
    cases.write(tmp_path, 1, 9)
    dataset = Artifact(str(tmp_path), {})
    before = samples(dataset).identity
    assert before
    assert samples(dataset).identity == before
    path = tmp_path / cases.name(8)
    os.utime(path, ns=(1, 1))
    changed = samples(dataset).identity
    assert changed != before
    path.unlink()
    assert samples(dataset).identity not in (before, changed)


def test_what_is_in_the_store_has_its_key(tmp_path: Path) -> None:
    cases.write(tmp_path, 1, 2)
    found = SurveyContext(options={"count": None}, inputs={"dataset": Artifact(str(tmp_path), {})}, store=tmp_path)
    assert speech_files.survey_samples(found).identity == ""
