"""Record which runs a compliance check compared, to detect stale results."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine import codec
from engine.mlperf import DETAIL_LOG
from engine.store.files import explained, read_plain, sha256_of

FILE = "verified.json"


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """SHA-256 of the runs' detail logs, stored next to verify_performance.txt."""

    performance: str
    accuracy: str = ""
    """Empty where the test compares no responses."""


def verified(performance: Path, accuracy: Path | None) -> Verified:
    """Return the record of a verification against the runs in these folders."""
    digests = [sha256_of(folder / DETAIL_LOG) if folder is not None else "" for folder in (performance, accuracy)]
    return Verified(performance=digests[0], accuracy=digests[1])


def stale(test: Path, performance: Path, accuracy: Path) -> str:
    """Return why the verification in a test's folder is not of these runs; empty where it is.

    Raises StoreError where a file can't be read.
    """
    try:
        was = codec.decode(read_plain(test / FILE), type=Verified)
    except (FileNotFoundError, msgspec.DecodeError):
        return "was not verified"
    except OSError as error:
        raise explained(error, test / FILE) from None
    now = verified(performance, accuracy if was.accuracy else None)
    if was.performance != now.performance:
        return "was verified against a different performance run"
    return "" if was.accuracy == now.accuracy else "was verified against a different accuracy run"
