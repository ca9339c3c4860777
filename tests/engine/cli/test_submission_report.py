"""`inferdeck submission report` on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from engine.cli.main import main
from tests.engine.submission.base_tree import SUBMITTER, SYSTEMS, write_system
from tests.engine.submission.checker.faults import beside, described, fields, remove, result_of, says
from tests.engine.submission.results_folder import DESCRIPTION, rules, write_run

LOG = f"{result_of('open', 'Offline')}/performance/run_1/mlperf_log_detail.txt"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path / "home"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two systems, one of whose results draws from too few samples."""
    root = tmp_path / "tree"
    for name in ("open", "both"):
        write_system(root, SYSTEMS[name])
    says(effective_performance_sample_count=20)(root / LOG)
    return root


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run the command, which always succeeds; returns its output."""
    assert main(["submission", "report", *words]) == 0
    return capsys.readouterr().out


def test_results_stand_under_their_systems(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, str(tree)).splitlines()
    system = next(line for line in lines if line.startswith(f"open/{SUBMITTER}/open"))
    assert "the host processor" in system or "·" in system
    offline = [line.split() for line in lines if line.strip().startswith("resnet50")]
    assert offline[0][1:3] == ["MultiStream", "pass"]
    refused = next(line for line in lines if "performance.sample_count" in line and "fail" in line)
    assert refused.split()[:2] == ["Offline", "fail"], "a refused result has no figure"
    assert "error performance.sample_count" in "\n".join(lines)
    assert lines[-1] == "fail: under the rules of round v2.1 this tree would be rejected"


def test_json_and_csv_hold_the_refused_results_too(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(said(capsys, str(tree), "--json", f"--csv={tmp_path / 'results.csv'}"))
    assert len(found["results"]) == 7
    assert set(found["systems"]) == {f"open/{SUBMITTER}/results/open", f"closed/{SUBMITTER}/results/both"}
    (refused,) = [row for row in found["results"] if row["verdict"] == "fail"]
    assert (refused["benchmark"], refused["scenario"], refused["metric"]) == ("resnet50", "Offline", None)
    assert refused["broken"] == ["performance.sample_count"]
    assert [one["rule"] for one in found["findings"] if one["severity"] == "error"] == refused["broken"]
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows].count("fail") == 1
    assert {row["submitter"] for row in rows} == {SUBMITTER}


@pytest.mark.parametrize("what", ["system", "measurements", "compliance"])
def test_a_result_is_refused_for_what_lies_beside_it(tree: Path, capsys: pytest.CaptureFixture[str], what: str) -> None:
    if what == "system":
        fields(status="soon")(tree / described("both"))
    elif what == "measurements":
        next((tree / beside("both", "measurements", "Offline")).glob("*.json")).write_text("{")
    else:
        remove(tree / beside("both", "compliance", "Offline") / "TEST05" / "verify_performance.txt")
    found = json.loads(said(capsys, str(tree), "--json"))
    rule = {
        "system": "system.status",
        "measurements": "measurements.json",
        "compliance": "compliance.verify_performance",
    }
    refused = [row for row in found["results"] if row["verdict"] == "fail" and row["system"] == "both"]
    assert len(refused) == (4 if what == "system" else 1)
    assert all(row["broken"] == [rule[what]] for row in refused)


def test_what_can_never_be_handed_in_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from engine.submission.generate import Request, generate

    write_run(tmp_path / "results", "box", "resnet50", "Offline", {"style": "test"})
    generate(Request(results=tmp_path / "results", out=tmp_path / "tree", sut="box", description=DESCRIPTION), rules())
    (row,) = json.loads(said(capsys, str(tmp_path / "tree"), "--json"))["results"]
    assert row["no_submission"] == "a run of the style test, not by the rules"
    assert "a run of the style test" in said(capsys, str(tmp_path / "tree"))


@pytest.mark.parametrize("words", [(), ("a", "b"), ("nothing-there",), (".", "--rounds=v2.1")])
def test_wrong_words(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submission", "report", *words]) == 2
    assert "inferdeck: " in capsys.readouterr().err
