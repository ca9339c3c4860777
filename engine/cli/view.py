"""Show a running job: a reader of its event log, and nothing more.

On a terminal one line under the log is kept up to date; elsewhere (and with --plain) there is one line a change, at
most every few seconds for a step that is under way, without cursor tricks: fit for a pipe and for a screen reader.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from engine import events
from engine.cli.screen import Screen
from engine.histogram import add, percentile
from engine.text import cut, duration, size

PLAIN_INTERVAL = 5.0
"""Seconds between two lines about a step that is still under way."""

LONGEST = 2000
"""Characters of a line; what a step says at greater length is in its own log."""

_WORDS: dict[events.Outcome, tuple[str, str]] = {
    "built": ("done", "good"),
    "cached": ("cached", "good"),
    "found": ("found", "good"),
    "reused": ("kept", "good"),
    "failed": ("FAILED", "bad"),
    "cancelled": ("stopped", "bad"),
    "skipped": ("skipped", "bad"),
}


@dataclass
class _Running:
    title: str
    since: float
    line: str = ""
    shown: float = 0.0
    last: events.Tick | None = None
    latencies: dict[int, int] = field(default_factory=dict)


class JobView:
    """Turns events into lines. `quiet` shows failures and the end only."""

    def __init__(self, screen: Screen, *, plain: bool = False, quiet: bool = False) -> None:
        self.screen = screen
        self.live = screen.is_terminal and not plain and not quiet
        self.quiet = quiet
        self.running: dict[str, _Running] = {}
        self.ended: set[str] = set()
        self.steps = 0
        self.ending: events.Done | None = None

    def show(self, seen: list[events.AnyEvent]) -> None:
        """Show some events, in their order."""
        for event in seen:
            self._one(event)
        if self.live:
            self.screen.status(self._status() if self.running else "")

    def close(self) -> None:
        """Take the status line away."""
        self.screen.status("")

    def _one(self, event: events.AnyEvent) -> None:
        match event:
            case events.Launch():
                self.steps = event.steps
                self._say(f"job {event.job} {'goes on' if event.resumed else 'runs'}: {event.steps} steps", "bold")
            case events.StepStarted():
                self.running[event.step] = _Running(event.title, event.at)
                self._say(f"  start    {event.title}" + (f" ({event.why})" if event.why else ""))
            case events.Waiting():
                self._wait(event)
            case events.Phase():
                self._note(event.step, event.name, event.at)
            case events.Progress():
                self._note(event.step, _progress(event), event.at)
            case events.Measuring():
                self._begin(event)
            case events.Tick():
                self._tick(event)
            case events.Warned():
                self._say(f"  warning  {event.step}: {event.text}", "todo")
                if event.remedy:
                    self._say(f"           {event.remedy}", "dim")
            case events.Measured():
                self._say(f"  result   {measured(event)}", "bold")
            case events.StepEnded():
                self._end(event)
            case events.Done():
                self.ending = event

    def _end(self, event: events.StepEnded) -> None:
        running = self.running.pop(event.step, None)
        self.ended.add(event.step)
        if event.outcome == "found" and not event.text:
            return  # it only stands for what it needs
        word, style = _WORDS[event.outcome]
        title = running.title if running else event.step
        text = f" · {event.text}" if event.text else ""
        taken = f" in {duration(event.seconds)}" if event.seconds >= 0.5 else ""
        self._say(f"  {word:8} {title}{taken}{text}", style, even_quiet=style == "bad")
        if event.remedy:
            self._say(f"           {event.remedy}", even_quiet=True)

    def _wait(self, event: events.Waiting) -> None:
        running = self.running.get(event.step)
        if running is not None:
            running.line = f"waits for {event.holder}"
        title = running.title if running else event.step
        self._say(f"  waits    {title}: for {event.holder} (--now measures at once)", "todo")

    def _begin(self, event: events.Measuring) -> None:
        """Forget the latencies of the run before: a search has several in one step."""
        if event.step in self.running:
            self.running[event.step].latencies.clear()

    def _tick(self, event: events.Tick) -> None:
        running = self.running.get(event.step)
        if running is None:
            return
        add(running.latencies, event.latencies)
        running.last = event
        rate = event.completed / event.elapsed if event.elapsed > 0 else 0.0
        text = f"{duration(event.elapsed)} · {event.completed} of {event.issued} samples · {rate:.1f} samples/s"
        p90 = percentile(running.latencies, 0.9)
        if p90 is not None:
            text += f" · p90 {p90 / 1e6:.2f} ms"
        self._note(event.step, text, event.at)

    def _note(self, step: str, text: str, at: float) -> None:
        running = self.running.get(step)
        if running is None:
            return
        running.line = text
        if not self.live and at - max(running.shown, running.since) >= PLAIN_INTERVAL:
            running.shown = at
            self._say(f"  ...      {running.title}: {text}")

    def _say(self, text: str, style: str = "", *, even_quiet: bool = False) -> None:
        if not self.quiet or even_quiet:
            self.screen.line(cut(text, LONGEST), style)

    def _status(self) -> str:
        step = next(iter(self.running.values()))
        more = f" (+{len(self.running) - 1} more)" if len(self.running) > 1 else ""
        line = step.line or duration(time.time() - step.since)
        return cut(f"[{len(self.ended)}/{self.steps}] {step.title}: {line}{more}", LONGEST)


def measured(event: events.Measured) -> str:
    """Write one result as a line."""
    verdict = {True: " · VALID", False: " · INVALID", None: ""}[event.valid]
    value = "no figure" if event.value is None else f"{event.value:.6g} {event.unit}".rstrip()
    scored = f" · {event.scored} labelled samples" if event.scored else ""
    return f"{event.scenario} {event.mode}: {event.metric} {value}{verdict}{scored}"


def _progress(event: events.Progress) -> str:
    if event.unit == "bytes":
        total = f" of {size(round(event.total))}" if event.total else ""
        return f"{size(round(event.done))}{total}"
    total = f" of {event.total:g}" if event.total else ""
    return f"{event.done:g}{total} {event.unit}"
