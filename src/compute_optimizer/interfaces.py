"""The seams between the parts: one callable or protocol each, named here and nowhere else."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; the only source of "now" in the whole program."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware in UTC."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware in UTC."""
        return datetime.now(UTC)


class Upload(Protocol):
    """A file that is being written and does not exist under its name yet."""

    def write(self, data: bytes, /) -> int:
        """Take the next bytes and return how many."""


class Sink(Protocol):
    """Where exports are written to; a bucket is whatever the place calls so."""

    def check_place(self, bucket: str, key: str, region: str) -> None:
        """Raise NotFound or InvalidInput where nothing can ever be written under the key.

        Raises StoreUnavailable where the place cannot be reached.
        """

    def check_access(self, bucket: str, key: str, region: str, account_id: str) -> None:
        """Raise InvalidInput, with the service's text, for a bucket that may not be written to."""

    def writing(
        self, bucket: str, key: str, region: str, content_type: str
    ) -> AbstractContextManager[Upload]:
        """Open a file that appears whole under its key when the block ends, and not if it fails."""

    def discard(self, bucket: str, key: str, region: str) -> None:
        """Remove what a process that died has left of an unfinished file."""
