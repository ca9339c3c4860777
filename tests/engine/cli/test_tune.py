"""`inferdeck tune`: the plan it makes, the table at its end, and what is saved, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import run
from engine.cli.arguments import Words
from engine.cli.main import main
from engine.survey.prepare import Prepared
from tests.engine.explore import history, tuned_jobs
from tests.helpers import folders_in


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate home for each test."""
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run a command line; return status, output and errors."""
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("words", "measures"),
    [
        ([history.TAGS], False),
        ([f"{history.TAGS},_performance"], True),
        (["--recipe=demo-offline", "--modes=performance"], True),
    ],
)
def test_it_is_a_run_that_tunes(monkeypatch: pytest.MonkeyPatch, words: list[str], measures: bool) -> None:
    started: list[Prepared] = []

    def start(prepared: Prepared, _: Words) -> int:
        started.append(prepared)
        return 0

    monkeypatch.setattr(run, "start", start)
    assert main(["tune", *words]) == 0
    plan = started[0].plan
    assert plan.nodes["choose-workers"].values()["tuning"] == "thorough"
    assert any(name.startswith("loadgen-run") for name in plan.nodes) == measures
    assert "_tune" in started[0].command()[1]


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (["tune"], "nothing is selected", "--tags"),
        (["tune", "shw", "default"], "unexpected word 'shw'", "'show'"),
        (["tune", "show"], "takes the name of a system", "system list"),
        (["tune", "show", "defualt"], "there is no system 'defualt'", "'default'"),
        (["tune", "--locked=x.json"], "a locked plan is run as it is", "run --locked"),
        (["tune", "--tags=get,loadgen"], "no variation '_tune'", ""),
        (["tun"], "no command 'tun'", "'tune'"),
    ],
)
def test_a_wrong_word_is_two_lines(
    capsys: pytest.CaptureFixture[str], words: list[str], what: str, remedy: str
) -> None:
    status, _, err = said(capsys, *words)
    assert status == 2
    assert what in err
    assert remedy in err
    assert len(err.strip().splitlines()) <= 2


def test_the_end_of_a_job_has_the_table_even_where_it_was_stored(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    places = folders_in(home)
    tuned_jobs.job(places)
    file = tuned_jobs.write_system(places)
    status, out, _ = said(capsys, "attach", "--plain")
    assert status == 0
    lines = [line.split() for line in out.splitlines()]
    head = next(number for number, line in enumerate(lines) if line[:3] == ["workers", "batch", "pinned"])
    assert [line[:5] for line in lines[head + 1 : head + 3]] == [
        ["1", "×", "2", "1", "10"],
        ["1", "×", "2", "8", "100"],
    ]
    assert [line[-1] for line in lines[head + 1 : head + 6]] == ["Single", "early", "Multi", "█" * 19, "Offline"]
    assert "█" * 24 in out
    assert "█" * 25 not in out
    assert "Server        2 × 1, batch 8, queue delay 0.75 ms, pinned  420.5 queries/s within 15 ms" in out
    assert f"saved in {file}" in out
    assert "measured on 2026-11-28 for 151.2 s on 2 cores with inferdeck 0.1.0, onnxruntime 1.32.0" in out


def test_json_has_the_record(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    tuned_jobs.job(folders_in(home))
    found = json.loads(said(capsys, "attach", "--json")[1])["tuning"]
    assert len(found["tuned"]["table"]) == len(tuned_jobs.TABLE)
    assert found["tuned"]["workers"]["Server"]["queue_wait_us"] == 750
    assert found["kept"] is None


def test_what_the_file_does_not_hold_is_said(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    tuned_jobs.job(folders_in(home))
    assert "holds another tuning: --again" in said(capsys, "attach", "--plain")[1]


def test_a_job_in_which_it_failed_shows_no_old_table(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    tuned_jobs.job(folders_in(home), outcome="failed")
    assert "chosen for" not in said(capsys, "attach", "--plain")[1]
    assert json.loads(said(capsys, "attach", "--json")[1])["tuning"] is None


def test_a_run_that_only_looked_ends_without_it(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    tuned_jobs.job(folders_in(home), history.TAGS)
    assert "chosen for" not in said(capsys, "attach", "--plain")[1]


def test_folders_that_the_command_alone_was_told_are_found(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned_jobs.job(folders_in(home))
    monkeypatch.setenv("INFERDECK_HOME", str(home / "elsewhere"))
    assert "chosen for" in said(capsys, "attach", f"--home={home}", "--plain")[1]


@pytest.mark.parametrize(
    "words", [("tune", "show", "default"), ("tune", "show", "default-ort"), ("system", "show", "default")]
)
def test_what_is_kept_is_shown_with_date_and_versions(
    capsys: pytest.CaptureFixture[str], home: Path, words: tuple[str, ...]
) -> None:
    file = tuned_jobs.write_system(folders_in(home))
    status, out, _ = said(capsys, *words)
    assert status == 0
    assert str(file) in out
    assert "onnxruntime resnet50: workers measured on 2026-11-28 for 151.2 s on 2 cores with inferdeck 0.1.0" in out
    assert "Server        2 × 1, batch 8, queue delay 0.75 ms, pinned  420.5 queries/s within 15 ms" in out


def test_show_says_how_to_tune_what_never_was(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    status, out, _ = said(capsys, "tune", "show", "apple-m1")
    assert status == 0
    assert "inferdeck tune --tags=... --sut=apple-m1" in out
    assert json.loads(said(capsys, "tune", "show", "apple-m1", "--json")[1]) == {}
    tuned_jobs.write_system(folders_in(home))
    found = json.loads(said(capsys, "tune", "show", "default", "--json")[1])
    assert found["onnxruntime"]["resnet50"]["date"] == "2026-11-28"
