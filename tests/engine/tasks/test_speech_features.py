"""Features by their definition; tests/engine/tasks/test_speech_goldens.py holds them against the rules' steps."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backends.base import Array
from engine.tasks.speech_features import FEWEST, FFT, HOP, MOST_BANDS, RATE, WINDOW, Features, filters, rows
from tests.engine.tasks import speech_cases as cases


def log_mel(audio: Array, bands: int) -> Array:
    """Return the bands as the rules define them, in float64: frames of FFT samples with a Hann window in the middle."""
    signal = audio / 32768
    signal = np.concatenate((signal[:1], signal[1:] - 0.97 * signal[:-1]))
    padded = np.pad(signal, FFT // 2, mode="reflect")
    window = np.zeros(FFT)
    margin = (FFT - WINDOW) // 2
    window[margin : margin + WINDOW] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
    frames = np.stack([padded[start : start + FFT] for start in range(0, len(signal) + 1, HOP)])
    power = np.abs(np.fft.rfft(frames * window)) ** 2 + 1e-10
    found: Array = np.log(power @ filters(bands).T.astype(np.float64) + 1e-20)
    return found


@pytest.mark.parametrize("bands", [1, 2, 3, 8, 79, 80, MOST_BANDS])
@pytest.mark.parametrize("samples", [FEWEST, 1_600, 16_001, 25_000])
def test_bands_are_the_logarithm_of_filtered_power(bands: int, samples: int) -> None:
    audio = cases.audio(bands, samples)
    found = Features(bands).log_mel(audio)
    assert found.shape == (1 + samples // HOP, bands)
    assert found.dtype == np.float32
    # Signal and window are float32 in the rules' steps: that shows where pre-emphasis leaves next to nothing.
    np.testing.assert_allclose(found, log_mel(audio, bands), rtol=0, atol=1e-3)


@pytest.mark.parametrize("bands", range(1, MOST_BANDS + 1, 3))
def test_filters_are_triangles_of_equal_area(bands: int) -> None:
    weights = filters(bands)
    assert weights.shape == (bands, FFT // 2 + 1)
    assert (weights >= 0).all()
    assert weights.any(axis=1).all()
    assert (np.diff(weights.argmax(axis=1)) >= 0).all()
    if bands <= 20:  # with many bins in each, their sum is the area
        np.testing.assert_allclose(weights.sum(axis=1) * RATE / FFT, 1, atol=0.05)


@pytest.mark.parametrize("samples", [FEWEST, 640, 641, 959, 960, 961, 16_000, 16_161])
def test_rows_are_three_frames_side_by_side_and_normalised(samples: int) -> None:
    audio, features = cases.audio(1, samples), Features(8)
    frames = features.log_mel(audio)
    count = int(rows(np.array([samples]))[0])
    frames = np.concatenate((frames, np.zeros((3, 8))))[: 3 * count].astype(np.float64)
    spliced = np.concatenate([frames[place::3] for place in range(3)], axis=1)
    expected = (spliced - spliced.mean(axis=0)) / (spliced.std(axis=0, ddof=1) + 1e-5)
    np.testing.assert_allclose(features.of(audio), expected, rtol=0, atol=2e-4)


def test_silence_has_finite_features() -> None:
    found = Features(80).of(np.zeros(8_000, np.int16))
    assert np.isfinite(found).all()
    assert np.abs(Features(80).of(cases.audio(1, 8_000))).max() < 20


def test_features_do_not_change_the_audio() -> None:
    audio = cases.audio(1, 5_000)
    audio.setflags(write=False)
    features = Features(80)
    np.testing.assert_array_equal(features.of(audio), features.of(audio))
