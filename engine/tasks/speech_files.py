"""LibriSpeech on this machine: where its audio and its manifest are, in the forms in which people have them.

The audio is LibriSpeech's own tree of FLAC files, `dev-clean/SPEAKER/CHAPTER/*.flac`, or that of WAV files which the
rules' reference makes of it, `dev-clean-wav/...`. What is fetched is fetched by engine.steps.download. A plan imports
this module, so it needs nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from engine.errors import DataError
from engine.facts import DataFacts
from engine.step import Artifact, Options, SurveyContext, SurveyResult
from engine.store.files import digest
from engine.tasks.listing import listing, readable, stamp
from engine.text import clean

PART = "dev-clean"
"""The part of LibriSpeech that is measured."""
TRAINING = "train-clean-100"
"""The part that the rules' calibration list is of."""
WAV = "-wav"
"""What the reference puts behind the name of a part for its folder of WAV files."""
PACKED = "LibriSpeech"
"""The folder in LibriSpeech's archives."""
MANIFEST = "dev-clean-wav.json"

REPACKED = "dev-all-repack"
"""The rules' set of Whisper: dev-clean and dev-other, joined to 30 s."""

UTTERANCES = 2_513
"""Samples of the rules' set."""
BYTES = 200_000
"""Of an utterance as it is kept, on average."""
SECONDS = 0.01
"""To read one."""

_DEEPEST = 2
"""Folders below that of a part: speakers and their chapters."""
_FORMS = f"a folder with {PART} (FLAC, as LibriSpeech is packed) or {PART}{WAV} (WAV, as the rules' reference makes it)"
_MAKE = (
    f"--env.LIBRISPEECH_REPACKED_PATH=DIR with {REPACKED} and {REPACKED}.json, which repackage_librispeech.py of the "
    "rules makes"
)
_NO_SOUNDFILE = "soundfile, which reads FLAC, is not installed"
_INSTALL = "pip install 'inferdeck[speech]'; or --env.LIBRISPEECH_PATH=DIR with the WAV files of the rules' reference"


class SpeechPathOptions(Options, frozen=True, kw_only=True):
    """Where a person has something of LibriSpeech."""

    path: str | None
    part: str = PART


class RepackedOptions(Options, frozen=True, kw_only=True):
    """Where a person has the rules' set of Whisper."""

    path: str | None


class SpeechSetOptions(Options, frozen=True, kw_only=True):
    """Which utterances a sample set has."""

    count: int | None
    """The first so many; None for all."""


class SpeechTree(NamedTuple):
    """A part of LibriSpeech."""

    root: Path
    """The folder that the names of a manifest are relative to."""
    is_flac: bool

    def folder(self, part: str = PART) -> Path:
        """Return the folder of a part."""
        return self.root / (part if self.is_flac else part + WAV)

    def file(self, name: str) -> Path:
        """Return the file of an utterance, given the name of its WAV file in a manifest."""
        if not self.is_flac:
            return self.root / name
        part, _, rest = name.partition("/")
        return (self.root / part.removesuffix(WAV) / rest).with_suffix(".flac")


def tree(folder: Path, part: str = PART) -> SpeechTree | None:
    """Return the part of LibriSpeech that is in a folder, or is the folder; None where there is none."""
    for root in (folder, folder / PACKED, folder.parent):
        for name, is_flac in ((part + WAV, False), (part, True)):
            if (root / name).is_dir() and (root != folder.parent or folder.name == name):
                return SpeechTree(root, is_flac)
    return None


def survey_audio(context: SurveyContext) -> SurveyResult:
    """Look for the part `part` where the person said, option `path`; without it, it is fetched."""
    options = context.read_options(SpeechPathOptions)
    if not options.path:
        return SurveyResult("run", expected_facts={"count": UTTERANCES, "flac": True})
    folder = Path(options.path).expanduser().absolute()
    with readable(folder):
        found = tree(folder, options.part)
    if found is None:
        forms = _FORMS.replace(PART, options.part)
        return SurveyResult("missing", text=f"{clean(str(folder))} has no {options.part}", remedy=f"give {forms}")
    return SurveyResult(
        "found",
        Artifact(str(found.root), {"images": ""}),
        identity=str(found.root),
        text=clean(str(found.folder(options.part))),
    )


