"""The steps of a job: done, running, waiting. Enter shows a step's log."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine.jobs.fold import StepSeen
from engine.text import duration
from tui.widgets.live_rows import STEP_STATES


class StepList(OptionList):
    """Follows the running step until the user moves the cursor."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._shown: dict[str, Content] = {}
        self._followed: str | None = None

    def show(self, steps: Sequence[StepSeen], now: float) -> None:
        """Show these steps; a line that is the same as before is left alone."""
        lines = {step.id: _line(step, now) for step in steps}
        if list(lines) != list(self._shown):
            self.clear_options()
            self.add_options(Option(line, id=step) for step, line in lines.items())
        else:
            for step, line in lines.items():
                if line != self._shown[step]:
                    self.replace_option_prompt(step, line)
        self._shown = lines
        self._follow(steps)

    @property
    def chosen(self) -> str | None:
        """The step under the cursor."""
        if self.highlighted is None:
            return None
        return self.get_option_at_index(self.highlighted).id

    def _follow(self, steps: Sequence[StepSeen]) -> None:
        running = next((step.id for step in steps if step.state == "runs"), None)
        if running is None or running == self._followed:
            return
        if self.chosen in (None, self._followed):
            self.highlighted = self.get_option_index(running)
        self._followed = running


def _line(step: StepSeen, now: float) -> Content:
    word, style = STEP_STATES[step.state]
    seconds = step.seconds
    if step.state == "runs" and step.since is not None:
        seconds = max(now - step.since, 0.0)
    taken = duration(seconds) if seconds and seconds >= 0.5 else ""
    colours = " ".join(one if one == "bold" else f"${one}" for one in style.split())
    return Content.assemble(
        (f"{word:8}", colours), (f"{taken:>7}  ", "$dim"), (step.title, "$dim" if word == "waits" else "")
    )
