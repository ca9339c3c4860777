"""One measurement at a time on a machine: who waits for whom, and what is reported with --now."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import events
from engine.jobs import control, jobs, measuring
from engine.jobs.event_log import EventReader
from engine.jobs.measuring import Turn, turn
from tests.engine.jobs import profile
from tests.helpers import folders_in


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock folder for each test."""
    monkeypatch.setenv(measuring.VARIABLE, str(tmp_path / "locks"))
    return tmp_path / "locks"


def never() -> bool:
    return False


def quietly(_holder: str) -> None:
    """Ignore the holder."""


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def taken(job: str) -> Turn:
    found = Turn(job)
    assert not found.wait(never, never, quietly)
    assert found.locks
    return found


HOLDER = """
import sys, time
from engine.jobs.measuring import turn
with turn("r-0012") as mine:
    mine.wait(lambda: False, lambda: False, lambda _: None)
    print("mine", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder() -> Iterator[subprocess.Popen[str]]:
    """Another process that measures."""
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def test_a_second_one_waits_says_for_whom_and_goes_on_when_the_first_is_killed(holder: subprocess.Popen[str]) -> None:
    told: list[str] = []

    killed: list[float] = []

    def tell(text: str) -> None:
        told.append(text)
        killed.append(time.time())
        os.kill(holder.pid, signal.SIGKILL)

    with turn("r-0001") as mine:
        assert mine.wait(never, never, tell)
        assert mine.locks
        assert mine.disturbed() == ""
        (line,) = measuring.measurers(mine.path)
        assert line.job == "r-0001"
        assert line.since >= killed[0], "not since it began to wait"
    assert told[0].startswith("r-0012 of ")
    assert ", measuring since " in told[0]
    assert measuring.lock_status().endswith(", free")


def test_waiting_can_be_called_off(holder: subprocess.Popen[str]) -> None:
    off = threading.Event()
    with turn("r-0001") as mine:
        assert mine.wait(off.is_set, never, lambda _: off.set())
        assert mine.locks == ()
    assert measuring.lock_status().split(", held by ")[1].startswith("r-0012 of ")


def test_now_measures_beside_and_both_know_it() -> None:
    first, second = taken("r-0001"), Turn("r-0002")
    assert not second.wait(never, lambda: True, quietly)
    for one, other in ((first, "r-0001"), (second, "r-0002")):
        assert "measured at the same time (--now)" in one.disturbed()
        assert other not in one.disturbed()
    third = Turn("r-0003")
    first.end()
    off = threading.Event()
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        if text.startswith("r-0002"):
            off.set()

    third.wait(off.is_set, never, tell)
    assert not third.locks, f"it waits for those next to, too: {told}"
    second.end()
    until(lambda: bool(third.locks), "the lock did not come")
    assert third.disturbed() == ""
    third.end()


def test_a_process_that_inherited_the_lock_keeps_it() -> None:
    first = taken("r-0001")
    with subprocess.Popen(["sleep", "600"], pass_fds=first.locks) as worker:
        first.end()
        told: list[str] = []

        def tell(text: str) -> None:
            told.append(text)
            worker.kill()

        second = Turn("r-0002")
        assert second.wait(never, never, tell)
        assert told
        assert second.locks
        second.end()


def test_a_folder_of_an_unknown_user_is_a_plain_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(measuring.VARIABLE, "~no-such-user/locks")
    assert measuring.lock_file() == Path("~no-such-user/locks").absolute() / measuring.FILE


def test_the_file_is_for_everybody_and_links_are_not_followed(place: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        taken("r-0001").end()
    finally:
        os.umask(before)
    path = measuring.lock_file()
    assert path.parent == place
    assert path.stat().st_mode & 0o777 == 0o666
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for make in (path.symlink_to, path.hardlink_to):
        path.unlink()
        make(victim)
        with turn("r-0002") as mine:
            assert not mine.wait(never, never, quietly)
            assert "measurements are not serialised" in mine.fault
            assert mine.locks == ()
            assert mine.disturbed() == ""
        assert victim.read_text() == "precious"
        assert "not serialised" in measuring.lock_status()


def test_a_file_that_is_removed_meanwhile_is_not_relied_on(holder: subprocess.Popen[str]) -> None:
    told: list[str] = []

    def tell(text: str) -> None:
        if not told:
            measuring.lock_file().unlink()
            holder.kill()
        told.append(text)

    with turn("r-0001") as mine:
        mine.wait(never, never, tell)
        assert os.path.samestat(os.fstat(mine.locks[0]), mine.path.stat())


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_a_sentence(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(_handle: int, _how: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with turn("r-0001") as mine:
        assert not mine.wait(never, never, quietly)
        assert os.strerror(number) in mine.fault
    assert os.strerror(number) in measuring.lock_status()


@pytest.fixture
def protected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate the kernel's rule for sticky folders, fs.protected_regular: O_CREAT on an existing file is refused."""
    real = os.open

    def guarded(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT and not flags & os.O_EXCL and Path(path).exists():
            raise PermissionError(errno.EACCES, "protected", str(path))
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", guarded)


@pytest.mark.usefixtures("protected")
def test_a_file_in_a_sticky_folder_is_opened_without_making_it() -> None:
    for _ in range(2):
        mine = taken("r-0001")
        assert mine.fault == ""
        mine.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("mode", [0o666, 0o644, 0o444])
def test_another_users_file_is_locked_all_the_same(mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o1777)
        monkeypatch.setenv(measuring.VARIABLE, folder)
        taken("r-0001").end()
        measuring.lock_file().chmod(mode)
        os.seteuid(65534)
        try:
            theirs = taken("r-0002")
            assert theirs.fault == theirs.disturbed() == ""
            assert ", held by " in measuring.lock_status()
            theirs.end()
        finally:
            os.seteuid(0)


@given(st.binary(max_size=300))
def test_whatever_stands_in_the_file_is_no_more_than_text(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("x") / "lock"
    path.write_bytes(data + b'\n{"job":"\\u001b]0;x\\u0007","user":"\\u202e","pid":1,"since":1e300}\n')
    found = measuring.measurers(path)
    assert found[-1].text == "]0;x of "


# Jobs


def waiting(job: jobs.Job) -> list[str]:
    return [event.holder for event in EventReader(job.events).read() if isinstance(event, events.Waiting)]


def test_a_job_waits_for_another_users_measurement_and_then_measures(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    own, folders = profile.write(tmp_path / "profile"), folders_in(tmp_path)
    spec, _ = profile.spec_of(own, tmp_path / "results", diary=str(tmp_path / "diary"), numbers="1")
    job = profile.start(folders, spec)
    until(lambda: bool(jobs.read(job.folder).waits), "it does not wait")
    assert jobs.read(job.folder).waits.startswith("r-0012 of ")
    time.sleep(0.6)
    holder.kill()
    seen = [event for batch in jobs.follow(job, interval=0.02) for event in batch]
    assert jobs.read(job.folder).state == "finished"
    assert jobs.read(job.folder).waits == ""
    assert len(waiting(job)) == 1
    ended = next(event for event in seen if isinstance(event, events.StepEnded) and event.step == "measure[1]")
    began, again = (event for event in seen if isinstance(event, events.StepStarted) and event.step == "measure[1]")
    assert again.at - began.at >= 0.6
    assert ended.seconds <= ended.at - again.at + 0.5, "the wait is not the step's time"
    assert not (tmp_path / "results" / "sut" / "1" / "disturbed.txt").exists()


def test_a_job_that_waits_is_cancelled_at_once(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    own, folders = profile.write(tmp_path / "profile"), folders_in(tmp_path)
    spec, _ = profile.spec_of(own, tmp_path / "results", diary=str(tmp_path / "diary"), numbers="1")
    job = profile.start(folders, spec)
    until(lambda: bool(waiting(job)), "it does not wait")
    control.cancel(jobs.read(job.folder))
    list(jobs.follow(job, interval=0.02))
    assert jobs.read(job.folder).state == "cancelled"
    assert holder.poll() is None


@pytest.mark.parametrize("late", [False, True], ids=["asked for at its start", "asked for while it waits"])
def test_a_job_told_to_measure_now_is_marked(late: bool, tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    own, folders = profile.write(tmp_path / "profile"), folders_in(tmp_path)
    spec, _ = profile.spec_of(own, tmp_path / "results", diary=str(tmp_path / "diary"), numbers="1")
    at_once = msgspec.structs.replace(spec, now=True)
    job = profile.start(folders, spec if late else at_once)
    if late:
        until(lambda: bool(waiting(job)), "it does not wait")
        joined, how = control.begin(folders, at_once)
        assert (joined.id, how) == (job.id, "joined")
    list(jobs.follow(job, interval=0.02))
    assert jobs.read(job.folder).state == "finished"
    said = (tmp_path / "results" / "sut" / "1" / "disturbed.txt").read_text()
    assert said.startswith("r-0012 of ")
    assert holder.poll() is None
