"""Calibration samples of the rules for RNN-T: 500 utterances of LibriSpeech's train-clean-100, each by its WAV file.

The list is calibration/LibriSpeech/calibration_files.txt of MLPerf Inference v2.1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.step import Options, Step, SurveyContext, SurveyResult
from engine.store.files import disk_errors, read_plain
from engine.tasks import speech_files
from engine.text import clean

CHOSEN = "chosen.txt"
"""The utterances, one a line."""

RULES_LIST = "86f87b989fe7dafe815c07beb8f6aeef"
"""MD5 of the rules' list."""

_PUBLISHED = "take the list as the rules publish it"


class ListOptions(Options, frozen=True, kw_only=True):
    """Which list it is."""

    md5: str
    filename: str


def survey(context: SurveyContext) -> SurveyResult:
    """Say in what state a person's own files are; `missing` where they are FLAC and soundfile is not installed."""
    return speech_files.survey_tree(context, speech_files.TRAINING)


def chosen(step: Step) -> dict[str, Any]:
    """Write the utterances that the need `list` names, of the need `dataset`, as a sample set.

    Options: `md5` of the list and `filename` of it. Facts: `arrays` as engine.tasks.speech_recognition.prepare makes
    them, `labels` (what was chosen), `count`, and `what` and `by_rules` for the measurements file. Raises DataError
    naming the file that is not there or no such audio.
    """
    from engine.tasks.speech_recognition import audio, write  # noqa: PLC0415  (it imports numpy: a plan must be instant)

    options = step.read_options(ListOptions)
    listed = step.inputs["list"].folder / options.filename
    names = _names(listed)
    tree = speech_files.opened(step.inputs["dataset"], speech_files.TRAINING)
    found = [audio(listed, name, tree) for name in names]
    facts = write(step, found, [len(one) for one in found])
    with disk_errors(step.output):
        (step.output / CHOSEN).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    by_rules = options.md5 == RULES_LIST
    whose = "the rules'" if by_rules else "a"
    what = f"utterances of {whose} calibration list, {listed.name} (LibriSpeech)"
    return {**facts, "labels": CHOSEN, "what": what, "by_rules": by_rules}


def _names(listed: Path) -> list[str]:
    """Return the lines that are not blank. Raises DataError where there are none, or one is no file of the part."""
    try:
        lines = read_plain(listed).decode("ascii").split()
    except OSError as error:
        raise DataError(f"{listed}: the list cannot be read: {error.strerror}", _PUBLISHED) from error
    except UnicodeDecodeError:
        raise DataError(f"{listed} is no list of utterances", _PUBLISHED) from None
    wrong = [one for one in lines if not one.startswith(speech_files.TRAINING + speech_files.WAV + "/") or ".." in one]
    if wrong or not lines:
        raise DataError(f"{listed}: {clean(wrong[0][:60]) if wrong else 'it names nothing'}", _PUBLISHED)
    return lines
