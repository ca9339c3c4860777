"""Small days in Criteo's form."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def lines(seed: int, count: int) -> list[str]:
    """Return lines with few different values, some missing and some negative ones."""
    random = np.random.default_rng([2023, seed])
    found = []
    for _ in range(count):
        label = str(random.integers(2))
        dense = [random.choice(["", "0", "-1", str(random.integers(100_000_000))]) for _ in range(13)]
        hashes = [
            random.choice(["", f"{random.integers(30) * 143_165_577 % 2**32:08x}"], p=[0.1, 0.9]) for _ in range(26)
        ]
        found.append("\t".join([label, *dense, *hashes]) + "\n")
    return found


def write(folder: Path, days: Sequence[Sequence[str]], packed: Sequence[int] = ()) -> None:
    """Write day_0, day_1 and so on; `packed` ones as gzip."""
    for day, text in enumerate(days):
        data = "".join(text).encode("ascii")
        if day in packed:
            (folder / f"day_{day}.gz").write_bytes(gzip.compress(data, mtime=0))
        else:
            (folder / f"day_{day}").write_bytes(data)
