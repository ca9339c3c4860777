"""`inferdeck run` and `inferdeck plan`: select, resolve, survey, and start a job or show the tree."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from engine.cli import tree, words
from engine.cli.screen import Screen
from engine.cli.view import JobView
from engine.errors import UsageError, nearest
from engine.job import jobs
from engine.job import lock as locks
from engine.job.prepare import Prepared, refuse, workplace
from engine.job.prepare import prepare as prepare_job
from engine.job.survey import age

CANCEL_WINDOW = 3.0
"""Seconds in which a second Ctrl-C stops the job rather than leaving it running."""


_BEGUN: Mapping[jobs.Start, str] = {
    "resumed": "going on with {}, which stopped before its end",
    "joined": "{} is doing just this: nothing new is started",
}


def prepare(asked: words.Words) -> Prepared:
    """Read the profiles, resolve what was asked for and look at this machine."""
    place = workplace(asked.values.get("home"), asked.profiles)
    if "locked" in asked.values:
        again = words.parse(locks.read(Path(asked.values["locked"])).command[1:])
        asked.values = {**again.values, **asked.values}
        asked.options, asked.env, asked.overrides = again.options, again.env, again.overrides
    if "yes-install" in asked.flags:
        asked.env["YES_INSTALL"] = "yes"
    chosen = words.selection(asked, place.catalog)
    output, anew, at_once = asked.values.get("output_dir", ""), "again" in asked.flags, "now" in asked.flags
    prepared = prepare_job(place, chosen, output=output, again=anew, now=at_once)
    if "locked" in asked.values:
        locks.refuse_changes(locks.read(Path(asked.values["locked"])), prepared.lock())
    return prepared


def plan_command(arguments: list[str]) -> int:
    """Show the whole tree; exit status 0 if it can run, 2 if something is missing or in conflict."""
    if arguments[:1] == ["--diff"]:
        return _diff(arguments[1:])
    asked = words.parse(arguments)
    refuse_positional(asked, ())
    prepared = prepare(asked)
    if "lock" in asked.values:
        locks.write(Path(asked.values["lock"]), prepared.lock())
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
    sys.stdout.write(json.dumps(plain) + "\n")


def _draw_plan(screen: Screen, prepared: Prepared) -> None:
    for said in (prepared.notice, prepared.foretold):
        if said:
            screen.line(said, "todo")
    tree.draw(screen, prepared.plan, prepared.seen)
    if prepared.makes_submission:
        from engine.cli import preflight  # noqa: PLC0415

        screen.line()
        preflight.show_expected(screen, preflight.by_the_rules(prepared))


def run_command(arguments: list[str]) -> int:
    """Start (or go on with) the job of a command line and follow it; exit status 0 finished, 1 failed, 2 can't run."""
    asked = words.parse(arguments)
    refuse_positional(asked, ("script",))
    return start(prepare(asked), asked)


def start(prepared: Prepared, asked: words.Words) -> int:
    """Start or resume the job and follow it."""
    screen = Screen()
    quiet = "quiet" in asked.flags or "json" in asked.flags
    refuse(prepared)
    spec = prepared.spec()
    finished = jobs.equal(prepared.workplace.folders, spec.fingerprint(), "finished")
    if finished is not None and not quiet:
        when = age(finished.ended or finished.started)
        screen.line(f"an equal job, {finished.id}, finished on {when}: {finished.results} (--reuse takes it)", "dim")
    if finished is not None and "reuse" in asked.flags:
        return _report(screen, finished, as_json="json" in asked.flags)
    if "lock" in asked.values:
        locks.write(Path(asked.values["lock"]), prepared.lock())
    if prepared.notice and not quiet:
        screen.line(prepared.notice, "todo")
    job, how = jobs.begin(prepared.workplace.folders, spec)
    if how in _BEGUN and not quiet:
        screen.line(_BEGUN[how].format(job.id), "dim")
    if "detach" in asked.flags:
        screen.line(f"{job.id} runs; come back with: inferdeck attach {job.id}")
        return 0
    return follow(screen, job, plain="plain" in asked.flags, quiet=quiet, as_json="json" in asked.flags)


def follow(screen: Screen, job: jobs.Job, *, plain: bool = False, quiet: bool = False, as_json: bool = False) -> int:
    """Show a job until it is over; Ctrl-C leaves it running, a second one stops it."""
    view = JobView(screen, plain=plain, quiet=quiet)
    try:
        for seen in jobs.follow(job):
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
        jobs.cancel(job)
        screen.line(f"{job.id} is stopping; the same command goes on with it", "todo")
        return 130
    screen.line(f"come back with: inferdeck attach {job.id}")
    return 0


def _report(screen: Screen, job: jobs.Job, *, as_json: bool) -> int:
    from engine.cli import report  # noqa: PLC0415  (only when a job is over)

    return report.show(screen, job, as_json=as_json)


def _diff(arguments: list[str]) -> int:
    if len(arguments) != 2:
        raise UsageError("--diff takes two lock files", "inferdeck plan --diff A B")
    found = locks.differences(*(locks.read(Path(one)) for one in arguments))
    screen = Screen()
    for line in found or ["the two plans are the same"]:
        screen.line(line)
    return 0


def refuse_positional(asked: words.Words, allowed: tuple[str, ...]) -> None:
    """Raise UsageError for a word without dashes that is none of the allowed."""
    for word in asked.positional:
        if word not in allowed:
            raise UsageError(
                f"unexpected word '{word}'", nearest(word, allowed) if allowed else "options begin with --"
            )
