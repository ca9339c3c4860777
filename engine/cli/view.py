"""Show a running job from its event log.

On a terminal one status line below the log is kept up to date; elsewhere (and with --plain) each change is one line, at
most every few seconds for a running step, without cursor control: suitable for pipes and screen readers.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from engine import events
from engine.cli.screen import Screen
from engine.jobs.fold import WORDS, Fold
from engine.text import cut, duration, progress

PLAIN_INTERVAL = 5.0
"""Seconds between two lines about a running step."""

LONGEST = 2000
"""Characters of a line; longer messages are in the step's log."""

_STYLES: dict[events.Outcome, str] = {"failed": "bad", "cancelled": "bad", "skipped": "bad"}


class JobView:
    """Prints events as lines. `quiet` prints failures and the end only."""

    def __init__(self, screen: Screen, *, plain: bool = False, quiet: bool = False) -> None:
        self.screen = screen
        self.live = screen.is_terminal and not plain and not quiet
        self.quiet = quiet
        self._fold = Fold({})
        self._lines: dict[str, Callable[[], str]] = {}
        """Latest status text of each running step; written only where it is shown."""
        self._shown: dict[str, float] = {}
        """When that was printed last, by the events' clock."""

    def show(self, seen: list[events.AnyEvent]) -> None:
        """Print events in order."""
        for event in seen:
            self._fold.take((event,))
            self._one(event)
        if self.live:
            self.screen.status(self._status())

    def close(self) -> None:
        """Remove the status line."""
        self.screen.status("")

    def _one(self, event: events.AnyEvent) -> None:
        match event:
            case events.Launch():
                self._print(f"job {event.job} {'resumed' if event.resumed else 'started'}: {event.steps} steps", "bold")
            case events.StepStarted():
                self._lines.pop(event.step, None)
                self._shown[event.step] = event.at
                self._print(f"  start    {event.title}" + (f" ({event.why})" if event.why else ""))
            case events.Waiting():
                self._wait(event)
            case events.Phase():
                self._note(event.step, lambda: event.name, event.at)
            case events.Progress():
                self._note(event.step, lambda: progress(event.done, event.total, event.unit), event.at)
            case events.Tick():
                self._note(event.step, self._figures, event.at)
            case events.Warned():
                self._print(f"  warning  {event.step}: {event.text}", "todo")
                if event.remedy:
                    self._print(f"           {event.remedy}", "dim")
            case events.Measured():
                self._print(f"  result   {measured(event)}", "bold")
            case events.StepEnded():
                self._end(event)
            case events.Measuring() | events.Done():
                pass

    def _end(self, event: events.StepEnded) -> None:
        if event.outcome == "found" and not event.text:
            return  # it only stands for what it needs
        style = _STYLES.get(event.outcome, "good")
        text = f" · {event.text}" if event.text else ""
        taken = f" in {duration(event.seconds)}" if event.seconds >= 0.5 else ""
        title = self._fold.step(event.step).title
        self._print(f"  {WORDS[event.outcome]:8} {title}{taken}{text}", style, even_quiet=style == "bad")
        if event.remedy:
            self._print(f"           {event.remedy}", even_quiet=True)

    def _wait(self, event: events.Waiting) -> None:
        step = self._fold.step(event.step)
        self._lines[event.step] = lambda: step.phase
        self._print(f"  waits    {step.title}: for {event.holder} (--now measures immediately)", "todo")

    def _figures(self) -> str:
        """Return the figures of the measurement since its start, as text."""
        seen = self._fold.measurement()
        if seen is None:
            return ""
        parts = f" ({seen.parts})" if seen.parts else ""
        text = f"{duration(seen.elapsed)} · {seen.completed} of {seen.issued} samples{parts}"
        text += f" · {seen.whole.rate or 0.0:.1f} samples/s"
        p90 = seen.whole.latency(0.9)
        return text if p90 is None else f"{text} · p90 {p90 / 1e6:.2f} ms"

    def _note(self, step: str, text: Callable[[], str], at: float) -> None:
        seen = self._fold.step(step)
        if seen.state != "runs":
            return
        self._lines[step] = text
        if not self.live and at - self._shown.get(step, at) >= PLAIN_INTERVAL:
            self._shown[step] = at
            self._print(f"  ...      {seen.title}: {text()}")

    def _print(self, text: str, style: str = "", *, even_quiet: bool = False) -> None:
        if not self.quiet or even_quiet:
            self.screen.line(cut(text, LONGEST), style)

    def _status(self) -> str:
        """Return the status line of the step that has run longest; empty where none runs."""
        state = self._fold.state()
        if not state.running:
            return ""
        step = min(state.running, key=lambda one: one.since or 0.0)
        more = f" (+{len(state.running) - 1} more)" if len(state.running) > 1 else ""
        line = self._lines[step.id]() if step.id in self._lines else duration(time.time() - (step.since or 0.0))
        steps = state.launch.steps if state.launch else 0
        return cut(f"[{state.ended}/{steps}] {step.title}: {line}{more}", LONGEST)


def measured(event: events.Measured) -> str:
    """Write one result as a line."""
    verdict = f" · {event.verdict}" if event.verdict else ""
    scored = f" · {event.scored} labelled samples" if event.scored else ""
    return f"{event.title}{verdict}{scored}"
