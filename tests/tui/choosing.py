"""Takes alternatives on the Plan screen."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.tui.deck import until
from tests.tui.test_plan import put_cursor
from tui.app import InferdeckApp
from tui.screens.choosing import TakeOne


async def take(pilot: Pilot[None], app: InferdeckApp, key: str, said: str) -> None:
    """Open a row of the plan and take the first alternative that says this."""
    put_cursor(app, key)
    await pilot.press("e")
    await until(pilot, lambda: isinstance(app.screen, TakeOne), "the alternatives")
    offered = app.screen.query_one(OptionList)
    offered.highlighted = next(at for at, one in enumerate(offered.options) if said in str(one.prompt))
    await pilot.press("enter")
