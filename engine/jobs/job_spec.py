"""Specification of a job, written once as `plan.json` in its folder, from which any later process can resume it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine import codec
from engine.errors import JobError
from engine.jobs import places
from engine.plan.plan import Plan
from engine.plan.reason import NoRoom, OptionDefault
from engine.store.files import digest, explained, read_plain
from engine.survey.lock import Lock
from engine.survey.on_load import ON_LOAD

FILE = places.PLAN

LONGEST = 64 << 20
"""Maximum size in bytes; the plan of a whole submission has half a megabyte."""


class JobSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A plan and how to run it."""

    plan: Plan
    command: tuple[str, ...]
    """Arguments after `inferdeck` that make this job again."""
    title: str
    results: str = ""
    """The results folder that the user asked for; empty puts it into the job's folder."""
    profiles: tuple[str, ...] = ()
    """The user's profile folders."""
    again: bool = False
    """Rebuild everything, ignoring the store."""
    now: bool = False
    """Measure even while another job on this machine does; the figures are then marked as disturbed."""
    at_once: int = 2
    """Number of steps that may run in parallel (measurements always run alone)."""
    notice: str = ""
    """Notice to show with the results: a demonstration, short runs."""
    start_notice: str = msgspec.field(default="", name="foretold")
    """Notes that hold for all its runs, shown once when it starts."""
    lock: Lock | None = None
    """Lock of the plan when the job was created; stored with every result, so that it can be repeated."""

    def results_folder(self, job: Path) -> Path:
        """Return the results folder: the one that the user asked for, or the job's own."""
        return Path(self.results) if self.results else job / "results"

    def fingerprint(self) -> str:
        """Return a value that is equal for jobs that do the same: same choices, same results folder.

        Whether samples are prepared on load counts only where the user chose it: the room on the disk changes, and a
        job that is resumed keeps what was decided when it was created.
        """
        choices = [
            (
                node.id,
                {
                    name: decided.value
                    for name, decided in node.options.items()
                    if name != ON_LOAD or not isinstance(decided.reason, NoRoom | OptionDefault)
                },
                node.version_range,
            )
            for node in self.plan.nodes.values()
        ]
        return digest(codec.encode([choices, self.results], order="sorted").decode())[:20]


def read_spec(folder: Path) -> JobSpec:
    """Read the spec from a job's folder. Raises JobError where the file is missing, unreadable or damaged."""
    path, remedy = folder / FILE, f"start a new job; if this one is not needed, remove {folder}"
    try:
        spec = _decoder.decode(read_plain(path, LONGEST))
    except FileNotFoundError:
        raise JobError(f"{path} is missing", remedy) from None
    except OSError as error:
        known_error = explained(error, path)
        raise JobError(known_error.what, known_error.remedy) from None
    except msgspec.DecodeError as error:
        raise JobError(f"{path} is not a plan of this version: {error}", remedy) from None
    unknown = _unknown_nodes(spec.plan)
    if unknown:
        raise JobError(f"{path} is damaged: it names the node '{unknown[0]}', which is missing", remedy)
    return spec


def _unknown_nodes(plan: Plan) -> list[str]:
    named = [plan.root]
    for node in plan.nodes.values():
        named += [edge.node for edge in (*node.needs, *node.after)] + list(node.follows)
    return [name for name in named if name not in plan.nodes] + [
        node.id for name, node in plan.nodes.items() if name != node.id
    ]


_decoder: codec.Decoder[JobSpec] = codec.Decoder(JobSpec)
