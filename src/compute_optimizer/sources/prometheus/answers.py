"""Answers of the Prometheus API, decoded: series with their labels and samples."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from compute_optimizer.errors import SourceUnavailable

PUNCTUATION = b'[]" \n\t'
"""What stands around the numbers of a list of samples."""


_NUMBERS = msgspec.json.Decoder(list[float])


class _Series(msgspec.Struct):
    metric: dict[str, str] = {}
    value: msgspec.Raw = msgspec.Raw()
    values: msgspec.Raw = msgspec.Raw()


class _Data(msgspec.Struct):
    result: list[_Series]
    result_type: str = msgspec.field(name="resultType")


class _Answer(msgspec.Struct):
    status: str
    data: _Data | None = None


class Series(msgspec.Struct, frozen=True):
    """The samples of one series."""

    labels: dict[str, str]
    seconds: NDArray[np.float64]
    """Since 1970."""
    values: NDArray[np.float64]
    """May be NaN or infinite."""


def series_of(body: bytes, url: str) -> list[Series]:
    """Return the series of an answer to `query` or `query_range`; raises SourceUnavailable."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
        if answer.status != "success" or answer.data is None:
            raise SourceUnavailable(f"{url}: the answer is no success: {error_of(body)}")
        if answer.data.result_type not in ("vector", "matrix"):
            raise SourceUnavailable(
                f"{url}: the answer is a {answer.data.result_type}, and no series"
            )
        return [_series(one) for one in answer.data.result]
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise SourceUnavailable(
            f"{url}: the answer is garbled: {error}; is that the url of a Prometheus?"
        ) from error


def error_of(body: bytes) -> str:
    """Return what a server says is wrong, as one line; whatever the body is."""
    try:
        found: Any = msgspec.json.decode(body)
        said = found.get("error", "") if isinstance(found, dict) else ""
    except (msgspec.DecodeError, RecursionError):
        said = body.decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in str(said)).split())


def _series(one: _Series) -> Series:
    pairs = _numbers(bytes(one.values or one.value)).reshape(-1, 2)
    if not len(pairs):
        raise ValueError("a series has no samples")
    return Series(one.metric, pairs[:, 0], pairs[:, 1])


def _numbers(written: bytes) -> NDArray[np.float64]:
    """Return the numbers of a list, whether they are written as numbers or as texts."""
    listed = written.translate(None, PUNCTUATION)
    try:
        return np.array(_NUMBERS.decode(b"[" + listed + b"]"), np.float64)
    except msgspec.DecodeError:
        # NaN and infinities are no JSON; this reads them, and takes five times as long.
        return np.array(listed.split(b",")).astype(np.float64)
