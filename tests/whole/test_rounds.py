"""A whole submission of the offline demonstration in four rounds: measured, generated, truncated, checked, zipped."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.whole.command import SHORT, inferdeck

ROUNDS = {
    "v2.1": set(),
    "v4.1": {"performance.min_duration", "performance.samples_per_query"},
    "v5.1": {"performance.min_duration", "performance.samples_per_query"},
    "v6.0": {"accuracy.data_set", "performance.min_duration"},
}
"""Round → the rules for which it rejects short runs on few samples; everything else it has to accept."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all rounds: images, samples and the model are made once."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize("name", ROUNDS)
def test_a_submission_of_the_demonstration(name: str, home: Path, tmp_path: Path) -> None:
    results, tree, chosen = tmp_path / "results", tmp_path / "tree", f"--round={name}"
    words = ("demo", "--offline", chosen, "--scenarios=Offline", f"--output_dir={results}", *SHORT, "--plain")
    status, said, err = inferdeck(home, *words)
    assert status == 0, f"{said}\n{err}"
    for command in (
        ("submission", "generate", str(results), f"--out={tree}", chosen),
        ("submission", "truncate", str(tree), f"--backup={tmp_path / 'whole'}", chosen),
    ):
        status, said, err = inferdeck(home, *command)
        assert status == 0, f"{said}\n{err}"
    status, report, err = inferdeck(home, "submission", "check", str(tree), "--json", chosen)
    found = json.loads(report)
    assert {one["rule"] for one in found["findings"] if one["severity"] == "error"} == ROUNDS[name], err
    assert status == bool(ROUNDS[name])
    assert [one["metric"] is not None for one in found["results"]] == [not ROUNDS[name]]
    status, said, err = inferdeck(home, "submission", "zip", str(tree), f"--out={tmp_path / 'it.zip'}", chosen)
    assert status == 0, f"{said}\n{err}"
    names = zipfile.ZipFile(tmp_path / "it.zip").namelist()
    head = "tree/open/demonstration"
    result = f"{head}/results/demo-offline/resnet50/Offline"
    beside = result if name == "v6.0" else f"{head}/measurements/demo-offline/resnet50/Offline"
    assert f"{result}/performance/run_1/mlperf_log_detail.txt" in names
    assert f"{beside}/user.conf" in names
    assert (f"{beside}/mlperf.conf" in names) is (name < "v5.0")
    assert f"{result}/measurements.json" in names or name != "v6.0"
    assert any(one.startswith(f"{head}/{'src' if name == 'v6.0' else 'code'}/resnet50/") for one in names)
