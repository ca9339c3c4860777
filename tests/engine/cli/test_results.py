"""`inferdeck results`: list, show and compare on the command line, in every format, with errors in two lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.explore.history import all_runs
from tests.engine.explore import history, pictured
from tests.helpers import folders_in


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate home for each test."""
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def measured(home: Path) -> None:
    """Three jobs."""
    folders = folders_in(home)
    history.job(folders, "--scenarios=Offline,Server", "--modes=performance,accuracy", "--notice=A demonstration")
    history.job(folders, "--max_batch=8", rate=1500.0)
    history.job(
        folders, "--scenarios=Server", log={"result_validity": "INVALID", "result_invalid_reason": "Slow\x1b[2J"}
    )


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run `inferdeck results WORDS`; return status, output and errors."""
    status = main(["results", *words])
    out, err = capsys.readouterr()
    return status, out, err


def test_nothing_measured_yet_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys)
    assert status == 0
    assert "inferdeck demo" in out
    assert said(capsys, "list", "--format=json")[1] == "[]\n"


@pytest.mark.usefixtures("measured")
def test_the_list_is_newest_first_with_verdict_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys)
    assert status == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[1:5]] == [
        "r-0003/Server",
        "r-0002/Offline",
        "r-0001/Offline",
        "r-0001/Server",
    ]
    assert lines[1].endswith("INVALID  Slow[2J")
    assert "max_batch=8" in lines[2]
    assert lines[-1] == "A demonstration"


@pytest.mark.usefixtures("measured")
def test_filter_and_sort(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "list", "--filter=offline", "--sort=samples/s")
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["r-0002/Offline", "r-0001/Offline"]
    _, out, _ = said(capsys, "list", "--filter=offline", "--sort=-samples/s", "--format=csv")
    assert [line.split(",")[0] for line in out.splitlines()[1:]] == ["r-0001/Offline", "r-0002/Offline"]
    assert "none of 6 runs matches" in said(capsys, "--filter=gpu")[1]


@pytest.mark.usefixtures("measured")
def test_one_run_is_shown_with_its_files_and_command(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "show", "3")
    assert "r-0003/Server  INVALID" in out
    assert "Slow" in out
    assert "\x1b" not in out
    assert "p99 latency ms" in out
    assert "repeat with: inferdeck run --tags=app" in out
    _, out, _ = said(capsys, "show", "1/server", "--json")
    assert json.loads(out)[0]["figures"]["accuracy"]["value"] == 76.0
    assert "accuracy run: done, accuracy=76.000%" in said(capsys, "show", "1/Server")[1]


@pytest.mark.usefixtures("measured")
def test_runs_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "compare", "1/Offline", "2")
    assert "what differs" in out
    assert "+50 %" in out
    assert "r-0002/Offline has no accuracy run" in out
    assert json.loads(said(capsys, "compare", "1/Offline", "2", "--json")[1])["differs"]["max_batch"] == ["-", "8"]
    assert said(capsys, "compare", "1/Offline", "2", "--format=md")[1].startswith("| what differs |")
    assert "same choices: a repeat" in said(capsys, "compare", "2", "2")[1]
    assert "r-0003/Server is INVALID: Slow" in said(capsys, "compare", "3", "1/Server")[1]


@pytest.mark.usefixtures("measured")
def test_samples_are_drawn_with_truth_and_answer(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = folders_in(home)
    [accuracy] = [run for run in all_runs(folders) if run.id == "r-0001/Offline/accuracy"]
    pictured.segmented(Path(accuracy.folder))
    _, out, _ = said(capsys, "show", "1/Offline", "--pictures=2")
    assert "case_00003" in out
    assert "truth, slice 3" in out
    assert "model: kidney 0.9" in out
    assert "█" in out
    assert "\x1b" not in out, "no terminal, no colours"
    assert out.splitlines()[-1] == "A demonstration"
    folder = home / "pictures of mine"
    _, out, _ = said(capsys, "show", "1/Offline", f"--png={folder}")
    assert [f"written: {path}" for path in folder.iterdir()] == out.splitlines()[:1]
    status, _, err = said(capsys, "show", "2", "--pictures=1")
    assert status == 2
    assert "r-0002/Offline has no accuracy run" in err


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (["lst"], "no command 'lst'", "list"),
        (["list", "x"], "unexpected word 'x'", "--filter=x"),
        (["list", "--sort=smples"], "no column 'smples'", "samples"),
        (["list", "--format=xml"], "no format 'xml'", "json"),
        (["list", "--flter=x"], "--flter", "--filter"),
        (["show"], "takes one run", "list"),
        (["show", "1"], "several runs", "r-0001/Offline, r-0001/Server"),
        (["compare", "1/Offline"], "no other run is pinned for resnet50 Offline", "results pin"),
        (["compare", "1/Offline", "99"], "no run '99'", "r-000"),
    ],
)
def test_wrong_words_are_two_lines(
    capsys: pytest.CaptureFixture[str], words: list[str], what: str, remedy: str
) -> None:
    status, _, err = said(capsys, *words)
    assert status == 2
    assert what in err
    assert remedy in err
    assert len(err.strip().splitlines()) == 2
