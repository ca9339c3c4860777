"""`inferdeck run --repeat=N`: so many jobs one after another, then their mean and spread."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.jobs import jobs
from engine.store.folders import folders
from tests.engine.jobs import profile


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the command of a small job of test components."""
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path / "home"))
    own = profile.write(tmp_path / "profile")
    chosen = ["--tags=app", f"--profiles={own}", f"--diary={tmp_path / 'diary'}", "--numbers=1", "--pieces=2"]
    return ["run", *chosen, "--plain"]


def test_repeats_are_jobs_of_their_own(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--repeat=2"]) == 0
    out = capsys.readouterr().out
    assert "started r-0001 to r-0002, one after another" in out
    found = jobs.all_jobs(folders(None))
    assert [(job.id, job.state) for job in found] == [("r-0002", "finished"), ("r-0001", "finished")]
    assert found[0].started >= (found[1].ended or 0)


def test_detached_repeats_go_on_by_themselves(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--repeat=2", "--detach"]) == 0
    assert "started r-0001 to r-0002" in capsys.readouterr().out
    limit = time.monotonic() + 120
    while {job.state for job in jobs.all_jobs(folders(None))} != {"finished"}:
        assert time.monotonic() < limit
        time.sleep(0.1)


@pytest.mark.parametrize("value", ["0", "many", "101"])
def test_a_count_that_makes_no_sense_is_a_usage_error(words: list[str], value: str) -> None:
    assert main([*words, f"--repeat={value}"]) == 2


def test_a_finished_job_is_replayed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert main(["jobs", "replay", "r-0001", "--speed=1000", "--plain"]) == 0
    replayed = capsys.readouterr().out
    assert replayed.strip()
    assert all(line in shown for line in replayed.splitlines() if "..." not in line)
    assert main(["jobs", "replay", "r-0009"]) == 1
