"""Lines of a CSV file, on the disk or on the web, while they arrive."""

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast
from urllib.error import URLError
from urllib.request import urlopen

from compute_optimizer.errors import InvalidInput, SourceUnavailable

GZIP_SUFFIX = ".gz"

TIMEOUT_SECONDS = 60
"""Without a byte from the web."""

WEB = ("https://", "http://")


@contextmanager
def csv_lines(place: str) -> Iterator[Iterator[list[str]]]:
    """Open a file or an address of the web, and yield its lines, each as its cells.

    Raises InvalidInput for what is no CSV file, and SourceUnavailable for what the web has not.
    """
    try:
        with _opened(place) as raw:
            plain = gzip.GzipFile(fileobj=raw) if place.endswith(GZIP_SUFFIX) else raw
            # A byte order mark is what spreadsheets put in front.
            text = io.TextIOWrapper(cast(BinaryIO, plain), encoding="utf-8-sig", newline="")
            yield csv.reader(text, strict=True)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{place} is not UTF-8 text: {error}") from error
    except csv.Error as error:
        raise InvalidInput(f"{place} is no CSV file: {error}") from error
    except URLError as error:
        raise SourceUnavailable(f"{place} cannot be read: {error.reason}") from error
    except (OSError, EOFError) as error:
        kind = SourceUnavailable if place.startswith(WEB) else InvalidInput
        raise kind(f"{place} cannot be read: {error}") from error


def _opened(place: str) -> BinaryIO:
    if place.startswith(WEB):
        return cast(BinaryIO, urlopen(place, timeout=TIMEOUT_SECONDS))
    return Path(place).expanduser().open("rb")
