"""`inferdeck results pin | archive | restore | delete | import`: what is kept, what goes, and what is said before."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.explore.history import all_runs, archived_runs
from engine.jobs import control, jobs, places
from tests.engine.explore import history
from tests.engine.submission.results_folder import write_run
from tests.helpers import folders_in


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two jobs."""
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path))
    folders = folders_in(tmp_path)
    history.job(folders, rate=100.0)
    history.job(folders, "--max_batch=8", rate=110.0)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run `inferdeck results WORDS`; return status, output and errors."""
    status = main(["results", *words])
    out, err = capsys.readouterr()
    return status, out, err


def names(home: Path) -> list[str]:
    return [run.id for run in all_runs(folders_in(home))]


def test_a_pinned_run_is_what_others_are_compared_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "compare", "r-0002/Offline")[0] == 2
    assert "is the baseline of resnet50 Offline" in said(capsys, "pin", "r-0001/Offline")[1]
    _, out, _ = said(capsys, "list", "--columns=run,change")
    assert "pinned" in out
    assert "+10.0" in out
    status, out, _ = said(capsys, "compare", "r-0002/Offline", "--fail-if=throughput<-3%")
    assert status == 0
    assert out.index("r-0001/Offline") < out.index("r-0002/Offline")
    assert "instead of r-0001/Offline" in said(capsys, "pin", "r-0002/Offline")[1]
    assert "r-0002/Offline" in said(capsys, "pin")[1]
    assert "was pinned" in said(capsys, "pin", "r-0001/Offline", "--remove")[1]
    assert "no run is pinned" in said(capsys, "pin")[1]


def test_an_archived_job_is_out_of_the_lists_and_comes_back(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = folders_in(home)
    assert said(capsys, "archive", "2")[0] == 0
    assert names(home) == ["r-0001/Offline"]
    assert [run.id for run in archived_runs(folders)] == ["r-0002/Offline"]
    assert "r-0002/Offline" in said(capsys, "list", "--archived")[1]
    spec = jobs.all_jobs(folders)[0].spec
    assert control.create(folders, spec).name == "r-0003"  # its number stays its own
    assert said(capsys, "restore", "r-0002")[0] == 0
    assert "r-0002/Offline" in names(home)


def test_deleting_says_what_is_lost_and_asks(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    status, out, err = said(capsys, "delete", "r-0001")
    assert (status, "--yes confirms it" in err) == (2, True)
    assert "deletes r-0001 with its run (r-0001/Offline) for good" in out
    assert len(names(home)) == 2
    assert said(capsys, "delete", "r-0001/Offline", "--yes")[0] == 0
    assert names(home) == ["r-0002/Offline"]
    assert said(capsys, "delete", "r-0009", "--yes")[0] == 2


def test_a_running_job_is_not_removed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from engine.store.files import locked

    with locked(folders_in(home).jobs / "r-0001" / places.LOCK):
        status, _, err = said(capsys, "archive", "r-0001")
    assert (status, "r-0001 is running" in err) != (0, False)
    assert len(names(home)) == 2


def test_results_of_another_machine_are_listed_beside_ours(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    folder = history.job(folders_in(other), "--modes=performance,accuracy", rate=300.0)
    results = tmp_path / "box-2"
    for step in sorted((folder / "steps").glob("loadgen-run*")):
        mode = "accuracy" if "accuracy" in step.name else "performance"
        (results / "sys" / "resnet50" / "Offline").mkdir(parents=True, exist_ok=True)
        (step / "output").rename(results / "sys" / "resnet50" / "Offline" / mode)
    (results / "sys/resnet50/Offline/accuracy/accuracy.txt").write_text("accuracy=75.500%, good=755, total=1000\n")
    status, out, _ = said(capsys, "import", str(results))
    assert status == 0
    assert "box-2/Offline" in out
    found = next(run for run in all_runs(folders_in(home)) if run.id == "box-2/Offline")
    assert found.figures["samples_per_second"] == pytest.approx(300.0)
    assert found.benchmark == "resnet50"
    _, out, _ = said(capsys, "list", "--format=json", "--filter=box-2")
    assert json.loads(out)[0]["figures"]["accuracy"]["value"] == pytest.approx(75.5)
    assert said(capsys, "import", str(results))[0] == 2  # there already
    assert said(capsys, "delete", "box-2", "--yes")[0] == 0
    assert len(names(home)) == 2


def test_damaged_and_foreign_files_of_an_import_are_told_and_links_not_followed(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "odd"
    write_run(results, "sys", "resnet50", "Server")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (results / "sys" / "resnet50" / "Server" / "performance" / "spec.json").symlink_to(secret)
    assert said(capsys, "import", str(results), "--name=odd")[0] == 0
    found = next(run for run in all_runs(folders_in(home)) if run.id == "odd/Server")
    assert found.damage
    assert not list((home / "state" / "imported").rglob("spec.json"))
    assert not list((home / "state" / "imported").rglob("mlperf_log_accuracy.json"))


@pytest.mark.parametrize("name", ["../x", "r-0001", "a b", ""])
def test_a_name_that_is_no_import_is_refused(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "odd", "sys", "resnet50", "Server")
    assert said(capsys, "import", str(tmp_path / "odd"), f"--name={name}")[0] == 2
    assert said(capsys, "import", str(tmp_path), "--name=fine")[0] == 0
    empty = tmp_path / "empty"
    empty.mkdir()
    assert said(capsys, "import", str(empty), "--name=other")[0] != 0
