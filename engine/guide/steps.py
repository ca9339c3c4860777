"""The nine steps of a guide with their status, derived from files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.guide.look import Overview
from engine.guide.standing import STANDINGS, Need, Standing
from engine.guide.texts import STEPS, TEXTS
from engine.jobs.jobs import Job

State = Literal["done", "now", "running", "next", "blocked", "skipped"]
"""`now` can be done; `blocked` is next but has a missing prerequisite; `next` waits for earlier steps."""

SKIPPABLE = ("try", "preflight")


@dataclass(frozen=True)
class Step:
    """One step with its status."""

    name: str
    number: int
    title: str
    what: str
    why: str
    long: str
    state: State
    brief: str
    """Its result or its estimate, in a few words."""
    takes: str = ""
    """Estimated time and download size."""
    needs: tuple[Need, ...] = ()
    action: str = ""
    """What Enter does; empty where there is nothing to do."""
    reason: str = ""
    """Why it can't be done now."""
    job: Job | None = None

    @property
    def can_skip(self) -> bool:
        """Whether it may be skipped."""
        return self.name in SKIPPABLE and self.state in ("now", "blocked")


def steps(sight: Overview) -> tuple[Step, ...]:
    """Return the steps in order."""
    found: list[Step] = []
    for number, name in enumerate(STEPS, 1):
        standing = STANDINGS[name](sight)
        open_before = any(step.state not in ("done", "skipped") for step in found)
        state = _state(sight, name, standing, open_before=open_before)
        text = TEXTS[name]
        found.append(
            Step(
                name=name,
                number=number,
                title=text.title,
                what=text.what,
                why=text.why,
                long=text.long,
                state=state,
                brief=_progress(sight.jobs[name]) if state == "running" else standing.brief,
                takes=standing.takes,
                needs=standing.needs,
                action="watch it" if state == "running" else standing.action,
                reason=f"step {_first_open(found).number} comes first" if state == "next" else standing.reason,
                job=sight.jobs.get(name),
            )
        )
    return tuple(found)


def current(found: tuple[Step, ...]) -> Step:
    """Return the step to continue with: the first unfinished one; if all are finished, the check with its findings."""
    last = next(step for step in found if step.name == "check")
    return next((step for step in found if step.state not in ("done", "skipped")), last)


def _first_open(found: list[Step]) -> Step:
    return next(step for step in found if step.state not in ("done", "skipped"))


def _state(sight: Overview, name: str, standing: Standing, *, open_before: bool) -> State:
    job = sight.jobs.get(name)
    if job is not None and job.state == "running":
        return "running"
    if standing.idle or (name in sight.guide.skipped and not standing.done):
        return "skipped"
    if standing.done:
        return "done"
    if open_before:
        return "next"
    return "blocked" if standing.reason else "now"


def _progress(job: Job) -> str:
    return f"{job.steps_ended} of {len(job.spec.plan.nodes)} steps"
