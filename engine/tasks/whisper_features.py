"""Log-mel features of 30 seconds of speech, as Whisper takes them (Radford et al. 2022).

Audio is filled up with silence to 30 seconds, as the rules ask. Powers of frames of 25 ms every 10 ms, mel bands,
logarithm to the base of ten, of which what is more than eight below the loudest is lifted to that.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.tasks.base import Array
from engine.tasks.speech_features import HOP, RATE, filters

SECONDS = 30
LONGEST_AUDIO = SECONDS * RATE
FRAMES = LONGEST_AUDIO // HOP
"""Of every sample, however short its audio."""

FFT = 400
DEEPEST = np.float32(8)
"""Powers of ten below the loudest band that still count."""
FLOOR = np.float32(1e-10)
_FULL_SCALE = np.float32(1 / 32768)
_BLOCK = 512
"""Frames that are transformed at once: what they take stays in the cache."""


class LogMel:
    """Turns audio into features. It keeps nothing of it, and any thread may use it."""

    def __init__(self, bands: int) -> None:
        """`bands` of the mel scale: 80, or 128 in the model of the rules."""
        self.bands = bands
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)).astype(np.float32)
        self._weights = filters(bands, FFT).T.copy()

    def of(self, audio: Array) -> Array:
        """Return the features of audio, int16 [n] of at most 30 s: float32 [bands, FRAMES]."""
        signal = np.zeros(LONGEST_AUDIO, np.float32)
        signal[: len(audio)] = audio
        signal *= _FULL_SCALE
        frames = sliding_window_view(np.pad(signal, FFT // 2, mode="reflect"), FFT)[::HOP][:FRAMES]
        spoken = min(-(-(len(audio) + FFT) // HOP), FRAMES)  # the rest is silence
        found = np.full((FRAMES, self._weights.shape[1]), np.log10(FLOOR), np.float32)
        for start in range(0, spoken, _BLOCK):
            part = slice(start, min(start + _BLOCK, spoken))
            spectrum = np.fft.rfft(frames[part] * self._window, axis=1)
            power = np.square(spectrum.real) + np.square(spectrum.imag)
            found[part] = np.log10(np.maximum(power.astype(np.float32) @ self._weights, FLOOR))
        lifted: Array = np.maximum(found, found.max() - DEEPEST)
        return (lifted.T + 4) / 4
