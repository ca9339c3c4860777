"""The Whisper of a package on ten recorded utterances; skipped where the package index cannot be reached."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.whole.command import inferdeck

TAGS = "--tags=app,mlperf,inference,reference,python,_whisper,_onnxruntime,_cpu,_whisper-tiny-en,_accuracy-only,_test"


@pytest.mark.slow
def test_ten_recorded_utterances_are_written_down(tmp_path: Path) -> None:
    words = ("run", TAGS, "--round=v5.1", "--scenarios=Offline", "--adr.workers.seconds=1")
    status, out, err = inferdeck(tmp_path, *words, f"--output_dir={tmp_path / 'out'}", "--env.CM_SUT_NAME=demo-offline")
    if status and not list(tmp_path.glob("store/entries/package-data-*")):
        pytest.skip(f"no package index: {err[-200:]}")
    assert status == 0, f"{out}\n{err}"
    found = next((tmp_path / "out").rglob("accuracy.txt")).read_text()
    assert found.startswith("Word Error Rate: 5.49"), "5 of 91 words, as by the rules' accuracy_eval.py"
    rows = json.loads(next((tmp_path / "out").rglob("mlperf_log_accuracy.json")).read_text())
    assert len(rows) == 10
    assert all(row["token_count"] > 1 for row in rows)
