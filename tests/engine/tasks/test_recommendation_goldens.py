"""Scores held against the lines that the rules' accuracy-dlrm.py (v2.1, with scikit-learn 1.9.1) prints for these logs.

The script was run once, outside the project; here are its lines and the seeds of the logs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.mlperf_logs import accuracy_log as accuracy
from engine.tasks import recommendation as task


def records(seed: int, samples: int, decimals: int, twice: int) -> list[accuracy.Record]:
    """Answers in another order than the samples'; some of them once more, with the pairs turned round."""
    random = np.random.default_rng(seed)
    made = []
    for number in random.permutation(samples).tolist():
        count = int(random.choice([100, 200, 300, 700]))
        labels = (random.random(count) < 0.3).astype(np.float32)
        predictions = np.clip(0.3 * labels + random.random(count), 0, 1).round(decimals).astype(np.float32)
        made.append((number, np.stack([predictions, labels], 1)))
    made += [(number, pairs[::-1]) for number, pairs in made[:twice]]
    return [accuracy.Record(place, number, pairs.tobytes()) for place, (number, pairs) in enumerate(made)]


@pytest.mark.parametrize(
    ("seed", "samples", "decimals", "twice", "line"),
    [
        (1, 12, 7, 0, "AUC=76.115%, accuracy=59.250%, good=1896, total=3200, queries=12"),
        (2, 30, 2, 0, "AUC=75.426%, accuracy=59.663%, good=5668, total=9500, queries=30"),
        (3, 5, 1, 3, "AUC=72.738%, accuracy=59.385%, good=772, total=1300, queries=5"),
        (4, 1, 7, 0, "AUC=71.646%, accuracy=53.333%, good=160, total=300, queries=1"),
    ],
)
def test_the_line_is_that_of_the_official_script(
    tmp_path: Path, seed: int, samples: int, decimals: int, twice: int, line: str
) -> None:
    made = records(seed, samples, decimals, twice)
    accuracy.write_log(tmp_path / "log.json", made)
    lengths = {one.qsl_idx: len(one.data) // 8 for one in made}
    offsets = np.cumsum([0, *(lengths[index] for index in range(samples))], dtype=np.int64)
    np.save(tmp_path / "offsets.npy", offsets)
    assert task.score(tmp_path / "log.json", tmp_path / "offsets.npy").text == f"{line}\n"
