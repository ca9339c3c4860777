"""A transducer's program in its plainest form: the rules' features, greedy decoding and word error rate, one
utterance at a time.

Nothing here is fast. It is what the training uses and what tests compare with.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

ALPHABET = " abcdefghijklmnopqrstuvwxyz'"
BLANK = len(ALPHABET)
MOST_SYMBOLS = 30
"""Of one frame of the encoder."""

_RATE, _TRANSFORM, _WINDOW, _HOP, _MELS, _SPLICE = 16_000, 512, 320, 160, 80, 3


def features(audio: Array) -> Array:
    """Return what the encoder takes of int16 [n]: float32 [T,240], normalised."""
    signal = audio.astype(np.float64) / 32768
    signal = np.concatenate([signal[:1], signal[1:] - 0.97 * signal[:-1]])
    margin = (_TRANSFORM - _WINDOW) // 2
    window = np.pad(np.hanning(_WINDOW), margin)
    padded = np.pad(signal, _TRANSFORM // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _TRANSFORM)[::_HOP]
    power = np.abs(np.fft.rfft(frames * window)) ** 2 + 1e-10
    mel = np.log(power @ _mel_filters().T + 1e-20)
    length = -(-(-(-len(audio) // _HOP)) // _SPLICE)
    mel = np.pad(mel, ((0, 2 * _SPLICE), (0, 0)))
    spliced = np.concatenate([mel[shift : shift + _SPLICE * length : _SPLICE] for shift in range(_SPLICE)], axis=1)
    return ((spliced - spliced.mean(0)) / (spliced.std(0, ddof=1) + 1e-5)).astype(np.float32)


@cache
def _mel_filters() -> Array:
    """Return triangles of equal area [80,257], evenly spaced on Slaney's scale from 0 to 8 kHz."""
    step, corner = np.log(6.4) / 27, 1000.0
    top = 15 + np.log(_RATE / 2 / corner) / step
    places = np.linspace(0, top, _MELS + 2)
    edges = np.where(places < 15, places * 200 / 3, corner * np.exp(step * (places - 15)))
    frequencies = np.fft.rfftfreq(_TRANSFORM, 1 / _RATE)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((frequencies - low) / (middle - low), (high - frequencies) / (high - middle))
    return np.maximum(0, triangles) * 2 / (high - low)


def indices(text: str) -> list[int]:
    """Return the symbols of a transcript."""
    return [ALPHABET.index(letter) for letter in text]


def text_of(symbols: Sequence[int]) -> str:
    """Return the transcript of symbols."""
    return "".join(ALPHABET[symbol] for symbol in symbols)


def word_errors(reference: str, found: str) -> int:
    """Return the least number of words to insert, remove or replace (Levenshtein's distance)."""
    wanted, words = reference.split(), found.split()
    row = list(range(len(words) + 1))
    for number, word in enumerate(wanted, start=1):
        before, row[0] = row[0], number
        for place, other in enumerate(words, start=1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1]
