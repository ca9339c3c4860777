"""Log-mel features of speech, as the rules' RNN-T has them (speech_recognition/rnnt/pytorch/parts/features.py, v2.1).

Pre-emphasis, power spectrum, mel bands, logarithm; then three frames side by side, every third of them, normalised over
the utterance. The rules' dithering is a constant there, no noise. An utterance is processed alone: in the reference,
padding to a longer one of a batch would change its features.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.tasks.base import Array

RATE = 16_000
"""Samples per second."""
HOP = 160
"""Samples from one frame to the next."""
WINDOW = 320
"""Samples of a frame."""
FFT = 512
SPLICE = 3
"""Frames that stand side by side in a row of the features, each row that many frames after the one before."""
MOST_BANDS = 128
"""Of the mel scale: with many more some would have no bin."""
FEWEST = HOP * SPLICE + 1
"""Samples that give two rows: with one alone there is no deviation to normalise by."""

PREEMPHASIS = np.float32(0.97)
DITHER = np.float32(1e-10)
"""What dithering adds to the power of each bin."""
LOG_FLOOR = np.float32(1e-20)
DEVIATION_FLOOR = np.float32(1e-5)

_BLOCK = 128
"""Frames that are transformed at once: what they take stays in the cache."""
_FULL_SCALE = np.float32(1 / 32768)
_LINEAR_TO = 1000.0
"""Hz, to which the mel scale is linear (Slaney, Auditory Toolbox 1998)."""
_HZ_PER_MEL = 200 / 3
_LOG_STEP = np.log(6.4) / 27


def rows(samples: Array) -> Array:
    """Return how many rows of features so many audio samples give, int64 [N]."""
    frames = -(-samples // HOP)
    return -(-frames // SPLICE)


class Features:
    """Turns audio into features. It keeps nothing of it, and any thread may use it."""

    def __init__(self, bands: int) -> None:
        """`bands` of the mel scale between 0 and 8000 Hz; 80 in the rules' model, and at most MOST_BANDS."""
        self._window = _window()
        self._halves = _halves(filters(bands))
        self._bands = bands

    def of(self, audio: Array) -> Array:
        """Return the features of audio, int16 [n] with n >= FEWEST: float32 [rows(n), 3 * bands], mean 0, deviation 1.

        The deviation is that of n - 1 degrees of freedom.
        """
        found = self._spliced(self.log_mel(audio))[: int(rows(np.array(len(audio))))]
        found -= found.mean(axis=0)
        deviation = np.sqrt(np.square(found).sum(axis=0) / np.float32(len(found) - 1))
        found /= deviation + DEVIATION_FLOOR
        return found

    def log_mel(self, audio: Array) -> Array:
        """Return the logarithm of the mel bands, float32 [1 + n // HOP, bands]. Audio is int16 [n], n > WINDOW // 2."""
        frames = self._frames(audio)
        found = np.empty((len(frames), self._bands), np.float32)
        for start in range(0, len(frames), _BLOCK):
            part = slice(start, start + _BLOCK)
            spectrum = np.fft.rfft(frames[part] * self._window, FFT, axis=1)
            power = np.square(spectrum.real)
            power += np.square(spectrum.imag)
            power += DITHER
            for first, (weights, begins) in enumerate(self._halves):
                found[part, first::2] = np.add.reduceat(power * weights, begins, axis=1)
        found += LOG_FLOOR
        return np.log(found, out=found)

    def _frames(self, audio: Array) -> Array:
        """Return the frames, float32 [1 + n // HOP, WINDOW], the first and the last centred on the ends: a view.

        Beyond its ends the signal is reflected. The rules' frame has FFT samples with the window in its middle, and
        zeros around it; without these the spectrum has the same power.
        """
        signal = audio.astype(np.float32)
        signal *= _FULL_SCALE
        signal[1:] -= PREEMPHASIS * signal[:-1]
        padded = np.pad(signal, WINDOW // 2, mode="reflect")
        return sliding_window_view(padded, WINDOW)[::HOP]

    def _spliced(self, frames: Array) -> Array:
        """Return rows of SPLICE frames, zeros past the end: float32 [ceil(frames / SPLICE), SPLICE * bands]."""
        count = -(-len(frames) // SPLICE)
        found = np.zeros((count * SPLICE, self._bands), np.float32)
        found[: len(frames)] = frames
        return found.reshape(count, SPLICE * self._bands)


def filters(bands: int, fft: int = FFT) -> Array:
    """Return triangular mel filters of equal area between 0 Hz and half the rate, float32 [bands, fft // 2 + 1].

    The scale is Slaney's: linear to 1000 Hz, logarithmic above.
    """
    edges = _hz(np.linspace(0, _mel(RATE / 2), bands + 2))
    bins = np.linspace(0, RATE / 2, fft // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    area = 2 / (edges[2:] - edges[:-2])
    return (np.maximum(0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)


def _window() -> Array:
    """Return a symmetric Hann window, float32 [WINDOW], with the rounding of one computed in float32 as the rules' is.

    Beside loud tones that rounding leaks into quiet bands, where it changes the logarithm in the second decimal place.
    """
    phase = np.arange(WINDOW, dtype=np.float32) * np.float32(2 * np.pi / (WINDOW - 1))
    half = np.float32(0.5)
    return half - half * np.cos(phase.astype(np.float64)).astype(np.float32)


def _mel(hz: float) -> float:
    """Return a frequency of at least 1000 Hz on the mel scale."""
    return float(_LINEAR_TO / _HZ_PER_MEL + np.log(hz / _LINEAR_TO) / _LOG_STEP)


def _hz(mel: Array) -> Array:
    knee = _LINEAR_TO / _HZ_PER_MEL
    return np.where(mel < knee, mel * _HZ_PER_MEL, _LINEAR_TO * np.exp(_LOG_STEP * (mel - knee)))


def _halves(weights: Array) -> Sequence[tuple[Array, Array]]:
    """Return the even filters, and the odd ones, as weights of all bins and the bins with which each filter begins.

    Filters of one half don't overlap, so that one pass over the bins sums them up, on the calling thread: a product of
    matrices would wake threads beside those of the sessions.
    """
    begins = (weights > 0).argmax(axis=1)
    return [(weights[start::2].sum(axis=0), begins[start::2]) for start in (0, 1) if len(weights) > start]
