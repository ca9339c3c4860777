"""Homes with damaged, odd or huge files: what is readable is listed, the rest is named with the reason."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine import events
from engine.cli.main import main
from engine.errors import JobError, StoreError
from engine.jobs import control, jobs
from engine.jobs.event_log import EventReader, EventWriter
from engine.watch.diagnosis import diagnose
from engine.watch.watch import Watch
from tests.engine.jobs import synthetic as made
from tests.helpers import folders_in


def _in_place_of(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(job: Path) -> None:
        (job / name).unlink(missing_ok=True)
        make(job / name)

    return damage


def _text(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


UNKNOWN_NODE = '{"plan": {"root": "gone", "nodes": {}}, "command": [], "title": "x"}'

DAMAGES = [
    (_in_place_of("plan.json", Path.mkdir), "not a plain file"),
    (_in_place_of("plan.json", os.mkfifo), "not a plain file"),
    (_in_place_of("plan.json", _text("")), "not a plan of this version"),
    (_in_place_of("plan.json", _text('{"plan": ' + '{"nodes":' * 100_000)), "nested too deeply"),
    (_in_place_of("plan.json", _text(UNKNOWN_NODE)), "names the node 'gone'"),
    (lambda job: (job / "plan.json").unlink(), "plan.json is missing"),
    (_in_place_of("events.jsonl", Path.mkdir), "not a plain file"),
    (_in_place_of("events.jsonl", os.mkfifo), "not a plain file"),
]


@pytest.mark.parametrize(("damage", "why"), DAMAGES)
def test_a_damaged_job_is_listed_with_the_reason_and_hides_no_other(
    tmp_path: Path, damage: Callable[[Path], None], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = folders_in(tmp_path)
    bad = made.write(folders.jobs, made.before(), number=1)
    good = made.write(folders.jobs, made.before(), number=2)
    damage(bad.folder)
    found, damaged = jobs.survey(folders)
    assert [job.id for job in found] == [good.id]
    assert [one.id for one in damaged] == [bad.id]
    assert why in damaged[0].why
    with pytest.raises((JobError, StoreError), match=r"r-0001"):
        jobs.named(folders, "1")
    assert jobs.named(folders, None).id == good.id
    assert main(["jobs", f"--home={tmp_path}"]) == 0
    out = capsys.readouterr().out
    assert "r-0002" in out
    assert "damaged" in out


def test_a_file_in_place_of_a_job_or_of_all_jobs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = folders_in(tmp_path)
    folders.jobs.mkdir(parents=True)
    (folders.jobs / "r-0001").write_text("")
    assert [one.id for one in jobs.survey(folders)[1]] == ["r-0001"]
    (folders.jobs / "r-0001").unlink()
    folders.jobs.rmdir()
    folders.jobs.write_text("")
    assert main(["jobs", f"--home={tmp_path}"]) == 1
    assert str(folders.jobs) in capsys.readouterr().err


def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    bad = made.write(folders.jobs, made.before(), number=1)
    made.write(folders.jobs, made.before(), number=2)
    (bad.folder / "plan.json").chmod(0)
    if os.access(bad.folder / "plan.json", os.R_OK):
        pytest.skip("who runs this may read everything")
    found, damaged = jobs.survey(folders)
    assert [job.id for job in found] == ["r-0002"]
    assert "no permission" in damaged[0].why


@pytest.mark.parametrize(
    ("does", "free", "why"),
    [
        ("kill -9 $$", 1 << 40, "its process was ended by SIGKILL"),
        ("exit 4", 1 << 40, "its process ended with status 4 and reported nothing"),
        ("exit 1", 1000, "the disk is full at"),
        ("echo the words of the job; exit 1", 1000, "the words of the job"),
        ("sleep 5", 1 << 40, "its process has reported nothing for 0.2 s"),
    ],
)
def test_a_job_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, free: int, why: str
) -> None:
    folders = folders_in(tmp_path)
    job = made.write(folders.jobs, made.before())
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(JobError, match=f"r-0001 did not start: {why}"):
        control.launch(job.folder, folders, wait=0.2 if "sleep" in does else 20)


def test_jobs_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    for number in (9999, 10_000, 3):
        made.write(folders.jobs, made.before(), number=number)
    assert [job.id for job in jobs.all_jobs(folders)] == ["r-10000", "r-9999", "r-0003"]
    assert jobs.named(folders, "10000").id == "r-10000"


def test_a_job_that_is_being_made_is_no_damaged_one(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    (folders.jobs / "r-0001").mkdir(parents=True)
    assert jobs.survey(folders) == ([], [])


@pytest.mark.parametrize("name", ["²", "9" * 5000, "../r-0001", ""])
def test_odd_names_of_jobs_are_no_jobs(tmp_path: Path, name: str) -> None:
    folders = folders_in(tmp_path)
    made.write(folders.jobs, made.before())
    with pytest.raises(JobError, match="there is no job"):
        jobs.named(folders, name)


def test_time_at_work_leaves_out_what_was_between_two_attempts(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    first = [made.launch(), *made.failure(made.BEGIN + 10)]
    again = [made.launch(made.BEGIN + 5000, resumed=True), *made.ending(made.BEGIN + 5005)]
    job = made.write(folders.jobs, [*first, *again])
    assert job.worked == 10 + 6
    assert job.attempts == 2
    assert job.state == "finished"
    assert [event for seen in jobs.follow(job, attempt=2) for event in seen] == again
    assert [event for seen in jobs.follow(job) for event in seen] == [*first, *again]


def _many_warnings(path: Path, count: int) -> None:
    line = events.encode(events.Warned(at=made.BEGIN + 5, step=made.MEASURE, text="disturbed " * 200))
    with path.open("ab") as log:
        for _ in range(count // 1000):
            log.write(line * 1000)


def test_who_watches_a_log_that_becomes_unreadable_is_told_so(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    watch = Watch(made.write(folders.jobs, made.before()))
    seen = watch.poll()
    watch.job.events.unlink()
    watch.job.events.mkdir()
    told = watch.poll()
    assert told.steps == seen.steps
    assert "not a plain file" in told.notes[-1].text
    assert watch.poll() is told
    (watch.job.folder / "run.lock").symlink_to("run.lock")
    assert watch.job_status(made.BEGIN + 500) == "died"


def test_a_long_log_needs_little_memory(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    job = made.write(folders.jobs, made.before())
    _many_warnings(job.events, 8_000)
    made.append(job, made.ending(made.BEGIN + 60))
    assert job.events.stat().st_size > 15 << 20
    tracemalloc.start()
    read = jobs.read(job.folder)
    watched = Watch(read).poll()
    followed = sum(len(seen) for seen in jobs.follow(read))
    died = diagnose(read)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read.steps_ended == 3
    assert watched.done is not None
    assert 100 < len(watched.notes) <= 200
    assert followed > 8_000
    assert any(str(one.path).endswith("accuracy[Server].log") for one in died.logs)
    assert peak < 12 << 20


class TestLongLines:
    def test_are_left_out_and_that_is_said(self, tmp_path: Path) -> None:
        log = tmp_path / "events.jsonl"
        writer = EventWriter(log)
        writer.write(made.launch())
        writer.write(events.Warned(at=1, step="x", text="y" * 5000))
        writer.write(events.Phase(at=2, step="x", name="after it"))
        writer.close()
        seen = EventReader(log, piece=1000).read()
        assert [type(event) for event in seen] == [events.Launch, events.Warned, events.Phase]
        assert isinstance(seen[1], events.Warned)
        assert "longer than 1.0 kB" in seen[1].text

    def test_that_are_not_over_yet_are_waited_for(self, tmp_path: Path) -> None:
        log = tmp_path / "events.jsonl"
        log.write_bytes(b"x" * 2500)
        reader = EventReader(log, piece=1000)
        assert reader.read() == []
        with log.open("ab") as out:
            out.write(b"x" * 100 + b"\n" + events.encode(made.launch()))
        assert [type(event) for event in reader.read()] == [events.Warned, events.Launch]

    @pytest.mark.parametrize("piece", [400, 1000, 7919, 1 << 20])
    def test_pieces_of_any_size_give_the_same_events(self, tmp_path: Path, piece: int) -> None:
        seen = [*made.before(), *made.ticks(5, rate=40), *made.ending(made.BEGIN + 9)]
        job = made.write(tmp_path, seen)
        whole = job.events.read_bytes()
        longest = max(len(line) for line in whole.split(b"\n"))
        found = EventReader(job.events, piece=max(piece, longest + 1)).read()
        assert found == seen


@pytest.mark.parametrize("mode", [0o000, 0o400])
@pytest.mark.parametrize("folder", ["config", "config/profiles", "config/profiles/systems", "state/jobs/r-0001"])
def test_a_folder_that_may_not_be_read_is_named_by_every_command(
    tmp_path: Path, folder: str, mode: int, capsys: pytest.CaptureFixture[str]
) -> None:
    made.write(folders_in(tmp_path).jobs, made.before())
    systems = tmp_path / "config" / "profiles" / "systems"
    systems.mkdir(parents=True)
    (systems / "box.yaml").write_text("targets: measured\nruns: {}\n")
    (tmp_path / folder).chmod(mode)
    try:
        if os.access(tmp_path / folder, os.X_OK):
            pytest.skip("who runs this may read everything")
        said = ""
        for words in (("jobs",), ("results", "list"), ("system", "list"), ("plan", "--tags=get,loadgen"), ("attach",)):
            main([*words, f"--home={tmp_path}"])
            out, err = capsys.readouterr()
            said += out + err
    finally:
        (tmp_path / folder).chmod(0o700)
    assert folder in said
