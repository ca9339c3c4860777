"""Three SUTs and their scheduler, killed at seeded moments: every point is measured, no job counts twice; and nobody
without the key gets in."""

from __future__ import annotations

import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="a pool needs the extra `pool`: Dask")

from engine.design_space import trial_log
from engine.errors import JobError, UsageError
from engine.pool.pool_client import Pool
from engine.pool.pool_folder import CERTIFICATE, KEY, PoolFolder, host_and_port, made
from engine.pool.sut_worker import command
from tests.engine.pool.fake_sut import POINTS

ROOT = Path(__file__).parents[3]
SUTS = ("a", "b", "c")
PATIENCE = 120.0


class Processes:
    """The processes of a pool, which are started again whenever they were killed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pool = folder, made(folder / "pool")
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def command(self, name: str) -> list[str]:
        if name == "scheduler":
            known = self.pool.address if (self.pool.path / "pool.json").exists() else "127.0.0.1:0"
            words = ["from engine.cli.main import main; import sys; sys.exit(main(sys.argv[1:]))", "pool", "start"]
            return [sys.executable, "-c", *words, f"--folder={self.pool.path}", f"--listen={known}"]
        if name == "driver":
            words = ["-m", "tests.engine.pool.fake_driver", str(self.folder / "exploration"), str(self.pool.path)]
            return [sys.executable, *words]
        return command(self.pool.path, name)

    def start(self, name: str) -> None:
        (self.folder / "exploration").mkdir(exist_ok=True)
        environment = {**os.environ, "INFERDECK_HOME": str(self.folder / f"home-{name}"), "PYTHONPATH": str(ROOT)}
        with (self.folder / f"{name}.log").open("ab") as out:
            self.running[name] = subprocess.Popen(self.command(name), stdout=out, stderr=out, env=environment, cwd=ROOT)

    def kill(self, name: str) -> None:
        self.running[name].send_signal(signal.SIGKILL)
        self.running[name].wait()

    def end(self) -> None:
        for one in self.running.values():
            one.kill()
            one.wait()


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    found = Processes(tmp_path_factory.mktemp("pool"))
    found.start("scheduler")
    until((found.pool.path / "pool.json").exists)
    for name in SUTS:
        found.start(name)
    yield found
    found.end()


def test_whatever_is_killed_every_point_is_measured(pool: Processes) -> None:
    chance, log = random.Random(20), pool.folder / "exploration"
    pool.start("driver")
    victims = ["a", "b", "c", "scheduler", "driver", "driver"]
    chance.shuffle(victims)
    moments = sorted(chance.sample(range(5, POINTS - 10), len(victims)))
    for victim, moment in zip(victims, moments, strict=True):
        while len(trial_log.progress(log).trials) < moment:
            assert pool.running["driver"].poll() is None, "the exploration ended too soon"
            time.sleep(0.02)
        pool.kill(victim)
        time.sleep(chance.random() / 5)
        pool.start(victim)
    until(lambda: trial_log.progress(log).over is not None)
    assert pool.running["driver"].wait() == 0
    seen = trial_log.progress(log)
    assert seen.over is not None
    assert seen.over.ending == "finished", seen.over.reason
    assert len({one.point for one in seen.trials}) == POINTS
    assert {one.state for one in seen.trials} == {"valid"}
    jobs = Counter(one.job for one in seen.trials)
    assert max(jobs.values()) == 1, "no job counts twice"
    assert {one.sut for one in seen.trials} == set(SUTS), "each of them measured"
    searched = Counter(one.point for one in seen.trials if one.purpose == "search")
    assert max(searched.values()) == 1, "no point is searched twice"
    launches = [int(line) for path in pool.folder.glob("home-*/jobs/*/launches") for line in path.read_text().split()]
    assert set(launches) == {os.getpriority(os.PRIO_PROCESS, 0)}, "jobs are not niced, as their worker is"
    made = sum(len(list((pool.folder / f"home-{name}" / "jobs").iterdir())) for name in SUTS)
    scored = sum(
        path.read_text().endswith("True") for name in SUTS for path in pool.folder.glob(f"home-{name}/jobs/*/point")
    )
    assert made - scored == len(seen.trials), "no job was made in vain"


def test_a_sut_is_one_of_its_machine_with_its_versions(pool: Processes) -> None:
    client = Pool(pool.pool, bytes)
    try:
        until(lambda: len(client.suts()) == len(SUTS))
        found = client.suts()
    finally:
        client.close()
    assert set(found) == set(SUTS)
    assert all(one.machine["processor"] and one.machine["inferdeck"] for one in found.values())


@pytest.mark.parametrize("who", ["nobody", "another key", "no TLS"])
def test_without_the_key_nobody_gets_in(pool: Processes, tmp_path: Path, who: str) -> None:
    host, port = host_and_port(pool.pool.address)
    context = ssl.create_default_context(cafile=str(pool.pool.path / CERTIFICATE))
    context.check_hostname = False
    if who == "another key":
        other = made(tmp_path / "other").path
        context.load_cert_chain(other / CERTIFICATE, other / KEY)
    plain = socket.create_connection((host, port), timeout=20)
    connection = plain if who == "no TLS" else context.wrap_socket(plain)
    with connection, pytest.raises((ssl.SSLError, ConnectionError)):
        _talk(connection)


def _talk(connection: socket.socket) -> None:
    """Say something; of TLS 1.3 the refusal comes with the answer."""
    connection.sendall(b"\0" * 64)
    while connection.recv(4096):
        pass
    raise ConnectionResetError


def test_the_key_is_of_one_user_alone(tmp_path: Path) -> None:
    found = made(tmp_path / "pool")
    key = tmp_path / "pool" / KEY
    assert key.stat().st_mode & 0o777 == 0o600
    assert found.path.stat().st_mode & 0o777 == 0o700
    before = key.read_bytes()
    made(tmp_path / "pool")
    assert key.read_bytes() == before, "a pool keeps its key"
    key.chmod(0o644)
    with pytest.raises(JobError, match="others can read"):
        found.security()


def test_a_folder_without_a_pool_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="is not the folder of a pool"):
        _ = PoolFolder(tmp_path).address
    with pytest.raises(JobError, match="lacks"):
        PoolFolder(tmp_path).security()


def test_addresses() -> None:
    assert host_and_port("tls://[::1]:8786") == ("::1", 8786)
    assert host_and_port("head.example.org:1") == ("head.example.org", 1)
    for word in ("head", "tcp://head:1", "head:99999", "head:", "a b:1"):
        with pytest.raises(UsageError, match="is no address"):
            host_and_port(word)
