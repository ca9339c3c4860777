"""How a job chose its workers: every measured candidate, the choices, and where they are saved.

The step's facts are in the store, under the key in the job's lock, so a job that reused them can show them as well as
the one that measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

import profiles
from engine.errors import InferdeckError, StoreError
from engine.facts import CommonFacts
from engine.harness.spec import Workers
from engine.jobs.job_spec import JobSpec
from engine.mlperf import FACTS, SCENARIOS, Scenario
from engine.plan.plan import Node
from engine.profile.systems import Configuration, TunedWorkers, Tuning, configuration
from engine.step import Artifact
from engine.store.folders import Folders
from engine.store.store import Manifest, Store
from engine.text import short_figure
from engine.tuning.tuned import Trial, Tuned

COMPONENT: Final = "choose-workers"


class CandidateRow(NamedTuple):
    """A candidate configuration of workers, as a line of the table."""

    workers: str
    """Sessions × threads of each."""
    batch: int
    pinned: str
    batch_ms: str
    samples_per_second: str
    share: float
    """Its samples per second as a fraction of the best candidate's."""
    chosen: tuple[Scenario, ...]
    """The scenarios that it was chosen for."""
    dropped: bool

    def label(self, letters: int | None = None) -> str:
        """Return the text after its bar: the scenarios, abbreviated to so many letters.

        A candidate that was dropped early can still be chosen: it may be the fastest with one batch size.
        """
        names = " ".join(FACTS[scenario].short_name[:letters] for scenario in self.chosen)
        return names or ("dropped early" if self.dropped else "")


class TuningReport(msgspec.Struct, frozen=True, kw_only=True):
    """Report on one choice of workers."""

    step: str
    """The step's id in the job."""
    benchmark: str
    backend: str
    sut: str
    thorough: bool
    """Whether it was requested by `_tune`; otherwise it is the quick choice before a run."""
    made: float
    """When it was measured (or read from the SUT's file), seconds since the epoch."""
    text: str
    """The step's summary of its outcome."""
    bound_ms: float
    """Server's latency constraint in ms; 0 without one."""
    tuned: Tuned
    kept: Tuning | None
    """The saved tuning of the SUT's run configuration, where it is this one."""
    file: str
    """That run configuration's file; empty where it can't be read."""

    def candidates(self) -> list[CandidateRow]:
        """Return the measured candidates: those with equal sessions together, smallest batch first."""
        best = max(trial.samples_per_second for trial in self.tuned.table)
        table = sorted(self.tuned.table, key=lambda one: (one.sessions, -one.intra_op_threads, one.pinned, one.batch))
        return [self._candidate(trial, best) for trial in table]

    def _candidate(self, trial: Trial, best: float) -> CandidateRow:
        chosen = [one for one in SCENARIOS if one in self.tuned.workers and self.tuned.trial(one) == trial]
        return CandidateRow(
            workers=f"{trial.sessions} × {trial.intra_op_threads}",
            batch=trial.batch,
            pinned="yes" if trial.pinned else "",
            batch_ms=short_figure(trial.batch_ms),
            samples_per_second=short_figure(trial.samples_per_second),
            share=trial.samples_per_second / best,
            chosen=tuple(chosen),
            dropped=trial.dropped,
        )


class Pick(NamedTuple):
    """The workers of one scenario, as text."""

    scenario: Scenario
    workers: str
    """Sessions, threads and batch size; for Server the queue delay; whether they are pinned."""
    reaches: str


def tuning_node(spec: JobSpec) -> Node | None:
    """Return the step of a job that chooses workers, where it has one."""
    return next((node for node in spec.plan.nodes.values() if node.component == COMPONENT), None)


