"""Durations of steps on this machine by the keys of their recipes, for the estimates of the next plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from engine import codec
from engine.store.files import locked, read_plain, write_atomic
from engine.store.folders import Folders

_LARGEST = 16 << 20
"""Maximum size in bytes; a step has about a hundred."""
_MOST = 20_000
"""Steps that are remembered, the newest ones."""


def load(folders: Folders) -> dict[str, float]:
    """Return seconds by recipe key; empty where nothing was measured yet, or the file is damaged."""
    try:
        return _decoder.decode(read_plain(folders.state / "timings.json", _LARGEST))
    except (OSError, msgspec.DecodeError):
        return {}


def add(folders: Folders, times: Mapping[str, float]) -> None:
    """Save the durations of a job."""
    if not times:
        return
    path = folders.state / "timings.json"
    with locked(path.with_suffix(".lock")):
        older = {key: seconds for key, seconds in load(folders).items() if key not in times}
        write_atomic(path, codec.encode(dict(list((older | dict(times)).items())[-_MOST:])))


_decoder: codec.Decoder[dict[str, float]] = codec.Decoder(dict[str, Annotated[float, msgspec.Meta(ge=0, le=1e8)]])
