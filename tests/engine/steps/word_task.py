"""A test task with variable-length text responses: the letters of a sample as int64, as in RNN-T."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.mlperf_logs import accuracy_log as accuracy
from engine.tasks.base import Score


def score(log: Path, labels: Path) -> Score:
    """Return the fraction of correct letters over the answered samples: one line of labels each."""
    texts = labels.read_text().splitlines()
    answers: dict[int, str] = {}
    for record in accuracy.records(log):
        letters = np.frombuffer(record.data, np.int64)
        answers.setdefault(record.qsl_idx, "".join(map(chr, letters)))
    total = sum(len(texts[index]) for index in answers)
    wrong = sum(a != b for index, text in answers.items() for a, b in zip(texts[index], text, strict=True))
    rate = wrong / total
    text = f"Word Error Rate: {rate:.6%}, accuracy={1 - rate:.6%}\n"
    return Score(text=text, metric="WER", value=100 * (1 - rate), good=total - wrong, total=total)
