"""The lines of an exploration: its plan, a line for each trial while it runs, its end, and the list of all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.cli.screen import Cell, Screen
from engine.design_space import trial_log
from engine.design_space.axis_words import AS_PLANNED
from engine.design_space.cost_plan import CostPlan
from engine.design_space.decision import standings
from engine.design_space.driver import standpoint
from engine.design_space.exploration_folders import EXPLORATION_LOCK
from engine.design_space.exploration_spec import ExplorationSpec, read_exploration_spec
from engine.design_space.exploration_words import figures_text, plan_lines, point_text, refused_lines, trial_kind
from engine.design_space.explorations import ExplorationState
from engine.design_space.front import Standing
from engine.design_space.trials import Objective, Point, Trial
from engine.jobs import jobs
from engine.store.files import is_locked
from engine.text import date_time, duration, figure, fit

_STYLES = {"valid": "good", "valid if longer": "todo", "breaks": "bad", "failed": "bad", "refused": "dim"}
_STANDINGS = {"on the front": "good", "indistinguishable": "todo", "dominated": "dim"}
_WIDEST = 60
_LOOK = 1.0
"""Seconds between two looks at what the present trial waits for."""


class LiveLines:
    """Prints what is new in the log of an exploration."""

    def __init__(self, screen: Screen, folder: Path, *, plain: bool = False, quiet: bool = False) -> None:
        self.screen, self.folder, self.quiet = screen, folder, quiet
        self._is_live = screen.is_terminal and not plain and not quiet
        self.spec = read_exploration_spec(folder)
        self._reader = trial_log.LogReader(folder)
        self._seen = trial_log.LogState()
        self._jobs = self.folder.parents[1] / "jobs"
        widths = [len(axis.name) + 1 + max(map(len, (*axis.values, AS_PLANNED))) for axis in self.spec.axes]
        self._width = min(sum(widths) + len(widths) - 1, _WIDEST)
        """Cells of the column of points."""
        self._waits, self._looked = "", 0.0
        self._refused: dict[Point, str] = {}
        """Points refused since the last line."""

    def show(self) -> bool:
        """Print the new events; return whether the exploration's process lives."""
        alive = is_locked(self.folder / EXPLORATION_LOCK)
        events = list(self._reader.read())
        for event in events:
            self._seen.take(event)
        if not self.quiet:
            self._print(events)
            if alive:
                self._tell_waiting()
            if self._is_live:
                self.screen.status(self._status() if alive else "")
        return alive

    def _print(self, events: Sequence[trial_log.LogEvent]) -> None:
        """Print events; trials stand as they do now, which of many old ones is told once for all."""
        ended = [event for event in events if isinstance(event, trial_log.TrialEnded)]
        if not ended:
            for event in events:
                self._one(event)
            return
        at = standpoint(self.spec, self._seen)
        stands, trials = standings(at), {trial.number: trial for trial in at.trials}
        for event in events:
            if not isinstance(event, trial_log.TrialEnded):
                self._one(event)
            elif event.trial.state == "refused":
                self._refused[event.trial.point] = event.trial.reason
            else:
                self._flush_refused()
                left = at.left_text if event is ended[-1] else ""
                self._trial(trials[event.trial.number], stands, left)

    def _tell_waiting(self) -> None:
        """Print whose measurement the present trial waits for."""
        now = self._seen.started
        if now is None or not now.job or time.monotonic() - self._looked < _LOOK:
            return
        self._looked = time.monotonic()
        waits = jobs.read(self._jobs / now.job).waits
        if waits and waits != self._waits:
            self.screen.line(f"       {now.job} waits for {waits}", "todo")
        self._waits = waits

    def ended(self, found: ExplorationState) -> None:
        """Print how it ended."""
        screen, shown = self.screen, found.exploration
        screen.line()
        front = {
            point: one for point, one in standings(standpoint(self.spec, self._seen)).items() if one.word != "dominated"
        }
        if front:
            screen.line("on the front, or not to be told from it:", "bold")
            _front_table(screen, self.spec.objectives, front)
        for line in shown.left_out:
            screen.line(f"left out: {line}", "todo")
        style = "good" if found.over is not None and found.over.ending in ("finished", "budget") else "todo"
        screen.line(f"{found.name} {found.state}; {len(shown.trials)} trials in {duration(found.spent)}", style)
        if found.over is None or found.over.ending not in ("finished", "budget"):
            screen.line(f"go on with: inferdeck explore resume {found.name}")
        screen.line(f"report: inferdeck explore show {found.name} --format=html --out={found.name}.html", "dim")

    def _one(self, event: trial_log.LogEvent) -> None:
        self._flush_refused()
        match event:
            case trial_log.SessionBegan() if event.sut:
                self.screen.line(f"{event.sut} measures: session {event.session}", "dim")
            case trial_log.TrialAgain():
                word = "given up" if event.given_up else "again"
                self.screen.line(f"       {event.sut}: {word}: {event.why}", "todo")
            case trial_log.SutRefused():
                self.screen.line(f"{event.sut} gets no trials, because it is another machine: {event.why}", "bad")
            case trial_log.SessionBegan() if event.session > 1:
                self.screen.line(f"session {event.session} began on {date_time(event.at)}", "dim")
            case trial_log.WaitsForMachine():
                self.screen.line(f"waits for {event.holder}", "todo")
            case trial_log.AccuracyKnown():
                shown = ", ".join(f"{key} {figure(value)} %" for key, value in event.figures.items())
                self.screen.line(f"       {event.failed or shown} ({event.job})", "bad" if event.failed else "")

    def _flush_refused(self) -> None:
        for line in refused_lines(self._refused):
            self.screen.line(f"       refused          {line}", "dim")
        self._refused.clear()

    def _trial(self, trial: Trial, stands: Mapping[Point, Standing], left: str) -> None:
        stand = stands.get(trial.point) if trial.state != "failed" else None
        cells: list[Cell] = [
            (f"{trial.number:5d}", ""),
            (f"{trial.state:<15}", _STYLES[trial.state]),
            (fit(point_text(trial.point), self._width), ""),
            (figures_text(self.spec.objectives, trial), "bold"),
            (stand.word if stand is not None else "", _STANDINGS[stand.word] if stand is not None else ""),
            (trial_kind(trial), "dim"),
            (trial.sut, "dim"),
            ("" if trial.state == "valid if longer" else trial.reason, "dim"),
            ("disturbed" if trial.note else "", "todo"),
            (left, "dim"),
        ]
        self.screen.cells([cell for part in cells if part[0] for cell in (part, ("  ", ""))])

    def _status(self) -> str:
        now = self._seen.started
        if now is None:
            return ""
        what = "accuracy" if now.accuracy_key else f"trial {len(self._seen.trials) + 1}"
        left = standpoint(self.spec, self._seen).left_text
        return f"{what}: {point_text(now.point)} ({now.job or 'starting'})  {left}  {now.why}"


