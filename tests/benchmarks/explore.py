"""The search of the design space on a table of measured points, and its own cost: `python -m tests.benchmarks explore`.

The target: of the hypervolume that measuring everything finds, 98 % in 30 % of its measuring seconds, repeats included,
in the median of 20 seeds; at most 2 % of the claims "A beats B" are false.
"""

from __future__ import annotations

import argparse
from statistics import median

from engine.design_space.samplers import SAMPLERS, require
from engine.errors import UsageError
from tests.benchmarks.explore_cost import print_costs
from tests.benchmarks.explore_replay import Table, measured_table, replay, synthetic_table
from tests.benchmarks.explore_table import DATA

SHARE = 0.3
SEEDS = 20


def main(argv: list[str]) -> None:
    """Print hypervolume, cost and false claims for each table and sampler, and the cost of 10,000 trials."""
    parser = argparse.ArgumentParser(prog="explore")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--samplers", default=",".join(filter(_is_there, SAMPLERS)))
    parser.add_argument("--trials", type=int, default=10_000, help="for the cost of its own")
    given = parser.parse_args(argv)
    tables = [measured_table(path) for path in sorted(DATA.glob("*.jsonl"))]
    for table in [*tables, synthetic_table()]:
        _print_replay(table, given.samplers.split(","), given.seeds)
    print_costs(given.trials)


def _is_there(sampler: str) -> bool:
    """Return whether what a sampler needs is installed; `grid` is left out, being `random` for a table."""
    try:
        require(sampler)
    except UsageError:
        return False
    return sampler != "grid"


def _print_replay(table: Table, samplers: list[str], seeds: int) -> None:
    points, repeats = len(table.figures), table.repeats
    whole = points * repeats * table.seconds
    print(f"\n{table.name}\n{points} points, {repeats} repeats of each: {whole / 60:.1f} min to measure everything")
    print(f"{'sampler':10}{'of everything':>14}{'of one pass':>12}{'hypervolume':>22}{'false claims':>24}{'points':>8}")
    for sampler in samplers:
        # The target, and what a first look costs: 30 % of measuring each point once.
        for seconds in (SHARE * whole, SHARE * whole / repeats):
            found = [replay(table, sampler, seed, seconds) for seed in range(seeds)]
            spent = median(one.trials for one in found) * table.seconds
            claims, false = sum(one.claims for one in found), sum(one.false for one in found)
            shares, found_points = [one.share for one in found], median(one.points for one in found)
            print(
                f"{sampler:10}{spent / whole:>13.0%}{spent * repeats / whole:>12.0%} "
                f"{median(shares):>14.4f} (>={min(shares):.2f})"
                f"{f'{false} of {claims}':>17}{false / claims if claims else 0:>7.2%}{found_points:>8.0f}"
            )
