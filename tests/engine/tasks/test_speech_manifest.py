"""Manifests: which utterances take part, and the ones that are no manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DataError
from engine.tasks import speech_manifest
from tests.engine.tasks import speech_cases as cases


def written(path: Path, entries: Any) -> Path:
    path.write_text(json.dumps(entries))
    return path


def test_utterances_of_fifteen_seconds_take_part_in_the_order_of_the_manifest(tmp_path: Path) -> None:
    seconds = (7.5, 15.0, 15.0001, 36.0, 2.0, 15.5)
    entries = [cases.entry(f"{number}.wav", "a b", int(one * 16_000)) for number, one in enumerate(seconds)]
    found = speech_manifest.read(written(tmp_path / "m.json", entries))
    assert [one.name for one in found] == ["0.wav", "1.wav", "4.wav"]
    assert [one.samples for one in found] == [120_000, 240_000, 32_000]
    again = tmp_path / "again.json"
    again.write_bytes(speech_manifest.write(found))
    assert speech_manifest.read(again) == found
    assert json.loads(again.read_text()) == [entries[0], entries[1], entries[4]]


def test_the_file_of_speed_one_is_taken_and_words_are_lower_case(tmp_path: Path) -> None:
    one = cases.entry("slow.wav", "HE'S IN", 16_000)
    one["files"][0]["speed"] = 0.9
    one["files"].append({"fname": "plain.wav", "speed": 1.0})
    (found,) = speech_manifest.read(written(tmp_path / "m.json", [one]))
    assert (found.name, found.transcript) == ("plain.wav", "he's in")


@pytest.mark.parametrize(
    ("transcript", "says"),
    [
        ("in 1871 he", r"m\.json: the transcript of x/a\.wav has '1': 'in 1871 he'"),
        ("mr. smith", r"the transcript of x/a\.wav has '\.'"),
        ("café", r"the transcript of x/a\.wav has 'é'"),
        ("a\nb", r"the transcript of x/a\.wav has '\\n'"),
    ],
)
def test_a_transcript_that_no_model_can_answer_is_named(tmp_path: Path, transcript: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as found:
        speech_manifest.read(written(tmp_path / "m.json", [cases.entry("x/a.wav", transcript, 16_000)]))
    assert "write numbers and abbreviations out" in found.value.remedy


def changed(**changes: Any) -> dict[str, Any]:
    return {**cases.entry("a.wav", "a", 16_000), **changes}


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([], r"m\.json has no utterance of at most 15 s"),
        ([cases.entry("a.wav", "a", 300_000)], r"m\.json has no utterance of at most 15 s"),
        ({"data": []}, r"m\.json is no manifest of LibriSpeech"),
        ([{"files": []}], r"m\.json is no manifest of LibriSpeech: .*original_duration"),
        ([changed(transcript=3)], r"m\.json is no manifest of LibriSpeech"),
        ([changed(files=[])], r"m\.json: 'a' has no file of speed 1"),
        ([changed(original_num_samples=-1)], r"m\.json is no manifest of LibriSpeech"),
        ([cases.entry("../a.wav", "a", 16_000)], r"m\.json: \.\./a\.wav leads outside"),
        ([cases.entry("/etc/a.wav", "a", 16_000)], r"m\.json: /etc/a\.wav leads outside"),
    ],
)
def test_what_is_no_manifest_is_named(tmp_path: Path, entries: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        speech_manifest.read(written(tmp_path / "m.json", entries))


def test_a_damaged_or_missing_manifest_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "m.json", cases.entries(1, 3))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"m\.json is cut off, or no JSON"):
        speech_manifest.read(path)
    with pytest.raises(DataError, match=r"none\.json: the manifest cannot be read"):
        speech_manifest.read(tmp_path / "none.json")
