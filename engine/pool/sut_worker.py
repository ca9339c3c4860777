"""The process of a SUT in a pool: `python -m engine.pool.sut_worker FOLDER NAME [ADDRESS]`.

It measures nothing itself: each trial is a job with a process of its own. Where the scheduler is lost, it begins anew
and waits for one; a trial that was being made is joined when it is sent again.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

from engine.design_space.exploration_request import machine, versions
from engine.errors import InferdeckError, JobError
from engine.pool.pool_folder import PoolFolder, calm_dask, host_and_port
from engine.store.folders import folders
from engine.text import clean, clean_lines

NICENESS = 10
HEARTBEAT = 10.0
"""Seconds between two signs of life; a worker that is killed is missed at once, by its connection."""
_PAUSE = 1.0
"""Seconds before a process that lost its scheduler begins anew."""


def become_worker(folder: Path, name: str, address: str = "") -> NoReturn:
    """Become that process: nothing of this one is left, threads neither."""
    process = command(folder, name, address)
    os.execv(process[0], process)  # noqa: S606  (our own arguments)


def command(folder: Path, name: str, address: str = "") -> list[str]:
    """Return the command of the process."""
    return [sys.executable, "-m", "engine.pool.sut_worker", str(folder), name, *([address] if address else [])]


def main(arguments: Sequence[str]) -> int:
    """Be a worker until interrupted."""
    import engine.pool.sut_trial  # noqa: F401, PLC0415  (now rather than within the first trial)

    calm_dask()
    folder, name, *given = arguments
    try:
        pool = PoolFolder(Path(folder))
        address = given[0] if given else pool.address
        host, port = host_and_port(address)
        where = f"tls://{f'[{host}]' if ':' in host else host}:{port}"
        # On Linux each thread has a niceness of its own: Dask's is niced, and not the one that starts jobs, which
        # inherit it, nor this one, which begins anew.
        trials = ThreadPoolExecutor(1)
        trials.submit(int).result()
        ThreadPoolExecutor(1).submit(lambda: asyncio.run(_work(pool, name, where, trials))).result()
    except InferdeckError as error:
        sys.stderr.write(f"{clean_lines(str(error))}\n")
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write(f"{clean(name)} left the pool; a job that it runs goes on\n")
        sys.stderr.flush()
        os._exit(0)  # a thread that waits for a job would keep the process
    time.sleep(_PAUSE)
    become_worker(Path(folder), name, *given)


async def _work(pool: PoolFolder, name: str, address: str, trials: ThreadPoolExecutor) -> None:
    if sys.platform == "linux":
        os.nice(max(NICENESS - os.nice(0), 0))
    worker = _worker_class()(
        address,
        name=name,
        nthreads=1,
        resources={"SUT": 1},
        executor={"default": trials},
        memory_limit=0,
        security=pool.security(),
        local_directory=str(folders().state / "pool-scratch"),
        startup_information={"machine": lambda _: {**machine(), **versions()}},
    )
    try:
        await worker
    except (ValueError, RuntimeError) as error:
        raise JobError(f"the pool does not take {clean(name)}: {_why(error)}", "give another --name") from None
    sys.stderr.write(f"{clean(name)} is in the pool {address}\n")
    await worker.is_over.wait()
    sys.stderr.write(f"{clean(name)} lost the scheduler, and waits for it\n")


def _why(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return clean(str(error))


def _worker_class() -> Any:
    from distributed import Status, Worker  # noqa: PLC0415

    class QuietWorker(Worker):
        """Without a web page, and with few signs of life.

        It does not close once it has joined, because that would wait for the trial: the whole process begins anew.
        """

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.is_over = asyncio.Event()

        async def close(self, *arguments: Any, **options: Any) -> Any:
            if self.status != Status.running:
                return await super().close(*arguments, **options)
            self.is_over.set()
            return "OK"

        def start_http_server(self, *_: Any, **__: Any) -> None:
            return None

        async def heartbeat(self) -> None:
            await super().heartbeat()
            self.periodic_callbacks["heartbeat"].callback_time = 1000 * HEARTBEAT

    return QuietWorker


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
