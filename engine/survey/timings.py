"""Durations of steps in the last job on this machine, for the estimates of the next plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from engine import codec
from engine.store.files import locked, read_plain, write_atomic
from engine.store.folders import Folders

_LARGEST = 16 << 20
"""Maximum size in bytes; a step has some forty."""


def load(folders: Folders) -> dict[str, float]:
    """Return seconds by step id; empty where nothing was measured yet, or the file is damaged."""
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
        write_atomic(path, codec.encode(load(folders) | dict(times)))


_decoder: codec.Decoder[dict[str, float]] = codec.Decoder(dict[str, Annotated[float, msgspec.Meta(ge=0, le=1e8)]])
