"""The manifest of LibriSpeech in the rules' form: which utterances a sample set has, in which order, and what is said.

It is speech_recognition/rnnt/dev-clean-wav.json of the rules. Utterances of more than 15 seconds do not take part; of
dev-clean's 2,703 that leaves 2,513.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

import msgspec

from engine import codec
from engine.errors import DataError
from engine.store.files import read_plain
from engine.text import clean

LONGEST = 15.0
"""Seconds."""
ALPHABET = " abcdefghijklmnopqrstuvwxyz'"
"""The symbols that a model answers with, by their index. The index behind the last is the blank."""
BLANK = len(ALPHABET)

_AS_PUBLISHED = "take dev-clean-wav.json as the rules publish it, or write a manifest in its form"


class _File(msgspec.Struct, frozen=True):
    fname: str
    speed: float = 1.0


class _Entry(msgspec.Struct, frozen=True):
    files: tuple[_File, ...]
    original_duration: float
    original_num_samples: Annotated[int, msgspec.Meta(ge=0)]
    transcript: str


@dataclass(frozen=True)
class Utterance:
    """One entry of a manifest."""

    name: str
    """Of its WAV file, relative to the folder of the data set: dev-clean-wav/2277/149896/2277-149896-0000.wav."""
    samples: int
    """Of its audio."""
    transcript: str
    """Lower-case words of ALPHABET."""
    entry: bytes
    """As it stands in the manifest, JSON."""


def read(path: Path, longest: float = LONGEST) -> list[Utterance]:
    """Return the utterances of at most `longest` seconds, in the order of the manifest, which is that of the samples.

    Raises DataError where the file is none, has none of them, or has one that leads outside its folder or whose
    transcript has a character that a model can't answer. The rules' scripts would write digits and abbreviations out
    and drop other signs; their own transcripts have none.
    """
    kept = [(one, raw) for one, raw in _entries(path) if one.original_duration <= longest]
    if not kept:
        raise DataError(f"{clean(str(path))} has no utterance of at most {longest:g} s", _AS_PUBLISHED)
    return [_utterance(path, one, bytes(raw)) for one, raw in kept]


def write(utterances: list[Utterance]) -> bytes:
    """Return a manifest of these utterances."""
    return b"[" + b",\n".join(one.entry for one in utterances) + b"]\n"


def _entries(path: Path) -> list[tuple[_Entry, msgspec.Raw]]:
    try:
        found = codec.decode(read_plain(path), type=list[msgspec.Raw])
        return [(codec.decode(bytes(raw), type=_Entry), raw) for raw in found]
    except OSError as error:
        raise DataError(f"{clean(str(path))}: the manifest cannot be read: {error.strerror}", _AS_PUBLISHED) from error
    except msgspec.ValidationError as error:
        raise DataError(f"{clean(str(path))} is no manifest of LibriSpeech: {error}", _AS_PUBLISHED) from None
    except msgspec.DecodeError as error:
        what = f"{clean(str(path))} is cut off, or no JSON: {error}"
        raise DataError(what, f"fetch it again, or {_AS_PUBLISHED}") from None


def _utterance(path: Path, one: _Entry, raw: bytes) -> Utterance:
    names = [file.fname for file in one.files if file.speed == 1]
    if not names:
        raise DataError(f"{clean(str(path))}: '{one.transcript[:40]}' has no file of speed 1", _AS_PUBLISHED)
    name, transcript = names[0], one.transcript.lower()
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise DataError(f"{clean(str(path))}: {clean(name)} leads outside the folder of the data set", _AS_PUBLISHED)
    strange = sorted(set(transcript) - set(ALPHABET))
    if strange:
        what = f"the transcript of {clean(name)} has {clean(repr(strange[0]))}: '{clean(transcript[:60])}'"
        raise DataError(
            f"{clean(str(path))}: {what}",
            "write numbers and abbreviations out, and leave out all but letters, apostrophes and blanks",
        )
    return Utterance(name, one.original_num_samples, transcript, raw)
