"""Eight jobs on one store at once, and a real job killed at many random moments."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import tarfile
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from engine.datasets.patterns import ImageSet, write
from engine.events import Launch, StepEnded, StepStarted, Waiting
from engine.jobs import jobs
from engine.jobs.event_log import EventReader
from engine.store.store import Store
from tests.engine.flaky_server import Flaky, serving
from tests.helpers import folders_in, stored
from tests.whole.command import SHORT, inferdeck, start

KILLS = 30
PATIENCE = 120
"""Seconds within which a step must have started, on a machine under load."""
OVERLAP = 0.5
"""Seconds by which a step may seem to start before another ends: it starts before it requests the lock."""
COUNT = 300
DEMO = ("demo", "--offline", f"--adr.images.count={COUNT}", "--scenarios=Offline,SingleStream", *SHORT)


FETCHED = """
name: imagenet-patterns
summary: Generated pictures, fetched
tags: [get, dataset, patterns]
step: fetched.py:fetch
code: [engine.steps.download]
resumable: true
options:
  url: {{type: list, default: ["{url}"], key: false}}
  sha256: {{default: {sha256}}}
  filename: {{default: pictures.tar}}
  unpack: {{type: bool, default: true}}
  count: {{type: int}}
"""
STEP = """
from engine.steps.download import download

def fetch(step):
    return {**download(step), "images": "", "labels": "val_map.txt", "count": step.options["count"]}
"""


@contextmanager
def served_pictures(folder: Path) -> Iterator[Path]:
    """Serve the images of the offline demonstration from a slow server; yields a profile that fetches them."""
    pictures, profile = folder / "pictures", folder / "profile" / "components"
    pictures.mkdir()
    profile.mkdir(parents=True)
    list(write(ImageSet(seed=1, count=COUNT), pictures))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted(pictures.iterdir()):
            archive.add(path, path.name)
    with serving(Flaky(packed.getvalue(), pause=0.015)) as server:
        (profile / "imagenet-patterns.yaml").write_text(FETCHED.format(url=server.url, sha256=server.sha256))
        (profile / "fetched.py").write_text(STEP)
        yield profile.parent


@pytest.mark.slow
def test_eight_jobs_share_one_store(tmp_path: Path) -> None:
    home = tmp_path / "home"
    running = [start(home, *DEMO, f"--output_dir={tmp_path / f'out{number}'}", "--json") for number in range(8)]
    folders = []
    for process in running:
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, f"{out}\n{err}"
        folders.append(json.loads(out)["job"])
    assert len(set(folders)) == 8
    entries = stored(folders_in(home))
    assert sorted(name.rpartition("-")[0] for name in entries) == [
        "choose-workers",
        "imagenet-patterns",
        "imagenet-preprocessed",
        "patterns-net",
    ]
    built = [
        event
        for folder in folders
        for line in (home / "state" / "jobs" / folder / "events.jsonl").read_text().splitlines()
        if (event := json.loads(line))["event"] == "ended" and event["outcome"] == "built"
    ]
    made = [event["step"] for event in built if event["step"] in {"imagenet-patterns", "imagenet-preprocessed"}]
    assert sorted(made) == ["imagenet-patterns", "imagenet-preprocessed"], "each artifact was made once"
    assert_measured_in_turn(home, folders)
    for number in range(8):
        text = tmp_path / f"out{number}" / "demo-offline" / "resnet50" / "Offline" / "accuracy" / "accuracy.txt"
        assert "total=300" in text.read_text()


def assert_measured_in_turn(home: Path, jobs: list[str]) -> None:
    """No two of the jobs measured at the same time, and waiting jobs reported it."""
    spans, waits = [], 0
    for name in jobs:
        since: dict[str, float] = {}
        for event in EventReader(home / "state" / "jobs" / name / "events.jsonl").read():
            if isinstance(event, StepStarted):
                since[event.step] = event.at
            elif isinstance(event, StepEnded) and event.outcome == "built" and event.step.startswith("loadgen-run"):
                spans.append((since[event.step], event.at))
            waits += isinstance(event, Waiting)
    spans.sort()
    assert len(spans) == 8 * 4
    assert all(before[1] <= after[0] + OVERLAP for before, after in pairwise(spans))
    assert waits >= 7


def kill_after(home: Path, words: tuple[str, ...], seconds: float) -> bool:
    """Run the command line detached and kill the job's process after a while; says whether it was still running."""
    status, out, err = inferdeck(home, *words, "--detach")
    assert status == 0, f"{out}\n{err}"
    time.sleep(seconds)
    return kill(home)


