"""What a fleet takes on the disk: tiles by resource and day, state by resource and run, a backup.

    python -m benchmarks.disk_use [--instances 1000]

The fleet of `analysis_rate`: 14 days of five metrics for every instance, without gaps, in SQLite.
"""

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter

from benchmarks.analysis_rate import (
    LOOK_BACK_DAYS,
    FixedClock,
    analyze_all,
    make_fleet,
)
from benchmarks.measurement import Measurement, Report, add_output, show
from compute_optimizer.jobs.backup import BackupRequest, back_up
from compute_optimizer.store import State
from compute_optimizer.store.freshness import state_bytes, tile_bytes

MIB = 2**20


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--instances", type=int, default=1_000)
    add_output(parser)
    given = parser.parse_args(arguments)
    count: int = given.instances
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
    figures = (
        ("tiles, by resource and day", "bytes", size / count / LOOK_BACK_DAYS),
        ("inventory, by resource", "bytes", sizes[0] / count),
        ("a run, by resource", "bytes", (sizes[1] - sizes[0]) / count),
        ("the next run, by resource", "bytes", (sizes[2] - sizes[1]) / count),
        ("backup", "MiB/s", made.bytes / MIB / taken),
    )
    notes = {
        "fleet": f"{count:,} instances in {files} tiles; a backup of {made.bytes / MIB:,.1f} MiB"
    }
    told = tuple(Measurement(name, unit, (value,)) for name, unit, value in figures)
    show(Report(told, notes), given.output)


def _state(state: State) -> int:
    with state.reading() as connection:
        return state_bytes(connection)


if __name__ == "__main__":
    main()
