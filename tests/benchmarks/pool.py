"""What a pool costs a SUT: seconds of CPU of its worker process, per idle minute and per trial."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from engine import codec
from engine.pool.pool_client import Pool, Sut
from engine.pool.pool_folder import PoolFolder, made
from engine.pool.sut_trial import Order
from engine.pool.sut_worker import command
from tests.engine.pool.fake_driver import SPEC
from tests.engine.pool.fake_sut import DEFAULT, measure

SECONDS, TRIALS = 30.0, 50
IDLE_TARGET, TRIAL_TARGET = 0.3, 0.05
SETTLED = 5.0
"""Seconds after the start that are not counted."""


def main(arguments: list[str]) -> None:
    """Print the figures; an argument is the seconds of the idle part."""
    seconds = float(arguments[0]) if arguments else SECONDS
    with tempfile.TemporaryDirectory() as name:
        folder = made(Path(name) / "pool")
        words = ["from engine.cli.main import main; import sys; sys.exit(main(sys.argv[1:]))", "pool", "start"]
        environment = {**os.environ, "INFERDECK_HOME": name}
        scheduler = [sys.executable, "-c", *words, f"--folder={folder.path}", "--listen=127.0.0.1:0"]
        running = [subprocess.Popen(scheduler, env=environment, stdout=subprocess.DEVNULL)]
        try:
            _until((folder.path / "pool.json").exists)
            worker = subprocess.Popen(command(folder.path, "sut"), env=environment, stderr=subprocess.DEVNULL)
            running.append(worker)
            _measure(folder, psutil.Process(worker.pid), seconds)
        finally:
            for one in running:
                one.kill()
                one.wait()


def _measure(folder: PoolFolder, worker: psutil.Process, seconds: float) -> None:
    pool = Pool(folder, measure)
    try:
        _until(lambda: bool(pool.suts()))
        (sut,) = pool.suts().values()
        _trial(pool, sut, 0)
        time.sleep(SETTLED)
        before = _cpu(worker)
        time.sleep(seconds)
        idle = 60 * (_cpu(worker) - before) / seconds
        before = _cpu(worker)
        for number in range(TRIALS):
            _trial(pool, sut, number + 1)
        each = (_cpu(worker) - before) / TRIALS
    finally:
        pool.close()
    print(f"worker of a SUT: {idle:.2f} s of CPU per idle minute ({100 * idle / 60:.2f} % of a core)")
    print(f"                 {1000 * each:.0f} ms of CPU per trial, the job excluded")
    print(f"                 {worker.memory_info().rss / 1e6:.0f} MB")
    print(f"targets: <= {IDLE_TARGET} s per minute, <= {1000 * TRIAL_TARGET:.0f} ms per trial")


def _trial(pool: Pool, sut: Sut, number: int) -> None:
    order = Order(
        spec=SPEC,
        token=f"t{number}",
        point=DEFAULT,
        seconds=None,
        rate=None,
        limit=60.0,
        search=False,
        known={"onnxruntime": ""},
    )
    pool.send(sut, codec.encode(order))
    while not pool.answers(1.0):
        pass


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _until(what: Callable[[], bool]) -> None:
    while not what():
        time.sleep(0.05)
