"""What was read from the web today: the prices that were kept of it, so that nobody reads it twice.

One folder for each day, one file for each list; what is of an earlier day is removed.
"""

import gzip
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from compute_optimizer.catalog.own_prices import OwnPrice, PriceMarket
from compute_optimizer.errors import StoreUnavailable

FORM = 1
"""Of the files; what has another one is read from the web again."""

NAME_LETTERS = 80
"""Of a list in the name of its file, before the digest that tells it from others."""

UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error)
"""What a file raises that is not what was written."""


@dataclass(frozen=True, slots=True)
class PriceCache:
    """The files of one day."""

    folder: Path
    day: date
    again: bool = False
    """Whether to read from the web all the same."""

    def prices(self, name: str, read: Callable[[], list[OwnPrice]]) -> tuple[list[OwnPrice], bool]:
        """Return the prices of a list, and whether they were there; read and keep them if not.

        Raises StoreUnavailable where the folder cannot be written, and what `read` raises.
        """
        path = self._path(name)
        if not self.again and (found := _kept(path)) is not None:
            return found, True
        prices = read()
        try:
            self._keep(path, prices)
        except OSError as error:
            raise StoreUnavailable(f"{path.parent} cannot be written: {error}") from error
        return prices, False

    def _path(self, name: str) -> Path:
        told = re.sub(r"[^A-Za-z0-9.]+", "-", name)[-NAME_LETTERS:].strip("-")
        digest = sha256(name.encode()).hexdigest()[:12]
        return self.folder / self.day.isoformat() / f"{told}-{digest}.json.gz"

    def _keep(self, path: Path, prices: list[OwnPrice]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        for other in self.folder.iterdir():
            if _is_day(other.name) and other.name < path.parent.name:
                shutil.rmtree(other, ignore_errors=True)
        rows = [[*one.market, one.name, one.usd, one.source, str(one.date)] for one in prices]
        half = path.with_suffix(f".{os.getpid()}")
        half.write_bytes(gzip.compress(json.dumps({"form": FORM, "prices": rows}).encode()))
        half.replace(path)


def _kept(path: Path) -> list[OwnPrice] | None:
    """Return the prices of a file; None where it is not there, or not what was written."""
    with suppress(*UNREADABLE):
        told = json.loads(gzip.decompress(path.read_bytes()))
        if told["form"] == FORM:
            return [
                OwnPrice(PriceMarket(*market), name, usd, source, date.fromisoformat(day))
                for *market, name, usd, source, day in told["prices"]
            ]
    return None


def _is_day(name: str) -> bool:
    with suppress(ValueError):
        return date.fromisoformat(name).isoformat() == name
    return False
