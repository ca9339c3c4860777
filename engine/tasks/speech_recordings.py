"""Real utterances that a package carries for its own tests, laid out as LibriSpeech: format data, a handful of them.

The package has folders of WAV files, each with a file of transcripts in the form of CMU Sphinx, one a line:
`<s> he was not an ill disposed young man </s> (NAME)`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.facts import PackageFacts
from engine.step import Step
from engine.store.files import disk_errors
from engine.tasks.speech_files import MANIFEST, PART, WAV

TRANSCRIPTS = "transcription"
"""How the name of a file of transcripts ends."""

_LINE = re.compile(r"<s>\s*(.*?)\s*</s>\s*\((\S+)\)\s*")
_OTHER = "check the package's version: what it carries is something else"


def packaged(step: Step) -> dict[str, Any]:
    """Lay the utterances of the need `package` out as the rules' reference lays out LibriSpeech.

    Facts: `images` (the artifact's folder), `labels` (the manifest), `count`. Raises DataError where the package has no
    transcripts, or a line of them names no file.
    """
    from engine import codec  # noqa: PLC0415
    from engine.tasks import speech_audio, speech_features  # noqa: PLC0415  (they import numpy: a plan must be instant)

    package = step.inputs["package"]
    entries = []
    for source, transcript in _utterances(package.folder, package.read(PackageFacts).files):
        samples = len(speech_audio.read(source))
        name = f"{PART}{WAV}/{source.parent.name}/recordings/{source.name}"
        with disk_errors(step.output):
            (step.output / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, step.output / name)
        seconds = samples / speech_features.RATE
        file = {"fname": name, "speed": 1, "duration": seconds, "num_samples": samples}
        entry = {"files": [file], "original_duration": seconds, "original_num_samples": samples}
        entries.append({**entry, "transcript": transcript})
    if not entries:
        raise DataError(f"{package.path} has no transcripts", _OTHER)
    with disk_errors(step.output):
        (step.output / MANIFEST).write_bytes(codec.encode(entries))
    return {"images": "", "labels": MANIFEST, "count": len(entries)}


def _utterances(folder: Path, files: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Yield the file of each utterance and what is said in it. Raises DataError."""
    for name in sorted(one for one in files if one.endswith(TRANSCRIPTS)):
        path = folder / name
        with disk_errors(path):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            found = _LINE.fullmatch(line)
            audio = path.parent / f"{found[2]}.wav" if found else path
            if not found or audio.parent != path.parent or not audio.is_file():
                raise DataError(f"{path}:{number}: '{line[:60]}' is no transcript of a file beside it", _OTHER)
            yield audio, found[1]
