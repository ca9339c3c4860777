"""`inferdeck run`: start or resume the job of a selection and follow it."""

from __future__ import annotations

import time
from collections.abc import Mapping

from engine.cli import arguments as words
from engine.cli.prepare import prepare_words
from engine.cli.screen import Screen
from engine.cli.view import JobView
from engine.jobs import control, jobs
from engine.jobs.job_spec import JobSpec
from engine.jobs.start import job_spec
from engine.survey import lock as locks
from engine.survey.prepare import Prepared, refuse
from engine.text import date_time, whole_path

CANCEL_WINDOW = 3.0
"""Seconds in which a second Ctrl-C stops the job rather than leaving it running."""


_BEGUN: Mapping[control.Start, str] = {
    "resumed": "resuming {}, which had stopped",
    "joined": "{} is already running this: no new job is started",
}


def run_command(asked: words.Words) -> int:
    """Start or resume the job of a command line and follow it; exit status 0 finished, 1 failed, 2 can't run."""
    prepared = prepare_words(asked)
    times = int(asked.values.get("repeat", "1"))
    if times == 1:
        return start(prepared, asked)
    from engine.cli.repeat import repeat  # noqa: PLC0415  (it needs the readers of results)

    return repeat(prepared, asked, times, follow)


def start(prepared: Prepared, asked: words.Words) -> int:
    """Start or resume the job and follow it."""
    screen = Screen()
    quiet = "quiet" in asked.flags or "json" in asked.flags
    refuse(prepared)
    spec = job_spec(prepared)
    finished = _finished(screen, prepared, spec, quiet=quiet)
    if finished is not None and "reuse" in asked.flags:
        return _report(screen, finished, as_json="json" in asked.flags)
    if "lock" in asked.values:
        locks.write(whole_path(asked.values["lock"]), prepared.lock())
    if prepared.notice and not quiet:
        screen.line(prepared.notice, "todo")
    if not quiet:
        _show_feasibility(screen, prepared)
    job, how = control.begin(prepared.workplace.folders, spec)
    if how in _BEGUN and not quiet:
        screen.line(_BEGUN[how].format(job.id), "dim")
    if "detach" in asked.flags:
        screen.line(f"{job.id} is running; attach with: inferdeck attach {job.id}")
        return 0
    as_json = "json" in asked.flags
    return follow(screen, job, attempt=job.attempts, plain="plain" in asked.flags, quiet=quiet, as_json=as_json)


def _show_feasibility(screen: Screen, prepared: Prepared) -> None:
    from engine.cli.feasibility import show_before_run  # noqa: PLC0415  (it reads what tuning measured)

    show_before_run(screen, prepared)


def _finished(screen: Screen, prepared: Prepared, spec: JobSpec, *, quiet: bool) -> jobs.Job | None:
    """Print and return an equal finished job whose results can be reused; say so if its results are gone."""
    found = jobs.equal(prepared.workplace.folders, spec)
    if found is None:
        return None
    from engine.explore.history import results_are_there  # noqa: PLC0415  (only where a job could be taken again)

    there = results_are_there(found)
    if not quiet:
        when = date_time(found.ended or found.started)
        more = "(--reuse reuses it)" if there else "no longer has its results: measuring again"
        screen.line(f"an equal job, {found.id}, finished on {when}: {found.results} {more}", "dim")
    return found if there else None


def follow(
    screen: Screen,
    job: jobs.Job,
    *,
    attempt: int = 0,
    plain: bool = False,
    quiet: bool = False,
    as_json: bool = False,
    report: bool = True,
) -> int:
    """Show a job from that attempt until it ends; Ctrl-C detaches, a second one within CANCEL_WINDOW stops the job.

    Returns the exit status; without `report` 0 or 1, and no report is printed.
    """
    view = JobView(screen, plain=plain, quiet=quiet)
    try:
        for seen in jobs.follow(job, attempt=attempt):
            if not as_json:
                view.show(seen)
        view.close()
    except KeyboardInterrupt:
        view.close()
        return _left(screen, job)
    ended = jobs.read(job.folder)
    return _report(screen, ended, as_json=as_json) if report else int(ended.state != "finished")


def _left(screen: Screen, job: jobs.Job) -> int:
    screen.line(f"{job.id} continues in the background. Ctrl-C again stops it (finished steps are kept).", "todo")
    try:
        time.sleep(CANCEL_WINDOW)
    except KeyboardInterrupt:
        control.cancel(job)
        screen.line(f"{job.id} is stopping; the same command resumes it", "todo")
        return 130
    screen.line(f"attach with: inferdeck attach {job.id}")
    return 0


def _report(screen: Screen, job: jobs.Job, *, as_json: bool) -> int:
    from engine.cli import job_report as report  # noqa: PLC0415  (only when a job is over)

    return report.show(screen, job, as_json=as_json)
