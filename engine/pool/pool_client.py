"""What an exploration, and `pool status`, see of a pool: its SUTs, and answers to what was sent to them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.pool.pool_folder import PoolFolder, calm_dask
from engine.text import clean

_REACHED_IN = 5.0
"""Seconds in which a scheduler that is there answers."""
_FETCHED_IN = 2.0
"""Seconds in which a SUT hands over a report; one that is lost is asked for again."""
_AGAIN = 1.0
"""Seconds from one attempt to reach a scheduler to the next."""


@dataclass(frozen=True, kw_only=True)
class Sut:
    """A machine of the pool."""

    name: str
    address: str
    """Of its worker: another process of the same machine has another one."""
    machine: Mapping[str, str] = field(default_factory=dict)
    """What it is, with the versions installed there."""
    busy: bool = False


class _Seen(msgspec.Struct):
    """What a scheduler says of a worker."""

    name: str
    machine: dict[str, str] = {}
    resources: dict[str, float] = {}


@dataclass(frozen=True)
class SutAnswer:
    """What came of an order: a report, or else why there is none."""

    report: bytes = b""
    trouble: str = ""


class Pool:
    """A connection to a pool's scheduler, made anew whenever it is lost: what was sent is then to be sent again."""

    def __init__(self, folder: PoolFolder, task: Callable[[bytes], bytes]) -> None:
        calm_dask()
        self.folder, self.task = folder, task
        self._client: Any = None
        self._sent: dict[str, Any] = {}
        self._came = threading.Event()
        self._next_attempt = 0.0

    def suts(self) -> dict[str, Sut]:
        """Return the SUTs by their names; none where no scheduler answers."""
        client = self._connected()
        if client is None:
            return {}
        try:
            seen = client.sync(client.scheduler.identity, callback_timeout=_REACHED_IN)
        except (OSError, TimeoutError):
            self.close()
            return {}
        found = {}
        for address, one in seen["workers"].items():
            worker = msgspec.convert(
                {key: one[key] for key in ("name", "machine", "resources") if key in one}, _Seen, strict=False
            )
            if worker.resources.get("SUT"):
                name = clean(worker.name)
                busy = bool(one.get("metrics", {}).get("executing", 0))
                found[name] = Sut(name=name, address=address, machine=worker.machine, busy=busy)
        return found

    def send(self, sut: Sut, order: bytes) -> None:
        """Send an order to a SUT; an earlier one to it is forgotten."""
        self.forget(sut.name)
        if (client := self._connected()) is None:
            return
        with contextlib.suppress(OSError, TimeoutError):
            future = client.submit(
                self.task,
                order,
                workers=[sut.address],
                allow_other_workers=False,
                resources={"SUT": 1},
                pure=False,
                retries=0,
            )
            future.add_done_callback(lambda _: self._came.set())
            self._sent[sut.name] = future

    def is_sent(self, name: str) -> bool:
        """Whether an order to that SUT stands."""
        return name in self._sent

    def forget(self, name: str) -> None:
        """Expect no answer of a SUT any more."""
        self._sent.pop(name, None)

    def answers(self, wait: float) -> dict[str, SutAnswer]:
        """Return what came within `wait` seconds, by SUT; sooner where something came."""
        self._came.wait(wait)
        self._came.clear()
        found = {}
        for name, future in list(self._sent.items()):
            if future.status == "finished":
                with contextlib.suppress(OSError, TimeoutError):  # its worker was killed before it handed it over
                    found[name] = SutAnswer(report=future.result(timeout=_FETCHED_IN))
                self.forget(name)
            elif future.status == "error":
                found[name] = SutAnswer(trouble=clean(repr(future.exception(timeout=_REACHED_IN))))
                self.forget(name)
            elif future.status in ("cancelled", "lost"):
                self.forget(name)
        return found

    @property
    def is_connected(self) -> bool:
        """Whether the scheduler answered when it was asked last."""
        return self._client is not None

    def close(self) -> None:
        """Leave the scheduler."""
        self._sent.clear()
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(OSError, TimeoutError, RuntimeError):
                client.close(timeout=1)

    def _connected(self) -> Any:
        """Return the client; None where there is no scheduler."""
        if self._client is not None and self._client.status != "running":
            self.close()
        if self._client is None and time.monotonic() >= self._next_attempt:
            self._next_attempt = time.monotonic() + _AGAIN
            with contextlib.suppress(OSError, TimeoutError):
                self._client = calm_dask().Client(
                    self.folder.address,
                    security=self.folder.security(),
                    timeout=_REACHED_IN,
                    set_as_default=False,
                )
        return self._client
