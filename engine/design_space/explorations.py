"""The explorations of a user: list, read, start, stop, resume, extend and promote them, for command line and screen."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from engine.design_space import trial_log
from engine.design_space.driver import LOG, STOP, space_of, standpoint
from engine.design_space.exploration import Exploration
from engine.design_space.exploration_folders import EXPLORATION_LOCK, SPEC_FILE, names, root
from engine.design_space.exploration_request import ExplorationRequest, specification
from engine.design_space.exploration_spec import (
    ExplorationSpec,
    read_exploration_spec,
    refuse_name,
    write_exploration_spec,
)
from engine.design_space.space import with_value
from engine.design_space.trials import Axis, Constraint, Trial
from engine.errors import InferdeckError, JobError, UsageError, nearest
from engine.plan.selection import Selection
from engine.plan.selection_syntax import selection_of
from engine.store.files import disk_errors, is_locked, locked
from engine.store.folders import Folders
from engine.survey.prepare import Workplace

_PATIENCE = 30.0
"""Seconds within which the process of an exploration must have begun."""


@dataclass(frozen=True, kw_only=True)
class ExplorationState:
    """An exploration as it is now."""

    spec: ExplorationSpec
    folder: Path
    exploration: Exploration
    """What reports and the screen show."""
    constraints: tuple[Constraint, ...]
    running: bool
    waits_for: str = ""
    """Who measures on this machine meanwhile."""
    present: trial_log.TrialStarted | None = None
    """The trial that is being made, or was left by a killed process."""
    spent: float = 0.0
    """Seconds of the budget."""
    stops: bool = False
    """Whether it stops after the present trial."""
    left: float | None = None
    """Expected seconds to its end without repeats; None where unknown, 0 where it is over."""
    left_text: str = ""
    """The same in words, with what it may become; empty where it is over."""
    over: trial_log.Over | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name

    @property
    def state(self) -> str:
        """Its state in a word or two."""
        return self.exploration.state


def folder_of(folders: Folders, name: str) -> Path:
    """Return the folder of an exploration. Raises JobError with the nearest name where there is none."""
    known = names(folders)
    if name not in known:
        remedy = nearest(name, known) if known else "inferdeck explore --tags=... --axis=... starts one"
        raise JobError(f"there is no exploration '{name}'", remedy)
    return root(folders) / name


def listed(folders: Folders) -> tuple[list[ExplorationState], dict[str, str]]:
    """Return every exploration, the newest first, and why those that can't be read can't."""
    found, damaged = [], {}
    for name in names(folders):
        try:
            found.append(read(root(folders) / name))
        except InferdeckError as error:
            damaged[name] = error.what
    return sorted(found, key=lambda one: -one.spec.created), damaged


def read(folder: Path) -> ExplorationState:
    """Read an exploration from its folder. Raises JobError or StoreError where it can't be read."""
    spec = read_exploration_spec(folder)
    seen = trial_log.progress(folder)
    return seen_of(folder, spec, seen)


def seen_of(folder: Path, spec: ExplorationSpec, seen: trial_log.LogState) -> ExplorationState:
    """Return the state that a folder and its log describe."""
    running = is_locked(folder / EXPLORATION_LOCK)
    stops = running and (folder / STOP).exists()
    at = standpoint(spec, seen)
    trials, bounds = list(at.trials), tuple(at.constraints)
    return ExplorationState(
        spec=spec,
        folder=folder,
        exploration=_exploration(spec, seen, trials, bounds, state_text(seen, running=running, stops=stops)),
        constraints=bounds,
        running=running,
        waits_for=seen.waits_for if running else "",
        present=seen.started,
        stops=stops,
        spent=seen.spent,
        left=at.left if running or seen.over is None else 0.0,
        left_text=at.left_text if running else "",
        over=None if running else seen.over,
    )


def _exploration(
    spec: ExplorationSpec,
    seen: trial_log.LogState,
    trials: list[Trial],
    bounds: tuple[Constraint, ...],
    state: str,
) -> Exploration:
    refused = {trial.point: trial.reason for trial in trials if trial.state == "refused"}
    over = seen.over
    return Exploration(
        name=spec.name,
        axes=spec.axes,
        objectives=spec.objectives,
        constraints=bounds,
        trials=tuple(trials),
        refused=refused,
        default=spec.default,
        command=spec.command,
        commands=seen.commands,
        machine=seen.of_suts(spec.machine),
        versions=seen.of_suts(spec.versions),
        conditions=conditions(spec),
        budget=spec.budget,
        size=spec.size - len(refused),
        sessions=seen.sessions,
        left_out=over.left_out if over is not None else (),
        state=state,
    )


