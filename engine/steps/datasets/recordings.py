"""Recorded speech that a package carries, laid out as the rules lay out LibriSpeech's dev-clean.

The package is a speech recogniser's source archive, with utterances to test it on: WAV files, and beside them lists
with a line `<s> WORDS </s> (FILE)` for each (the form of CMU Sphinx).
"""

import re
import shutil
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.datasets.synthesiser import SAMPLE_RATE
from engine.datasets.utterances import FOLDER, MANIFEST, manifest_entry, write_manifest
from engine.errors import DataError
from engine.facts import PackageFacts
from engine.step import Step
from engine.store.files import disk_errors, read_plain
from engine.text import clean

LISTS = "transcription"
"""How the names of the lists end."""
_LINE = re.compile(r"<s> (.*?) *</s> \(([\w-]+)\)")
_REMEDY = "name the package, version and members that hold them"


def recordings(step: Step) -> dict[str, Any]:
    """Write the recordings of the need `package` as a data set: each list's are one speaker's, who reads one chapter.

    Facts: `images` (the folder that the manifest's names are relative to: the artifact's own), `labels` (the
    manifest), `count`. Raises DataError where there are none, or one is missing or no WAV file of 16 kHz and one
    channel.
    """
    package = step.inputs["package"]
    files = {Path(name): package.folder / name for name in package.read(PackageFacts).files}
    entries = []
    with disk_errors(step.output):
        for speaker, place in enumerate(sorted(name for name in files if name.name.endswith(LISTS)), start=1):
            for number, (transcript, source) in enumerate(_listed(place, files)):
                name = f"{FOLDER}/{speaker}/1/{speaker}-1-{number:04d}.wav"
                entries.append(manifest_entry(name, _samples(source), transcript))
                (step.output / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, step.output / name)
        if not entries:
            raise DataError(f"{package.path}: no list of utterances ends in {LISTS}", _REMEDY)
        write_manifest(entries, step.output)
    return {"images": "", "labels": MANIFEST, "count": len(entries)}


def _listed(place: Path, files: Mapping[Path, Path]) -> Iterator[tuple[str, Path]]:
    """Yield transcript and file of each line of a list. Raises DataError where a line or a file is not there."""
    for line in read_plain(files[place]).decode("utf-8", "replace").splitlines():
        found = _LINE.fullmatch(line.strip())
        source = files.get(place.with_name(f"{found[2]}.wav")) if found else None
        if found is None or source is None:
            raise DataError(f"{files[place]}: '{clean(line[:80])}' names no recording of the package", _REMEDY)
        yield " ".join(found[1].lower().split()), source


def _samples(path: Path) -> int:
    """Return how many samples a recording has. Raises DataError where it is none of 16 kHz, 16 bits and one channel."""
    try:
        with wave.open(str(path), "rb") as file:
            form = file.getframerate(), file.getnchannels(), 8 * file.getsampwidth()
            count = file.getnframes()
    except (wave.Error, EOFError) as error:
        raise DataError(f"{path} is not a WAV file: {error}", _REMEDY) from error
    if form != (SAMPLE_RATE, 1, 16):
        raise DataError(
            f"{path} has {form[0]} Hz, {form[1]} channels, {form[2]} bits, not {SAMPLE_RATE}, 1 and 16", _REMEDY
        )
    return count
