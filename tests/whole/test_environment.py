"""A backend in a version that is not installed: an environment of its own, built once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.whole.command import SHORT, inferdeck, measured

TAGS = "--tags=app,mlperf,inference,reference,python,_resnet50,_cpu,_patterns-net,_test"
ANOTHER = "--adr.onnxruntime.version=>=1.20,<1.21"


@pytest.mark.slow
def test_another_version_runs_in_an_environment_that_is_made_once(tmp_path: Path) -> None:
    words = ("run", TAGS, ANOTHER, "--scenarios=Offline", f"--output_dir={tmp_path / 'out'}", *SHORT)
    assert measured(tmp_path, *words)["Offline", "performance"]["value"] > 0
    (kept,) = (tmp_path / "out").rglob("run.json")
    told = json.loads(kept.read_text())
    assert "1.20." in json.dumps(told), "the run says with what it was made"
    status, out, _ = inferdeck(tmp_path, "plan", TAGS, ANOTHER, "--json")
    assert status == 0
    assert json.loads(out)["nodes"]["onnxruntime"]["state"] == "cached"


def test_a_version_that_nobody_has_is_refused_with_the_reason_before_anything_runs(tmp_path: Path) -> None:
    status, out, err = inferdeck(tmp_path, "run", TAGS, "--adr.onnxruntime.version=<0.1", "--json")
    if status == 1 and "the package index does not answer" in out:
        pytest.skip("the package index can't be reached from here")
    assert status == 2, err
    assert "onnxruntime: onnxruntime<0.1 is not available for Python 3." in err
    assert json.loads(inferdeck(tmp_path, "jobs", "--json")[1]) == []
    assert not (tmp_path / "store" / "entries").exists() or not list((tmp_path / "store" / "entries").iterdir())
