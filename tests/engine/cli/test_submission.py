"""`inferdeck submission check` on the command line."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.submission.checker.report import COLUMNS
from tests.engine.submission.base_tree import SUBMITTER, SYSTEMS, write_system
from tests.engine.submission.checker.faults import described, fields, result_of, says

LOG = f"{result_of('open', 'Offline')}/performance/run_1/mlperf_log_detail.txt"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path / "home"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name in ("open", "both"):
        write_system(root, SYSTEMS[name])
    return root


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["submission", "check", *words])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_clean_tree(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, str(tree), "--round", "v2.1")
    assert status == 0
    assert "7 results: 7 pass, 0 fail · 0 errors, 0 warnings, 0 notes" in out
    assert "pass: under the rules of round v2.1 this tree would pass" in out
    line = next(line for line in out.splitlines() if "SingleStream" in line and "closed/" in line)
    assert line.split()[1:5] == ["resnet50", "SingleStream", "pass", "2.5"]
    assert line.endswith("0.501 J")


def test_a_fault_is_shown_at_its_place(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    says(effective_performance_sample_count=20)(tree / LOG)
    fields(cooling="")(tree / described("open"))
    status, out, _ = said(capsys, str(tree))
    assert status == 1
    lines = [line.strip() for line in out.splitlines()]
    place = lines.index("results/open/resnet50/Offline/performance/run_1")
    assert lines[place + 1] == "mlperf_log_detail.txt"
    wanted = "effective_performance_sample_count 20 (expected: at least 1024)"
    assert lines[place + 2] == f"error performance.sample_count: {wanted}"
    assert lines[place + 3] == "raise performance_sample_count"
    assert "warning system.field_empty: cooling (expected: values, or N/A)" in lines
    assert "7 results: 6 pass, 1 fail · 1 error, 2 warnings, 0 notes" in out
    assert lines[-1] == "fail: under the rules of round v2.1 this tree would be rejected"


def test_json(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    says(result_validity="INVALID")(tree / LOG)
    status, out, _ = said(capsys, str(tree), "--json", "--submitter", SUBMITTER)
    assert status == 1
    found = json.loads(out)
    assert found["verdict"] == "fail"
    assert {one["path"]: one["verdict"] for one in found["results"]}[result_of("open", "Offline")] == "fail"
    assert [one["rule"] for one in found["findings"]] == ["performance.validity", "performance.summary"]
    assert found["findings"][0]["path"] == LOG


def test_csv(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, _ = said(capsys, str(tree), f"--csv={tmp_path / 'summary.csv'}")
    assert status == 0
    with (tmp_path / "summary.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 1 + 3 + 4 * 2


def test_strictness(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields(cooling="")(tree / described("open"))
    assert said(capsys, str(tree))[0] == 0
    assert said(capsys, str(tree), "--strict")[0] == 1


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ((), "takes one folder, 0 given"),
        (("a", "b"), "takes one folder, 2 given"),
        (("nothing-there",), "there is no folder"),
        ((".", "--rounds", "v2.1"), "did you mean '--round'"),
        ((".", "--round"), "needs a value"),
        ((".", "--submitter", "--json"), "needs a value"),
        ((".", "--round", "v2.2"), "there is no round 'v2.2'"),
    ],
)
def test_wrong_words(words: tuple[str, ...], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = said(capsys, *words)
    assert status == 2
    assert what in err
    assert out == ""


@pytest.mark.parametrize("words", [[], ["chek"], ["--strict"]])
def test_unknown_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submission", *words]) == 2
    assert "submission has no command" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "report", "truncate", "zip"])
def test_a_submitter_that_the_tree_lacks_is_named(tree: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main(["submission", command, str(tree), f"--submitter={SUBMITTER.upper()}x"]) == 2
    assert f"did you mean '{SUBMITTER}'?" in capsys.readouterr().err


def test_a_csv_that_cannot_be_written(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, str(tree), f"--csv={tmp_path / 'nowhere' / 'x.csv'}")[0] == 1


def test_names_cannot_steer_the_terminal(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "open" / SUBMITTER / "code" / "resnet50" / "\x1b[31m.txt").write_text("x")
    (tree / "open" / SUBMITTER / "code" / "resnet50" / " \x1b[31m").write_text("x")
    assert "\x1b" not in said(capsys, str(tree))[1]


def test_checking_imports_nothing_heavy(tree: Path) -> None:
    run = f"main(['submission', 'check', {str(tree)!r}])"
    code = f"import sys; from engine.cli.main import main; {run}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "onnxruntime", "cv2", "onnx", "mlperf_loadgen", "rich", "requests", "psutil", "multiprocessing"}
    assert not heavy & set(done.stdout.split())
