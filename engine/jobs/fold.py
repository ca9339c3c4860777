"""Fold the events of a job into one frozen state, which is all that a screen needs.

Pure: the same events give the same state, however they are batched. The time series of a measurement are in
engine/jobs/window.py, the prediction of its verdict in engine/watch/outlook.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from engine import events
from engine.jobs.window import NOTHING, Figures, TimeWindow
from engine.text import clean, cut, duration

NOW_SECONDS = 5
"""Length in seconds of the window for current figures, including the second in progress."""

KEPT_NOTES = 200
KEPT_RESULTS = 10_000
"""Maximum number of results kept: a search has tens of trials."""

LONGEST_NOTE = 2000
"""Maximum characters of a note; longer messages are in the step's log."""
WAITS = "waits for"
"""Prefix of the phase of a step that waits for another job's measurement."""

StepState = Literal["waits", "runs"] | events.Outcome
WORDS: Mapping[StepState, str] = {
    "waits": "waits",
    "runs": "runs",
    "built": "done",
    "cached": "cached",
    "found": "found",
    "reused": "kept",
    "failed": "FAILED",
    "cancelled": "stopped",
    "skipped": "skipped",
}
"""Word for each state of a step, on the command line and on the screen."""
GOOD: tuple[StepState, ...] = ("built", "cached", "found", "reused")
"""States of a step that ended successfully."""
Kind = Literal["", "good", "todo", "bad"]


@dataclass(frozen=True)
class StepSeen:
    """State of one step of the job."""

    id: str
    title: str
    state: StepState = "waits"
    since: float | None = None
    """When it started to run, seconds since the epoch."""
    seconds: float | None = None
    """Duration in seconds, once it has ended."""
    phase: str = ""
    progress: events.Progress | None = None
    text: str = ""
    """Its result, or why it runs."""
    remedy: str = ""
    end: events.StepEnded | None = None
    """The event that ended it."""

    @property
    def waits_for(self) -> str:
        """The job whose measurement it waits for; empty where it does not wait."""
        return self.phase.removeprefix(WAITS).strip() if self.phase.startswith(WAITS) else ""


@dataclass(frozen=True)
class Measurement:
    """The running LoadGen run, or the last one."""

    rules: events.Measuring
    started: bool
    """Whether it has reported figures; before that the model is being loaded."""
    over: bool
    elapsed: float
    issued: int
    completed: int
    done: float
    """Samples, with the parts of unfinished ones that are done."""
    parts: str
    """How many parts those are, where samples are divided: `334 windows`; else empty."""
    now: Figures
    """Figures of the last NOW_SECONDS."""
    whole: Figures
    """Figures since the start; without latencies while the log is still being read."""
    result: events.Measured | None = None


@dataclass(frozen=True)
class Note:
    """A line of the event list."""

    at: float
    kind: Kind
    text: str


@dataclass(frozen=True)
class Watched:
    """State of a job according to its events."""

    launch: events.Launch | None
    steps: tuple[StepSeen, ...]
    """In plan order."""
    measurement: Measurement | None
    results: tuple[events.Measured, ...]
    """The last of each scenario and mode."""
    disturbed: Mapping[str, str]
    """Step → what may have changed its figures."""
    notes: tuple[Note, ...]
    """The last KEPT_NOTES, oldest first."""
    last_at: float | None
    """Time of the last event."""
    done: events.Done | None
    began: float | None = None
    """When the first attempt was launched, seconds since the epoch."""
    attempts: int = 0
    """Number of processes that have run the job."""
    worked: float = 0.0
    """Seconds between the first and the last event of each attempt, summed."""
    made: int = 0
    """Steps that ended successfully in the last attempt that reached them."""
    last_step: str = ""
    """The step started last, in any attempt."""

    @property
    def running(self) -> tuple[StepSeen, ...]:
        """The running steps."""
        return tuple(step for step in self.steps if step.state == "runs")

    @property
    def waits(self) -> bool:
        """Whether it waits for another job's measurement to end."""
        return bool(self.waits_for)

    @property
    def waits_for(self) -> str:
        """The job whose measurement it waits for; empty where it does not wait."""
        return next((step.waits_for for step in self.running if step.waits_for), "")

    @property
    def ended(self) -> int:
        """Number of steps that have ended."""
        return sum(step.state not in ("waits", "runs") for step in self.steps)

    @property
    def failed(self) -> tuple[StepSeen, ...]:
        """The failed steps."""
        return tuple(step for step in self.steps if step.state == "failed")


_KINDS: dict[events.Outcome, Kind] = {"failed": "bad", "cancelled": "todo", "skipped": "todo", "built": ""}


