"""The folder of a pool: its address, and the key that everybody in it holds. Whoever has the key can run code there."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from engine import codec
from engine.errors import CannotRunError, JobError, UsageError
from engine.store.files import disk_errors, explained, read_plain, write_atomic

ADDRESS, KEY, CERTIFICATE = "pool.json", "key.pem", "certificate.pem"
USUAL = "127.0.0.1:8786"
"""Where a scheduler listens unless told otherwise: no other machine reaches it there."""
DAYS = 3650
_ADDRESS = re.compile(r"(?:tls://)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")

CALM = {
    # Nobody in a pool looks at what Dask samples, and a SUT must not be disturbed by it.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "60s",
    "distributed.admin.tick.limit": "1h",
    "distributed.admin.system-monitor.interval": "60s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.diagnostics.nvml": False,
    "distributed.scheduler.active-memory-manager.start": False,
    # A trial belongs to its SUT, and what is sent again is for the exploration to decide.
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.allowed-failures": 1_000_000,
    "distributed.comm.require-encryption": True,
    # A worker that waits for its scheduler tries again within a fifth of it.
    "distributed.comm.timeouts.connect": "5s",
}
"""Configuration of Dask, for every process of a pool."""


def calm_dask() -> Any:
    """Return Dask's package `distributed`, configured for this process. What it would log, inferdeck says itself."""
    import dask  # noqa: PLC0415

    dask.config.set(CALM)
    found = import_module("distributed")  # which sets up its loggers

    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)
    return found


class _Address(msgspec.Struct, frozen=True):
    address: str


@dataclass(frozen=True)
class PoolFolder:
    """A folder with a pool's key."""

    path: Path

    @property
    def address(self) -> str:
        """Where the scheduler listens. Raises JobError where that is not known."""
        path = self.path / ADDRESS
        try:
            return codec.decode(read_plain(path, 1 << 16), type=_Address).address
        except FileNotFoundError:
            raise JobError(f"{self.path} is not the folder of a pool", "inferdeck pool start makes one") from None
        except OSError as error:
            raise explained(error, path) from None
        except msgspec.DecodeError as error:
            raise JobError(f"{path}: {error}", "inferdeck pool start writes it again") from None

    def listens(self, address: str) -> None:
        """Write down where the scheduler listens."""
        write_atomic(self.path / ADDRESS, codec.encode(_Address(address)) + b"\n")

    def security(self) -> Any:
        """Return Dask's `Security`: TLS in both directions. Raises JobError where the key is missing or open to others.

        There is one key and one certificate, signed by itself: who holds the key is in the pool, and nobody else is.
        """
        key, certificate = self.path / KEY, self.path / CERTIFICATE
        with disk_errors(key):
            if not key.exists() or not certificate.exists():
                raise JobError(f"{self.path} lacks {KEY} or {CERTIFICATE}", "copy the whole folder of the pool")
            if key.stat().st_mode & 0o077:
                raise JobError(f"others can read {key}", f"chmod 600 {key}; if they may have read it, make a new pool")
        files = {
            f"tls_{role}_{part}": str(path)
            for role in ("scheduler", "worker", "client")
            for part, path in (("key", key), ("cert", certificate))
        }
        return calm_dask().Security(tls_ca_file=str(certificate), require_encryption=True, **files)


def made(path: Path) -> PoolFolder:
    """Return the folder of a pool with its key, which is made where there is none. Raises CannotRunError."""
    folder = PoolFolder(path)
    with disk_errors(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (path / KEY).exists() and (path / CERTIFICATE).exists():
            return folder
        _make_key(path)
    return folder


def _make_key(path: Path) -> None:
    tool = shutil.which("openssl")
    if tool is None:
        raise CannotRunError("the command openssl is missing: it makes the key of a pool", "install OpenSSL")
    key = path / KEY
    key.unlink(missing_ok=True)
    key.touch(mode=0o600)  # before there is anything to read in it
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-batch"]
    files = ["-keyout", str(key), "-out", str(path / CERTIFICATE), "-days", str(DAYS), "-subj", "/CN=inferdeck pool"]
    made = subprocess.run([tool, *words, *files], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if made.returncode:
        lines = made.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CannotRunError(f"openssl could not make a key: {lines[-1] if lines else made.returncode}", f"see {path}")
    key.chmod(0o600)


def host_and_port(word: str) -> tuple[str, int]:
    """Read HOST:PORT, with or without tls://. Raises UsageError."""
    found = _ADDRESS.fullmatch(word)
    if found is None or int(found[2]) > 65535:
        raise UsageError(f"'{word}' is no address", "HOST:PORT or tls://HOST:PORT, for example 127.0.0.1:8786")
    return found[1].strip("[]"), int(found[2])


def need_dask() -> None:
    """Raise CannotRunError where Dask is not installed."""
    if find_spec("distributed") is None:
        raise CannotRunError("a pool needs Dask, which is not installed", "pip install 'inferdeck[pool]'")