def state_text(seen: trial_log.LogState, *, running: bool, stops: bool) -> str:
    """Return the state of an exploration in a word or two."""
    if running:
        return "stopping after the present trial" if stops else "waiting" if seen.waits_for else "running"
    if seen.over is None:
        return "died" if seen.sessions else "not started"
    return ": ".join(filter(None, ("finished" if seen.over.ending == "budget" else seen.over.ending, seen.over.reason)))


def conditions(spec: ExplorationSpec) -> dict[str, str]:
    """Return what all trials have in common."""
    found = {
        "selection": " ".join(spec.words),
        "sampler": f"{spec.sampler}, seed {spec.seed}",
        "short runs": f"{spec.seconds:g} s" if spec.seconds else "as long as the run style says",
        "longer runs": f"{spec.final_seconds:g} s" if spec.final_seconds else "none",
        "baseline": f"every {spec.baseline_every} trials",
    }
    if spec.limits:
        found["constraints"] = ", ".join(one.text + (f" ({one.why})" if one.why else "") for one in spec.limits)
    return found


def begin(place: Workplace, asked: ExplorationRequest) -> tuple[Path, str]:
    """Start an exploration, or go on with the one of that name, or of equal words where none is named.

    Returns its folder, and `new`, `resumed` or `joined`. Raises UsageError for what can't be explored, or where the
    exploration of that name measures something else.
    """
    spec, _ = specification(place, asked)
    base = root(place.folders)
    with locked(base / "start.lock"):
        spec = _named(place.folders, spec)
        folder = base / spec.name
        is_new = not (folder / SPEC_FILE).exists()
        if not is_new:
            old = read_exploration_spec(folder)
            spec = _continued(old, spec, asked)
            if is_locked(folder / EXPLORATION_LOCK):
                _refuse_change(old, spec)
                return folder, "joined"
        with disk_errors(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_exploration_spec(folder, spec)
        launch(folder, place.folders)
    return folder, "new" if is_new else "resumed"


def _named(folders: Folders, spec: ExplorationSpec) -> ExplorationSpec:
    """Return the specification with its name: that of an equal exploration, or the next free one."""
    if spec.name:
        refuse_name(spec.name)
        return spec
    known = names(folders)
    for name in reversed(known):
        try:
            other = read_exploration_spec(root(folders) / name)
        except InferdeckError:
            continue
        if _same(other, spec):
            return msgspec.structs.replace(spec, name=name)
    number = max((int(one[2:]) for one in known if one.startswith("e-") and one[2:].isdecimal()), default=0) + 1
    return msgspec.structs.replace(spec, name=f"e-{number:04d}")


def _same(one: ExplorationSpec, other: ExplorationSpec) -> bool:
    mine = (one.words, one.axes, one.objectives, one.limits, one.seconds, one.seed)
    return mine == (other.words, other.axes, other.objectives, other.limits, other.seconds, other.seed)


def _refuse_change(old: ExplorationSpec, new: ExplorationSpec) -> None:
    """Raise UsageError where a running exploration is asked to be another."""
    if old.command != new.command:
        raise UsageError(
            f"the exploration {old.name} is running as it was asked for before",
            f"stop it first: inferdeck explore stop {old.name}",
        )


def _continued(old: ExplorationSpec, new: ExplorationSpec, asked: ExplorationRequest) -> ExplorationSpec:
    """Return the specification with which an exploration goes on: budgets, values and axes may be added.

    Raises UsageError where its trials would not be comparable.
    """
    if old.words != new.words or old.seconds != new.seconds:
        raise UsageError(
            f"the exploration {old.name} measures something else: {' '.join(old.words)}"
            + (f" --seconds={old.seconds:g}" if old.seconds else ""),
            "give another --name",
        )
    before, after = {axis.name for axis in old.axes}, {axis.name for axis in new.axes}
    if not before <= after:
        gone = ", ".join(sorted(before - after))
        raise UsageError(f"the exploration {old.name} varies {gone}, too", "keep its axes, or give another --name")
    added = tuple(dict.fromkeys([*old.added, *(axis.name for axis in new.axes if axis.name not in before)]))
    # What was chosen for it stays, unless there is something else to choose from.
    is_same = not asked.sampler and (old.size, old.budget, old.trials) == (new.size, new.budget, new.trials)
    return msgspec.structs.replace(
        new, added=added, created=old.created, sampler=old.sampler if is_same else new.sampler
    )


def launch(folder: Path, folders: Folders) -> None:
    """Start the process of an exploration in a session of its own. Raises JobError where it ends at once."""
    with disk_errors(folder):
        (folder / STOP).unlink(missing_ok=True)
    module = "engine.pool.pool_driver" if read_exploration_spec(folder).pool else "engine.design_space.driver"
    before = trial_log.progress(folder).session
    environment = {**os.environ}
    if folders.state.parent == folders.store.parent:
        environment["INFERDECK_HOME"] = str(folders.state.parent)
    log = folder / LOG
    with disk_errors(folder), log.open("ab") as out:
        start = out.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env=environment,
        )
    # A viewer that stays must not keep the ended process as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    deadline = time.monotonic() + _PATIENCE
    while trial_log.progress(folder).session == before:
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_bytes()[start:].decode("utf-8", "replace").strip().splitlines()
            why = (lines[-1] if lines[0].startswith("Traceback") else " ".join(lines)) if lines else "it said nothing"
            raise JobError(f"the exploration {folder.name} did not start: {why}", f"see {log}")
        time.sleep(0.02)


