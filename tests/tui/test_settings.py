from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import ProfileError, StoreError, UsageError
from tests.tui.deck import deck, shows, until
from tests.tui.pty import PseudoTerminal, python
from tui.settings import FILE, Settings, load, save, with_theme


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings()


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    mine = Settings(theme="inferdeck-light", glyphs="block", number_interval=0.5, mouse=False)
    save(tmp_path, mine)
    assert load(tmp_path) == mine


@pytest.mark.parametrize("text", ["theme: pink\n", "colour: red\n", "theme: [\n", "number_interval: often\n"])
def test_what_cannot_be_understood_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ProfileError, match=r"settings\.yaml"):
        load(tmp_path)


def test_a_wrong_value_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no theme 'pink'"):
        with_theme(Settings(), "pink")


async def test_a_theme_taken_from_the_palette_stays(tmp_path: Path) -> None:
    app = deck(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await shows(pilot, "recipe demo")
        await pilot.press("colon")
        await pilot.press(*"inferdeck-light")
        await shows(pilot, "theme inferdeck-light")
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.theme == "inferdeck-light", "the light theme")
    assert load(tmp_path / "config").theme == "inferdeck-light"


@pytest.mark.parametrize(
    "text",
    [
        *("theme: 2026-02-30", "theme: !!float x", "theme: !!int ''", "theme: !!bool x", "theme: !!timestamp x"),
        *("[" * 3000, "1", "\x00", "? [x]\n: y", "number_interval: .nan", "chart_interval: 0", "number_interval: -1"),
    ],
)
def test_no_value_gets_past(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ProfileError, match=r"settings\.yaml"):
        load(tmp_path)
    with pytest.raises(ProfileError, match=r"settings\.yaml"):
        save(tmp_path, Settings(theme="inferdeck-light"))
    assert (tmp_path / FILE).read_text() == text, "what the person wrote is not lost"


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE)
    with pytest.raises(StoreError, match="not a plain file"):
        load(tmp_path)


def test_the_screen_starts_with_a_message_and_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / FILE).write_bytes(b"theme: \xe9\n")
    with PseudoTerminal(python("-m", "tui", f"--home={tmp_path}"), columns=100, rows=30) as screen:
        screen.until("fix or remove the file")  # not its name: a long path is broken anywhere in the toast's lines
        screen.until("this machine")
        screen.press("q")
        screen.until(lambda: screen.process.poll() == 0)
