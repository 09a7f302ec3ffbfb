"""Where tile files lie: what a place has to do, whether it is a folder or a bucket.

A file never changes under its name, so that a second name, or a copy, is as good as the first.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from compute_optimizer.store.tile_files import TileFile

CURRENT = "current"
SUPERSEDED = "superseded"


class Placed(NamedTuple):
    """A file of a part."""

    path: str
    bytes: int
    changed: float
    """By the clock of the place, seconds since 1970."""


class TilePlace(Protocol):
    """The parts CURRENT and SUPERSEDED, paths relative to each; raises StoreUnavailable, or OSError
    where a disk is full."""

    @property
    def name(self) -> str:
        """Return what people call the place."""

    def open_all(self, paths: Sequence[str]) -> Iterator[TileFile]:
        """Yield current tiles in their order, also those that a swap has just replaced."""

    def expect(self, paths: Sequence[str]) -> None:
        """Begin to fetch current tiles that are opened soon, where that can be done meanwhile."""

    def size(self, path: str) -> int | None:
        """Return the bytes of a current file; None where it is not there any more."""

    def put(self, files: Iterable[tuple[Path, str]]) -> None:
        """Take files of this machine among the current ones, whole or not at all."""

    def supersede(self, paths: Iterable[str]) -> None:
        """Move files from the current ones to the superseded, if they are there."""

    def reinstate(self, path: str) -> None:
        """Move a file back."""

    def files(self, part: str) -> list[Placed]:
        """Return every file of a part."""

    def now(self) -> float:
        """Return the place's own time, seconds since 1970; for the holder of the import's right."""

    def remove(self, part: str, paths: Iterable[str]) -> None:
        """Remove files, if they are there."""

    def remove_account(self, account_id: str) -> None:
        """Remove every file of an account."""

    def copy(self, paths: Sequence[str], folder: Path) -> str | None:
        """Have files in a folder of this machine; return the first that is nowhere any more."""

    def held(self, right: str) -> AbstractContextManager[bool]:
        """Hold the right `import` or `backup`, or yield False while another process does."""

    def check_held(self) -> None:
        """Raise Conflict where the right to import was lost meanwhile."""
