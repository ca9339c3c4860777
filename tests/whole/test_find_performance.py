"""A target from the command line: searched, used by the run of the same job, and configured for the next one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.whole.command import inferdeck

WORDS = ("--adr.workers.seconds=1", "--scenarios=Offline", "--min_query_count=24")
TAGS = "--tags=app,mlperf,inference,reference,_patterns-net,_test"


def target_of(folder: Path) -> float:
    """Return the rate that the Offline run in a results folder was asked for."""
    spec: dict[str, Any] = json.loads((folder / "default/resnet50/Offline/performance/spec.json").read_text())
    return float(spec["settings"]["target_qps"])


def results_of(home: Path, *words: str) -> list[dict[str, Any]]:
    """Run a job and return its results; fails the test if the job failed."""
    status, out, err = inferdeck(home, "run", *words, *WORDS, "--json")
    assert status == 0, f"{out}\n{err}"
    found: list[dict[str, Any]] = json.loads(out)["results"]
    return found


@pytest.mark.slow
def test_a_searched_target_is_used_at_once_and_configured_from_then_on(tmp_path: Path) -> None:
    home, once, again = tmp_path / "home", tmp_path / "once", tmp_path / "again"
    words = (f"{TAGS},_find-performance,_performance", "--adr.target.seconds=6", "--min_duration_ms=300")
    results = results_of(home, *words, f"--output_dir={once}")
    searched = [one for one in results if one["mode"] == "find-performance"]
    assert [one["metric"] for one in searched] == ["throughput"] * (len(searched) - 1) + ["target"]
    target = searched[-1]["value"]
    assert target > max(one["value"] for one in searched[:-1])
    assert [one["mode"] for one in results][-1] == "performance"
    assert target_of(once) == target

    own = home / "config" / "profiles" / "systems" / "default.yaml"
    kept = yaml.safe_load(own.read_text())
    assert kept["runs"]["onnxruntime"]["resnet50"]["Offline"] == target
    assert kept["found"]["onnxruntime"]["resnet50"]["Offline"]["repeats"] >= 1
    results_of(home, TAGS, "--min_duration_ms=300", f"--output_dir={again}")
    assert target_of(again) == target, "the next run is configured"
    status, out, _ = inferdeck(home, "system", "show", "default")
    assert status == 0
    assert f"onnxruntime resnet50 Offline {target:g}: found on " in out
    assert inferdeck(home, "run", *words, *WORDS, f"--output_dir={once}", "--reuse", "--json")[0] == 0
