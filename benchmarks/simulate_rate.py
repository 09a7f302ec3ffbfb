"""Seconds that a simulation takes, from day tiles to its report, by the size of the grid.

    python -m benchmarks.simulate_rate [--instances 1000] [--rounds 3]

The fleet is that of benchmarks.analysis_rate: 14 days of five metrics, in two Regions.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from benchmarks.analysis_rate import FixedClock, make_fleet
from benchmarks.measurement import Report, add_output, measurements_of, show
from compute_optimizer.backtest.grid import POOLS, WIRE_GRID, Grid, points_of
from compute_optimizer.jobs.simulate import simulate
from compute_optimizer.jobs.simulated_fleets import imported_fleet

GRIDS: Mapping[str, Grid] = {
    "one point": Grid(),
    "values of the wire": WIRE_GRID,
    "with look-backs and architectures": replace(
        WIRE_GRID, lookbacks=(7, 14, 32), architectures=tuple(POOLS)
    ),
}


def measure(instances: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each grid in every round."""
    with tempfile.TemporaryDirectory() as folder:
        state, tiles = make_fleet(Path(folder), instances)
        seconds: dict[str, list[float]] = {name: [] for name in GRIDS}
        for _ in range(rounds):
            for name, grid in GRIDS.items():
                start = perf_counter()
                simulate(imported_fleet(state, tiles, FixedClock()), [grid])
                seconds[name].append(perf_counter() - start)
        state.close()
    return seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Print seconds by grid."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--instances", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    add_output(parser)
    given = parser.parse_args(arguments)
    seconds = measure(given.instances, given.rounds)
    points = (f"{name} has {len(points_of([grid])):,} points" for name, grid in GRIDS.items())
    notes = {"fleet": f"{given.instances:,} instances", "grids": "; ".join(points)}
    show(Report(measurements_of(seconds, "s"), notes), given.output)


if __name__ == "__main__":
    main()
