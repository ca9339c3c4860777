"""The scheduler of a pool: hands tasks to SUTs, keeps nothing. Killed and started again, it loses no trial."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from engine.errors import JobError
from engine.pool.pool_folder import PoolFolder, calm_dask, host_and_port


def serve(folder: PoolFolder, listen: str, ready: Callable[[str], None]) -> None:
    """Run a scheduler until it is interrupted; `ready` is called with its address. Raises JobError, UsageError."""
    calm_dask()
    host, port = host_and_port(listen)
    asyncio.run(_serve(folder, host, port, ready))


async def _serve(folder: PoolFolder, host: str, port: int, ready: Callable[[str], None]) -> None:
    scheduler = _scheduler_class()(host=host, port=port, protocol="tls", security=folder.security(), dashboard=False)
    try:
        await scheduler
    except OSError as error:
        reason = error.strerror or error
        raise JobError(f"the pool can't listen on {host}:{port}: {reason}", "give another --listen=HOST:PORT") from None
    name = f"[{host}]" if ":" in host else host
    address = f"tls://{name}:{scheduler.port}"
    folder.listens(address)
    ready(address)
    await scheduler.finished()


def _scheduler_class() -> Any:
    from distributed import Scheduler  # noqa: PLC0415

    class QuietScheduler(Scheduler):
        """Without Dask's web page, which would answer anybody."""

        def start_http_server(self, *_: Any, **__: Any) -> None:
            return None

    return QuietScheduler
