"""Levels of token buckets that all processes of one server share: a table in a file that they map.

Not in the database: whoever floods a door would make it write as often, and each write makes every
process forget what it remembers. The table has a fixed size, so that no flood makes it grow.
"""

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from threading import Lock

from compute_optimizer.api.limits import BUCKETS_KEPT, Level

FILE_MODE = 0o600

WAYS = 8
"""Places that a key may take; when all are taken, the one touched longest ago is given up."""

SETS = BUCKETS_KEPT // WAYS

DIGEST_BYTES = 16
"""Of a key. With 128 bits no two keys are found that share a bucket."""

PLACE = Struct(f"<{DIGEST_BYTES}sdd")
"""A key's digest, its tokens and when they were counted, in seconds; zeros where nothing is."""

SET_BYTES = WAYS * PLACE.size


class SharedLevels:
    """Levels in a file; it is made where there is none yet."""

    def __init__(self, path: Path) -> None:
        # Open until the end: closing it would let go of the locks of this process (fcntl(2)).
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        os.ftruncate(self._file, SETS * SET_BYTES)
        self._table = mmap.mmap(self._file, SETS * SET_BYTES)
        self._lock = Lock()
        """Between threads, whom a lock of the file does not tell apart."""

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Keep all threads and processes from the places of a key.

        A process that dies in between lets go.
        """
        number, _ = _whereabouts(key)
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX, 1, number)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)

    def level(self, key: str) -> Level | None:
        """Return the level of a key."""
        number, wanted = _whereabouts(key)
        for digest, tokens, counted in self._places(number):
            if digest == wanted:
                return Level(tokens, counted)
        return None

    def keep(self, key: str, level: Level) -> None:
        """Keep a level, in the place of the key or of whoever came longest ago."""
        number, wanted = _whereabouts(key)
        # Its own place first, then by age; a free one has the age of zero.
        ages = [
            (digest != wanted, counted, way)
            for way, (digest, _, counted) in enumerate(self._places(number))
        ]
        _, _, way = min(ages)
        PLACE.pack_into(self._table, number * SET_BYTES + way * PLACE.size, wanted, *level)

    def close(self) -> None:
        """Let go of the file."""
        self._table.close()
        os.close(self._file)

    def _places(self, number: int) -> Iterator[tuple[bytes, float, float]]:
        begin = number * SET_BYTES
        return PLACE.iter_unpack(self._table[begin : begin + SET_BYTES])


def _whereabouts(key: str) -> tuple[int, bytes]:
    """Return the number of the set that a key belongs to, and its digest."""
    digest = blake2b(key.encode(), digest_size=DIGEST_BYTES).digest()
    return int.from_bytes(digest[:4], "little") % SETS, digest
