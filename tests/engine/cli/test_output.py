"""Standard streams of every kind, as a shell passes them to a command."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from pathlib import Path

import pytest

from engine.cli.main import guarded
from tests.tui.pty import ROOT, environment, python

TAGS = "--tags=app,mlperf,inference,_resnet50,_patterns-net"


def shell(line: str, home: Path | bytes, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run a shell command in which `$I` is inferdeck."""
    command = " ".join(python("-m", "tui"))
    given = {**environment(env), "INFERDECK_HOME": os.fsdecode(home), "I": command}
    return subprocess.run(["/bin/sh", "-c", line], cwd=ROOT, env=given, capture_output=True, check=False)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["--help", "jobs", "jobs --json"])
def test_a_full_standard_output_is_one_line_and_exit_status_1(tmp_path: Path, words: str, unbuffered: str) -> None:
    found = shell(f"$I {words} >/dev/full", tmp_path, PYTHONUNBUFFERED=unbuffered)
    assert found.returncode == 1
    assert found.stderr == b"inferdeck: standard output can't be written: No space left on device\n"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("$I --help >&-", 0),
        ("$I jobs >&- 2>&-", 0),
        ("$I jobs <&- >&- 2>&-", 0),
        ("$I nothing 2>&-", 2),
        ("$I nothing 2>/dev/full", 2),
        ("$I --home=HOME >&-", 0),
    ],
)
def test_a_stream_that_is_closed_or_full_changes_no_exit_status(tmp_path: Path, line: str, status: int) -> None:
    found = shell(line.replace("HOME", str(tmp_path)), tmp_path)
    assert found.returncode == status
    assert found.stderr == b""


def test_a_reader_that_has_gone_is_no_failure(tmp_path: Path) -> None:
    found = shell("{ $I --help; echo $? >&2; } | true", tmp_path)
    assert found.stderr == b"0\n"


def test_without_standard_input_nothing_is_asked(tmp_path: Path) -> None:
    found = shell("$I system new box --submitter=Acme <&-", tmp_path)
    assert (found.returncode, found.stderr) == (0, b"")
    assert b"box.yaml" in found.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8:strict"])
def test_a_plan_is_drawn_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    found = shell(f"$I plan {TAGS}", tmp_path, PYTHONIOENCODING=encoding)
    assert (found.returncode, found.stderr) == (0, b"")
    text = found.stdout.decode(encoding.partition(":")[0])
    branch, dot = ("├─", "·") if encoding.startswith("utf") else ("+-", "·" if encoding == "latin-1" else "*")
    assert f"{branch} ONNX Runtime" in text
    assert f"to do {dot} " in text


def test_a_path_of_any_bytes_is_shown_as_it_can_be_and_kept_as_it_is(tmp_path: Path) -> None:
    home = os.fsencode(tmp_path) + b"/h\xe9"
    asked = "$I system new box --submitter=Acmé --cooling=snow-雪"
    made = shell(asked, home, PYTHONIOENCODING="utf-8:strict")
    assert made.returncode == 0, made.stderr
    assert rb"h\xe9/config" in made.stdout
    assert Path(os.fsdecode(home + b"/config/profiles/systems/box.yaml")).exists()
    shown = shell("$I system show box", home, PYTHONIOENCODING="latin-1")
    assert "Acmé".encode("latin-1") in shown.stdout
    assert rb"snow-\u96ea" in shown.stdout
    jobs = shell("$I doctor --json", home, PYTHONIOENCODING="ascii")
    assert os.fsencode(json.loads(jobs.stdout)["machine"]["jobs"]) == home + b"/state/jobs"


def test_an_error_keeps_its_lines_and_steers_nothing(tmp_path: Path) -> None:
    found = shell("$I \"$(printf 'no\\033]0;x\\007 \\351\\nsuch')\"", tmp_path)
    assert found.returncode == 2
    assert found.stderr.splitlines()[:2] == [rb"inferdeck: there is no command 'no]0;x \xe9", b"  such'"]


def test_what_the_operating_system_refuses_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def reads(_words: list[str]) -> int:
        return len((tmp_path / "x").read_bytes())

    def is_wrong(_words: list[str]) -> int:
        raise OSError(errno.EINVAL, "names no path")

    assert guarded(reads, []) == 1
    assert capsys.readouterr().err.startswith(
        f"inferdeck: {tmp_path / 'x'}: No such file or directory\n  check the path"
    )
    with pytest.raises(OSError, match="names no path"):
        guarded(is_wrong, [])
