"""Room on the disk: what an analysis, an import and collecting will take, and whether it is there.

Refused early, a run costs nothing; a disk that fills up midway stops everything that uses it.
The figures are measured (docs/operate.md, How much disk) and rounded up.
"""

import shutil
from pathlib import Path

from sqlalchemy import Connection, text

from compute_optimizer.errors import StoreUnavailable

RUN_BYTES = 5_000
"""Of state by resource and run, with indexes: 3,157 of EC2 instances with both profiles' answers
in SQLite (benchmarks/million.py with 8,000 instances, 2026-11-27), and room for tags and more
metrics."""

LOG_BYTES = 256 * 1024**2
"""SQLite's log beside the state: some transactions of a shard, each of some 20 MB, which wait
until nobody reads what they replace."""

TILE_SAMPLE_BYTES = 4
"""A sample in a tile, at most: a float32 that compresses to nothing less."""

SPILLED_SAMPLE_BYTES = 16
"""A sample that an import puts on the disk for a while (store/tile_buffer.py)."""

SPARE_BYTES = 64 * 1024**2
"""Left free beside what is written, for logs and whatever else is on the disk."""

GIB = 2**30


def check_room_for_run(connection: Connection, resources: int) -> None:
    """Raise StoreUnavailable where the state's disk has no room for a run over so many resources.

    Pages that SQLite has free count as room. Of PostgreSQL nothing is known here: nothing is
    checked.
    """
    if connection.dialect.name != "sqlite":
        return
    folder = Path(str(connection.engine.url.database)).parent
    wanted = max(0, resources * RUN_BYTES - _reusable_bytes(connection))
    _check(
        folder,
        # What is small hardly fills a log.
        wanted + min(wanted, LOG_BYTES),
        f"recommendations for {resources:,} resources",
        "make room, analyze fewer accounts at once (--account), or keep the state on another disk",
    )


def check_room_for_samples(folder: Path, samples: int, held: int) -> None:
    """Raise StoreUnavailable where the disk of the tiles has no room for so many more samples.

    `held` of them fit in memory on their way.
    """
    _check(
        folder,
        samples * TILE_SAMPLE_BYTES + _spilled_bytes(samples, held),
        f"up to {samples:,} samples",
        "make room, import fewer days or files at once, or keep fewer days (retention_days)",
    )


def check_room_for_collected(folder: Path, samples: int, at_once: int, held: int) -> None:
    """Raise StoreUnavailable where the disk of the tiles has no room for what is collected.

    `samples` are those of the tiles that are written; `at_once` of them are on their way at the
    same time, of which `held` fit in memory.
    """
    _check(
        folder,
        samples * TILE_SAMPLE_BYTES + _spilled_bytes(at_once, held),
        f"tiles of up to {samples:,} samples",
        "make room, collect fewer days, accounts or types at once (--days, --accounts, --types), "
        "or keep fewer days (retention_days)",
    )


def _spilled_bytes(samples: int, held: int) -> int:
    """Return what samples on their way take on the disk: nothing where all fit in memory."""
    return samples * SPILLED_SAMPLE_BYTES if samples > held else 0


def _reusable_bytes(connection: Connection) -> int:
    pages = int(connection.execute(text("PRAGMA freelist_count")).scalar_one())
    return pages * int(connection.execute(text("PRAGMA page_size")).scalar_one())


def _check(folder: Path, wanted: int, what: str, to_do: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted + SPARE_BYTES:
        raise StoreUnavailable(
            f"{folder} has {free / GIB:,.2f} GiB free, and {what} need "
            f"{(wanted + SPARE_BYTES) / GIB:,.2f} GiB there: {to_do}"
        )
