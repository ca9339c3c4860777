"""Jobs in their own processes: order, failure, cancelling, resuming, results."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from engine import events
from engine.errors import JobError, StoreError, UsageError
from engine.jobs import control, jobs
from engine.jobs.event_log import EventReader
from engine.store.folders import Folders
from engine.store.store import Store
from engine.survey.output_dir import refuse_place
from engine.survey.survey import Surveyor
from tests.engine.jobs import profile
from tests.helpers import folders_in


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The profile of the job tests."""
    return profile.write(tmp_path / "profile")


def run(folders: Folders, own: Path, tmp_path: Path, **options: str) -> tuple[jobs.Job, list[events.AnyEvent]]:
    """Run a job to its end; returns it with all its events."""
    spec, _ = profile.spec_of(own, tmp_path / "results", diary=str(tmp_path / "diary"), **options)
    job = profile.start(folders, spec)
    seen = [event for batch in jobs.follow(job, interval=0.02) for event in batch]
    return jobs.read(job.folder), seen


def outcomes(seen: list[events.AnyEvent]) -> dict[str, str]:
    """Return how each step ended."""
    return {event.step: event.outcome for event in seen if isinstance(event, events.StepEnded)}


def test_a_job_runs_in_order_and_says_so(tmp_path: Path, own: Path) -> None:
    folders = folders_in(tmp_path)
    job, seen = run(folders, own, tmp_path)
    assert job.state == "finished", (job.folder / "job.log").read_text()
    assert isinstance(seen[0], events.Launch)
    assert isinstance(seen[-1], events.Done)
    assert set(outcomes(seen).values()) == {"built", "found"}
    started = [event.step for event in seen if isinstance(event, events.StepStarted)]
    assert set(started[:2]) == {"file[left]", "file[right]"}
    assert started[2:] == ["join", "measure[1]", "measure[2]"]
    assert {event.done for event in seen if isinstance(event, events.Progress) and event.step == "file[left]"} >= {20.0}
    total = sum(sum(bytes([number] * 1000)) for number in range(20)) * 2
    assert profile.tree(tmp_path / "results") == {
        "sut/1/log.txt": f"1 {total}".encode(),
        "sut/1/run.json": b"{}",
        "sut/2/log.txt": f"2 {total}".encode(),
        "sut/2/run.json": b"{}",
    }


def test_measurements_run_alone(tmp_path: Path, own: Path) -> None:
    _, seen = run(folders_in(tmp_path), own, tmp_path)
    running: set[str] = set()
    for event in seen:
        if isinstance(event, events.StepStarted):
            running.add(event.step)
            assert len(running) == 1 or not any(step.startswith("measure") for step in running)
        elif isinstance(event, events.StepEnded):
            running.discard(event.step)


def test_a_second_job_takes_artifacts_from_the_store_but_measures_anew(tmp_path: Path, own: Path) -> None:
    folders = folders_in(tmp_path)
    first, _ = run(folders, own, tmp_path)
    second, seen = run(folders, own, tmp_path)
    assert second.id != first.id
    assert outcomes(seen)["join"] == "cached"
    assert outcomes(seen)["measure[1]"] == "built"
    replaced = [path.name for path in (tmp_path / "results" / ".replaced").rglob("log.txt")]
    assert len(replaced) == 2, "the results of the first job are kept"


def test_a_failure_stops_only_what_depends_on_it(tmp_path: Path, own: Path) -> None:
    folders = folders_in(tmp_path)
    job, seen = run(folders, own, tmp_path, mode="fail")
    assert job.state == "failed"
    failed = next(event for event in seen if isinstance(event, events.StepEnded) and event.step == "measure[1]")
    assert (failed.outcome, failed.text, failed.remedy) == ("failed", "the measurement failed", "fix it")
    assert outcomes(seen)["join"] == "built"
    assert not (tmp_path / "results").exists(), "a failed measurement leaves no result"
    again, seen = run(folders, own, tmp_path, mode="fail")
    assert again.id == job.id, "the same command goes on with the job"
    assert [event.resumed for event in seen if isinstance(event, events.Launch)] == [False, True]


@pytest.mark.parametrize(("mode", "says"), [("crash", "signal 11"), ("bug", "ZeroDivisionError: a bug")])
def test_a_crash_is_one_failed_step(tmp_path: Path, own: Path, mode: str, says: str) -> None:
    job, seen = run(folders_in(tmp_path), own, tmp_path, mode=mode)
    assert job.state == "failed"
    failed = next(event for event in seen if isinstance(event, events.StepEnded) and event.step == "measure[1]")
    assert says in failed.text
    assert "log" in failed.remedy


def wait_for(job: jobs.Job, step: str) -> None:
    """Wait until a step of the job has started."""
    reader, deadline = EventReader(job.events), time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(isinstance(event, events.StepStarted) and event.step == step for event in reader.read()):
            return
        time.sleep(0.01)
    raise AssertionError(f"{step} did not start")


def test_cancelling_keeps_what_is_finished(tmp_path: Path, own: Path) -> None:
    folders = folders_in(tmp_path)
    spec, _ = profile.spec_of(own, tmp_path / "results", diary=str(tmp_path / "diary"), mode="hang")
    job = profile.start(folders, spec)
    wait_for(job, "measure[1]")
    assert jobs.read(job.folder).state == "running"
    with pytest.raises(JobError, match="running already"):
        control.launch(job.folder, folders, wait=5)
    control.cancel(job)
    seen = [event for batch in jobs.follow(job, interval=0.02) for event in batch]
    assert jobs.read(job.folder).state == "cancelled"
    assert outcomes(seen)["join"] == "built"
    assert outcomes(seen)["measure[1]"] == "cancelled"
    with pytest.raises(JobError, match="not running"):
        control.cancel(jobs.read(job.folder))


