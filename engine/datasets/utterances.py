"""Generates speech, laid out on disk exactly as the rules lay out LibriSpeech's dev-clean.

Where the real recordings cannot be had, every step still runs on files of the real kind: WAV files of 16 kHz, 16 bits
and one channel in the folders of speakers and chapters, beside the manifest with their transcripts. An utterance
depends on seed, purpose and index alone, so a larger set begins with the smaller one, an interrupted run goes on where
it stopped, and the order of work does not matter.
"""

import json
import wave
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from engine.datasets.patterns import Purpose
from engine.datasets.spoken_words import sentence
from engine.datasets.synthesiser import SAMPLE_RATE, Voice, speak
from engine.step import Options, Step

Array = np.ndarray[Any, np.dtype[Any]]

FOLDER, MANIFEST = "dev-clean-wav", "dev-clean-wav.json"
OF_A_SPEAKER = 8
"""Utterances of a speaker, who reads one chapter."""


@dataclass(frozen=True)
class SpokenUtterance:
    """What was said, and how it sounds."""

    transcript: str
    """Lower-case letters, apostrophes and blanks."""
    audio: Array
    """int16 [n] at RATE."""


@dataclass(frozen=True)
class UtteranceSet:
    """A set of utterances that exists as soon as it is named: each is spoken on demand."""

    seed: int
    count: int
    purpose: Purpose = "test"

    def utterance(self, index: int) -> SpokenUtterance:
        """Speak an utterance."""
        voice = Voice.draw(self._random(index // OF_A_SPEAKER, 0))
        random = self._random(index, 1)
        transcript = sentence(random)
        return SpokenUtterance(transcript, speak(transcript, voice, random))

    def name(self, index: int) -> str:
        """Return where the file of an utterance is: `dev-clean-wav/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.wav`."""
        speaker, number = divmod(index, OF_A_SPEAKER)
        folder = (str(10_000 + speaker), str(100_000 + speaker))
        return "/".join((FOLDER, *folder, f"{'-'.join(folder)}-{number:04d}.wav"))

    def _random(self, number: int, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, get_args(Purpose).index(self.purpose), number, stream])


class UtteranceOptions(Options, frozen=True, kw_only=True):
    """Which utterances."""

    count: int
    seed: int
    purpose: Purpose = "test"


def generate(step: Step) -> dict[str, Any]:
    """Write a set of utterances and its manifest. Continues where an interrupted attempt stopped.

    Facts: `images` (the folder that the manifest's names are relative to: the artifact's own), `labels` (the
    manifest), `count`.
    """
    options = step.read_options(UtteranceOptions)
    utterances = UtteranceSet(options.seed, options.count, options.purpose)
    for done in write(utterances, step.output):
        step.progress(done, utterances.count, "utterances")
    return {"images": "", "labels": MANIFEST, "count": utterances.count}


def write(utterances: UtteranceSet, folder: Path) -> Iterator[int]:
    """Write the files of a set on all cores, yielding the number of utterances written so far."""
    entries = []
    with ThreadPoolExecutor() as pool:
        for entry in pool.map(lambda index: _write_one(utterances, index, folder), range(utterances.count)):
            entries.append(entry)
            yield len(entries)
    write_manifest(entries, folder)


def _write_one(utterances: UtteranceSet, index: int, folder: Path) -> dict[str, Any]:
    """Write an utterance where it is not there yet, and return its entry in the manifest."""
    one, name = utterances.utterance(index), utterances.name(index)
    write_wav(folder / name, one.audio)
    return manifest_entry(name, len(one.audio), one.transcript)


def write_wav(path: Path, audio: Array) -> None:
    """Write int16 [n] at RATE as a WAV file of one channel, where it is not there yet."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with wave.open(str(unfinished), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(audio.astype("<i2", copy=False).tobytes())
    unfinished.replace(path)


def write_manifest(entries: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write the manifest of a data set, its entries in the order of the samples."""
    (folder / MANIFEST).write_text(json.dumps(entries, indent=1), encoding="utf-8")


def manifest_entry(name: str, samples: int, transcript: str) -> dict[str, Any]:
    """Return what the rules' manifest says of a file at its own speed; `name` is relative to the data set's folder."""
    duration = samples / SAMPLE_RATE
    file = {
        "channels": 1,
        "sample_rate": float(SAMPLE_RATE),
        "bitrate": 16,
        "duration": duration,
        "num_samples": samples,
        "encoding": "Signed Integer PCM",
        "silent": False,
        "fname": name,
        "speed": 1,
    }
    return {
        "files": [file],
        "original_duration": duration,
        "original_num_samples": samples,
        "transcript": transcript,
    }
