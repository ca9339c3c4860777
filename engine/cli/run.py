"""`inferdeck run`, `inferdeck plan` and `inferdeck demo`: select, resolve, survey, and start a job or show the tree."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import engine
from engine.cli import tree, words
from engine.cli.screen import Screen
from engine.cli.view import JobView
from engine.errors import UsageError, nearest
from engine.job import jobs
from engine.job import lock as locks
from engine.job.spec import JobSpec
from engine.job.survey import Survey, Surveyor, age
from engine.plan.plan import Plan
from engine.plan.resolve import resolve
from engine.plan.rules import rule_book
from engine.plan.selection import Selection
from engine.profile import catalog
from engine.profile.rounds import load_round
from engine.store.folders import Folders, folders

CANCEL_WINDOW = 3.0
"""Seconds in which a second Ctrl-C stops the job rather than leaving it running."""


@dataclass(frozen=True)
class Prepared:
    """A command line, resolved and surveyed."""

    asked: words.Words
    selection: Selection
    plan: Plan
    survey: Survey
    folders: Folders
    catalog: catalog.Catalog
    round: str

    @property
    def notice(self) -> str:
        """What must be said wherever the results show."""
        notice = self.plan.nodes[self.plan.root].options.get("notice")
        return str(notice.value) if notice and notice.value else ""

    def command(self) -> tuple[str, ...]:
        """The words after `inferdeck` that do the same again."""
        return ("run", *self.selection.words(), *(f"--output_dir={one}" for one in self._output()))

    def _output(self) -> list[str]:
        return [self.asked.values["output_dir"]] if "output_dir" in self.asked.values else []

    def lock(self) -> locks.Lock:
        """Fix the plan."""
        return locks.lock(self.plan, self.survey, self.command(), engine.VERSION)

    def spec(self) -> JobSpec:
        """Return what the job is told."""
        output = self.asked.values.get("output_dir", "")
        return JobSpec(
            plan=self.plan,
            command=self.command(),
            title=self.plan.nodes[self.plan.root].title,
            results=str(Path(output).expanduser().absolute()) if output else "",
            profiles=tuple(str(one) for one in self.catalog.folders[1:]),
            again="again" in self.asked.flags,
            notice=self.notice,
            lock=self.lock(),
        )


def prepare(asked: words.Words) -> Prepared:
    """Read the profiles, resolve what was asked for and look at this machine."""
    places = folders(asked.values.get("home"))
    own = [places.profiles] if places.profiles.is_dir() else []
    known = catalog.load([*own, *asked.profiles])
    if "locked" in asked.values:
        again = words.parse(locks.read(Path(asked.values["locked"])).command[1:])
        asked.values = {**again.values, **asked.values}
        asked.options, asked.env, asked.overrides = again.options, again.env, again.overrides
    if "yes-install" in asked.flags:
        asked.env["YES_INSTALL"] = "yes"
    chosen = words.selection(asked, known)
    round_name = chosen.options.get("round", "v2.1")
    plan = resolve(known, chosen, rule_book(load_round(known.profile("rounds", round_name)), known.folders), round_name)
    survey = Surveyor(known, places, again="again" in asked.flags).survey(plan)
    prepared = Prepared(asked, chosen, plan, survey, places, known, round_name)
    if "locked" in asked.values:
        locks.refuse_changes(locks.read(Path(asked.values["locked"])), prepared.lock())
    return prepared


def plan_command(arguments: list[str]) -> int:
    """Show the whole tree; exit status 0 if it can run, 2 if something is missing or in conflict."""
    if arguments[:1] == ["--diff"]:
        return _diff(arguments[1:])
    asked = words.parse(arguments)
    _refuse_positional(asked, ())
    prepared = prepare(asked)
    if "lock" in asked.values:
        locks.write(Path(asked.values["lock"]), prepared.lock())
    if "json" in asked.flags:
        sys.stdout.write(json.dumps(tree.as_json(prepared.plan, prepared.survey)) + "\n")
    elif "quiet" not in asked.flags:
        screen = Screen()
        if prepared.notice:
            screen.line(prepared.notice, "todo")
        tree.draw(screen, prepared.plan, prepared.survey)
    return 2 if prepared.survey.problems() else 0


def run_command(arguments: list[str]) -> int:
    """Start (or go on with) the job of a command line and follow it; exit status 0 finished, 1 failed, 2 can't run."""
    asked = words.parse(arguments)
    _refuse_positional(asked, ("script",))
    return start(prepare(asked))


def demo_command(arguments: list[str]) -> int:
    """Run the demonstration: real photographs, or with --offline generated pictures and nothing fetched."""
    asked = words.parse(arguments)
    _refuse_positional(asked, ())
    asked.values.setdefault("recipe", "demo-offline" if "offline" in asked.flags else "demo")
    return start(prepare(asked))


def start(prepared: Prepared) -> int:
    """Start or resume the job and follow it."""
    asked = prepared.asked
    screen = Screen()
    quiet = "quiet" in asked.flags or "json" in asked.flags
    prepared.survey.refuse_problems()
    spec = prepared.spec()
    finished = jobs.equal(prepared.folders, spec.fingerprint(), "finished")
    if finished is not None and not quiet:
        when = age(finished.ended or finished.started)
        screen.line(f"an equal job, {finished.id}, finished on {when}: {finished.results} (--reuse takes it)", "dim")
    if finished is not None and "reuse" in asked.flags:
        return _report(screen, finished, as_json="json" in asked.flags)
    folder, resumed = jobs.take_up(prepared.folders, spec)
    if "lock" in asked.values:
        locks.write(Path(asked.values["lock"]), prepared.lock())
    if prepared.notice and not quiet:
        screen.line(prepared.notice, "todo")
    if resumed and not quiet:
        screen.line(f"going on with {folder.name}, which stopped before its end", "dim")
    jobs.launch(folder, prepared.folders)
    job = jobs.read(folder)
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


def _refuse_positional(asked: words.Words, allowed: tuple[str, ...]) -> None:
    for word in asked.positional:
        if word not in allowed:
            raise UsageError(
                f"unexpected word '{word}'", nearest(word, allowed) if allowed else "options begin with --"
            )
