"""Samples, costs and scores of speech recognition, with the bad input that a person can have."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from engine import events
from engine.errors import DataError
from engine.facts import Ragged, SamplesFacts
from engine.harness.samples import SampleLibrary
from engine.mlperf_logs import accuracy_log as accuracy
from engine.step import Artifact
from engine.tasks import speech_recognition as task
from engine.tasks.base import TaskOptions
from tests.engine.networks.running import step
from tests.engine.tasks import speech_cases as cases
from tests.engine.tasks.test_speech_audio import flac, needs_flac

COUNT = 9
SEED = 4


def prepare(
    output: Path, source: Path, said: list[events.AnyEvent] | None = None, **options: Any
) -> tuple[SamplesFacts, SampleLibrary]:
    output.mkdir()
    needs = {"dataset": Artifact(str(source), {}), "manifest": Artifact(str(source), {})}
    made = task.prepare(step(output, {"count": None} | options, needs, said))
    facts = msgspec.convert(made, SamplesFacts)
    library = SampleLibrary([one for one in facts.paths(output) if isinstance(one, Ragged)], facts.count)
    library.load(range(facts.count))
    return facts, library


@pytest.fixture
def source(tmp_path: Path) -> Path:
    cases.write(tmp_path / "source", SEED, COUNT)
    return tmp_path / "source"


def entries(source: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((source / cases.MANIFEST).read_text())
    return found


def files(source: Path) -> list[Path]:
    return [source / one["files"][0]["fname"] for one in entries(source)]


def assert_samples_are_the_audio(library: SampleLibrary, source: Path) -> None:
    for index, one in enumerate(entries(source)):
        found = library.sample(0, index)
        assert found.dtype == np.int16
        np.testing.assert_array_equal(found, cases.audio(1000 * SEED + index, one["original_num_samples"]))


def test_samples_are_audio_of_its_own_length_in_the_order_of_the_manifest(tmp_path: Path, source: Path) -> None:
    said: list[events.AnyEvent] = []
    facts, library = prepare(tmp_path / "out", source, said)
    assert facts.count == library.count == COUNT
    assert_samples_are_the_audio(library, source)
    assert json.loads((tmp_path / "out" / facts.labels).read_text()) == entries(source)
    assert [one.done for one in said if isinstance(one, events.Progress)][-1] == COUNT


def as_flac(source: Path, root: Path) -> Path:
    """Make LibriSpeech's own tree of the WAV files."""
    for number, file in enumerate(files(source)):
        place = root / "dev-clean" / file.relative_to(source / cases.FOLDER).with_suffix(".flac")
        place.parent.mkdir(parents=True, exist_ok=True)
        flac(place, cases.audio(1000 * SEED + number, entries(source)[number]["original_num_samples"]))
    shutil.copyfile(source / cases.MANIFEST, root / cases.MANIFEST)
    return root


@needs_flac
@pytest.mark.parametrize("packed", ["", "LibriSpeech"])
def test_flac_files_give_the_same_samples(tmp_path: Path, source: Path, packed: str) -> None:
    root = as_flac(source, tmp_path / "other" / packed)
    if packed:
        shutil.move(root / cases.MANIFEST, root.parent / cases.MANIFEST)
    _, library = prepare(tmp_path / "out", tmp_path / "other")
    assert_samples_are_the_audio(library, source)


def test_the_first_utterances_can_be_had_alone(tmp_path: Path, source: Path) -> None:
    facts, library = prepare(tmp_path / "out", source, count=4)
    assert (facts.count, library.count) == (4, 4)
    assert json.loads((tmp_path / "out" / facts.labels).read_text()) == entries(source)[:4]


