"""Utterances of a package become a data set in LibriSpeech's form."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.errors import DataError
from engine.facts import DataFacts, Ragged, SamplesFacts
from engine.harness.samples import SampleLibrary
from engine.step import Artifact
from engine.tasks import speech_manifest, speech_recordings
from engine.tasks import speech_recognition as task
from tests.engine.networks.running import step
from tests.engine.tasks import speech_cases as cases

LINES = "<s> ten of clubs  </s> (001)\n<s> he isn't </s> (b-870)\n"


def package(folder: Path, lines: str = LINES) -> Artifact:
    files = ["p-1/data/cards/001.wav", "p-1/data/cards/b-870.wav", "p-1/data/cards/cards.transcription"]
    for number, name in enumerate(files[:2]):
        cases.save(folder / name, cases.audio(number, 9_000 + number))
    (folder / files[2]).write_text(lines)
    return Artifact(str(folder), {"package": "p", "version": "1", "files": files})


def test_they_go_through_preparation(tmp_path: Path) -> None:
    for name in ("set", "out"):
        (tmp_path / name).mkdir()
    made = speech_recordings.packaged(step(tmp_path / "set", {}, {"package": package(tmp_path / "package")}))
    assert msgspec.convert(made, DataFacts) == DataFacts(labels="dev-clean-wav.json", count=2)
    dataset = Artifact(str(tmp_path / "set"), made)
    facts = msgspec.convert(
        task.prepare(step(tmp_path / "out", {"count": None}, {"dataset": dataset, "manifest": dataset})), SamplesFacts
    )
    library = SampleLibrary([one for one in facts.paths(tmp_path / "out") if isinstance(one, Ragged)], 2)
    library.load([0, 1])
    for number in range(2):
        np.testing.assert_array_equal(library.sample(0, number), cases.audio(number, 9_000 + number))
    found = speech_manifest.read(tmp_path / "out" / facts.labels)
    assert [one.transcript for one in found] == ["ten of clubs", "he isn't"]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("", "has no transcripts"),
        (LINES + "<s> x </s> (009)\n", r"cards\.transcription:3: '<s> x </s> \(009\)' is no transcript"),
        ("<s> x </s> (../cards/001)\n", r"cards\.transcription:1: .* is no transcript"),
        ("ten of clubs\n", r"cards\.transcription:1: 'ten of clubs' is no transcript"),
    ],
)
def test_a_package_of_another_form_is_named(tmp_path: Path, lines: str, says: str) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match=says):
        speech_recordings.packaged(step(tmp_path / "set", {}, {"package": package(tmp_path / "package", lines)}))
