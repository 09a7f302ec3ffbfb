"""Lines of a CSV file, on the disk or on the web, while they arrive."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO, cast
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from compute_optimizer.errors import InvalidInput, SourceUnavailable

GZIP_SUFFIX = ".gz"

TIMEOUT_SECONDS = 60
"""Without a byte from the web."""

WEB = ("https://", "http://")

MB = 1_000_000

MOST_MB = 2_000
"""Of one list from the web: several times the largest, that of EC2 in us-east-1."""


@contextmanager
def csv_lines(place: str, most_mb: int = MOST_MB) -> Iterator[Iterator[list[str]]]:
    """Open a file or an address of the web, and yield its lines, each as its cells.

    Raises InvalidInput for what is no CSV file, and SourceUnavailable for what the web has not, or
    has more of than may be read.
    """
    told = without_query(place)
    try:
        with _opened(place, most_mb) as raw:
            plain = gzip.GzipFile(fileobj=raw) if told.endswith(GZIP_SUFFIX) else raw
            # A byte order mark is what spreadsheets put in front.
            text = io.TextIOWrapper(cast(BinaryIO, plain), encoding="utf-8-sig", newline="")
            yield csv.reader(text, strict=True)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{told} is not UTF-8 text: {error}") from error
    except csv.Error as error:
        raise InvalidInput(f"{told} is no CSV file: {error}") from error
    except HTTPError as error:
        # It holds the answer, and so the connection.
        error.close()
        raise SourceUnavailable(f"{told} cannot be read: {error}") from error
    except URLError as error:
        raise SourceUnavailable(f"{told} cannot be read: {error.reason}") from error
    except (OSError, EOFError, HTTPException, zlib.error) as error:
        kind = SourceUnavailable if place.startswith(WEB) else InvalidInput
        raise kind(f"{told} cannot be read: {error}") from error


def without_query(place: str) -> str:
    """Return a place without the query of an address: that may be a signature, for no message."""
    return place.partition("?")[0] if place.startswith(WEB) else place


def _opened(place: str, most_mb: int) -> BinaryIO:
    if place.startswith(WEB):
        answer = cast(io.RawIOBase, urlopen(place, timeout=TIMEOUT_SECONDS))
        return io.BufferedReader(_Limited(answer, without_query(place), most_mb))
    return Path(place).expanduser().open("rb")


class _Limited(io.RawIOBase):
    """What arrives from an address, up to a limit."""

    def __init__(self, answer: io.RawIOBase, place: str, most_mb: int) -> None:
        super().__init__()
        self._answer = answer
        self._place = place
        self._most_mb = most_mb
        self._left = most_mb * MB

    def readable(self) -> bool:
        """Return True: it is for nothing else."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Read what has arrived; raise SourceUnavailable beyond the limit."""
        count = self._answer.readinto(buffer) or 0
        self._left -= count
        if self._left < 0:
            raise SourceUnavailable(
                f"{self._place} has more than {self._most_mb:,} MB, the setting price_max_mb; "
                "raise it, or see what answers there"
            )
        return count

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()
        super().close()
