"""`inferdeck run` and `inferdeck plan`: select, resolve, survey, and start a job or show the tree."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.cli import arguments as words
from engine.cli import output
from engine.cli import plan_tree as tree
from engine.cli.screen import Screen
from engine.cli.view import JobView
from engine.errors import UsageError
from engine.jobs import control, jobs
from engine.jobs.job_spec import JobSpec
from engine.jobs.start import job_spec
from engine.plan.words import selection_of
from engine.survey import lock as locks
from engine.survey.prepare import Prepared, refuse, workplace
from engine.survey.prepare import prepare as prepare_job
from engine.survey.survey import age
from engine.text import whole_path

CANCEL_WINDOW = 3.0
"""Seconds in which a second Ctrl-C stops the job rather than leaving it running."""


_BEGUN: Mapping[control.Start, str] = {
    "resumed": "going on with {}, which stopped before its end",
    "joined": "{} is doing just this: nothing new is started",
}


def prepare(asked: words.Words) -> Prepared:
    """Read the profiles, resolve what was asked for and look at this machine."""
    place = workplace(asked.values.get("home"), asked.profiles)
    locked = None
    if "locked" in asked.values:
        _refuse_selection(asked, "a locked plan is run as it is", "leave out what selects, or write a new lock")
        locked = locks.read(whole_path(asked.values["locked"]))
        chosen, output = selection_of(locked.command)
    else:
        chosen, output = words.selection(asked, place.catalog), ""
    if "yes-install" in asked.flags:
        chosen = replace(chosen, env={**chosen.env, "YES_INSTALL": "yes"})
    output, anew, at_once = asked.values.get("output_dir", output), "again" in asked.flags, "now" in asked.flags
    with words.named_options(asked):
        prepared = prepare_job(place, chosen, output=output, again=anew, now=at_once)
    if locked is not None:
        locks.refuse_changes(locked, prepared.lock())
    return prepared


def _refuse_selection(asked: words.Words, what: str, remedy: str) -> None:
    """Raise UsageError for words that select something where nothing can be selected."""
    if asked.selects:
        raise UsageError(f"{what}: nothing else can be selected", remedy)


def plan_command(asked: words.Words) -> int:
    """Show the whole tree; exit status 0 if it can run, 2 if something is missing or in conflict."""
    if "diff" in asked.flags:
        _refuse_selection(asked, "two lock files are compared as they are", "inferdeck plan --diff A B")
        return _diff(asked.positional)
    prepared = prepare(asked)
    if "lock" in asked.values:
        locks.write(whole_path(asked.values["lock"]), prepared.lock())
    if "json" in asked.flags:
        _plan_as_json(prepared)
    elif "quiet" not in asked.flags:
        _draw_plan(Screen(), prepared)
    return 2 if prepared.seen.problems() else 0


def _plan_as_json(prepared: Prepared) -> None:
    plain = tree.as_json(prepared.plan, prepared.seen)
    if prepared.makes_submission:
        from engine.cli import preflight  # noqa: PLC0415  (it prepares as this module does)

        plain["preflight"] = preflight.as_json(preflight.expected(prepared))
    output.write_json(plain)


def _draw_plan(screen: Screen, prepared: Prepared) -> None:
    for said in (prepared.notice, prepared.foretold):
        if said:
            screen.line(said, "todo")
    tree.draw(screen, prepared.plan, prepared.seen)
    if prepared.makes_submission:
        from engine.cli import preflight  # noqa: PLC0415

        screen.line()
        preflight.show_expected(screen, preflight.by_the_rules(prepared))


def run_command(asked: words.Words) -> int:
    """Start (or go on with) the job of a command line and follow it; exit status 0 finished, 1 failed, 2 can't run."""
    return start(prepare(asked), asked)


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
    job, how = control.begin(prepared.workplace.folders, spec)
    if how in _BEGUN and not quiet:
        screen.line(_BEGUN[how].format(job.id), "dim")
    if "detach" in asked.flags:
        screen.line(f"{job.id} runs; come back with: inferdeck attach {job.id}")
        return 0
    as_json = "json" in asked.flags
    return follow(screen, job, attempt=job.attempts, plain="plain" in asked.flags, quiet=quiet, as_json=as_json)


def _finished(screen: Screen, prepared: Prepared, spec: JobSpec, *, quiet: bool) -> jobs.Job | None:
    """Return the equal job whose results can be taken, and say that there is one, or that its results are gone."""
    found = jobs.equal(prepared.workplace.folders, spec)
    if found is None:
        return None
    from engine.explore.history import results_are_there  # noqa: PLC0415  (only where a job could be taken again)

    there = results_are_there(found)
    if not quiet:
        when = age(found.ended or found.started)
        more = "(--reuse takes it)" if there else "has not its results any more: measured anew"
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
) -> int:
    """Show a job from that attempt on until it is over; Ctrl-C leaves it running, a second one stops it."""
    view = JobView(screen, plain=plain, quiet=quiet)
    try:
        for seen in jobs.follow(job, attempt=attempt):
            if not as_json:
                view.show(seen)
        view.close()
    except KeyboardInterrupt:
        view.close()
        return _left(screen, job)
    return _report(screen, jobs.read(job.folder), as_json=as_json)


def _left(screen: Screen, job: jobs.Job) -> int:
    screen.line(f"{job.id} goes on without this terminal. Ctrl-C again stops it (what is finished is kept).", "todo")
    try:
        time.sleep(CANCEL_WINDOW)
    except KeyboardInterrupt:
        control.cancel(job)
        screen.line(f"{job.id} is stopping; the same command goes on with it", "todo")
        return 130
    screen.line(f"come back with: inferdeck attach {job.id}")
    return 0


def _report(screen: Screen, job: jobs.Job, *, as_json: bool) -> int:
    from engine.cli import job_report as report  # noqa: PLC0415  (only when a job is over)

    return report.show(screen, job, as_json=as_json)


def _diff(files: Sequence[str]) -> int:
    before, after = (locks.read(whole_path(one)) for one in files)
    found = locks.differences(before, after)
    screen = Screen()
    for line in found or ["the two plans are the same"]:
        screen.line(line)
    return 0
