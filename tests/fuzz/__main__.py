"""`python -m tests.fuzz [--inputs 5000] [--seed 0] [--kind NAME] [--only N] [--workers 2]`: run made-up inputs."""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.fuzz.case import SHARES
from tests.fuzz.runner import Failure, grouped, run

STEP = 500
"""Inputs between two lines that say how far the run is."""


def chosen(count: int, seed: int, kinds: list[str]) -> list[tuple[str, int]]:
    """Return kinds and seeds: as many of each kind as its share says, in an order that mixes them."""
    whole = sum(SHARES[kind] for kind in kinds)
    found = [(kind, seed + number) for kind in kinds for number in range(max(1, round(count * SHARES[kind] / whole)))]
    random.Random(seed).shuffle(found)
    return found


def main() -> int:
    """Run them; exit status 1 if one fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0, help="of the first input of each kind; the next has the next")
    parser.add_argument("--kind", choices=SHARES)
    parser.add_argument("--only", type=int, metavar="N", help="the one input of this seed")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    kinds = [given.kind] if given.kind else list(SHARES)
    inputs = chosen(given.inputs, given.seed, kinds) if given.only is None else [(kind, given.only) for kind in kinds]
    begin = time.monotonic()
    failures = run(inputs, min(given.workers, len(inputs)), _show, _count)
    print(f"{len(inputs)} inputs of {', '.join(kinds)} in {time.monotonic() - begin:.0f} s: {len(failures)} failed")
    for cause, those in grouped(failures).items():
        print(f"{len(those):5} {cause}   {' '.join(f'{one.kind}:{one.seed}' for one in those[:6])}")
    return 1 if failures else 0


def _count(done: int) -> None:
    if done % STEP == 0:
        print(f"{done} inputs", file=sys.stderr, flush=True)


def _show(failure: Failure) -> None:
    print(failure, flush=True)


if __name__ == "__main__":
    sys.exit(main())