def test_a_command_of_ones_own_is_a_step(tmp_path: Path, own: Path) -> None:
    folders = folders_in(tmp_path)
    spec, catalog = profile.spec_of(own, tmp_path / "results", tags="command", word="bye")
    job = profile.start(folders, spec)
    list(jobs.follow(job, interval=0.02))
    assert jobs.read(job.folder).state == "finished"
    seen = Surveyor(catalog, folders).survey(spec.plan).seen["command"]
    assert seen.state == "cached"
    assert seen.artifact is not None
    assert seen.artifact.facts == {"done": 1}
    asked = msgspec.json.decode((seen.artifact.folder / "asked.json").read_bytes())
    assert asked["options"] == {"word": "bye"}


def test_jobs_are_found_by_id_and_number(tmp_path: Path, own: Path) -> None:
    folders = folders_in(tmp_path)
    with pytest.raises(JobError, match="no jobs yet"):
        jobs.named(folders, None)
    job, _ = run(folders, own, tmp_path)
    assert jobs.named(folders, None).id == jobs.named(folders, "1").id == jobs.named(folders, job.id).id == "r-0001"
    with pytest.raises(JobError, match="no job 'r-7'"):
        jobs.named(folders, "r-7")


def test_a_plan_that_lacks_something_says_so_before_and_in_the_job(tmp_path: Path, own: Path) -> None:
    (own / "components" / "lacking.yaml").write_text(
        "name: lacking\ntags: [lacking]\nneeds: {data: {tags: 'get,dataset,imagenet-full'}}\n"
    )
    folders = folders_in(tmp_path)
    spec, catalog = profile.spec_of(own, tmp_path / "results", tags="lacking")
    survey = Surveyor(catalog, folders).survey(spec.plan)
    assert [node for node, _ in survey.problems()] == ["imagenet-full"]
    assert survey.seen["lacking"].state == "blocked"
    job = profile.start(folders, spec)
    seen = [event for batch in jobs.follow(job, interval=0.02) for event in batch]
    assert outcomes(seen) == {"imagenet-full": "failed", "lacking": "skipped"}


def test_artifacts_are_verified_by_their_digests(tmp_path: Path, own: Path) -> None:
    folders = folders_in(tmp_path)
    run(folders, own, tmp_path)
    store = Store(folders.store)
    for name in store.names():
        manifest = store.manifest(name)
        assert manifest is not None
        assert store.damage(name, manifest, deep=True) is None


def test_what_a_job_uses_is_not_removed_from_the_store(tmp_path: Path, own: Path) -> None:
    folders = folders_in(tmp_path)
    run(folders, own, tmp_path)  # so that the next one finds everything there
    spec, _ = profile.spec_of(own, tmp_path / "results", diary=str(tmp_path / "diary"), mode="hang")
    job = profile.start(folders, spec)
    wait_for(job, "measure[1]")
    store = Store(folders.store)
    (joined,) = (name for name in store.names() if name.startswith("join-"))
    with pytest.raises(StoreError, match="is being used right now"):
        store.remove(joined)
    control.cancel(job)
    list(jobs.follow(job, interval=0.02))
    store.remove(joined)
    assert joined not in store.names()


BEGIN = """
import os, sys
from pathlib import Path
from engine.jobs import control
from tests.engine.jobs import profile
from tests.helpers import folders_in
home, own = Path(sys.argv[1]), Path(sys.argv[2])
spec, _ = profile.spec_of(own, home / "results", diary=str(home / "diary"), mode="hang")
waiting, go = os.pipe()
for _ in range(8):
    if not os.fork():
        os.close(go)
        os.read(waiting, 1)  # until all are there
        job, how = control.begin(folders_in(home), spec)
        os.write(1, f"{job.id} {how}\\n".encode())
        os._exit(0)
os.close(go)
for _ in range(8):
    os.wait()
"""


def test_equal_commands_at_the_same_time_start_one_job(tmp_path: Path, own: Path) -> None:
    words = [sys.executable, "-c", BEGIN, str(tmp_path), str(own)]
    said = subprocess.run(words, stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout
    assert sorted(said.splitlines()) == ["r-0001 joined"] * 7 + ["r-0001 new"]
    (job,) = jobs.all_jobs(folders_in(tmp_path))
    control.cancel(job)
    list(jobs.follow(job, interval=0.02))


def test_what_was_measured_outlives_a_results_folder_that_can_not_be_written(tmp_path: Path, own: Path) -> None:
    folders, results = folders_in(tmp_path), tmp_path / "results"
    results.write_text("in the way")
    job, seen = run(folders, own, tmp_path)
    assert job.state == "failed"
    failed = next(event for event in seen if isinstance(event, events.StepEnded) and event.step == "measure[1]")
    assert f"{results}" in failed.text
    results.unlink()
    again, seen = run(folders, own, tmp_path)
    assert (again.id, again.state) == (job.id, "finished")
    latest = max(place for place, event in enumerate(seen) if isinstance(event, events.Launch))
    assert outcomes(seen[latest:])["measure[1]"] == "reused", "nothing is measured again"
    assert {path.name for path in results.rglob("*") if path.is_file()} == {"log.txt", "run.json"}
    assert len(profile.tree(results)) == 4


def test_a_place_that_takes_no_results_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refuse_place(tmp_path / "new" / "deep")
    for place in (tmp_path / "file", tmp_path / "file" / "deep", Path("/dev/null/deep")):
        with pytest.raises(UsageError, match="is not a folder"):
            refuse_place(place)
