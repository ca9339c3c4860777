"""Open the screen: detect what the terminal can show, then import Textual and run the app."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import TypeVar

from engine.errors import InferdeckError, UsageError, nearest
from engine.store.folders import folders
from engine.text import clean_lines
from tui import settings, terminal
from tui.words import Given

GLYPHS: tuple[terminal.Glyphs, ...] = ("braille", "block", "ascii")
DRIVERS: tuple[terminal.DriverName, ...] = ("diff", "stock")

T = TypeVar("T", bound=str)


def start_command(asked: Given) -> int:
    """Run the app until the user quits; without a suitable terminal, print what to use instead."""
    flags, values = asked.flags, asked.values
    if {"mouse", "no-mouse"} <= flags:
        raise UsageError("--mouse and --no-mouse contradict each other", "keep one")
    home = values.get("home")
    kept, wrong = _kept(folders(home).config)
    if "theme" in values:
        kept = settings.with_theme(kept, values["theme"])
    wishes = terminal.Wishes(
        view="plain" if "plain" in flags else None,
        glyphs=_one_of("glyphs", "ascii" if "ascii" in flags else values.get("glyphs") or kept.glyphs, GLYPHS),
        mouse=True if "mouse" in flags else False if "no-mouse" in flags else kept.mouse,
        driver=_one_of("driver", values.get("driver") or kept.driver, DRIVERS),
    )
    chosen = terminal.decide(os.environ, tty=terminal.is_tty(), wishes=wishes)
    if chosen.view == "plain":
        return _plain(home)
    chosen = dataclasses.replace(
        chosen,
        number_interval=kept.number_interval or chosen.number_interval,
        chart_interval=kept.chart_interval or chosen.chart_interval,
    )
    terminal.apply(chosen)
    return _show(chosen, kept, home, wrong)


def _one_of(name: str, word: str, allowed: tuple[T, ...]) -> T | None:
    if not word:
        return None
    for one in allowed:
        if one == word:
            return one
    raise UsageError(f"'{word}' is not a value of --{name}", nearest(word, allowed))


def _kept(config: Path) -> tuple[settings.Settings, InferdeckError | None]:
    """Return the user's settings, or the defaults and what is wrong with the file."""
    try:
        return settings.load(config), None
    except InferdeckError as error:
        return settings.Settings(), error


def _show(chosen: terminal.Terminal, kept: settings.Settings, home: str | None, wrong: InferdeckError | None) -> int:
    from tui.app import InferdeckApp  # noqa: PLC0415  (Textual reads the environment while it is imported)
    from tui.driver import driver_class  # noqa: PLC0415

    app = InferdeckApp(chosen, kept, home=home, driver=driver_class(chosen), wrong=wrong)
    app.run(mouse=chosen.mouse)
    for line in app.exit_messages:
        sys.stdout.write(f"{clean_lines(line)}\n")
    return app.return_code or 0


def _plain(home: str | None) -> int:
    """Print the jobs, a line each, and the help of the command line."""
    from engine.cli import main as command_line  # noqa: PLC0415

    sys.stdout.write("no screen can be shown here (no terminal, TERM=dumb, or --plain); use these commands instead:\n")
    sys.stdout.write("  inferdeck --help, inferdeck jobs, inferdeck watch --plain\n")
    return command_line.main(["jobs", *([f"--home={home}"] if home else [])])
