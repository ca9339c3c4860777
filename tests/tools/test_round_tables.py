"""docs/rounds.md says of benchmarks, categories and scenarios what the rounds' files say."""

from __future__ import annotations

from tools.round_tables import PAGE, page


def test_the_tables_of_the_page_are_those_of_the_files() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "python -m tools.round_tables"
    assert "| whisper " in text
