"""The lines of an exploration: its plan, a line for each trial while it runs, its end, and the list of all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.cli.screen import Cell, Screen
from engine.design_space import trial_log
from engine.design_space.axis_words import AS_PLANNED, axis_text
from engine.design_space.cost_plan import CostPlan
from engine.design_space.decision import standings
from engine.design_space.driver import EXPLORATION_LOCK, standpoint
from engine.design_space.exploration_spec import ExplorationSpec, read_exploration_spec
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


def point_text(point: Point) -> str:
    """Return a point as words: `sessions=2 max_batch=8`."""
    return " ".join(f"{name}={value}" for name, value in point)


def figures_text(objectives: Sequence[Objective], trial: Trial) -> str:
    """Return the figures of the objectives with their units."""
    parts = [
        f"{one.title} {figure(trial.figures[one.key]):>5} {one.unit}" for one in objectives if one.key in trial.figures
    ]
    return " · ".join(parts)


def trial_kind(trial: Trial) -> str:
    """Return what a trial was made for, where it is not a first short run of its point."""
    kinds = {"repeat": "repeat", "baseline": "baseline", "promoted": "promoted", "reused": "measured before"}
    return ", ".join(filter(None, (kinds.get(trial.purpose, ""), "longer run" if trial.stage else "")))


def refused_lines(refused: Mapping[Point, str]) -> list[str]:
    """Return why points are refused, a line for each reason: what its points have in common, and how many they are."""
    by_reason: dict[str, list[Point]] = {}
    for point, reason in refused.items():
        by_reason.setdefault(reason, []).append(point)
    lines = []
    for reason, points in by_reason.items():
        common = tuple(pair for pair in points[0] if all(pair in point for point in points))
        which = point_text(points[0] if len(points) == 1 else common) or "all"
        lines.append(which + (f" ({len(points)} points)" if len(points) > 1 else "") + f": {reason}")
    return lines


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


def plan_lines(screen: Screen, spec: ExplorationSpec, plan: CostPlan) -> None:
    """Print the plan of an exploration."""
    for axis in spec.axes:
        only = "".join(f", only with {name}={'|'.join(sorted(values))}" for name, values in axis.only_with)
        screen.line(f"axis       {axis_text(axis)}{only}")
    for one in spec.objectives:
        screen.line(f"objective  {one.title}: {'more' if one.maximize else 'less'} is better ({one.unit})")
    for limit in spec.limits:
        screen.line(f"constraint {limit.text}" + (f" ({limit.why})" if limit.why else ""))
    for line in refused_lines(plan.refused):
        screen.line(f"refused    {line}", "todo")
    looked = f", of the first {plan.looked_at} looked at" if plan.looked_at < plan.points else ""
    refused = f", {len(plan.refused)} refused{looked}" if plan.refused or looked else ""
    screen.line(f"space      {plan.points:,} points{refused}; sampler {spec.sampler}, seed {spec.seed}")
    screen.line(f"default    {point_text(spec.default)}", "dim")
    parts = [
        "at least " * plan.is_partial + _many(len(plan.builds), "build"),
        f"{plan.there} reused",
        f"{_many(plan.known, 'point')} measured before" if plan.known else "",
        _many(plan.accuracy_runs, "accuracy run") if plan.accuracy_runs else "",
        _many(plan.runs, "run"),
        f"up to {_many(plan.longer, 'longer run')}" if plan.longer else "",
        f"about {duration(plan.seconds)}",
    ]
    screen.line(f"plan       {', '.join(filter(None, parts))}", "bold")
    for line in _builds(plan.builds):
        screen.line(f"             build {line}", "dim")
    if plan.left_out > 0:
        limit_text = f"the budget of {duration(spec.budget)}" if spec.budget else f"{spec.trials} trials"
        screen.line(f"left out   {_many(plan.left_out, 'point')}: {limit_text} will not hold them", "todo")


def _builds(builds: Mapping[str, float | None]) -> list[str]:
    """Return what is built, a line for each component: its name, how many of it, and how long they take."""
    found: dict[str, list[float]] = {}
    for entry, seconds in builds.items():
        found.setdefault(entry.rpartition("-")[0], []).append(seconds or 0.0)
    return [
        name
        + (f", {len(seconds)} times" if len(seconds) > 1 else "")
        + (f", about {duration(sum(seconds))}" if sum(seconds) else "")
        for name, seconds in found.items()
    ]


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"


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
