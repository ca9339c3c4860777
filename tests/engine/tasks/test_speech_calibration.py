"""Calibration utterances: those of the rules' list, as samples."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.errors import DataError
from engine.facts import ChosenSamplesFacts, Ragged
from engine.harness.samples import SampleLibrary
from engine.step import Artifact, SurveyContext
from engine.tasks import speech_calibration, speech_files
from tests.engine.networks.running import step
from tests.engine.tasks import speech_cases as cases

NAMES = [f"train-clean-100-wav/{n}/{n + 1}/{n}-{n + 1}-0000.wav" for n in (103, 7, 55)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        cases.save(tmp_path / "train" / name, cases.audio(number, 1_000 + number))
    return tmp_path / "train"


def chosen(tmp_path: Path, source: Path, listed: str, md5: str = "0") -> ChosenSamplesFacts:
    (tmp_path / "list").mkdir(exist_ok=True)
    (tmp_path / "list" / "calibration_files.txt").write_text(listed)
    (tmp_path / "out").mkdir()
    needs = {"list": Artifact(str(tmp_path / "list"), {}), "dataset": Artifact(str(source), {})}
    made = speech_calibration.chosen(step(tmp_path / "out", {"md5": md5, "filename": "calibration_files.txt"}, needs))
    return msgspec.convert(made, ChosenSamplesFacts)


def test_the_named_utterances_are_samples_in_the_order_of_the_list(tmp_path: Path, source: Path) -> None:
    listed = [NAMES[2], NAMES[0]]
    facts = chosen(tmp_path, source, "\n".join(listed) + "\n")
    assert (facts.count, facts.by_rules) == (2, False)
    assert facts.what == "utterances of a calibration list, calibration_files.txt (LibriSpeech)"
    library = SampleLibrary([one for one in facts.paths(tmp_path / "out") if isinstance(one, Ragged)], 2)
    library.load([0, 1])
    for place, number in enumerate((2, 0)):
        np.testing.assert_array_equal(library.sample(0, place), cases.audio(number, 1_000 + number))
    assert (tmp_path / "out" / facts.labels).read_text().split() == listed


def test_the_rules_list_is_known_by_its_checksum(tmp_path: Path, source: Path) -> None:
    facts = chosen(tmp_path, source, NAMES[0], "86f87b989fe7dafe815c07beb8f6aeef")
    assert facts.by_rules
    assert facts.what == "utterances of the rules' calibration list, calibration_files.txt (LibriSpeech)"


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ("", "it names nothing"),
        ("train-clean-100-wav/9/9/9-9-0009.wav", r"names train.*9-9-0009\.wav, and there is no /"),
        ("dev-clean-wav/9/9/9-9-0009.wav", r"calibration_files\.txt: dev-clean-wav"),
        ("train-clean-100-wav/../../x.wav", r"calibration_files\.txt: train-clean-100-wav/\.\."),
        ("café", "is no list of utterances"),
    ],
)
def test_a_list_that_fits_nothing_is_named(tmp_path: Path, source: Path, listed: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        chosen(tmp_path, source, listed)


def test_files_that_change_are_seen(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def context() -> SurveyContext:
        return SurveyContext(options={}, inputs={"dataset": Artifact(str(source), {})}, store=Path("/store"))

    before = speech_calibration.survey(context())
    assert (before.state, bool(before.identity)) == ("run", True)
    (source / NAMES[0]).unlink()
    assert speech_calibration.survey(context()).identity != before.identity
    (source / "train-clean-100-wav").rename(source / "train-clean-100")
    monkeypatch.setattr(speech_files, "find_spec", lambda _: None)
    assert speech_calibration.survey(context()).state == "missing"