def of_job(spec: JobSpec, places: Folders) -> TuningReport | None:
    """Return how a job chose its workers; None where it does not, has not yet, or the store no longer has it."""
    node = tuning_node(spec)
    manifest = _manifest(spec, node, Store(places.store)) if node is not None else None
    if node is None or manifest is None:
        return None
    made = Artifact("", manifest.facts)
    try:
        tuned = made.read(Tuned)
    except StoreError:
        return None  # of another version
    options = node.values()
    saved = _configured(options, (profiles.FOLDER, places.profiles, *map(Path, spec.profiles)))
    kept = saved.tuned if saved is not None else None
    return TuningReport(
        step=node.id,
        benchmark=str(options["benchmark"]),
        backend=str(options["backend"]),
        sut=str(options.get("sut") or ""),
        thorough=options.get("tuning") == "thorough",
        made=manifest.made,
        text=made.read(CommonFacts).text,
        bound_ms=float(options.get("target_latency_ms") or 0),
        tuned=tuned,
        kept=kept if kept is not None and _plain(kept.scenarios) == tuned.workers else None,
        file=saved.file if saved is not None else "",
    )


def _manifest(spec: JobSpec, node: Node, store: Store) -> Manifest | None:
    fixed = spec.lock.nodes.get(node.id) if spec.lock is not None else None
    start = f"{node.component}-"
    if fixed is None or not fixed.identity:
        return None
    fitting = (name for name in store.names() if name.startswith(start))
    entry = next((name for name in fitting if fixed.identity.startswith(name.removeprefix(start))), "")
    return store.manifest(entry) if entry else None


def _configured(options: Mapping[str, Any], folders: tuple[Path, ...]) -> Configuration | None:
    try:
        return configuration(folders, options["sut"], options["benchmark"], options["backend"])
    except (InferdeckError, KeyError):
        return None  # the system is gone, or its file is being edited: what was measured can be shown all the same


def _plain(kept: Mapping[str, TunedWorkers]) -> dict[str, Workers]:
    return {scenario: msgspec.convert(msgspec.to_builtins(one), Workers) for scenario, one in kept.items()}


def picks(found: TuningReport) -> list[Pick]:
    """Return the choice for each scenario."""
    tuned = found.tuned
    return [
        _pick(scenario, tuned.workers[scenario], tuned.trial(scenario), tuned.server_qps, found.bound_ms)
        for scenario in SCENARIOS
        if scenario in tuned.workers
    ]


def kept_picks(kept: Tuning) -> list[Pick]:
    """Return the saved choice for each scenario of a run configuration."""
    return [
        _pick(scenario, one, one, kept.server_qps, kept.bound_ms)
        for scenario in SCENARIOS
        if (one := kept.scenarios.get(scenario)) is not None
    ]


def origin(kept: Tuning) -> str:
    """Return when and with what a run configuration's workers were measured, as text."""
    versions = ", ".join(f"{name} {version}" for name, version in kept.versions.items())
    cores = f"{kept.cores} core{'s' * (kept.cores != 1)}"
    cores += f" (time of {kept.quota:g})" if kept.quota else ""
    mark = ", disturbed" if kept.disturbed else ""
    return f"measured on {kept.date} for {kept.seconds:g} s on {cores} with {versions}, model {kept.model[:12]}{mark}"


def _pick(
    scenario: Scenario, workers: Workers | TunedWorkers, reached: Trial | TunedWorkers, qps: float, bound_ms: float
) -> Pick:
    words = [f"{workers.sessions} × {workers.intra_op_threads}", f"batch {workers.max_batch}"]
    if scenario == "Server":
        wait = workers.queue_wait_us
        words.append(f"queue delay {wait / 1000:g} ms" if wait else "no queue delay")
    words += ["pinned"] if workers.cores else []
    if scenario == "Server" and qps:
        reaches = f"{short_figure(qps)} queries/s within {bound_ms:g} ms"
    elif FACTS[scenario].streams:
        reaches = f"{short_figure(reached.batch_ms)} ms a batch"
    else:
        reaches = f"{short_figure(reached.samples_per_second)} samples/s"
    return Pick(scenario, ", ".join(words), reaches)
