"""`inferdeck explore ...`: what is printed of an exploration, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.design_space.exploration_spec import write_exploration_spec
from engine.design_space.exploration_words import refused_lines
from tests.engine.design_space.fake_bench import ALL, FakeBench, run, spec

TAGS = "--tags=app,mlperf,inference,reference,python,_resnet50,_patterns-net"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home with one exploration that has ended: a point is refused, a trial failed."""
    monkeypatch.setenv("INFERDECK_HOME", str(tmp_path))
    folder = tmp_path / "state" / "explorations" / "try"
    folder.mkdir(parents=True)
    asked = spec(words=(TAGS,), budget=25.0)
    write_exploration_spec(folder, asked)
    run(folder, asked, FakeBench(refuses={ALL[1]: "they clash"}, fails={ALL[2]: "the memory ran out"}))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["explore", *words])
    out, err = capsys.readouterr()
    return status, out, err


def test_an_exploration_is_told_line_by_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "watch", "try")
    assert status == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "refused backend=onnxruntime sessions=2: they clash" in lines
    assert any("failed backend=onnxruntime sessions=4 the memory ran out" in line for line in lines)
    first = next(line for line in lines if " baseline" in line)
    assert "valid backend=onnxruntime sessions=1 Offline 100.0 samples/s · peak memory 70.00 MB" in first
    assert any(line.startswith("try finished") and "trials in" in line for line in lines)


def test_explorations_are_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "try" in said(capsys, "list")[1]
    (one,) = json.loads(said(capsys, "list", "--json")[1])
    assert (one["name"], one["running"], one["points"]) == ("try", False, 6)
    assert one["command"][:2] == ["explore", TAGS]
    (home / "state" / "explorations" / "try" / "exploration.json").write_text("{")
    assert "is not an exploration" in said(capsys, "list")[1]


def test_the_report_is_shown_or_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {"trials", "front"} <= json.loads(said(capsys, "show", "try", "--json")[1]).keys()
    assert said(capsys, "show", "--format=csv")[1].startswith("trial,")
    assert said(capsys, "show", "try", f"--out={home / 'try.html'}")[0] == 0
    assert "<svg" in (home / "try.html").read_text()


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (["show", "tryy"], "no exploration 'tryy'", "did you mean 'try'?"),
        (["show", "try", "--format=pdf"], "no format 'pdf'", "csv"),
        (["stop", "try"], "is not running", "explore resume try"),
        (["promote", "try", "99"], "has no trial 99", "it has 1 to"),
        (["promote", "try", "best"], "'best' is no trial", "explore promote try 1"),
        (["promote", "try", "1"], "was refused: they clash", "another"),
        ([TAGS, "--axes=sessions=1,2"], "no option 'axes'", "did you mean '--axis'?"),
        ([TAGS], "nothing is varied", "--axis="),
        ([TAGS, "--axis=sessions=1,2"], "there is no objective", "--objective="),
        ([TAGS, "--axis=sessions=1,2", "--objective=Offline", "--output_dir=x"], "no results folder", "promote"),
        ([TAGS, "--axis=sessions=1,2", "--objective=Offline", "--name=a/b"], "'a/b' can't be the name", "letters"),
        ([f"{TAGS},_int8", "--axis=sessions=1,2", "--objective=Offline", "--name=try"], "something else", "--name"),
        ([TAGS, "--budget=10"], "'10' is no time", "45m"),
        (["try"], "is an exploration, not a file", "explore resume try"),
        (["box.yaml"], "box.yaml", ""),
    ],
)
def test_what_is_wrong_is_told_in_two_lines(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], what: str, remedy: str
) -> None:
    status, _, err = said(capsys, *words)
    assert status in (1, 2)
    assert what in err
    assert remedy in err
    assert "Traceback" not in err


def test_a_plan_of_an_exploration_starts_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (TAGS, "--axis=precision=fp32,int8,fp16", "--axis=sessions=1,2", "--objective=Offline", "--dry-run")
    status, out, err = said(capsys, *words, "--name=other")
    assert (status, err) == (0, "")
    assert "refused    precision=fp16 (2 points)" in out
    assert "6 points, 2 refused; sampler grid" in out
    assert "builds" in out
    assert not (home / "state" / "explorations" / "other").exists()


def test_points_refused_for_one_reason_share_a_line() -> None:
    refused = dict.fromkeys(ALL[:3], "they clash") | {ALL[4]: "it is missing"}
    assert refused_lines(refused) == [
        "backend=onnxruntime (3 points): they clash",
        "backend=openvino sessions=2: it is missing",
    ]