def test_a_data_set_with_a_manifest_of_its_own_is_read_by_that(tmp_path: Path, source: Path) -> None:
    (source / "own.json").write_text(json.dumps(entries(source)[2:5]))
    needs = {"dataset": Artifact(str(source), {"labels": "own.json"}), "manifest": Artifact("/nowhere", {})}
    (tmp_path / "out").mkdir()
    assert task.prepare(step(tmp_path / "out", {"count": None}, needs))["count"] == 3


def test_utterances_and_words_are_counted_as_the_rules_count(tmp_path: Path) -> None:
    """The rules keep 2,513 of 2,703 utterances, with 44,349 words; here 7 of 10."""
    made = cases.write(tmp_path / "source", SEED, 7)
    longer = [cases.entry(f"{cases.FOLDER}/long/{number}.wav", "too long", 36 * 16_000) for number in range(3)]
    whole = [made[0], longer[0], *made[1:4], longer[1], *made[4:], longer[2]]
    (tmp_path / "source" / cases.MANIFEST).write_text(json.dumps(whole))
    facts, library = prepare(tmp_path / "out", tmp_path / "source")
    assert library.lengths is not None
    assert library.lengths.tolist() == [one["original_num_samples"] for one in made]
    log = tmp_path / "log.json"
    words = sum(len(one["transcript"].split()) for one in made)
    accuracy.write_log(log, [accuracy.Record(0, number, b"") for number in range(7)])
    assert task.score(log, tmp_path / "out" / facts.labels).text.startswith("Word Error Rate: 100.0%")
    accuracy.write_log(
        log, [accuracy.Record(0, n, answer("a") if n == 6 else answer(made[n]["transcript"])) for n in range(7)]
    )
    last = made[6]["transcript"].split()
    wrong = len(last) - ("a" in last)
    found = task.score(log, tmp_path / "out" / facts.labels)
    assert found.text == f"Word Error Rate: {wrong / words * 100}%, accuracy={(1 - wrong / words) * 100}%\n"


def answer(text: str) -> bytes:
    return np.array([" abcdefghijklmnopqrstuvwxyz'".index(one) for one in text], np.int64).tobytes()


def resave(form: dict[str, Any]) -> Callable[[Path], object]:
    return lambda path: cases.save(path, cases.audio(1, 16_000), **form)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (resave({"channels": 2}), "has 2 channels, 16000 Hz, 16 bits"),
        (resave({"rate": 8_000}), "has 1 channels, 8000 Hz, 16 bits"),
        (resave({"rate": 44_100}), "has 1 channels, 44100 Hz, 16 bits"),
        (lambda path: cases.save(path, cases.audio(1, 600)[:0]), "has 0 samples; features need 481"),
        (lambda path: cases.save(path, cases.audio(1, 36 * 16_000)), r"has 576000 samples, and .*\.json says \d+"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "ends early"),
        (lambda path: path.write_bytes(b"no audio"), "is damaged, or no audio"),
    ],
    ids=["stereo", "8 kHz", "44.1 kHz", "nothing", "36 s", "cut off", "no audio"],
)
def test_a_file_that_is_not_what_the_manifest_says_is_named(
    tmp_path: Path, source: Path, damage: Callable[[Path], object], says: str
) -> None:
    path = files(source)[5]
    damage(path)
    with pytest.raises(DataError, match=f"{path.name} {says}"):
        prepare(tmp_path / "out", source)


def test_a_missing_file_is_named_with_the_manifest(tmp_path: Path, source: Path) -> None:
    path = files(source)[7]
    path.unlink()
    with pytest.raises(DataError, match=rf"{cases.MANIFEST} names .*{path.name}, and there is no {path}"):
        prepare(tmp_path / "out", source)


def test_a_folder_without_audio_is_named(tmp_path: Path, source: Path) -> None:
    shutil.rmtree(source / cases.FOLDER)
    with pytest.raises(DataError, match=r"source has no dev-clean"):
        prepare(tmp_path / "out", source)


