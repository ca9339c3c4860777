"""A file is opened by the program of the environment; what can't be started is a usage error."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.watch.pager import open_file


def test_the_program_gets_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a file"
    target.write_text("text")
    monkeypatch.setenv("PAGER", f"cp -t '{tmp_path / 'seen'}'")
    (tmp_path / "seen").mkdir()
    open_file(target, "PAGER")
    assert (tmp_path / "seen" / "a file").read_text() == "text"


@pytest.mark.parametrize("program", ["no-such-program-anywhere", "less 'unclosed"])
def test_a_program_that_is_not_there_is_a_usage_error(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", program)
    with pytest.raises(UsageError, match="EDITOR"):
        open_file(tmp_path, "EDITOR")
