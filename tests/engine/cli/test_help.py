"""Help of every command."""

from __future__ import annotations

import pytest

from engine.cli.command import Command
from engine.cli.commands import COMMANDS
from engine.cli.main import main


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda one: one.name)
def test_the_help_of_a_command_names_its_options_and_examples(
    capsys: pytest.CaptureFixture[str], command: Command
) -> None:
    status, out, _ = said(capsys, *command.name.split(), "--help")
    assert status == 0
    for option in command.options:
        assert f"--{option.name}" in out
    for example in command.examples:
        assert f"inferdeck {example}" in out
    assert command.arguments.usage in out
    assert said(capsys, "help", *command.name.split())[1] == out


@pytest.mark.parametrize("words", [["-h"], ["TREE", "-h"], ["--backup", "-h"], ["--nonsense", "--help"]])
def test_help_is_given_wherever_it_is_asked_for(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    status, out, _ = said(capsys, "submission", "truncate", *words)
    assert status == 0
    assert "--backup=DIR" in out


@pytest.mark.parametrize("words", [["submission", "--help"], ["help", "submission"], ["-h", "submission"]])
def test_a_group_shows_its_commands(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    status, out, _ = said(capsys, *words)
    assert status == 0
    for name in ("check", "report", "generate", "truncate", "zip", "preflight"):
        assert f"submission {name}" in out


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (["help", "pln"], "no command 'pln'", "'plan'"),
        (["submision", "--help"], "no command 'submision'", "'submission'"),
        (["help", "submission", "truncat"], "no command 'truncat'", "'truncate'"),
        (["--version", "please"], "unexpected word 'please'", "inferdeck --version"),
    ],
)
def test_help_of_nothing_is_an_error(
    capsys: pytest.CaptureFixture[str], words: list[str], what: str, remedy: str
) -> None:
    status, out, err = said(capsys, *words)
    assert (status, out) == (2, "")
    assert what in err
    assert remedy in err


def test_help_fits_a_narrow_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["submission"], ["store"]):
        lines = said(capsys, *words, "--help")[1].splitlines()
        assert max(len(line) for line in lines if not line.startswith(("  inferdeck ", "inferdeck "))) <= 80
