"""Answers counted by operation, status and time, by one process or by several that serve together.

Each process counts in cells of its own, which are a file where others shall see them: whoever is
asked adds them all up, and a process that takes the place of another goes on in its file. All rows
are known beforehand, so that counting is two additions and needs neither names nor growth.
"""

import mmap
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from compute_optimizer.operations import OPERATIONS

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of latencies: a poll takes a tenth of a millisecond, a page of 1,000 a third of a
second."""

OTHER = "other"
"""Stands for operations that are not built, so that callers cannot make up label values."""

STATUSES = (200, 400, 403, 404, 408, 413, 429, 500, 503)
"""HTTP statuses of answers: success, those of the front door's table and of the modelled errors."""

BUCKETS = len(SECONDS) + 1
"""The last one is of what took longer."""

WIDTH = BUCKETS + 1
"""Cells of a row: its buckets, then the sum of seconds."""

ROWS = {
    (operation, status): place * WIDTH
    for place, (operation, status) in enumerate(
        (operation, status) for operation in (*sorted(OPERATIONS), OTHER) for status in STATUSES
    )
}
"""Where the cells of an operation and status begin."""

SIZE_BYTES = len(ROWS) * WIDTH * 8
"""Of the cells of one process: doubles."""

FILES = "answers-*"
"""Names of the files that processes count in; the star is the number of the process."""


class Counts:
    """Histograms of the answers of this process, and of all that share the folder."""

    def __init__(self, folder: Path | None = None, number: int = 0) -> None:
        self._folder = folder
        self._lock = Lock()
        self._cells = memoryview(_opened(folder, number)).cast("d")

    def observe(self, operation: str, status: int, seconds: float) -> None:
        """Count one answer."""
        first = ROWS.get((operation, status))
        if first is None:
            first = ROWS[OTHER, status]
        cells = self._cells
        with self._lock:
            cells[first + bisect_left(SECONDS, seconds)] += 1
            cells[first + BUCKETS] += seconds

    def rows(self) -> Iterator[tuple[str, int, list[float], float]]:
        """Yield operation, status, answers by bucket, and seconds, where there were answers."""
        cells = self._together()
        for (operation, status), first in ROWS.items():
            buckets = cells[first : first + BUCKETS].tolist()
            if any(buckets):
                yield operation, status, buckets, cells[first + BUCKETS]

    def _together(self) -> "array[float]":
        if self._folder is None:
            return array("d", self._cells)
        parts = [array("d", path.read_bytes()) for path in sorted(self._folder.glob(FILES))]
        return array("d", map(sum, zip(*parts, strict=True)))


def _opened(folder: Path | None, number: int) -> mmap.mmap:
    """Return the cells of the process with that number, as they were left."""
    if folder is None:
        return mmap.mmap(-1, SIZE_BYTES)
    with (folder / FILES.replace("*", str(number))).open("a+b") as file:
        file.truncate(SIZE_BYTES)
        return mmap.mmap(file.fileno(), SIZE_BYTES)
