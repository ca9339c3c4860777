"""Jobs that have chosen workers: the plan of the shipped profiles, a synthetic table in the store, and the SUT's
file."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from engine import events
from engine.explore.tuning import tuning_node
from engine.harness.spec import Workers
from engine.jobs import jobs
from engine.jobs.event_log import EventReader
from engine.mlperf import Scenario
from engine.profile.systems import TunedWorkers, Tuning, with_tuning
from engine.store.folders import Folders
from engine.store.recipe import Recipe
from engine.store.store import Manifest
from engine.tuning.tuned import Trial, Tuned
from profiles import FOLDER
from tests.engine.explore import history

TAGS = f"{history.TAGS},_tune"
STEP = "choose-workers"
MODEL = "ab" * 32


def trial(sessions: int, threads: int, batch: int, ms: float, *, pinned: bool = False, dropped: bool = False) -> Trial:
    """One measured candidate."""
    return Trial(
        sessions=sessions,
        intra_op_threads=threads,
        batch=batch,
        pinned=pinned,
        batch_ms=ms,
        samples_per_second=sessions * batch / ms * 1000,
        dropped=dropped,
    )


TABLE = (
    trial(2, 1, 8, 40.0),
    trial(1, 2, 1, 10.0, dropped=True),
    trial(2, 1, 4, 25.0),
    trial(2, 1, 8, 32.0, pinned=True),
    trial(1, 2, 8, 100.0, dropped=True),
)
"""Not in display order. The first of 1 × 2 was dropped, and is the fastest with one sample."""
CORES = ((0,), (1,))
CHOSEN: dict[Scenario, Workers] = {
    "SingleStream": Workers(sessions=1, intra_op_threads=2, max_batch=1),
    "MultiStream": Workers(sessions=2, intra_op_threads=1, max_batch=4),
    "Server": Workers(
        sessions=2, intra_op_threads=1, max_batch=8, queue_wait_us=750, batch_us=(9000, 32000), cores=CORES
    ),
    "Offline": Workers(sessions=2, intra_op_threads=1, max_batch=8, cores=CORES),
}
TUNED = Tuned(workers=CHOSEN, table=TABLE, server_qps=420.5)


def record() -> Tuning:
    """The SUT's saved tuning."""
    scenarios: dict[str, TunedWorkers] = {
        scenario: msgspec.convert(
            {
                **msgspec.to_builtins(workers),
                "batch_ms": TUNED.trial(scenario).batch_ms,
                "samples_per_second": TUNED.trial(scenario).samples_per_second,
            },
            TunedWorkers,
        )
        for scenario, workers in CHOSEN.items()
    }
    return Tuning(
        date="2026-11-28",
        seconds=151.2,
        cores=2,
        model=MODEL,
        versions={"inferdeck": "0.1.0", "onnxruntime": "1.32.0"},
        server_qps=420.5,
        bound_ms=15.0,
        scenarios=scenarios,
    )


def write_system(folders: Folders, name: str = "default") -> Path:
    """Write the record into the user's own copy of a system."""
    file = folders.profiles / "systems" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = (FOLDER / "systems" / f"{name}.yaml").read_text()
    file.write_text(with_tuning(text, ("onnxruntime", "resnet50"), record()))
    return file


def job(
    folders: Folders, tags: str = TAGS, *, outcome: events.Outcome = "cached", tuned: Tuned | None = TUNED
) -> jobs.Job:
    """Write a job whose workers were chosen with this outcome, and its artifact where there is one."""
    folder = history.job(folders, f"--tags={tags.removeprefix('--tags=')}")
    found = jobs.read(folder)
    node = tuning_node(found.spec)
    assert node is not None
    assert found.spec.lock is not None
    if tuned is not None:
        entry = f"{STEP}-{found.spec.lock.nodes[node.id].identity[:20]}"
        facts = {**msgspec.to_builtins(tuned), "text": "2 × 1 threads, batch 8: 500 samples/s"}
        place = folders.store / "entries" / entry
        (place / "content").mkdir(parents=True, exist_ok=True)
        manifest = Manifest(
            recipe=Recipe(component=STEP, definition="x"), facts=facts, files=(), made=history.START, seconds=151.2
        )
        (place / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    *before, done = EventReader(found.events).read()
    ended = events.StepEnded(at=time.time(), step=node.id, outcome=outcome, seconds=0.0)
    found.events.write_bytes(b"".join(events.encode(event) for event in (*before, ended, done)))
    return jobs.read(folder)