def _front_table(screen: Screen, objectives: Sequence[Objective], front: Mapping[Point, Standing]) -> None:
    head: list[Cell] = [(f"{one.title} {one.unit}", "dim") for one in objectives]
    rows: list[list[Cell]] = [[*head, ("n", "dim"), ("standing", "dim"), ("point", "dim")]]
    for point, one in front.items():
        shown: list[Cell] = [(figure(one.means.get(objective.key)), "bold") for objective in objectives]
        rows.append([*shown, (str(one.n), ""), (one.word, _STANDINGS[one.word]), (point_text(point), "")])
    screen.table(rows, right=range(len(objectives) + 1))


def print_plan(screen: Screen, spec: ExplorationSpec, plan: CostPlan) -> None:
    """Print the plan of an exploration."""
    for text, style in plan_lines(spec, plan):
        screen.line(text, style)


def list_lines(screen: Screen, found: Sequence[ExplorationState], damaged: Mapping[str, str]) -> None:
    """Print all explorations, the newest first."""
    if not found and not damaged:
        screen.line("there are no explorations yet: inferdeck explore --tags=... --axis=... starts one")
        return
    rows: list[list[Cell]] = [[(word, "dim") for word in ("name", "state", "trials", "points", "took", "left", "axes")]]
    for one in found:
        style = "good" if one.running else ""
        rows.append(
            [
                (one.name, "bold"),
                (one.state, style),
                (str(len(one.exploration.trials)), ""),
                (str(one.spec.size), ""),
                (duration(one.spent), ""),
                (one.left_text.removesuffix(" left"), ""),
                (" ".join(axis.name for axis in one.spec.axes), ""),
            ]
        )
    if found:
        screen.table(rows, right=(2, 3, 4, 5))
    for name, why in damaged.items():
        screen.line(f"{name}: {why}", "bad")