def resume(folders: Folders, name: str) -> Path:
    """Go on with an exploration as it was asked for. Raises JobError where it runs."""
    folder = folder_of(folders, name)
    if is_locked(folder / EXPLORATION_LOCK):
        raise JobError(f"the exploration {name} is running", f"inferdeck explore watch {name}")
    launch(folder, folders)
    return folder


def stop(folders: Folders, name: str) -> ExplorationState:
    """Ask an exploration to stop after its present trial. Raises JobError where it does not run."""
    folder = folder_of(folders, name)
    if not is_locked(folder / EXPLORATION_LOCK):
        raise JobError(f"the exploration {name} is not running", f"inferdeck explore resume {name} goes on with it")
    with disk_errors(folder):
        (folder / STOP).touch()
    return read(folder)


def request_of(spec: ExplorationSpec) -> ExplorationRequest:
    """Return an exploration as it was asked for, to be changed and begun again: with another axis or budget."""
    ways = {True: "max:", False: "min:"}
    return ExplorationRequest(
        selection=selection_of(spec.words)[0],
        name=spec.name,
        axes=tuple(msgspec.structs.replace(axis, only_with=()) for axis in spec.axes),
        objectives=tuple(ways[one.maximize] + one.key for one in spec.objectives),
        constraints=tuple(one.text for one in spec.limits if not one.why),
        budget=spec.budget,
        trials=spec.trials,
        sampler=spec.sampler,
        seed=spec.seed,
        seconds=spec.seconds,
        final_seconds=spec.final_seconds,
        baseline_every=spec.baseline_every,
        again=spec.again,
        pool=spec.pool,
        profiles=spec.profiles,
    )


def with_axis(spec: ExplorationSpec, axis: Axis) -> ExplorationRequest:
    """Return the request that goes on with an axis more, or with other values of one that it has."""
    asked = request_of(spec)
    others = tuple(one for one in asked.axes if one.name != axis.name)
    return replace(asked, axes=(*others, axis))


def trial_of(seen: ExplorationState, number: int) -> Trial:
    """Return a trial by its number. Raises UsageError where there is none."""
    found = next((trial for trial in seen.exploration.trials if trial.number == number), None)
    if found is None:
        most = len(seen.exploration.trials)
        raise UsageError(f"{seen.name} has no trial {number}", f"it has 1 to {most}" if most else "it has none yet")
    return found


def promoted(place: Workplace, seen: ExplorationState, trial: Trial) -> Selection:
    """Return the selection of the valid run and submission of a trial's point. Raises UsageError for a refused one."""
    if trial.state == "refused":
        raise UsageError(f"trial {trial.number} was refused: {trial.reason}", "promote another one")
    _, spread = space_of(seen.spec)
    chosen = spread.selection(trial.point)
    chosen = with_value(place.catalog, chosen, "style", (spread.root,), "valid")
    dropped = ("scenarios", "modes", "min_duration_ms", "min_query_count", "notice")
    options = {name: value for name, value in chosen.options.items() if name not in dropped}
    query = replace(chosen.query, variations=tuple(dict.fromkeys((*chosen.query.variations, "submission"))))
    return replace(chosen, query=query, options=options)
