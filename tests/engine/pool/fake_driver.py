"""The process of an exploration on fake SUTs: `python -m tests.engine.pool.fake_driver FOLDER POOL`."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.design_space.points import every_point
from engine.pool.pool_client import Pool
from engine.pool.pool_driver import PoolDriver
from engine.pool.pool_folder import PoolFolder
from tests.engine.design_space.fake_bench import ACCURATE, spec
from tests.engine.pool.fake_sut import AXES, DEFAULT, POINTS, FileBench, measure

SPEC = spec(axes=AXES, default=DEFAULT, size=POINTS, expected=0.1, limits=(ACCURATE,))


def main() -> None:
    """Go on until the exploration ends."""
    folder, pool = Path(sys.argv[1]), Pool(PoolFolder(Path(sys.argv[2])), measure)
    try:
        print(PoolDriver(folder, SPEC, FileBench(folder), pool, list(every_point(AXES))).run())
    finally:
        pool.close()


if __name__ == "__main__":
    main()
