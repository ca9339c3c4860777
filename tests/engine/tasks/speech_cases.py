"""Generated utterances in the form of LibriSpeech, and answers to them, of integer arithmetic: the same everywhere."""

from __future__ import annotations

import json
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.base import Array
from engine.mlperf_logs.accuracy_log import Record
from engine.tasks.speech_manifest import ALPHABET

KINDS = ("normal", "exact", "silent", "noise", "part", "long")
"""Of answers."""
FOLDER, MANIFEST = "dev-clean-wav", "dev-clean-wav.json"

_WORDS = (
    "a the of and to in was he that it his had with as for not at but be on i'll isn't quoth zebra xylophone".split()
)


def random(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def audio(seed: int, samples: int) -> Array:
    """Return something like speech, int16 [samples]: pulses through a resonance, louder and softer, and noise."""
    draw = random(seed)
    pulses = np.zeros(samples, np.int64)
    pulses[:: int(draw.integers(60, 200))] = 1
    resonance = draw.integers(-800, 801, 96) * np.arange(96, 0, -1) // 96
    loud = np.repeat(draw.integers(0, 9, samples // 1600 + 1), 1600)[:samples]
    voiced = np.convolve(pulses, resonance)[:samples] * loud // 2
    hiss = draw.integers(-150, 151, samples)
    found: Array = np.clip(voiced + hiss, -32768, 32767).astype(np.int16)
    return found


def sentence(draw: np.random.Generator) -> str:
    return " ".join(_WORDS[number] for number in draw.integers(len(_WORDS), size=int(draw.integers(1, 12))))


def entry(name: str, transcript: str, samples: int) -> dict[str, Any]:
    """Return an entry of a manifest."""
    file = {
        "channels": 1,
        "sample_rate": 16000.0,
        "bitrate": 16,
        "duration": samples / 16000,
        "num_samples": samples,
        "encoding": "Signed Integer PCM",
        "silent": False,
        "fname": name,
        "speed": 1,
    }
    return {
        "files": [file],
        "original_duration": samples / 16000,
        "original_num_samples": samples,
        "transcript": transcript,
    }


def name(number: int) -> str:
    return f"{FOLDER}/{number // 7}/{number // 3}/{number // 7}-{number // 3}-{number:04d}.wav"


def entries(seed: int, count: int, longest: int = 24_000) -> list[dict[str, Any]]:
    """Return the entries of a manifest of so many utterances."""
    draw = random(seed)
    lengths = [int(draw.integers(481, longest)) for _ in range(count)]
    return [entry(name(number), sentence(draw), length) for number, length in enumerate(lengths)]


def save(path: Path, samples: Array, *, rate: int = 16_000, channels: int = 1, width: int = 2) -> Path:
    """Write a WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def write(folder: Path, seed: int, count: int) -> list[dict[str, Any]]:
    """Write a data set of utterances and its manifest, as the rules' reference has them; returns the entries."""
    made = entries(seed, count)
    for number, one in enumerate(made):
        save(folder / one["files"][0]["fname"], audio(1000 * seed + number, one["original_num_samples"]))
    (folder / MANIFEST).write_text(json.dumps(made, indent=1))
    return made


def records(kind: str, seed: int, transcripts: Sequence[str]) -> list[Record]:
    """Return answers to utterances, of one of KINDS, in another order than theirs."""
    draw = random(seed)
    order = draw.permutation(len(transcripts)).tolist()
    if kind == "part":
        order = order[: len(order) // 3]
    return [Record(place, one, _answer(kind, draw, transcripts[one])) for place, one in enumerate(order)]


def _answer(kind: str, draw: np.random.Generator, transcript: str) -> bytes:
    if kind == "silent":
        return b""
    symbols = [ALPHABET.index(one) for one in transcript]
    if kind in ("normal", "part"):
        symbols = [int(draw.integers(28)) if draw.integers(12) == 0 else one for one in symbols if draw.integers(20)]
    elif kind == "noise":
        symbols = draw.integers(28, size=int(draw.integers(40))).tolist()
    elif kind == "long":
        symbols = [*symbols, 0, *symbols, 0, 0]
    return np.array(symbols, np.int64).tobytes()
