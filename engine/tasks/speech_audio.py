"""Reads the audio of utterances: WAV by the standard library, FLAC by soundfile, which is an extra (`speech`)."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from engine.errors import DataError
from engine.store.files import open_plain
from engine.tasks.base import Array
from engine.tasks.speech_features import FEWEST, RATE
from engine.text import clean

FLAC = ".flac"
INSTALL = "pip install 'inferdeck[speech]', which brings soundfile; or give the WAV files of the rules' reference"


def can_read_flac() -> bool:
    """Say whether soundfile is installed."""
    return find_spec("soundfile") is not None


class _Audio(NamedTuple):
    channels: int
    rate: int
    bits: int
    expected: int
    """Frames by the header."""
    samples: Array
    """int16, those that are there."""


def read(path: Path) -> Array:
    """Return the samples of a file, int16 [n].

    Raises DataError, naming the file, where it is not 16 kHz, mono and 16 bits, is damaged or ends early, or is too
    short for features; and where it is FLAC and soundfile is not installed.
    """
    where, is_flac = clean(str(path)), path.suffix.lower() == FLAC
    if is_flac and not can_read_flac():
        raise DataError(f"{where} is FLAC, and soundfile is not installed", INSTALL)
    with _damage(path), open_plain(path) as file:
        found = _flac(file) if is_flac else _wav(file)
    if (found.channels, found.rate, found.bits) != (1, RATE, 16):
        raise DataError(
            f"{where} has {found.channels} channels, {found.rate} Hz, {found.bits} bits",
            f"make it one channel, {RATE} Hz, 16 bits",
        )
    if len(found.samples) < found.expected:
        raise DataError(f"{where} ends early: {len(found.samples)} of {found.expected} samples", "fetch it again")
    if len(found.samples) < FEWEST:
        raise DataError(
            f"{where} has {len(found.samples)} samples; features need {FEWEST}", "take it out of the manifest"
        )
    return found.samples


def _wav(file: BinaryIO) -> _Audio:
    with wave.open(file) as one:
        bits = 8 * one.getsampwidth()
        data = one.readframes(one.getnframes()) if bits == 16 else b""
        size = 2 * one.getnchannels()
        samples = np.frombuffer(data[: len(data) // size * size], "<i2")
        return _Audio(one.getnchannels(), one.getframerate(), bits, one.getnframes(), samples)


def _flac(file: BinaryIO) -> _Audio:
    with import_module("soundfile").SoundFile(file) as one:
        bits = 16 if one.subtype == "PCM_16" else 8 if one.subtype == "PCM_S8" else 24
        return _Audio(one.channels, one.samplerate, bits, one.frames, one.read(dtype="int16"))


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn what is wrong with a file into DataError that names it."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{clean(str(path))} cannot be read: {error.strerror or error}", "check it") from error
    except (wave.Error, EOFError, RuntimeError, ValueError) as error:  # libsndfile's are of RuntimeError
        what = f"{clean(str(path))} is damaged, or no audio: {clean(str(error) or 'it ends early')}"
        raise DataError(what, "fetch it again") from error
