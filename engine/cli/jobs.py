"""`inferdeck jobs`, `jobs replay`, `attach`, `watch` and `cancel`."""

from __future__ import annotations

import time
from pathlib import Path

from engine.cli import arguments as words
from engine.cli import output
from engine.cli.run import follow
from engine.cli.screen import Cell, Screen, notice_if_slow
from engine.cli.view import JobView
from engine.jobs import control, jobs
from engine.jobs.event_log import EventReader
from engine.store.folders import folders
from engine.text import date_time, duration, iso_time, shell_line

LONGEST_PAUSE = 10.0
"""Seconds between two events that a replay waits at most, at its own speed."""

_STYLE = {"running": "todo", "finished": "good", "new": "todo"}


def jobs_command(asked: words.Words) -> int:
    """List the jobs, the newest first."""
    places = folders(asked.values.get("home"))
    with notice_if_slow(f"still reading {places.jobs}: its file system answers slowly"):
        found, damaged = jobs.survey(places)
    screen = Screen()
    if "json" in asked.flags:
        plain = [_as_json(job) for job in found]
        plain += [{"job": one.id, "state": "damaged", "why": one.why} for one in damaged]
        output.write_json(plain)
        return 0
    if not found and not damaged:
        screen.line("no jobs yet; inferdeck demo starts one")
        return 0
    rows: list[list[Cell]] = [[(word, "dim") for word in ("job", "state", "started", "took", "steps", "what")]]
    for job in found:
        took = duration(job.worked) if job.ended else ""
        steps = f"{job.steps_ended}/{len(job.spec.plan.nodes)}"
        state = ("waits" if job.waits else job.state, _STYLE.get(job.state, "bad"))
        rows.append([(job.id, "bold"), state, (date_time(job.started), ""), (took, ""), (steps, ""), (job.what, "")])
    for one in damaged:
        rows.append([(one.id, "bold"), ("damaged", "bad"), *[("", "")] * 3, (one.why, "bad")])
    screen.table(rows, right=(3,))
    for job in found:
        if job.waits:
            screen.line(f"{job.id} waits for {job.waits} (its command with --now measures immediately)", "todo")
    return 0


def attach_command(asked: words.Words) -> int:
    """Show a job's events from the start and follow it to its end."""
    job = _named(asked)
    return follow(
        Screen(), job, plain="plain" in asked.flags, as_json="json" in asked.flags, quiet="json" in asked.flags
    )


def replay_command(asked: words.Words) -> int:
    """Show the events of a job again, as fast as they came or faster; Ctrl-C ends it."""
    job, view = _named(asked), JobView(Screen(), plain="plain" in asked.flags)
    speed = float(asked.values.get("speed", "10"))
    last: float | None = None
    try:
        for piece in EventReader(job.events).pieces():
            for event in piece:
                # A job that stopped for a night is not waited for again.
                time.sleep(0.0 if last is None else min(max(event.at - last, 0.0), LONGEST_PAUSE) / speed)
                last = event.at
                view.show([event])
    except KeyboardInterrupt:
        return 130
    finally:
        view.close()
    return 0


def cancel_command(asked: words.Words) -> int:
    """Ask a job to stop; its finished steps are kept."""
    job = _named(asked)
    control.cancel(job)
    again = shell_line(("inferdeck", *job.spec.command))
    Screen().line(f"{job.id} is stopping; resume with: {again}")
    return 0


def _named(asked: words.Words) -> jobs.Job:
    return jobs.named(folders(asked.values.get("home")), asked.positional[0] if asked.positional else None)


def _as_json(job: jobs.Job) -> dict[str, object]:
    return {
        "job": job.id,
        "state": job.state,
        "waits_for": job.waits,
        "started": iso_time(job.started),
        "ended": iso_time(job.ended or 0) or None,
        "what": job.what,
        "command": job.spec.command,
        "results_folder": str(Path(job.results)),
    }
