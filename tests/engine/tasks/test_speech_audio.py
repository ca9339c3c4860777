"""Audio files of every kind that a person can have: read, or refused by name."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import DataError
from engine.tasks import speech_audio
from tests.engine.tasks import speech_cases as cases

AUDIO = cases.audio(1, 20_000)
needs_flac = pytest.mark.skipif(not speech_audio.can_read_flac(), reason="soundfile is an extra")


def flac(path: Path, samples: Any = AUDIO, rate: int = 16_000, subtype: str = "PCM_16") -> Path:
    soundfile: Any = importlib.import_module("soundfile")
    soundfile.write(str(path), samples, rate, subtype, format="FLAC")
    return path


def test_a_wav_file_is_read_as_it_is(tmp_path: Path) -> None:
    found = speech_audio.read(cases.save(tmp_path / "a.wav", AUDIO))
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, AUDIO)


@needs_flac
def test_a_flac_file_is_the_same_samples(tmp_path: Path) -> None:
    found = speech_audio.read(flac(tmp_path / "a.flac"))
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, AUDIO)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"channels": 2}, "a.wav has 2 channels, 16000 Hz, 16 bits"),
        ({"rate": 8_000}, "a.wav has 1 channels, 8000 Hz, 16 bits"),
        ({"rate": 44_100}, "a.wav has 1 channels, 44100 Hz, 16 bits"),
        ({"width": 1}, "a.wav has 1 channels, 16000 Hz, 8 bits"),
        ({"width": 4}, "a.wav has 1 channels, 16000 Hz, 32 bits"),
    ],
)
def test_a_wav_file_of_another_form_is_named(tmp_path: Path, form: dict[str, int], says: str) -> None:
    with pytest.raises(DataError, match=says) as found:
        speech_audio.read(cases.save(tmp_path / "a.wav", AUDIO, **form))
    assert "make it one channel, 16000 Hz, 16 bits" in found.value.remedy


@needs_flac
@pytest.mark.parametrize(
    ("samples", "form", "says"),
    [
        (AUDIO.reshape(-1, 2), {}, "a.flac has 2 channels, 16000 Hz, 16 bits"),
        (AUDIO, {"rate": 8_000}, "a.flac has 1 channels, 8000 Hz, 16 bits"),
        (AUDIO, {"rate": 44_100}, "a.flac has 1 channels, 44100 Hz, 16 bits"),
        (AUDIO, {"subtype": "PCM_24"}, "a.flac has 1 channels, 16000 Hz, 24 bits"),
    ],
)
def test_a_flac_file_of_another_form_is_named(tmp_path: Path, samples: Any, form: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        speech_audio.read(flac(tmp_path / "a.flac", samples, **form))


@pytest.mark.parametrize("length", [0, 1, 480])
def test_audio_too_short_for_features_is_named(tmp_path: Path, length: int) -> None:
    with pytest.raises(DataError, match=f"a.wav has {length} samples; features need 481"):
        speech_audio.read(cases.save(tmp_path / "a.wav", AUDIO[:length]))


@pytest.mark.parametrize("left", [0, 11, 40, 44, 45, 20_044, 40_000])
def test_a_truncated_wav_file_is_named(tmp_path: Path, left: int) -> None:
    path = cases.save(tmp_path / "a.wav", AUDIO)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(DataError, match=r"a\.wav (ends early|is damaged)"):
        speech_audio.read(path)


@needs_flac
@pytest.mark.parametrize("left", [0, 3, 50, 0.3, 0.9, -1])
def test_a_truncated_flac_file_is_named(tmp_path: Path, left: float) -> None:
    path = flac(tmp_path / "a.flac")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(left if left in (0, 3, 50, -1) else left * len(whole))])
    with pytest.raises(DataError, match=r"a\.flac (ends early|is damaged)"):
        speech_audio.read(path)


@pytest.mark.parametrize("name", ["a.wav", pytest.param("a.flac", marks=needs_flac)])
def test_what_is_no_audio_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(DataError, match=rf"{name} is damaged, or no audio"):
        speech_audio.read(tmp_path / name)
    with pytest.raises(DataError, match="cannot be read"):
        speech_audio.read(tmp_path / f"none-{name}")
    with pytest.raises(DataError, match="cannot be read"):
        speech_audio.read(tmp_path)


def test_flac_without_soundfile_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.flac").write_bytes(b"fLaC")
    monkeypatch.setattr(speech_audio, "find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"a\.flac is FLAC, and soundfile is not installed") as found:
        speech_audio.read(tmp_path / "a.flac")
    assert "inferdeck[speech]" in found.value.remedy
