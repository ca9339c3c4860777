"""The nine steps of a guide with their status, derived from files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.guide.overview import Overview
from engine.guide.step_status import STEP_STATUS, Prerequisite, StepStatus
from engine.guide.step_texts import STEPS, TEXTS
from engine.jobs.jobs import Job

State = Literal["done", "now", "running", "next", "blocked", "skipped"]
"""`now` can be done; `blocked` is next but has a missing prerequisite; `next` waits for earlier steps."""

SKIPPABLE = ("try", "preflight")


@dataclass(frozen=True)
class GuideStep:
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
    needs: tuple[Prerequisite, ...] = ()
    action: str = ""
    """What Enter does; empty where there is nothing to do."""
    reason: str = ""
    """Why it can't be done now."""
    job: Job | None = None
    output: str = ""
    """Path of what it writes; empty where it writes nothing, or no kind is chosen."""

    @property
    def can_skip(self) -> bool:
        """Whether it may be skipped."""
        return self.name in SKIPPABLE and self.state in ("now", "blocked")


def steps(overview: Overview) -> tuple[GuideStep, ...]:
    """Return the steps in order."""
    found: list[GuideStep] = []
    for number, name in enumerate(STEPS, 1):
        status = STEP_STATUS[name](overview)
        open_before = any(step.state not in ("done", "skipped") for step in found)
        state = _state(overview, name, status, open_before=open_before)
        text = TEXTS[name]
        found.append(
            GuideStep(
                name=name,
                number=number,
                title=text.title,
                what=text.what,
                why=text.why,
                long=text.long,
                state=state,
                brief=_progress(overview.jobs[name]) if state == "running" else status.brief,
                takes=status.takes,
                needs=status.needs,
                action="watch it" if state == "running" else status.action,
                reason=f"step {_first_open(found).number} comes first" if state == "next" else status.reason,
                job=overview.jobs.get(name),
                output=str(overview.output(name) or "") if overview.offer else "",
            )
        )
    return tuple(found)


def current(found: tuple[GuideStep, ...]) -> GuideStep:
    """Return the step to continue with: the first unfinished one; if all are finished, the check with its findings."""
    last = next(step for step in found if step.name == "check")
    return next((step for step in found if step.state not in ("done", "skipped")), last)


def _first_open(found: list[GuideStep]) -> GuideStep:
    return next(step for step in found if step.state not in ("done", "skipped"))


def _state(overview: Overview, name: str, status: StepStatus, *, open_before: bool) -> State:
    job = overview.jobs.get(name)
    if job is not None and job.state == "running":
        return "running"
    if status.idle or (name in overview.guide.skipped and not status.done):
        return "skipped"
    if status.done:
        return "done"
    if open_before:
        return "next"
    return "blocked" if status.reason else "now"


def _progress(job: Job) -> str:
    return f"{job.steps_ended} of {len(job.spec.plan.nodes)} steps"
