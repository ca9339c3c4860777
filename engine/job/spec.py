"""What a job is told, written once as `plan.json` in its folder, so that any later process can go on with it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine import codec
from engine.job.lock import Lock
from engine.plan.plan import Plan
from engine.store.files import digest


class JobSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A plan and how to run it."""

    plan: Plan
    command: tuple[str, ...]
    """The words after `inferdeck` that make this job again."""
    title: str
    results: str = ""
    """The results folder that the person asked for; empty puts it into the job's folder."""
    profiles: tuple[str, ...] = ()
    """The person's profile folders."""
    again: bool = False
    """Make everything anew, whatever the store has."""
    now: bool = False
    """Measure even while another job on this machine does; the figures carry a mark then."""
    at_once: int = 2
    """Steps that may run side by side (measurements always run alone)."""
    notice: str = ""
    """What must be said wherever the results show: a demonstration, short runs."""
    foretold: str = ""
    """What holds for all its runs and is said once, when it begins."""
    lock: Lock | None = None
    """What the plan was fixed to when the job was made: it goes with every result, so that it can be repeated."""

    def results_folder(self, job: Path) -> Path:
        """Return where results go: where the person asked, or into the job's own folder."""
        return Path(self.results) if self.results else job / "results"

    def fingerprint(self) -> str:
        """Return what is equal for two jobs that do the same: the same choices into the same folder."""
        choices = [
            (node.id, {name: decided.value for name, decided in node.options.items()}, node.version_range)
            for node in self.plan.nodes.values()
        ]
        return digest(codec.encode([choices, self.results], order="sorted").decode())[:20]