def survey_manifest(context: SurveyContext) -> SurveyResult:
    """Look for dev-clean-wav.json where the person said, option `path`; in a folder without one it is fetched."""
    given = context.read_options(SpeechPathOptions).path
    if not given:
        return SurveyResult("run")
    folder = Path(given).expanduser().absolute()
    for path in (folder, folder / MANIFEST, folder.parent / MANIFEST):
        with readable(path.parent):
            if path.is_file():
                identity = f"{path} {stamp(path.stat())}"
                return SurveyResult(
                    "found", Artifact(str(path.parent), {"labels": path.name}), identity, clean(str(path))
                )
    return SurveyResult("run", text=f"no {clean(str(folder / MANIFEST))}: it is fetched")


def survey_samples(context: SurveyContext) -> SurveyResult:
    """Estimate size and time of a sample set. Otherwise as `survey_tree`."""
    seen, dataset = survey_tree(context), context.inputs["dataset"]
    known = (
        dataset.read(DataFacts).count if dataset is not None else context.expected_facts.get("dataset", {}).get("count")
    )
    samples = min(one for one in (context.read_options(SpeechSetOptions).count, known, UTTERANCES) if one)
    return replace(seen, disk_bytes=samples * BYTES, seconds=1 + samples * SECONDS)


def survey_tree(context: SurveyContext, part: str = PART) -> SurveyResult:
    """Say in what state the files of the need `dataset` are, where they are a person's own.

    `missing` where the audio is, or will be, FLAC, and soundfile is not installed.
    """
    dataset = context.inputs["dataset"]
    found = tree(_folder(dataset), part) if dataset is not None else None
    identity = _state(found.folder(part)) if found and not found.root.is_relative_to(context.store) else ""
    is_flac = found.is_flac if found else bool(context.expected_facts.get("dataset", {}).get("flac"))
    if is_flac and find_spec("soundfile") is None:
        return SurveyResult("missing", identity=identity, text=_NO_SOUNDFILE, remedy=_INSTALL)
    return SurveyResult("run", identity=identity)


def _folder(dataset: Artifact) -> Path:
    return dataset.folder / dataset.read(DataFacts).images


def _state(folder: Path) -> str:
    """Return a digest over the files of a part."""
    return digest("\n".join(_stamps(folder, _DEEPEST)))


def _stamps(folder: Path, depth: int) -> Iterator[str]:
    here = listing(folder)
    yield from (f"{folder.name}/{name} {state}" for name, state in sorted(here.files.items()))
    if depth:
        for name in here.folders:
            yield from _stamps(folder / name, depth - 1)


def opened(dataset: Artifact, part: str = PART) -> SpeechTree:
    """Return the part of LibriSpeech that an artifact holds. Raises DataError where it holds none."""
    folder = _folder(dataset)
    with readable(folder):
        found = tree(folder, part)
    if found is None:
        raise DataError(f"{clean(str(folder))} has no {part}", f"give {_FORMS.replace(PART, part)}")
    return found


def with_audio(dataset: Artifact) -> SpeechTree:
    """Return the WAV files that a data set's own manifest names, or its dev-clean. Raises DataError as `opened`."""
    folder = _folder(dataset)
    own = dataset.read(DataFacts).labels and tree(folder) is None
    return SpeechTree(folder, is_flac=False) if own else opened(dataset)


def survey_repacked(context: SurveyContext) -> SurveyResult:
    """Look for the rules' set of Whisper, utterances joined to 30 s, where the person said, option `path`."""
    given = context.read_options(RepackedOptions).path
    if not given:
        return SurveyResult("missing", text="there is no folder of it", remedy=_MAKE)
    folder = Path(given).expanduser().absolute()
    with readable(folder):
        found = (folder / REPACKED).is_dir() and (folder / f"{REPACKED}.json").is_file()
    if not found:
        what = f"{clean(str(folder))} lacks {REPACKED} or {REPACKED}.json"
        return SurveyResult("missing", text=what, remedy=_MAKE)
    known = {"images": "", "labels": f"{REPACKED}.json"}
    identity = f"{folder} {_state(folder / REPACKED)} {stamp((folder / known['labels']).stat())}"
    return SurveyResult("found", Artifact(str(folder), known), identity, clean(str(folder / REPACKED)))


def manifest(dataset: Artifact, labels: Artifact) -> Path:
    """Return the manifest: that of a data set which has its own, or that of the need `labels`."""
    own = dataset.read(DataFacts).labels
    return dataset.folder / own if own else labels.folder / (labels.read(DataFacts).labels or MANIFEST)
