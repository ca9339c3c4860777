"""Report a finished job: a table of results, or what failed and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from engine import events
from engine.cli import output
from engine.cli.screen import Cell, Screen
from engine.cli.workers_table import draw_workers
from engine.explore.runs import DISTURBED
from engine.explore.tuning import TuningReport, of_job, tuning_node
from engine.jobs import jobs
from engine.jobs.fold import Watched
from engine.jobs.main import STATUS
from engine.jobs.replay import replay
from engine.store.folders import Folders, folders
from engine.text import duration, result
from engine.watch.diagnosis import diagnose

_KINDS: Final = (events.StepStarted, events.Warned, events.Measured, events.StepEnded)
"""Event kinds from which the end of a job is reported."""
_THERE: tuple[events.Outcome, ...] = ("built", "cached")


def show(screen: Screen, job: jobs.Job, *, as_json: bool) -> int:
    """Print how a job ended; returns its exit status (1 for a dead job)."""
    fold = replay(job.events, _KINDS)
    state, results = fold.state(), list(fold.measured)
    status = STATUS.get(job.state, 1)
    tuned = _tuned(job, state)
    if as_json:
        output.write_json(_as_json(job, results, state, tuned))
        return status
    if tuned is not None:  # its table says what its step told of each scenario, and more
        results = [event for event in results if event.step != tuned.step]
    if results:
        screen.line()
        _table(screen, results, state.disturbed)
    if tuned is not None:
        screen.line()
        draw_workers(screen, tuned)
    for notice in (job.spec.notice, job.spec.start_notice):
        if notice:
            screen.line(notice, "todo")
    if job.state == "finished":
        screen.line(f"{job.id} finished in {duration(job.worked)}; results in {job.results}", "good")
    elif job.state == "died":
        _died(screen, job)
    else:
        screen.line(f"{job.id} {job.state}; the same command resumes it", "bad")
        screen.line(f"logs are in {job.folder / 'logs'}")
    return status


def _tuned(job: jobs.Job, state: Watched) -> TuningReport | None:
    """Return how a job that was asked to tune chose the workers."""
    node = tuning_node(job.spec)
    there = {step.id for step in state.steps if step.state in _THERE}
    found = of_job(job.spec, _places(job)) if node is not None and node.id in there else None
    return found if found is not None and found.thorough else None


def _places(job: jobs.Job) -> Folders:
    """Return the folders that a job belongs to: --home may point elsewhere for this command alone."""
    usual = folders()
    return usual if job.folder.parent == usual.jobs else folders(str(job.folder.parents[2]))


def _table(screen: Screen, results: list[events.Measured], disturbing: Mapping[str, str]) -> None:
    latest = {(event.scenario, event.mode): event for event in results}
    rows: list[list[Cell]] = [[(word, "dim") for word in ("scenario", "mode", "metric", "value", "unit", "LoadGen")]]
    for (scenario, mode), event in latest.items():
        verdict = (event.verdict or event.scored, {True: "good", False: "bad", None: ""}[event.valid])
        if event.step in disturbing:
            verdict = (", ".join(filter(None, (verdict[0], DISTURBED))), "todo")
        value = result(event.value)
        rows.append([(scenario, ""), (mode, ""), (event.metric, ""), (value, "bold"), (event.unit, ""), verdict])
    screen.table(rows, right=(3,))
    for text in dict.fromkeys(disturbing[event.step] for event in latest.values() if event.step in disturbing):
        screen.line(f"{DISTURBED}: {text}", "todo")


def _died(screen: Screen, job: jobs.Job) -> None:
    found = diagnose(job)
    screen.line(f"{job.id} died: {found.what}", "bad")
    screen.line(found.cause, "bad" if found.certain else "")
    for log in found.logs:
        for line in log.lines:
            screen.line(f"  {line}", "dim")


def _as_json(
    job: jobs.Job, results: list[events.Measured], state: Watched, tuned: TuningReport | None
) -> dict[str, Any]:
    return {
        "job": job.id,
        "state": job.state,
        "results_folder": str(job.results),
        "notice": job.spec.notice,
        "results": [
            {**msgspec.to_builtins(event), DISTURBED: state.disturbed.get(event.step, "")} for event in results
        ],
        "failed": msgspec.to_builtins([step.end for step in state.failed]),
        "tuning": msgspec.to_builtins(tuned),
    }
