"""The Run screen over 10 KB/s and 100 ms each way: its figures stay fresh, because no output queues up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.live_job import live_job
from tests.tui.pty import Link, PseudoTerminal, python

SLOW = Link(bytes_per_second=10_000, delay=0.1)


@pytest.mark.slow
def test_on_a_slow_link_the_figures_stay_fresh(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    command = python("-m", "tui", f"--home={tmp_path}")
    with (
        live_job(tmp_path) as live,
        PseudoTerminal(command, link=SLOW, env={"SSH_TTY": "/dev/pts/1"}) as terminal,
    ):
        terminal.until(live.job.id)
        terminal.press("3")
        terminal.until(lambda: live.age(terminal.text) is not None)
        terminal.wait(3)
        terminal.unsent_peak = 0
        ages: list[float | None] = []
        terminal.on_show = lambda: ages.append(live.age(terminal.text))
        terminal.wait(8)
        terminal.press("4")
        terminal.until("Results" if live.age(terminal.text) is None else lambda: live.age(terminal.text) is None)
    fresh = [age for age in ages if age is not None]
    record_property("age of the figures, seconds, at most", max(fresh))
    assert len(set(fresh)) > 8, "the figures stand still"
    assert terminal.unsent_peak < 8_000, "frames pile up"
