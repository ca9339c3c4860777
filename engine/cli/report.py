"""What is said when a job is over: the results in a table, or what failed and what to do."""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from engine import events
from engine.cli.screen import Cell, Screen
from engine.job import jobs
from engine.job.inquest import inquest
from engine.job.log import EventReader
from engine.job.main import STATUS
from engine.text import duration


def show(screen: Screen, job: jobs.Job, *, as_json: bool) -> int:
    """Print the end of a job; returns its exit status (1 for one that died)."""
    seen = EventReader(job.events).read()
    results = [event for event in seen if isinstance(event, events.Measured)]
    status = STATUS.get(job.state, 1)
    if as_json:
        sys.stdout.write(json.dumps(_as_json(job, results, seen)) + "\n")
        return status
    if results:
        screen.line()
        _table(screen, results)
    for said in (job.spec.notice, job.spec.foretold):
        if said:
            screen.line(said, "todo")
    if job.state == "finished":
        taken = duration((job.ended or job.started) - job.started)
        screen.line(f"{job.id} finished in {taken}; results in {job.results}", "good")
    elif job.state == "died":
        _died(screen, job)
    else:
        screen.line(f"{job.id} {job.state}; the same command goes on where it stopped", "bad")
        screen.line(f"logs are in {job.folder / 'logs'}")
    return status


def _table(screen: Screen, results: list[events.Measured]) -> None:
    latest = {(event.scenario, event.mode): event for event in results}
    rows: list[list[Cell]] = [[(word, "dim") for word in ("scenario", "mode", "metric", "value", "unit", "LoadGen")]]
    for (scenario, mode), event in latest.items():
        verdict = {True: ("VALID", "good"), False: ("INVALID", "bad"), None: ("", "")}[event.valid]
        value = "" if event.value is None else f"{event.value:.6g}"
        rows.append([(scenario, ""), (mode, ""), (event.metric, ""), (value, "bold"), (event.unit, ""), verdict])
    screen.table(rows, right=(3,))


def _died(screen: Screen, job: jobs.Job) -> None:
    found = inquest(job)
    screen.line(f"{job.id} died: {found.what}", "bad")
    screen.line(found.cause, "bad" if found.certain else "")
    for log in found.logs:
        for line in log.lines:
            screen.line(f"  {line}", "dim")


def _as_json(job: jobs.Job, results: list[events.Measured], seen: list[events.AnyEvent]) -> dict[str, Any]:
    failed = [event for event in seen if isinstance(event, events.StepEnded) and event.outcome == "failed"]
    return {
        "job": job.id,
        "state": job.state,
        "results_folder": str(job.results),
        "notice": job.spec.notice,
        "results": msgspec.to_builtins(results),
        "failed": msgspec.to_builtins(failed),
    }