def test_digits_in_a_transcript_are_named_before_audio_is_read(tmp_path: Path, source: Path) -> None:
    made = entries(source)
    made[3]["transcript"] = "in 1871"
    (source / cases.MANIFEST).write_text(json.dumps(made))
    with pytest.raises(DataError, match=rf"the transcript of {made[3]['files'][0]['fname']} has '1'"):
        prepare(tmp_path / "out", source)
    assert not (tmp_path / "out" / "audio.npy").exists()


def test_a_sample_costs_its_rows_of_features(tmp_path: Path, source: Path) -> None:
    _, library = prepare(tmp_path / "out", source)
    costs = task.cost(library, TaskOptions())
    assert costs is not None
    assert costs.dtype == np.int64
    lengths = [one["original_num_samples"] for one in entries(source)]
    assert costs.tolist() == [ceil(ceil(length / 160) / 3) for length in lengths]


def labels(path: Path, *transcripts: str) -> Path:
    path.write_text(json.dumps([cases.entry(cases.name(n), one, 16_000) for n, one in enumerate(transcripts)]))
    return path


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (accuracy.Record(0, 2, b""), r"sample 2 is no utterance of .*manifest\.json, which has 2"),
        (accuracy.Record(0, -1, b""), "sample -1 is no utterance"),
        (accuracy.Record(0, 1, bytes(9)), r"sample 1 \(dev-clean-wav/.*0001\.wav\) has 9 bytes: no whole int64"),
        (accuracy.Record(0, 0, np.array([3, 28]).tobytes()), "has the symbol 28; there are 28"),
        (accuracy.Record(0, 0, np.array([-1]).tobytes()), "has the symbol -1; there are 28"),
        (accuracy.Record(0, 0, np.array([1, 2], np.int32).tobytes()), "has the symbol 8589934593"),
    ],
)
def test_a_response_that_cannot_be_is_named(tmp_path: Path, record: accuracy.Record, says: str) -> None:
    log = tmp_path / "log.json"
    accuracy.write_log(log, [record])
    with pytest.raises(DataError, match=rf"log\.json: .*{says}"):
        task.score(log, labels(tmp_path / "manifest.json", "a b", "c"))


@pytest.mark.parametrize("found", [[], [accuracy.Record(0, 1, b"")]])
def test_a_log_without_words_is_named(tmp_path: Path, found: list[accuracy.Record]) -> None:
    accuracy.write_log(tmp_path / "log.json", found)
    with pytest.raises(DataError, match=r"log\.json: no word was to be answered"):
        task.score(tmp_path / "log.json", labels(tmp_path / "manifest.json", "a b", ""))


def test_the_score_of_a_part_is_that_of_its_samples_and_the_first_answer_counts(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    found = [(2, "e x"), (0, "a b"), (2, "e f"), (0, "x y")]
    accuracy.write_log(log, [accuracy.Record(place, index, answer(text)) for place, (index, text) in enumerate(found)])
    score = task.score(log, labels(tmp_path / "manifest.json", "a b", "c d", "e f"))
    assert score.text == "Word Error Rate: 25.0%, accuracy=75.0%\n"
    assert (score.metric, score.value, score.total, score.unit, score.warning) == ("accuracy", 75.0, 2, "%", "")


def test_more_errors_than_words_are_an_accuracy_below_zero(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    accuracy.write_log(log, [accuracy.Record(0, 0, answer("x y z"))])
    score = task.score(log, labels(tmp_path / "manifest.json", "a b"))
    assert score.text == "Word Error Rate: 150.0%, accuracy=-50.0%\n", "as the rules' script prints it"
    assert (score.value, score.figures) == (-50.0, {"wer": 150.0})
    assert score.warning


def test_a_score_of_chance_is_doubted(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    accuracy.write_log(log, [accuracy.Record(0, 0, answer("x")), accuracy.Record(1, 1, b"")])
    assert "another alphabet" in task.score(log, labels(tmp_path / "manifest.json", "a b", "c")).warning
