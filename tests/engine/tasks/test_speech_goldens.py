"""Features and word error rates held against the rules' own scripts (speech_recognition/rnnt, v2.1), run once.

speech_goldens.json has what they gave on generated audio and answers: log-mel before splicing, and the features, at 48
places each, computed by pytorch/parts/features.py with torch 2.13 and librosa 0.11; and the lines that accuracy_eval.py
printed for each kind of log.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.backends.base import Array
from engine.mlperf_logs import accuracy_log as accuracy
from engine.tasks import speech_recognition as task
from engine.tasks.speech_features import Features, rows
from tests.engine.tasks import speech_cases as cases

GOLDENS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "speech_goldens.json").read_text())
COUNT = 60
PLACES = 48


def sampled(values: Array) -> Array:
    found: Array = values.ravel()[np.linspace(0, values.size - 1, PLACES).astype(int)]
    return found


@pytest.mark.parametrize("case", GOLDENS["features"])
def test_features_are_the_reference_s(case: str) -> None:
    golden, (seed, samples) = GOLDENS["features"][case], map(int, case.split())
    audio, features = cases.audio(seed, samples), Features(80)
    mel, found = features.log_mel(audio), features.of(audio)
    assert (len(mel), found.shape) == (1 + samples // 160, (golden["rows"], 240))
    assert found.dtype == np.float32
    assert rows(np.array([samples])).tolist() == [golden["rows"]]
    np.testing.assert_allclose(sampled(mel[: 1 + (samples - 1) // 160]), golden["log_mel"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(sampled(found), golden["features"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", cases.KINDS)
@pytest.mark.parametrize("seed", GOLDENS["scores"])
def test_the_score_is_what_the_script_prints(tmp_path: Path, seed: str, kind: str) -> None:
    entries = cases.entries(int(seed), COUNT)
    labels, log = tmp_path / "manifest.json", tmp_path / "log.json"
    labels.write_text(json.dumps(entries))
    accuracy.write_log(log, cases.records(kind, int(seed), [one["transcript"] for one in entries]))
    found = task.score(log, labels)
    assert found.text == GOLDENS["scores"][seed][kind]
    assert f"accuracy={found.value}%" in found.text
