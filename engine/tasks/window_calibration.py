"""Calibration of a model of volumes: the middle window of each scan, prepared as for measuring.

A scan of KiTS19 has some thirty windows, much alike, and the rules' model takes seconds for one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from engine.backends.base import TensorSpec
from engine.errors import DataError
from engine.facts import ChosenSamplesFacts, Ragged
from engine.step import Artifact
from engine.store.files import sha256_of
from engine.tasks.base import Array, CalibrationSet
from engine.tasks.windows import places, within


def middle_windows(chosen: Artifact) -> CalibrationSet:
    """Return a window of each prepared volume (ChosenSamplesFacts), of the size of the graph's input.

    Raises DataError where the files are not volumes, the graph takes no window of them, or none is as large as one.
    """
    known = chosen.read(ChosenSamplesFacts)
    volumes = _volumes(known.paths(chosen.folder))
    return CalibrationSet(
        count=len(volumes),
        text=f"{len(volumes)} {known.what}",
        by_rules=known.by_rules,
        sha256=_digest(known.paths(chosen.folder)),
        batches=lambda inputs: _batches(volumes, inputs),
        unit="volumes",
    )


def _volumes(files: Sequence[str | Ragged]) -> list[Array]:
    """Return the volumes of a sample set, float32 [D,H,W], memory-mapped."""
    [tensor] = files
    if isinstance(tensor, str) or not tensor.shapes:
        raise DataError("the calibration samples are not volumes [D,H,W]", "calibrate with scans")
    try:
        values = np.load(tensor.values, mmap_mode="r", allow_pickle=False)
        offsets, shapes = (np.load(file, allow_pickle=False) for file in (tensor.offsets, tensor.shapes))
        parts = np.split(values, offsets[1:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    except (OSError, ValueError) as error:
        raise DataError(f"{tensor.values}: the calibration samples cannot be read: {error}", "--again") from error


def _batches(volumes: Sequence[Array], inputs: Sequence[TensorSpec]) -> Iterator[Mapping[str, Array]]:
    """Yield the windows, each alone: where the graph fixes the batch, it is filled with the same one."""
    [spec] = inputs
    window = [one for one in spec.shape[2:] if one]
    if len(spec.shape) != 5 or spec.shape[1] != 1 or len(window) != 3:
        raise DataError(f"the model takes {spec.name} {list(spec.shape)}", "give a model of windows, [N,1,D,H,W]")
    for number, volume in enumerate(volumes):
        found = places(volume.shape, window, [max(one // 2, 1) for one in window])
        if not found:
            raise DataError(f"calibration volume {number} is smaller than a window", "calibrate with larger scans")
        part = volume[within(found[len(found) // 2], window)].astype(spec.dtype)
        yield {spec.name: np.broadcast_to(part, (spec.shape[0] or 1, 1, *window)).copy()}


def _digest(files: Sequence[str | Ragged]) -> str:
    whole = hashlib.sha256()
    for tensor in files:
        for part in (tensor,) if isinstance(tensor, str) else (tensor.values, tensor.offsets, tensor.shapes):
            whole.update(f"{sha256_of(Path(part))}\n".encode())
    return whole.hexdigest()
