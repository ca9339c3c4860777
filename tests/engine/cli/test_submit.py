"""`inferdeck submission generate | truncate | zip` on the command line."""

from __future__ import annotations

import csv
import shutil
import zipfile
from pathlib import Path

import pytest

from engine.cli.main import main
from tests.engine.submission.base_tree import SUBMITTER, SYSTEMS, write_system
from tests.engine.submission.checker.faults import described, fields
from tests.engine.submission.results_folder import write_run

LOG = "mlperf_log_accuracy.json"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path / "home"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A valid tree."""
    write_system(tmp_path / "tree", SYSTEMS["edge-resnet50"])
    return tmp_path / "tree"


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main(["submission", *map(str, words)])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out, err


def test_zip_says_what_it_packed(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "zip", f"{tree}/../tree/")
    assert status == 0
    files = [path for path in tree.rglob("*") if path.is_file()]
    assert f"{len(files)} files" in out
    assert f"3 results of {SUBMITTER}" in out
    with zipfile.ZipFile(f"{tree}.zip") as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"tree"}


def test_zip_refuses_what_check_refuses(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields(system_type="datacenter, edge")(tree / described("edge-resnet50"))
    status, _, err = said(capsys, "zip", tree)
    assert status == 1
    assert "the checker rejects" in err
    assert f"inferdeck submission check {tree}" in err
    assert not Path(f"{tree}.zip").exists()


@pytest.mark.parametrize("command", ["zip", "truncate"])
def test_what_is_no_tree_is_refused(tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(b"x")
    status, out, err = said(capsys, command, tmp_path / "pictures")
    assert (status, out) == (2, "")
    assert "is not a submission" in err
    assert not (tmp_path / "pictures.zip").exists()


def test_a_name_that_no_zip_can_hold_is_named(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path(str(tree / "closed" / SUBMITTER / "code" / "x") + "\udce9").write_text("x")
    status, _, err = said(capsys, "zip", tree)
    assert status == 1
    assert "x\\xe9 is not UTF-8" in err
    assert [path.name for path in tree.parent.iterdir() if path.is_file()] == []


def test_truncate_says_where_the_whole_logs_are(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = next(tree.rglob(f"accuracy/{LOG}"))
    log.write_bytes(b"{" * 20_000)
    status, out, _ = said(capsys, "truncate", tree)
    assert status == 0
    assert f"1 truncated; full logs are in {tree}-whole-logs" in out
    assert next(Path(f"{tree}-whole-logs").rglob(LOG)).read_bytes() == b"{" * 20_000
    status, _, err = said(capsys, "truncate", tree, f"--submitter={SUBMITTER.lower()}")
    assert status == 2
    assert f"did you mean '{SUBMITTER}'" in err
    shutil.rmtree(tree / "closed" / SUBMITTER / "results")
    shutil.rmtree(tree / "closed" / SUBMITTER / "compliance")
    assert "holds no accuracy log" in said(capsys, "truncate", tree)[1]


def test_generate_again_and_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results"
    write_run(results, "demo-offline", "resnet50", "Offline", {"notice": "a demonstration"})
    for words in (["generate", results], ["truncate", results / "submission"], ["generate", results]):
        status, out, err = said(capsys, *words)
        assert status == 0, err
    assert said(capsys, "generate", results, f"--out={results / 'other'}")[0] == 0
    status, out, err = said(capsys, "generate", results)
    assert status == 0, err
    assert "1 result of demo-offline" in out
    assert "submitted:\n- it holds a result that is a demonstration\n" in out
    status, _, err = said(capsys, "generate", results / "submission")
    assert status == 2
    assert "holds no results" in err


def test_a_report_of_names_that_are_no_text(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tree / "closed" / SUBMITTER / "results"
    (results / "edge-resnet50").rename(str(results / "b") + "\udcfcx")
    (tmp_path / "link.csv").symlink_to("table.csv")
    status, out, _ = said(capsys, "report", tree, f"--csv={tmp_path / 'link.csv'}")
    assert status == 0
    assert "b\\xfcx" in out
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        assert {row["system"] for row in csv.DictReader(file)} == {"b\\xfcx"}
    assert (tmp_path / "link.csv").is_symlink()


def test_a_cell_of_a_report_is_no_formula(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields(system_name="=cmd|' ,C calc'!A0")(tree / described("edge-resnet50"))
    assert said(capsys, "check", tree, f"--csv={tmp_path / 'table.csv'}")[0] == 0
    with (tmp_path / "table.csv").open(newline="") as file:
        assert {row["SystemName"] for row in csv.DictReader(file)} == {"'=cmd|' ,C calc'!A0"}
