"""What a fleet takes on the disk: tiles by resource and day, state by resource and run, a backup.

    python -m benchmarks.disk_use [--instances 1000]

The fleet of `analysis_rate`: 14 days of five metrics for every instance, without gaps, in SQLite.
"""

import argparse
import tempfile
from contextlib import closing
from pathlib import Path
from time import perf_counter

from benchmarks.analysis_rate import (
    LOOK_BACK_DAYS,
    FixedClock,
    analyze_all,
    make_fleet,
)
from compute_optimizer.jobs.backup import BackupRequest, back_up
from compute_optimizer.store import State
from compute_optimizer.store.freshness import state_bytes, tile_bytes

MIB = 2**20


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=1_000)
    count = parser.parse_args().instances
    with tempfile.TemporaryDirectory(prefix="disk-use-") as folder:
        state, tiles = make_fleet(Path(folder), count)
        with closing(state):
            files, size = tile_bytes(tiles)
            sizes = [_state(state)]
            for _ in range(2):
                analyze_all(state, tiles)
                sizes.append(_state(state))
            start = perf_counter()
            request = BackupRequest(Path(folder) / "backup")
            made = back_up(state, tiles, FixedClock(), request, lambda *_: None)
            taken = perf_counter() - start
    print(f"{files} tiles: {size / count / LOOK_BACK_DAYS:,.0f} bytes by resource and day")
    print(f"inventory: {sizes[0] / count:,.0f} bytes of state by resource")
    first, second = sizes[1] - sizes[0], sizes[2] - sizes[1]
    print(f"a run: {first / count:,.0f} bytes of state by resource; the next {second / count:,.0f}")
    print(f"backup: {made.bytes / MIB:,.1f} MiB at {made.bytes / MIB / taken:,.0f} MiB/s")


def _state(state: State) -> int:
    with state.reading() as connection:
        return state_bytes(connection)


if __name__ == "__main__":
    main()
