import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.datasets import spoken_words, synthesiser, utterances
from engine.datasets.utterances import SpokenUtterance, UtteranceSet, generate, write
from tests.engine.networks.running import step

ALPHABET = set(" abcdefghijklmnopqrstuvwxyz'")


def same(one: SpokenUtterance, other: SpokenUtterance) -> bool:
    return one.transcript == other.transcript and np.array_equal(one.audio, other.audio)


def samples(path: Path) -> np.ndarray[Any, np.dtype[np.int16]]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_an_utterance_depends_on_seed_purpose_and_index_alone() -> None:
    few, many = UtteranceSet(5, 3), UtteranceSet(5, 100)
    assert same(few.utterance(2), many.utterance(2))
    assert not same(few.utterance(2), few.utterance(1))
    assert not same(few.utterance(2), UtteranceSet(6, 3).utterance(2))
    assert not same(few.utterance(2), UtteranceSet(5, 3, "training").utterance(2))


def test_every_symbol_is_spoken_and_has_a_sound() -> None:
    assert set("".join(spoken_words.WORDS)) | {" "} == ALPHABET
    assert synthesiser.SOUNDS.keys() | {" "} == ALPHABET
    assert len({(one, other) for one, other, _, _ in synthesiser.SOUNDS.values()}) == len(synthesiser.SOUNDS)


def test_the_tree_is_that_of_dev_clean(tmp_path: Path) -> None:
    said = UtteranceSet(1, 10)
    assert list(write(said, tmp_path)) == list(range(1, 11))
    entries = json.loads((tmp_path / "dev-clean-wav.json").read_text())
    assert len(entries) == 10
    for index, entry in enumerate(entries):
        one, [file] = said.utterance(index), entry["files"]
        audio = samples(tmp_path / file["fname"])
        assert np.array_equal(audio, one.audio)
        assert entry["transcript"] == one.transcript
        assert set(one.transcript) <= ALPHABET
        assert 1 <= len(one.transcript.split()) <= spoken_words.MOST_WORDS
        assert entry["original_num_samples"] == file["num_samples"] == len(audio)
        assert entry["original_duration"] == file["duration"] == len(audio) / 16_000
        assert (file["speed"], file["channels"], file["sample_rate"]) == (1, 1, 16_000)
        speaker, chapter, number = Path(file["fname"]).stem.split("-")
        assert file["fname"] == f"dev-clean-wav/{speaker}/{chapter}/{speaker}-{chapter}-{number}.wav"
    names = [entry["files"][0]["fname"] for entry in entries]
    assert names == sorted(set(names))
    assert len({Path(name).parent for name in names}) == 2, "eight utterances of the first speaker, two of the second"


def test_it_sounds_the_same_length_whoever_counts_and_is_never_clipped() -> None:
    for index in range(24):
        audio = UtteranceSet(3, 24).utterance(index).audio
        assert audio.dtype == np.int16
        assert 7_000 < np.abs(audio.astype(int)).max() < 27_000
        edge, loudest = audio[:800].astype(float).std(), audio.astype(float).std()
        assert edge < loudest / 3, "it begins with silence"


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    options = {"count": 4, "seed": 9}
    facts = generate(step(tmp_path, options))
    assert facts == {"images": "", "labels": "dev-clean-wav.json", "count": 4}
    whole = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    first, *_, last = sorted(path for path in whole if path.suffix == ".wav")
    last.unlink()
    first.write_bytes(b"kept")
    (tmp_path / utterances.MANIFEST).unlink()
    generate(step(tmp_path, options))
    assert {path: path.read_bytes() for path in whole} == whole | {first: b"kept"}


@pytest.mark.parametrize("letter", sorted(synthesiser.SOUNDS))
def test_every_letter_is_heard(letter: str) -> None:
    random = np.random.default_rng(1)
    audio = synthesiser.speak(letter, synthesiser.Voice(120, 1.0, 0.09), random).astype(float)
    middle = audio[len(audio) // 2 - 400 : len(audio) // 2 + 400]
    assert middle.std() > 3 * audio[:800].std()
