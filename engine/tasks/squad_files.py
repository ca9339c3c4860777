"""SQuAD's questions and vocabularies: on this machine, from a package, or from the shipped profiles.

Downloads are done by engine.steps.download; the surveys here find files that need none. Plans import this module, so it
imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any, Literal, NamedTuple

from engine.errors import DataError
from engine.facts import DataFacts, PackageFacts
from engine.step import Artifact, Options, Step, SurveyContext, SurveyResult
from engine.store.files import disk_errors, read_plain
from engine.text import clean

LABELS = "dev-v1.1.json"
"""The questions of a sample set, with their correct answers."""
VOCABULARY = "vocab.txt"
"""The vocabulary of a sample set's tokens."""

FEATURES = 10_833
"""Samples of the rules' dev set."""
MOST_BYTES = 1 << 26
"""Maximum size of a vocabulary: that of BERT-Large has 232 kB."""

_MODELS = "models"
"""Folder of shipped models and their vocabularies in a profile folder."""
_ID_BYTES = {"int64": 8, "int32": 4}
_USUAL_TOKENS = 180
"""Average of a question with its context in SQuAD's dev set."""
_SECONDS_PER_QUESTION = 0.0005


class Sources(NamedTuple):
    """The raw data files of a sample set."""

    questions: Path
    vocabulary: Path

    @classmethod
    def of(cls, dataset: Artifact, vocabulary: Artifact) -> Sources:
        """Return the files of the two artifacts: `labels` of their facts, or the default name."""
        return cls(
            dataset.folder / (dataset.read(DataFacts).labels or LABELS),
            vocabulary.folder / (vocabulary.read(DataFacts).labels or VOCABULARY),
        )


class FeatureOptions(Options, frozen=True, kw_only=True):
    """Which features are made."""

    count: int | None
    """The first questions; None for all."""
    dtype: Literal["int32", "int64"]


class QuestionsOptions(Options, frozen=True, kw_only=True):
    """Where the user's file or its folder is."""

    path: str | None


class VocabularyOptions(QuestionsOptions, frozen=True, kw_only=True):
    """Where the user's vocabulary is, and which is needed."""

    md5: str


class ShippedOptions(Options, frozen=True, kw_only=True):
    """The vocabulary of a shipped model."""

    file: str


def survey_samples(context: SurveyContext) -> SurveyResult:
    """Estimate size and time of a sample set; the identities of both dependencies cover its content."""
    dataset = context.inputs["dataset"] or Artifact("", dict(context.expected_facts.get("dataset", {})))
    options = context.read_options(FeatureOptions)
    count = min((one for one in (options.count, dataset.read(DataFacts).count) if one), default=None)
    if count is None:
        return SurveyResult("run")
    size = count * _USUAL_TOKENS * 3 * _ID_BYTES[options.dtype]
    return SurveyResult("run", disk_bytes=size, seconds=1 + count * _SECONDS_PER_QUESTION)


def survey_questions(context: SurveyContext) -> SurveyResult:
    """Find dev-v1.1.json at the user's option `path`: the file, or its folder. Otherwise it is downloaded."""
    given = context.read_options(QuestionsOptions).path
    if not given:
        return SurveyResult("run", expected_facts={"count": FEATURES})
    path = _named(given, LABELS)
    return _found(path) or SurveyResult("missing", text=f"there is no {clean(str(path))}", remedy=_questions_remedy())


def _questions_remedy() -> str:
    return f"--env.SQUAD_PATH=DIR, a folder with {LABELS}; without it the file is fetched"


def survey_vocabulary(context: SurveyContext) -> SurveyResult:
    """Find vocab.txt at the user's option `path`; if the folder has none it is downloaded.

    Option `md5`: that of the model's vocabulary. A file with another checksum is of another model: `conflict`.
    """
    given = context.read_options(QuestionsOptions).path
    if not given:
        return SurveyResult("run")
    path = _named(given, VOCABULARY)
    found = _found(path)
    if found is None and path.name == VOCABULARY:
        return SurveyResult("run", text=f"no {clean(str(path))}: it is fetched")
    if found is None:
        return SurveyResult(
            "missing", text=f"there is no {clean(str(path))}", remedy="check the path of the vocabulary"
        )
    md5 = hashlib.md5(_read(path), usedforsecurity=False).hexdigest()
    wanted = context.read_options(VocabularyOptions).md5
    if md5 != wanted:
        return SurveyResult(
            "conflict",
            text=f"{clean(str(path))} is the vocabulary of another model: its MD5 is {md5}, not {wanted}",
            remedy=f"remove it: the right one is fetched; for a model of your own {_OWN}",
        )
    return found


_OWN = "--adr.squad-vocab.tags=_own --env.SQUAD_VOCAB_PATH=FILE"


def survey_own_vocabulary(context: SurveyContext) -> SurveyResult:
    """Use the vocabulary at the user's option `path`; its content is read when samples are made."""
    given = context.read_options(QuestionsOptions).path
    if not given:
        return SurveyResult(
            "missing", text="no vocabulary is named", remedy="--env.SQUAD_VOCAB_PATH=FILE, one token a line"
        )
    path = _named(given, VOCABULARY)
    missing = SurveyResult("missing", text=f"there is no {clean(str(path))}", remedy="check --env.SQUAD_VOCAB_PATH")
    return _found(path) or missing


def _named(given: str, name: str) -> Path:
    """Return the file that the user gave, directly or by its folder."""
    path = Path(given).expanduser().absolute()
    return path / name if path.is_dir() or not path.suffix else path


def _found(path: Path) -> SurveyResult | None:
    """Return the result for an existing regular file; None if there is none."""
    if not path.is_file():
        return None
    state = path.stat()
    identity = f"{path} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}"
    return SurveyResult(
        "found", Artifact(str(path.parent), {"labels": path.name}), identity=identity, text=clean(str(path))
    )


def _read(path: Path) -> bytes:
    try:
        return read_plain(path, MOST_BYTES)
    except OSError as error:
        raise DataError(f"{path}: the vocabulary cannot be read: {error.strerror}", "check its permissions") from error


def packaged(step: Step) -> dict[str, Any]:
    """Take the questions from the dependency `package`, one JSON file. Facts: `labels`. Raises DataError."""
    package = step.inputs["package"]
    files = [name for name in package.read(PackageFacts).files if name.endswith(".json")]
    if len(files) != 1:
        raise DataError(f"{package.path} has {len(files)} JSON files, not one", "name the one member with questions")
    with disk_errors(step.output):
        shutil.copyfile(package.folder / files[0], step.output / LABELS)
    return {"labels": LABELS}


def shipped_vocabulary(step: Step) -> dict[str, Any]:
    """Take the vocabulary of a shipped model, option `file`, from the profiles. Facts: `labels`. Raises DataError."""
    source = step.profiles[0] / _MODELS / step.read_options(ShippedOptions).file
    data = _read(source)
    with disk_errors(step.output):
        (step.output / VOCABULARY).write_bytes(data)
    return {"labels": VOCABULARY}