def kill(home: Path) -> bool:
    """Kill the process of the newest job; returns whether it was running."""
    job = jobs.named(folders_in(home), None)
    launches = [event for event in EventReader(job.events).read() if isinstance(event, Launch)]
    if job.state != "running":
        return False
    os.kill(launches[-1].pid, signal.SIGKILL)
    return True


@pytest.mark.slow
def test_a_real_job_killed_at_random_moments_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    with served_pictures(tmp_path) as own:
        quiet, killed = tmp_path / "quiet", tmp_path / "killed"
        demo = (*DEMO, f"--profiles={own}")
        status, out, err = inferdeck(quiet, *demo, f"--output_dir={quiet / 'out'}", "--json")
        assert status == 0, f"{out}\n{err}"
        kill_many_times(killed, (*demo, f"--output_dir={killed / 'out'}"), stored(folders_in(quiet)).keys())
    mine, expected = stored(folders_in(killed)), stored(folders_in(quiet))
    assert mine == expected
    assert not list((killed / "store" / "work").iterdir()), "no half-made artifact is left"
    for path in sorted((quiet / "out").rglob("accuracy.txt")):
        assert (killed / "out" / path.relative_to(quiet / "out")).read_text() == path.read_text()
    runs = {path.parent.relative_to(quiet / "out") for path in (quiet / "out").rglob("run.json")}
    results = {path.parent.relative_to(killed / "out") for path in (killed / "out").rglob("run.json")}
    assert {path for path in results if path.parts[0] != ".replaced"} == runs


def kill_many_times(home: Path, words: tuple[str, ...], whole: Set[str]) -> None:
    """Kill the job repeatedly, then let it finish. `whole` are the entries of a finished job's store."""
    moments, kills = random.Random(2022), 0
    kill_during(home, words, "imagenet-patterns")
    while kills < KILLS:
        if not kill_after(home, words, moments.uniform(0.0, 1.6)):
            # It came to its end between two kills: its store must be whole, and the next command begins a new job.
            assert stored(folders_in(home)).keys() == whole
            for name in Store(home / "store").names():
                Store(home / "store").remove(name)
            continue
        kills += 1
    kill_during(home, words, "loadgen-run[Offline performance]")
    status, out, err = inferdeck(home, *words, "--json")
    assert status == 0, f"{out}\n{err}"


def kill_during(home: Path, words: tuple[str, ...], step: str) -> None:
    """Kill the job during a step, however long this machine takes to reach it."""
    inferdeck(home, *words, "--detach")
    deadline = time.monotonic() + PATIENCE
    while step not in running_steps(home):
        assert time.monotonic() < deadline, f"{step} never ran"
        if jobs.named(folders_in(home), None).state != "running":
            inferdeck(home, *words, "--detach")  # it had been done before, and the job has ended: a new one measures
        time.sleep(0.005)
    kill(home)


def running_steps(home: Path) -> set[str]:
    """Return the steps that the newest job's log shows as started and not ended."""
    running: set[str] = set()
    for event in EventReader(jobs.named(folders_in(home), None).events).read():
        if isinstance(event, Launch):
            running.clear()
        elif isinstance(event, StepStarted):
            running.add(event.step)
        elif isinstance(event, StepEnded):
            running.discard(event.step)
    return running
