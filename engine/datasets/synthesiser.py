"""Turns letters into sound: a formant synthesiser with one sound for each letter.

It follows the source-filter model of speech (Fant 1960): pulses at the pitch of the voice, and noise, pass through a
filter with three resonances that moves from letter to letter. Spelling stands in for pronunciation, so what is heard is
no English; but it has what a recogniser of speech deals with: voices of different pitch, size and speed, sounds that
flow into one another, accents, pauses, and noise.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

SAMPLE_RATE = 16_000
"""Samples a second."""
HOP = 80
"""Samples between two states of the filter."""
WINDOW, SIZE = 320, 512
"""Samples of sound that a state filters, and of the transform that it is filtered in."""
PAUSE = (0.06, 0.14)
MARGIN = (0.10, 0.25)
"""Seconds of silence between words, and at either end."""

SOUNDS: dict[str, tuple[float, float, float, float]] = {
    "a": (850, 1350, 0.0, 1.0),
    "e": (520, 2050, 0.0, 1.0),
    "i": (280, 2500, 0.0, 0.9),
    "o": (520, 850, 0.0, 1.0),
    "u": (300, 650, 0.0, 0.9),
    "y": (300, 1750, 0.0, 0.7),
    "w": (400, 1100, 0.1, 0.6),
    "m": (220, 1000, 0.0, 0.5),
    "n": (220, 1600, 0.0, 0.5),
    "l": (380, 2900, 0.0, 0.6),
    "r": (650, 1650, 0.1, 0.6),
    "b": (200, 750, 0.35, 0.5),
    "d": (200, 2100, 0.35, 0.5),
    "g": (200, 1350, 0.35, 0.5),
    "j": (350, 3300, 0.45, 0.5),
    "v": (450, 4200, 0.45, 0.4),
    "z": (350, 5200, 0.5, 0.5),
    "p": (700, 1100, 0.95, 0.35),
    "t": (2400, 4000, 0.95, 0.4),
    "k": (1500, 2200, 0.95, 0.4),
    "c": (1100, 3000, 0.95, 0.4),
    "q": (1000, 1500, 0.7, 0.5),
    "x": (1900, 6200, 0.9, 0.4),
    "s": (4600, 6300, 1.0, 0.5),
    "f": (3200, 7200, 1.0, 0.35),
    "h": (900, 2600, 1.0, 0.3),
    "'": (600, 3800, 0.2, 0.3),
}
"""Of each letter: the lower two resonances in Hz, the share of noise in its source, and its level."""


@dataclass(frozen=True)
class Voice:
    """Who speaks."""

    pitch: float
    """Hz."""
    size: float
    """What all resonances are multiplied with: more than 1 for a short vocal tract."""
    letter: float
    """Seconds that a letter takes, on average."""

    @classmethod
    def draw(cls, random: np.random.Generator) -> "Voice":
        """Return a voice. Quick ones say two letters within 84 ms."""
        return cls(random.uniform(90, 210), random.uniform(0.95, 1.06), random.uniform(0.042, 0.09))


def speak(text: str, voice: Voice, random: np.random.Generator) -> Array:
    """Return the sound of a text of SOUNDS' letters and blanks: int16 [n] at RATE."""
    letters, begins = _schedule(text, voice, random)
    states = _states(letters, begins, voice)
    count = len(states) * HOP
    mixed = _filtered(_pulses(count, voice, random), random.standard_normal(count), states)
    peak = np.abs(mixed).max() or 1.0
    mixed += random.standard_normal(count) * peak * 10 ** random.uniform(-2.5, -2.0)
    audio: Array = np.rint(mixed * (random.uniform(8_000, 26_000) / np.abs(mixed).max())).astype(np.int16)
    return audio


def _schedule(text: str, voice: Voice, random: np.random.Generator) -> tuple[str, Array]:
    """Return the letters with a pause at either end, and the second at which each begins, with the end of all."""
    letters = f" {text} "
    spans = voice.letter * random.uniform(0.8, 1.2, len(letters))
    pauses = np.array([one == " " for one in letters])
    spans[pauses] = random.uniform(*PAUSE, int(pauses.sum()))
    spans[[0, -1]] = random.uniform(*MARGIN, 2)
    return letters, np.concatenate([[0.0], np.cumsum(spans)])


def _states(letters: str, begins: Array, voice: Voice) -> Array:
    """Return the states of the filter [n,4], as in SOUNDS, gliding from letter to letter."""
    times = (np.arange(int(begins[-1] * SAMPLE_RATE / HOP)) + 0.5) * HOP / SAMPLE_RATE
    numbers = np.clip(np.searchsorted(begins, times, side="right") - 1, 0, len(letters) - 1)
    silent = (500.0, 1500.0, 1.0, 0.0)
    table = np.array([SOUNDS.get(letter, silent) for letter in letters])
    table[:, :2] *= voice.size
    states = table[numbers]
    within = (times - begins[numbers]) / np.diff(begins)[numbers]
    states[:, 3] *= 0.25 + 0.75 * np.sin(np.pi * within)
    padded = np.pad(states, ((1, 1), (0, 0)), mode="edge")
    glided: Array = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    return glided


def _pulses(count: int, voice: Voice, random: np.random.Generator) -> Array:
    """Return the source of the voice [count]: its pitch falls towards the end, and rises and falls with accents."""
    progress = np.linspace(0, 1, count)
    accents = np.sin(2 * np.pi * (progress * random.uniform(1, 4) + random.random()))
    turns = np.cumsum(voice.pitch * (1.1 - 0.2 * progress + 0.08 * accents)) / SAMPLE_RATE
    pulses: Array = np.diff(np.floor(turns), prepend=0) * np.sqrt(SAMPLE_RATE / voice.pitch)
    return pulses


def _filtered(pulses: Array, noise: Array, states: Array) -> Array:
    """Return both sources [n], mixed, through the filter: what each of its states hears is added up."""
    voiced, breath = _spectra(pulses), _spectra(noise)
    share = states[:, 2:3]
    parts = np.fft.irfft((voiced * (1 - share) + breath * share) * _resonances(states) * states[:, 3:], SIZE)
    total = np.zeros(len(pulses) + SIZE)
    for number, part in enumerate(parts):
        total[number * HOP : number * HOP + SIZE] += part
    left = (SIZE - HOP) // 2
    return total[left : left + len(pulses)]


def _spectra(source: Array) -> Array:
    """Return what of a source [n] each state hears, [n/HOP, SIZE/2 + 1]: a window around its middle."""
    padded = np.pad(source, (WINDOW - HOP) // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * np.hanning(WINDOW)
    return np.fft.rfft(np.pad(frames, ((0, 0), ((SIZE - WINDOW) // 2,) * 2)))


def _resonances(states: Array) -> Array:
    """Return what the filter does to each frequency [n, SIZE/2 + 1]."""
    frequencies = np.fft.rfftfreq(SIZE, 1 / SAMPLE_RATE)
    widths = (90 + 260 * states[:, 2])[:, None]
    gains = np.zeros((len(states), len(frequencies)))
    for place, level in ((states[:, :1], 1.0), (states[:, 1:2], 0.7)):
        gains += level / (1 + ((frequencies - place) / widths) ** 2)
    return gains + 0.15 / (1 + ((frequencies - 3400) / 400) ** 2) + 0.01
