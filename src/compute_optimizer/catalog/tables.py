"""Reads the package's own data files: plain JSON, or JSON in gzip."""

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read_table(name: str) -> dict[str, Any]:
    """Return the content of the data file `name` (.json or .json.gz); read once, never changed."""
    content = files("compute_optimizer.catalog").joinpath("data", name).read_bytes()
    if name.endswith(".gz"):
        content = gzip.decompress(content)
    table: dict[str, Any] = json.loads(content)
    return table


def dump_table(table: dict[str, Any], compressed: bool) -> bytes:
    """Return the bytes of a data file; the same table gives the same bytes."""
    if not compressed:
        return (json.dumps(table, indent=1, sort_keys=True) + "\n").encode()
    text = json.dumps(table, separators=(",", ":"), sort_keys=True)
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)
