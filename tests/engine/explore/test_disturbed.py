"""A disturbed run is marked wherever its figures are shown, and excluded from noise estimates."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from engine.cli import results
from engine.cli.main import main
from engine.explore import export
from engine.explore.compare import compare
from engine.explore.filters import matching
from engine.explore.history import all_runs
from engine.explore.runs import find
from engine.store.folders import Folders
from tests.engine.explore import history
from tests.helpers import folders_in

TABLES: tuple[export.Format, ...] = ("text", "md", "csv")
SAID = "other processes kept 1.5 of 2 cores busy"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """One run, and a disturbed one of equal choices."""
    found = folders_in(tmp_path)
    history.job(found, rate=100.0)
    history.job(found, rate=40.0, report={"disturbed": SAID})
    return found


def test_the_mark_is_in_every_list(folders: Folders) -> None:
    runs = all_runs(folders)
    assert [(run.verdict, run.state, run.disturbed) for run in runs] == [
        ("VALID, disturbed", "VALID", SAID),
        ("VALID", "VALID", ""),
    ]
    for as_ in TABLES[:2]:
        text = export.listing(runs, as_)
        assert "VALID, disturbed" in text
        assert SAID in text
    rows = list(csv.DictReader(io.StringIO(export.listing(runs, "csv"))))
    assert [row["disturbed"] for row in rows] == [SAID, ""]
    assert [one["disturbed"] for one in json.loads(export.listing(runs, "json"))] == [SAID, ""]
    assert [run.id for run in matching(runs, "disturbed")] == ["r-0002/Offline"]


def test_the_mark_is_in_every_comparison(folders: Folders) -> None:
    runs = all_runs(folders)
    found = compare([find(runs, "1"), find(runs, "2")], runs)
    for as_ in TABLES:
        assert "VALID, disturbed" in export.comparison(found, as_)
    for as_ in TABLES[:2]:
        assert SAID in export.comparison(found, as_)
    assert json.loads(export.comparison(found, "json"))["runs"][1]["disturbed"] == SAID


def test_the_commands_say_it(
    folders: Folders, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "folders", lambda _home: folders)
    for words in (["list"], ["show", "2"], ["compare", "1", "2"]):
        assert main(["results", *words]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert "disturbed" in said, words
        assert SAID in said, words


def test_noise_is_estimated_from_quiet_runs_only(folders: Folders) -> None:
    history.job(folders, rate=102.0)
    history.job(folders, rate=110.0, log={}, report={"disturbed": SAID})
    runs = all_runs(folders)
    rate = next(
        row for row in compare([find(runs, "1"), find(runs, "3")], runs).rows if row.metric.key == "samples_per_second"
    )
    noise = rate.changes[0].noise
    assert noise is not None
    assert (noise.source, noise.count) == ("repeats", 2)


def test_a_disturbed_run_tells_no_noise_of_itself(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    steady = [100.0 + number % 3 for number in range(40)]
    history.job(folders, rate=100.0, rates=steady)
    history.job(folders, "--max_batch=8", rate=100.0, rates=steady, report={"disturbed": SAID})
    runs = all_runs(folders)
    found = compare([find(runs, "1"), find(runs, "2")], runs)
    assert all(change.noise is None for row in found.rows for change in row.changes)
