"""What the screen costs: the first paint, bytes and processor share idle and live, the age of figures on a slow link.

Everything is measured on a real pseudo-terminal with the real program; the live job is made up and writes four ticks a
second. Processor figures are the screen's own process alone, of one core.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.tui.live_job import live_job
from tests.tui.pty import Link, PseudoTerminal, python

SLOW = Link(bytes_per_second=10_000, delay=0.1)
REMOTE = {"SSH_TTY": "/dev/pts/1"}
WARM_UP = 4.0


def main(argv: list[str]) -> None:
    """Print a table of figures beside their targets."""
    parser = argparse.ArgumentParser(prog="tui")
    parser.add_argument("--rounds", type=int, default=9, help="starts of which the median and the best are shown")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long bytes and processor time are counted")
    arguments = parser.parse_args(argv)
    _first_paint(arguments.rounds)
    _idle(arguments.seconds)
    print(f"{'live Run screen':34}{'bytes/s':>9}{'core':>8}   target")
    _live("120x36", 120, 36, arguments.seconds, "<= 6,000 B/s, 3 %")
    _live("80x24", 80, 24, arguments.seconds, "<= 3,000 B/s, 3 %")
    _live("120x36 over SSH", 120, 36, arguments.seconds, "", env=REMOTE)
    _live("120x36 with Textual's own driver", 120, 36, arguments.seconds, "", words=("--driver=stock",))
    print(f"{'10 KB/s, 100 ms each way':34}{'age s':>9}{'worst':>8}{'unsent':>9}   target")
    _slow("120x36 over SSH", arguments.seconds, "<= 1 s")
    _slow("the same with Textual's own driver", arguments.seconds, "", words=("--driver=stock",))


def _first_paint(rounds: int) -> None:
    seconds, cpu = [], []
    with tempfile.TemporaryDirectory() as home:
        for _ in range(rounds + 1):
            with PseudoTerminal(python("-m", "tui", f"--home={home}")) as terminal:
                terminal.until(lambda: terminal.first_paint is not None)
                cpu.append(terminal.cpu_seconds())
                assert terminal.first_paint is not None
                seconds.append(terminal.first_paint)
    # The first start may compile modules.
    seconds, cpu = seconds[1:], cpu[1:]
    print(
        f"{'first paint':34}{median(seconds) * 1e3:6.0f} ms, best {min(seconds) * 1e3:.0f}, "
        f"processor {median(cpu) * 1e3:.0f}   target <= 300 ms on a quiet machine"
    )


def _idle(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as home, PseudoTerminal(python("-m", "tui", f"--home={home}")) as terminal:
        terminal.until("ready")
        terminal.wait(WARM_UP)
        written, share = _counted(terminal, seconds)
        print(f"{'idle':34}{written:9.0f} bytes/s, {share:.1%} of a core   target 0 bytes/s")


def _live(
    name: str,
    columns: int,
    rows: int,
    seconds: float,
    target: str,
    *,
    words: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
) -> None:
    with _watching(columns, rows, words=words, env=env) as (terminal, _):
        written, share = _counted(terminal, seconds)
        print(f"  {name:32}{written:9,.0f}{share:8.1%}   {target}")


def _slow(name: str, seconds: float, target: str, *, words: tuple[str, ...] = ()) -> None:
    with _watching(120, 36, words=words, env=REMOTE, link=SLOW) as (terminal, live_age):
        terminal.unsent_peak = 0
        ages, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            terminal.wait(0.05)
            if (age := live_age()) is not None:
                ages.append(age)
        print(f"  {name:32}{median(ages):9.2f}{max(ages):8.2f}{terminal.unsent_peak:9,.0f}   {target}")


@contextmanager
def _watching(
    columns: int, rows: int, *, words: tuple[str, ...], env: dict[str, str] | None, link: Link | None = None
) -> Iterator[tuple[PseudoTerminal, Callable[[], float | None]]]:
    with tempfile.TemporaryDirectory() as name, live_job(Path(name)) as live:
        command = python("-m", "tui", f"--home={name}", *words)
        with PseudoTerminal(command, columns=columns, rows=rows, env=env, link=link) as terminal:
            terminal.until("ready" if rows > 30 else live.job.id)
            terminal.press("3")
            terminal.until(lambda: live.age(terminal.text) is not None)
            terminal.wait(WARM_UP)
            yield terminal, lambda: live.age(terminal.text)


def _counted(terminal: PseudoTerminal, seconds: float) -> tuple[float, float]:
    """Return bytes and processor seconds per second."""
    begun, written, cpu = time.monotonic(), terminal.bytes_read, terminal.cpu_seconds()
    terminal.wait(seconds)
    passed = time.monotonic() - begun
    return (terminal.bytes_read - written) / passed, (terminal.cpu_seconds() - cpu) / passed
