"""A job as `run` and `attach` show it: lines on a pipe, a status line on a terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest

from engine import events
from engine.cli.screen import Screen
from engine.cli.view import JobView
from tests.engine.cli.test_screen import Tty
from tests.engine.jobs import synthetic as made

B = made.BEGIN
WAITS: tuple[events.AnyEvent, ...] = (
    events.Waiting(at=B + 42, step=made.MEASURE, holder="r-0012 of ann"),
    events.StepStarted(at=B + 44, step=made.MEASURE, title=made.TITLES[made.MEASURE], why=""),
    events.Warned(at=B + 45, step=made.MEASURE, text="another process is busy", remedy="end it"),
    events.Progress(at=B + 51, step=made.MEASURE, done=5, total=10, unit="images"),
    events.StepEnded(at=B + 52, step=made.MODEL, outcome="failed", seconds=3, text="no memory", remedy="use less"),
)
WHOLE = [*made.before(), *made.ticks(12), *WAITS, *made.ending(B + 70)]

MEASURED = "Measure · Server performance"
LINES = f"""\
job r-0001 started: 3 steps
  start    Model (nothing stored yet)
  done     Model in 0:02
  start    {MEASURED}
  ...      {MEASURED}: 0:04 · 1573 of 1576 samples · 393.2 samples/s · p90 9.65 ms
  ...      {MEASURED}: 0:09 · 3590 of 3593 samples · 398.9 samples/s · p90 9.65 ms
  waits    {MEASURED}: for r-0012 of ann (--now measures immediately)
  start    {MEASURED}
  warning  loadgen-run[Server performance]: another process is busy
           end it
  ...      {MEASURED}: 5 of 10 images
  FAILED   Model in 0:03 · no memory
           use less
  result   Server performance: scheduled throughput 401.25 Queries/s · VALID
  done     {MEASURED} in 1:08
  start    Top-1 accuracy · Server
  done     Top-1 accuracy · Server in 0:01
"""


def shown(seen: Sequence[events.AnyEvent], portion: int, *, quiet: bool = False) -> str:
    """Return the output on a pipe, with the events batched like this."""
    out = io.StringIO()
    view = JobView(Screen(out), plain=True, quiet=quiet)
    for begin in range(0, len(seen), portion):
        view.show(list(seen[begin : begin + portion]))
    view.close()
    return out.getvalue()


@pytest.mark.parametrize("portion", [1, 3, 1000])
def test_every_change_is_a_line_and_figures_come_every_few_seconds(portion: int) -> None:
    assert shown(WHOLE, portion) == LINES


def test_quiet_says_what_failed() -> None:
    assert shown(WHOLE, 3, quiet=True).splitlines() == ["  FAILED   Model in 0:03 · no memory", "           use less"]


def test_the_status_line_tells_of_the_step_that_has_run_for_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen, said = Screen(Tty()), list[str]()
    monkeypatch.setattr(screen, "status", said.append)
    view = JobView(screen)
    other = events.StepStarted(at=B + 3, step=made.SCORE, title="Scoring", why="")
    view.show([*made.before(), other])
    assert said[-1] == f"[1/3] {MEASURED}: measure (+1 more)"
    view.show(list(made.ticks(4)))
    assert said[-1].startswith(f"[1/3] {MEASURED}: 0:04 · ")
    view.show(list(WAITS[:1]))
    assert said[-1] == f"[1/3] {MEASURED}: waits for r-0012 of ann (+1 more)"
    view.show(
        [events.StepEnded(at=B + 9, step=step, outcome="built", seconds=1) for step in (made.MEASURE, made.SCORE)]
    )
    assert said[-1] == ""
