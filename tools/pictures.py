"""Make the README's pictures: run the offline demonstration in a home of its own and draw every screen as SVG.

    python tools/pictures.py [HOME]

HOME (a new temporary folder without it) keeps the jobs, so that a second call is quick. Writes docs/pictures/*.svg.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from engine.jobs import jobs
from engine.jobs.start import begin
from engine.plan.selection_syntax import of_recipe
from engine.profile import recipe_files
from engine.survey.prepare import Workplace, prepare, workplace
from tui.app import InferdeckApp
from tui.terminal import decide

TARGET = Path(__file__).parents[1] / "docs" / "pictures"
SIZE = (110, 34)
PATIENCE = 120.0
_SOMEWHERE = "/home/you/inferdeck" + "/..." * 40
"""Replaces this machine's folders, in the same number of cells."""
_WEB_FONT = re.compile(r"@font-face\s*{.*?}\s*", re.DOTALL)


async def wait(pilot: Pilot[None], so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    for _ in range(round(PATIENCE / 0.05)):
        if so():
            return
        await asyncio.sleep(0.05)
        await pilot.pause()
    raise SystemExit("it took too long")


def draw(app: InferdeckApp, name: str) -> None:
    """Write the screen as SVG, without the fonts that a browser would fetch."""
    TARGET.mkdir(parents=True, exist_ok=True)
    drawn = app.export_screenshot(title="inferdeck", simplify=True)
    for place in (str(app.place.folders.state.parent), str(TARGET.parents[1])):
        drawn = drawn.replace(place, _SOMEWHERE[: len(place)])
    (TARGET / f"{name}.svg").write_text(_WEB_FONT.sub("", drawn), encoding="utf-8")


def finished(place: Workplace) -> list[jobs.Job]:
    """Return the finished jobs."""
    return [job for job in jobs.all_jobs(place.folders) if job.state == "finished"]


async def visit(home: Path) -> None:
    """Go through the screens."""
    place = workplace(str(home))
    demonstration = prepare(
        place, of_recipe(recipe_files.read(place.catalog.profile(recipe_files.FOLDER, "demo-offline")))
    )
    while len(finished(place)) < 2:  # two, so that there is something to compare
        list(jobs.follow(begin(demonstration)))
    app = InferdeckApp(decide({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, tty=True), home=str(home))
    async with app.run_test(size=SIZE) as pilot:
        await wait(pilot, lambda: app.opened)
        job = begin(demonstration)
        await asyncio.sleep(3)
        await pilot.pause()
        draw(app, "home")
        app.go_run(job)
        await asyncio.sleep(14)
        await pilot.pause()
        draw(app, "run")
        await pilot.press("2")
        await asyncio.sleep(2)
        await pilot.press("tab", *["down"] * 5)
        await asyncio.sleep(0.5)
        draw(app, "plan")
        await wait(pilot, lambda: jobs.read(job.folder).state != "running")
        await pilot.press("4")
        await asyncio.sleep(2)
        await pilot.press("space", "down", "space", "c")
        await asyncio.sleep(1)
        draw(app, "results")
        await pilot.press("5")
        await asyncio.sleep(2)
        draw(app, "submit")


if __name__ == "__main__":
    asyncio.run(visit(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())))
