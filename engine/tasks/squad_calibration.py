"""Calibration samples for question answering: those of the rules, or generated ones.

The rules have two lists of SQuAD's dev set, a hundred features by their indices or a hundred questions; one of them
may be used (MLPerf Inference v2.1, calibration/SQuAD-v1.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from engine.errors import DataError
from engine.step import Options, Step
from engine.store.files import disk_errors, read_plain
from engine.tasks import squad
from engine.tasks.question_answering import write
from engine.tasks.squad_files import Sources
from engine.tasks.wordpiece import Tokenizer, Vocabulary

CHOSEN = "chosen.txt"
"""Index and question of each selected feature, one a line."""

RULES_LISTS = {"81fa69eb66f72831edccb624133bb4b3": "features", "1e44e78ac31349a6c5a688f629449a74": "questions"}
"""By MD5: bert_calibration_features.txt and bert_calibration_qas_ids.txt of the rules."""

_PUBLISHED = "take the list as the rules publish it, with the questions and the vocabulary that it is about"


class ChosenOptions(Options, frozen=True, kw_only=True):
    """The list of features."""

    by: Literal["features", "questions"]
    """A line is the index of a feature, or the id of a question, all of whose features are taken."""
    md5: str | None
    filename: str


def chosen(step: Step) -> dict[str, Any]:
    """Write the features that the dependency `list` names, of the dependencies `dataset` and `vocabulary`, as a sample
    set.

    Facts: `arrays` as engine.tasks.question_answering.prepare makes them,
    int64, `labels` (the selection), `count`, and `what` and `by_rules` for the measurements file. Raises DataError
    naming a line of the list without a match.
    """
    options = step.read_options(ChosenOptions)
    listed = step.inputs["list"].folder / options.filename
    sources = Sources.of(step.inputs["dataset"], step.inputs["vocabulary"])
    questions = squad.read(sources.questions)
    tokenizer = Tokenizer(Vocabulary.read(sources.vocabulary))
    features = list(squad.features(questions, tokenizer))
    names = [questions[one.question].id for one in features]
    places = (_by_feature if options.by == "features" else _by_question)(listed, names)
    facts = write(step.output, [features[place] for place in places], tokenizer, "int64", listed)
    _write_chosen(step.output, places, names)
    by_rules = RULES_LISTS.get(options.md5 or "") == options.by
    whose = "the rules'" if by_rules else "a"
    what = f"features of {whose} calibration list, {listed.name} (SQuAD v1.1 dev)"
    return {**facts, "labels": CHOSEN, "what": what, "by_rules": by_rules}


def generated(step: Step) -> dict[str, Any]:
    """Write all features of generated questions, of the needs `dataset` and `vocabulary`, as a sample set.

    Facts: those of `chosen`; `by_rules` is false. Raises DataError for a file that is something else.
    """
    sources = Sources.of(step.inputs["dataset"], step.inputs["vocabulary"])
    questions = squad.read(sources.questions)
    tokenizer = Tokenizer(Vocabulary.read(sources.vocabulary))
    features = list(squad.features(questions, tokenizer))
    facts = write(step.output, features, tokenizer, "int64", sources.questions)
    names = [questions[one.question].id for one in features]
    _write_chosen(step.output, range(len(features)), names)
    what = f"features of {len(questions)} generated questions that no test set has"
    return {**facts, "labels": CHOSEN, "what": what, "by_rules": False}


def _write_chosen(folder: Path, places: Iterable[int], names: Sequence[str]) -> None:
    lines = "".join(f"{place} {names[place]}\n" for place in places)
    with disk_errors(folder):
        (folder / CHOSEN).write_text(lines, encoding="utf-8")


def _by_feature(listed: Path, names: Sequence[str]) -> list[int]:
    found = []
    for number, line in _lines(listed):
        if not line.isdecimal() or int(line) >= len(names):
            raise DataError(f"{listed}:{number}: '{line[:40]}' is no feature: there are {len(names)}", _PUBLISHED)
        found.append(int(line))
    return found


def _by_question(listed: Path, names: Sequence[str]) -> list[int]:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    found = []
    for number, line in _lines(listed):
        if line not in places:
            raise DataError(f"{listed}:{number}: there is no question '{line[:40]}'", _PUBLISHED)
        found += places[line]
    return found


def _lines(listed: Path) -> list[tuple[int, str]]:
    """Return the lines that are not blank, with their numbers. Raises DataError if there are none."""
    try:
        text = read_plain(listed).decode("ascii")
    except OSError as error:
        raise DataError(f"{listed}: the list cannot be read: {error.strerror}", _PUBLISHED) from error
    except UnicodeDecodeError:
        raise DataError(f"{listed} is no list of features or questions", _PUBLISHED) from None
    found = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not found:
        raise DataError(f"{listed} names nothing", _PUBLISHED)
    return found
