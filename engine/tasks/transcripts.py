"""Accuracy logs of speech: symbols of an alphabet → text → word error rate, as the rules' accuracy_eval.py has it.

A response is one int64 for each symbol, none for silence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from engine.errors import DataError
from engine.mlperf_logs import accuracy_log as accuracy
from engine.tasks.base import Score
from engine.tasks.speech_manifest import Utterance

SYMBOL_BYTES = 8

POOR_WER = 75.0
"""Per cent; models of the rules reach less than 10, and one that answers nothing 100."""

_MEASURED = "score with the sample set that was measured"

WordErrors = Callable[[str, str], tuple[int, int]]
"""An answer and the transcript → errors, and words of the transcript."""


def score_of(
    log: Path, labels: Path, utterances: Sequence[Utterance], alphabet: str, count: WordErrors, *, poor: str
) -> Score:
    """Return the word error rate over the utterances that a log answers; the first answer to each counts.

    The value is 100 % less that rate, below zero where there are more errors than words; the rate is the figure `wer`.
    `labels` is the file of the utterances, `poor` what may cause a rate of POOR_WER or more. Raises DataError for a
    malformed log, a response that is no int64 symbols of the alphabet, and a log that answers no word.
    """
    answers: dict[int, str] = {}
    for record in accuracy.records(log):
        index = record.qsl_idx
        if not 0 <= index < len(utterances):
            what = f"{log}: sample {index} is no utterance of {labels}, which has {len(utterances)}"
            raise DataError(what, _MEASURED)
        if index not in answers:
            what = f"{log}: the answer for sample {index} ({utterances[index].name})"
            answers[index] = _text(record.data, alphabet, what)
    counted = [count(text, utterances[index].transcript) for index, text in answers.items()]
    wrong, words = sum(one for one, _ in counted), sum(one for _, one in counted)
    if not words:
        raise DataError(f"{log}: no word was to be answered", "run in accuracy mode again")
    rate = wrong / words
    value = (1 - rate) * 100
    return Score(
        text=f"Word Error Rate: {rate * 100}%, accuracy={value}%\n",
        metric="accuracy",
        value=value,
        good=None,
        total=len(answers),
        figures={"wer": rate * 100},
        warning=poor if 100 * rate >= POOR_WER else "",
    )


def _text(data: bytes, alphabet: str, what: str) -> str:
    """Return the text of a response."""
    if len(data) % SYMBOL_BYTES:
        raise DataError(f"{what} has {len(data)} bytes: no whole int64 numbers", _MEASURED)
    symbols = np.frombuffer(data, "<i8").tolist()
    if symbols and not 0 <= min(symbols) <= max(symbols) < len(alphabet):
        strange = next(one for one in symbols if not 0 <= one < len(alphabet))
        raise DataError(f"{what} has the symbol {strange}; there are {len(alphabet)}", "look at the model's last layer")
    return "".join(alphabet[one] for one in symbols)
