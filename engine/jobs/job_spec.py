"""What a job is told, written once as `plan.json` in its folder, so that any later process can go on with it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine import codec
from engine.errors import JobError
from engine.jobs import places
from engine.plan.plan import Plan
from engine.store.files import digest, explained, read_plain
from engine.survey.lock import Lock

FILE = places.PLAN

LONGEST = 64 << 20
"""Bytes; the plan of a whole submission has half a megabyte."""


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
    start_notice: str = msgspec.field(default="", name="foretold")
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


def read(folder: Path) -> JobSpec:
    """Read what the job in a folder is told. Raises JobError where the file is missing, unreadable or damaged."""
    path, remedy = folder / FILE, f"start the job anew; if nothing of this one is needed, remove {folder}"
    try:
        spec = _decoder.decode(read_plain(path, LONGEST))
    except FileNotFoundError:
        raise JobError(f"{path} is missing", remedy) from None
    except OSError as error:
        said = explained(error, path)
        raise JobError(said.what, said.remedy) from None
    except msgspec.DecodeError as error:
        raise JobError(f"{path} is not a plan of this version: {error}", remedy) from None
    unknown = _unknown_nodes(spec.plan)
    if unknown:
        raise JobError(f"{path} is damaged: it names the node '{unknown[0]}', which it lacks", remedy)
    return spec


def _unknown_nodes(plan: Plan) -> list[str]:
    named = [plan.root]
    for node in plan.nodes.values():
        named += [edge.node for edge in (*node.needs, *node.after)] + list(node.follows)
    return [name for name in named if name not in plan.nodes] + [
        node.id for name, node in plan.nodes.items() if name != node.id
    ]


_decoder: codec.Decoder[JobSpec] = codec.Decoder(JobSpec)
