"""A home that inferdeck wrote at commit 3c55c75: its jobs, results and system are listed, compared and submitted today.

`data/home-3c55c75.tar.xz` is that home without the data sets and the model in its store: the offline demonstration
(job r-0001, finished), the same in Offline for 30 s (job r-0002, stopped while it measured), a system `old-box`.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from tests.whole.command import SHORT, inferdeck, measured

ARCHIVE = Path(__file__).parent / "data" / "home-3c55c75.tar.xz"
WRITTEN_AT = b"/home/someone/inferdeck"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    found = tmp_path / "inferdeck"
    for path in found.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(WRITTEN_AT, str(found).encode()))
    return found


def said(home: Path, *words: str) -> str:
    status, out, err = inferdeck(home, *words)
    assert status == 0, f"{out}\n{err}"
    return out


def test_its_jobs_and_results_are_listed_and_compared(home: Path) -> None:
    assert [line.split()[:2] for line in said(home, "jobs").splitlines()[1:]] == [
        ["r-0002", "cancelled"],
        ["r-0001", "finished"],
    ]
    runs = [line.split()[0] for line in said(home, "results", "list").splitlines() if line.startswith("r-0001/")]
    assert runs == [f"r-0001/{name}" for name in ("SingleStream", "MultiStream", "Server", "Offline")]
    assert "10644" in said(home, "results", "show", "r-0001/Offline")
    assert "patterns-net" in said(home, "results", "compare", "r-0001/Offline", "r-0001/Server")
    assert "old-box" in said(home, "system", "list")


def test_its_results_make_a_submission_tree_that_passes(home: Path, tmp_path: Path) -> None:
    results, tree = home / "state/jobs/r-0001/results", tmp_path / "tree"
    assert "4 results of demo-offline" in said(home, "submission", "generate", str(results), f"--out={tree}")
    assert "4 results: 4 pass, 0 fail" in said(home, "submission", "check", str(tree))


@pytest.mark.slow
def test_the_command_of_its_stopped_job_runs_it_to_the_end(home: Path) -> None:
    command = json.loads((home / "state/jobs/r-0002/plan.json").read_text())["command"]
    kept = [word for word in command if "min_duration" not in word and "workers" not in word]
    assert measured(home, *kept, *SHORT)["Offline", "performance"]["value"] > 0
