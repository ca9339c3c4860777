"""Snapshot of a followed job for the Run screen, and the CPU cost of watching it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.jobs.fold import StepSeen, Watched
from engine.jobs.jobs import Job, all_jobs
from engine.profile.component import Component
from engine.store.folders import Folders
from engine.watch.outlook import Outlook, outlook
from engine.watch.watch import JobStatus, Watch

OVER: tuple[JobStatus, ...] = ("finished", "failed", "cancelled", "died", "new")
"""States of a job without a process."""


@dataclass(frozen=True)
class Scene:
    """What the Run screen draws."""

    job: Job
    state: Watched
    job_status: JobStatus
    outlook: Outlook | None
    steps: tuple[StepSeen, ...]
    """Steps with work to do; components that only group others are left out."""
    now: float
    """Seconds since the epoch."""

    @property
    def over(self) -> bool:
        """Whether the job's process has ended."""
        return self.job_status in OVER

    @property
    def has_latency(self) -> bool:
        """Whether latencies are meaningful: in Offline all samples are issued at once, so they only grow."""
        return self.state.measurement is not None and self.state.measurement.rules.scenario != "Offline"

    @property
    def title(self) -> str:
        """The scenario and mode that are measured."""
        rules = self.state.measurement.rules if self.state.measurement and self.measures else None
        return f"{rules.scenario} {rules.mode}" if rules else "progress"

    @property
    def measures(self) -> bool:
        """Whether a measurement is running."""
        return not self.over and self.state.measurement is not None and not self.state.measurement.over


def job_to_follow(folders: Folders, *, running_only: bool) -> Job | None:
    """Return the newest running job, or else the newest job. Reads every job's log."""
    found = all_jobs(folders)
    running = next((job for job in found if job.state == "running"), None)
    return running or (None if running_only or not found else found[0])


class Follower:
    """Reads one job; `known` are the components of the catalogue."""

    def __init__(self, job: Job, known: Mapping[str, Component]) -> None:
        self.job = job
        self.watch = Watch(job)
        self._groups = {
            node.id
            for node in job.spec.plan.nodes.values()
            if (one := known.get(node.component)) is not None and not one.step and not one.command
        }
        self.scene = self.look()

    def look(self) -> Scene:
        """Read new events and return what to draw."""
        state, now = self.watch.poll(), time.time()
        job_status = self.watch.job_status(now)
        steps = tuple(step for step in state.steps if step.id not in self._groups)
        if job_status in OVER:
            steps = tuple(_cut_off(step, state) for step in steps)
        measured = state.measurement
        self.scene = Scene(self.job, state, job_status, None if measured is None else outlook(measured), steps, now)
        return self.scene


def _cut_off(step: StepSeen, state: Watched) -> StepSeen:
    """Return the step's state after the job's process has ended: a running step has stopped."""
    if step.state != "runs":
        return step
    return replace(step, state="cancelled", seconds=(state.last_at or 0.0) - (step.since or 0.0))


class CpuUse:
    """CPU use of this program."""

    def __init__(self) -> None:
        self._spent = (time.monotonic(), time.process_time())
        self._share: float | None = None

    def share(self) -> float | None:
        """Return the fraction of one core since the last call, or the previous value where that was just now."""
        now = (time.monotonic(), time.process_time())
        passed = now[0] - self._spent[0]
        if passed > 0.5:
            self._share = (now[1] - self._spent[1]) / passed
            self._spent = now
        return self._share
