"""Completion: commands, options and names for any prefix; scripts that the shells can read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cli.commands import COMMANDS
from engine.cli.completion import SCRIPTS, complete
from engine.cli.main import main
from tests.engine.explore import history
from tests.helpers import folders_in

TABLE = list(COMMANDS.values())


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (["re"], ["results"]),
        (["results", "co"], ["compare"]),
        (["results", "list", "--fi"], ["--filter="]),
        (["tune", "s"], ["show"]),
        (["submission", ""], ["check", "generate", "preflight", "report", "truncate", "zip"]),
        (["completion", "f"], ["fish"]),
        (["explore", "p"], ["promote"]),
        (["nothing", "x"], []),
    ],
)
def test_commands_and_options(typed: list[str], found: list[str]) -> None:
    assert complete(typed, TABLE) == found


def test_names_of_jobs_runs_and_components(tmp_path: Path) -> None:
    history.job(folders_in(tmp_path))
    home = str(tmp_path)
    assert complete(["attach", "r-"], TABLE, home) == ["r-0001"]
    assert complete(["results", "show", ""], TABLE, home) == ["r-0001/Offline"]
    assert complete(["components", "patterns-"], TABLE, home) == [
        "patterns-net",
        "patterns-net-int8",
        "patterns-net-tf",
    ]


@given(st.lists(st.text(max_size=8), max_size=4))
def test_anything_typed_gives_candidates_that_begin_with_it(typed: list[str]) -> None:
    assert all(one.startswith(typed[-1] if typed else "") for one in complete(["zz", *typed], TABLE))


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_is_valid_and_bash_completes(shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["completion", shell]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on this machine")
    subprocess.run([shell, "-n", str(script)], check=True)
