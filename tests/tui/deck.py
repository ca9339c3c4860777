"""Helpers of the screen's tests: an app on a home of its own, its screen as text, and waiting."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from tui.app import InferdeckApp
from tui.terminal import Terminal, decide

SIZES = ((80, 24), (120, 36))
PATIENCE = 60.0
"""Seconds after which a test gives up; a machine under load is slow."""


def terminal() -> Terminal:
    """Return a capable local terminal."""
    return decide({"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}, tty=True)


def deck(home: Path) -> InferdeckApp:
    """Return an app whose folders are below `home`."""
    return InferdeckApp(terminal(), home=str(home))


def grid(app: InferdeckApp) -> list[str]:
    """Return the lines of the screen as text."""
    strips = app.screen._compositor.render_strips(app.size)
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def text(app: InferdeckApp) -> str:
    """Return the screen as one text."""
    return "\n".join(grid(app))


async def until(pilot: Pilot[None], so: Callable[[], bool], what: str) -> None:
    """Wait for a condition; fails with its description and the screen."""
    deadline = time.monotonic() + PATIENCE
    while not so():
        app = pilot.app
        assert isinstance(app, InferdeckApp)
        assert app.is_running, f"the app has gone before: {what}"
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE:.0f} s: {what}\n{text(app)}")
        await asyncio.sleep(0.02)
        await pilot.pause()


async def shows(pilot: Pilot[None], words: str) -> None:
    """Wait until the screen shows these words."""
    app = pilot.app
    assert isinstance(app, InferdeckApp)
    await until(pilot, lambda: words in text(app), f"the words '{words}'")


GRIDS = Path(__file__).parent / "grids"


def is_same_grid(name: str, lines: list[str]) -> bool:
    """Return whether a screen equals its golden text."""
    path = GRIDS / f"{name}.txt"
    seen = "\n".join(line.rstrip() for line in lines).rstrip() + "\n"
    return path.exists() and seen == path.read_text(encoding="utf-8")


def same_grid(name: str, lines: list[str]) -> None:
    """Compare a screen with its golden text; INFERDECK_GRIDS=write updates it, to be read in the diff."""
    path = GRIDS / f"{name}.txt"
    seen = "\n".join(line.rstrip() for line in lines).rstrip() + "\n"
    if os.environ.get("INFERDECK_GRIDS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(seen, encoding="utf-8")
    assert seen == path.read_text(encoding="utf-8"), f"{path.name} differs; INFERDECK_GRIDS=write updates it"
