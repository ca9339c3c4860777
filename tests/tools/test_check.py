"""The pieces of CI, run by one command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools import check

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """What would have been run; `ruff format` fails."""
    commands: list[Sequence[str]] = []

    def passes(command: Sequence[str]) -> bool:
        commands.append(command)
        return "--check" not in command

    monkeypatch.setattr(check, "_passes", passes)
    return commands


def test_all_pieces_run_although_one_failed(ran: list[Sequence[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([]) == 1
    assert ran == list(check.PIECES.values())
    assert capsys.readouterr().out == "failed: format\n"


def test_one_piece_is_run_by_its_name(ran: list[Sequence[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["types"]) == 0
    assert ran == [("mypy",)]
    assert capsys.readouterr().out == "all good\n"


def test_coverage_is_measured_when_asked(ran: list[Sequence[str]]) -> None:
    assert check.main(["coverage"]) == 0
    assert ran == [check.COVERAGE]


def test_an_unknown_piece_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        check.main(["test"])
    assert "no piece 'test': lint, format, types, tests, coverage" in capsys.readouterr().err


def test_ci_runs_every_piece() -> None:
    """CI runs the README's second command; its pieces are those of tools/check.py, but for the look of the code."""
    (command,) = re.findall(r"^    python3 -m venv .*pytest.*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    for name, piece in check.PIECES.items():
        assert name == "format" or piece[0] in command