class Fold:
    """Folds events into a state. `titles` are the steps of the plan by id, in its order."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._titles = dict(titles)
        self._steps = _waiting(titles)
        self._notes: deque[Note] = deque(maxlen=KEPT_NOTES)
        self._new_notes: deque[Note] = deque(maxlen=KEPT_NOTES)
        """Raw, cleaned only when shown: of a million warnings 200 lines are."""
        self._results: dict[tuple[str, str], events.Measured] = {}
        self.measured: deque[events.Measured] = deque(maxlen=KEPT_RESULTS)
        """Results of all attempts in order, trials included."""
        self._launch: events.Launch | None = None
        self._done: events.Done | None = None
        self._last_at: float | None = None
        self._began: float | None = None
        self._attempts, self._worked = 0, 0.0
        self._ended_well: dict[str, bool] = {}
        self._last_step = ""
        self._disturbed: dict[str, list[str]] = {}
        self._rules: events.Measuring | None = None
        self._result: events.Measured | None = None
        self.window = TimeWindow()
        """Window of the current measurement."""

    def take(self, seen: Iterable[events.AnyEvent], *, without_ticks: bool = False) -> None:
        """Fold events in order; `without_ticks` says that ticks among them were left out."""
        for event in seen:
            self._pass_time(event)
            match event:
                case events.Tick():
                    if self._rules is not None and self._rules.step == event.step:
                        self.window.add(event)
                case events.Progress():
                    self._change(event.step, progress=event)
                case events.Measuring():
                    self._rules, self._result, self.window = event, None, TimeWindow(partial=without_ticks)
                case _:
                    self._seldom(event)

    def _pass_time(self, event: events.AnyEvent) -> None:
        """Add the time since the previous event, unless no process was running in between."""
        if self._last_at is not None and self._launch is not None and not isinstance(event, events.Launch):
            self._worked += max(event.at - self._last_at, 0.0)
        self._last_at = event.at

    def step(self, name: str) -> StepSeen:
        """Return one step; without events it is waiting."""
        return self._steps.get(name) or StepSeen(name, self._title(name))

    def _seldom(self, event: events.AnyEvent) -> None:
        match event:
            case events.Launch():
                self._launched(event)
            case events.StepStarted():
                self._disturbed.pop(event.step, None)
                self._last_step = event.step
                self._titles[event.step] = title = clean(event.title)
                self._steps[event.step] = StepSeen(event.step, title, "runs", event.at, text=clean(event.why))
            case events.Waiting():
                self._change(event.step, phase=f"{WAITS} {event.holder}")
                self._note(event.at, "todo", f"{self._title(event.step)} waits for {event.holder}")
            case events.Phase():
                self._change(event.step, phase=event.name)
                if event.name == "measure":
                    self._note(event.at, "", f"{self._title(event.step)}: measuring started")
            case events.Warned():
                if event.disturbs:
                    self._disturbed.setdefault(event.step, []).append(clean(event.text))
                self._note(event.at, "todo", f"{self._title(event.step)}: {event.text}")
            case events.Measured():
                self._measured(event)
            case events.StepEnded():
                self._ended(event)
            case events.Done():
                self._done = event
                self._note(
                    event.at, "good" if event.ending == "finished" else "bad", f"the job has ended: {event.ending}"
                )

    def state(self) -> Watched:
        """Return the current state."""
        self._notes.extend(replace(note, text=clean(cut(note.text, LONGEST_NOTE))) for note in self._new_notes)
        self._new_notes.clear()
        return Watched(
            launch=self._launch,
            steps=tuple(self._steps.values()),
            measurement=self.measurement(),
            results=tuple(self._results.values()),
            disturbed={step: "; ".join(texts) for step, texts in self._disturbed.items()},
            notes=tuple(self._notes),
            last_at=self._last_at,
            done=self._done,
            began=self._began,
            attempts=self._attempts,
            worked=self._worked,
            made=sum(self._ended_well.values()),
            last_step=self._last_step,
        )

    def measurement(self) -> Measurement | None:
        """Return the running LoadGen run, or the last one."""
        if self._rules is None:
            return None
        step, window = self._steps.get(self._rules.step), self.window
        return Measurement(
            rules=self._rules,
            started=window.elapsed > 0,
            over=self._done is not None or step is None or step.state != "runs",
            elapsed=window.elapsed,
            issued=window.issued,
            completed=window.completed,
            done=window.done,
            parts=window.parts,
            now=window.last(NOW_SECONDS) if window.elapsed else NOTHING,
            whole=window.whole(),
            result=self._result,
        )

    def _launched(self, event: events.Launch) -> None:
        """Start or resume: steps are reset, results and notes are kept."""
        self._launch, self._done = event, None
        self._attempts += 1
        self._began = event.at if self._began is None else self._began
        self._steps = _waiting(self._titles)
        self._note(event.at, "", "the job was resumed" if event.resumed else "the job has started")

    def _measured(self, event: events.Measured) -> None:
        self._results[event.scenario, event.mode] = event
        self.measured.append(event)
        if self._rules is not None and self._rules.step == event.step:
            self._result = event
        self._note(event.at, "bad" if event.valid is False else "good", f"{event.title} {event.verdict}".rstrip())

    def _ended(self, event: events.StepEnded) -> None:
        step = self.step(event.step)
        self._ended_well[event.step] = event.outcome in GOOD
        ended = replace(step, state=event.outcome, seconds=event.seconds, end=event)
        self._steps[event.step] = replace(ended, text=clean(event.text), remedy=clean(event.remedy))
        if event.outcome in _KINDS:
            words = WORDS["built"] if event.outcome == "built" else event.outcome
            taken = f" in {duration(event.seconds)}" if event.seconds >= 0.5 else ""
            text = f": {event.text}" if event.text and event.outcome != "built" else ""
            self._note(event.at, _KINDS[event.outcome], f"{step.title} {words}{taken}{text}")

    def _change(self, step: str, *, phase: str | None = None, progress: events.Progress | None = None) -> None:
        known = self._steps.get(step)
        if known is None:
            return
        if phase is not None:
            known = replace(known, phase=clean(phase), progress=None)
        self._steps[step] = known if progress is None else replace(known, progress=progress)

    def _title(self, step: str) -> str:
        return self._titles.get(step, step)

    def _note(self, at: float, kind: Kind, text: str) -> None:
        self._new_notes.append(Note(at, kind, text))


def _waiting(titles: Mapping[str, str]) -> dict[str, StepSeen]:
    return {step: StepSeen(step, clean(title)) for step, title in titles.items()}
