"""From Arrow columns to numbers and moments; cells that are neither are told apart by reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compute_optimizer.sources.files.refusals import Reason

Mask = NDArray[np.bool_]

MILLISECONDS_FROM = 1e11
"""Epoch numbers from here on are milliseconds: as seconds this would be the year 5138. What is
still as large after that is no moment."""

NUMBER = r"^\s*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[nN][aA][nN]|[iI][nN][fF](inity)?)\s*$"
ZONED = r"(Z|z|[+-]\d{2}:?\d{2})\s*$"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a column."""

    values: NDArray[np.float64]
    """NaN where there is no number."""
    missing: Mask
    """Cells that hold nothing."""
    faults: Mapping[Reason, Mask]
    """Cells that hold something else than a finite number."""


@dataclass(frozen=True, slots=True)
class Moments:
    """The moments of a column."""

    seconds: NDArray[np.int64]
    """Since 1970, UTC; 0 where there is none."""
    faults: Mapping[Reason, Mask]


def read_numbers(column: Any) -> Numbers:
    """Return the numbers of a numeric or text column."""
    missing = np.asarray(column.is_null(nan_is_null=False))
    malformed = np.zeros(len(column), np.bool_)
    if _is_text(column):
        fits = pc.match_substring_regex(_plain_text(column), NUMBER)
        malformed = ~missing & ~_flags(fits)
        trimmed = pc.utf8_trim_whitespace(_plain_text(column))
        column = pc.cast(pc.if_else(pa.array(~malformed), trimmed, None), pa.float64())
    elif not _is_numeric(column):
        malformed, column = ~missing, pa.nulls(len(column), pa.float64())
    values = _filled(pc.cast(column, pa.float64(), safe=False), np.nan)
    absent = missing | malformed
    faults = {
        Reason.NOT_A_NUMBER: malformed,
        Reason.NAN: np.isnan(values) & ~absent,
        Reason.INFINITE: np.abs(values) > np.finfo(np.float32).max,
    }
    return Numbers(values, missing, faults)


def read_moments(column: Any) -> Moments:
    """Return the moments of a column of timestamps, epoch numbers or ISO 8601 text.

    Moments without a zone are UTC.
    """
    missing = np.asarray(column.is_null())
    if pa.types.is_timestamp(column.type):
        seconds = _seconds(column)
    elif _is_text(column):
        seconds = _seconds_of_text(_plain_text(column))
    elif _is_numeric(column):
        seconds = _seconds_of_epoch(_filled(pc.cast(column, pa.float64(), safe=False), np.nan))
    else:
        seconds = np.full(len(column), np.nan)
    sound = np.abs(seconds) < MILLISECONDS_FROM
    bad = ~sound & ~missing
    whole = np.where(sound, np.floor(seconds), 0).astype(np.int64)
    return Moments(whole, {Reason.NO_TIMESTAMP: missing, Reason.BAD_TIMESTAMP: bad})


def texts(column: Any) -> Any:
    """Return a column as a dictionary of its distinct texts; raises ArrowException for others."""
    if pa.types.is_dictionary(column.type):
        words = pc.cast(column.dictionary, pa.string())
        encoded = pa.DictionaryArray.from_arrays(column.indices, words)
    else:
        encoded = pc.dictionary_encode(pc.cast(column, pa.string()))
    # Nobody has checked text of Parquet files yet.
    encoded.dictionary.validate(full=True)
    return encoded


def _is_text(column: Any) -> bool:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_numeric(column: Any) -> bool:
    kind = column.type
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _plain_text(column: Any) -> Any:
    return pc.cast(column, pa.string())


def _flags(column: Any) -> Mask:
    return np.asarray(pc.fill_null(column, False))


def _filled(column: Any, absent: float) -> NDArray[np.float64]:
    return np.asarray(pc.fill_null(column, absent), dtype=np.float64)


def _seconds(column: Any) -> NDArray[np.float64]:
    unit = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[column.type.unit]
    return _filled(pc.cast(column.cast(pa.int64()), pa.float64(), safe=False), np.nan) / unit


def _seconds_of_epoch(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    return np.where(np.abs(numbers) >= MILLISECONDS_FROM, numbers / 1000, numbers)


def _seconds_of_text(column: Any) -> NDArray[np.float64]:
    trimmed = pc.utf8_trim_whitespace(column)
    epoch = _flags(pc.match_substring_regex(trimmed, NUMBER))
    if epoch.any():
        picked = pc.cast(pc.if_else(pa.array(epoch), trimmed, None), pa.float64())
        rest = pc.if_else(pa.array(~epoch), trimmed, None)
        return np.where(epoch, _seconds_of_epoch(_filled(picked, np.nan)), _iso_seconds(rest))
    return _iso_seconds(trimmed)


def _iso_seconds(column: Any) -> NDArray[np.float64]:
    zoned = pa.array(_flags(pc.match_substring_regex(column, ZONED)))
    try:
        parts = (
            pc.if_else(zoned, column, None).cast(pa.timestamp("us", tz="UTC")),
            pc.if_else(pc.invert(zoned), column, None).cast(pa.timestamp("us")),
        )
    except pa.ArrowInvalid:
        # Some cell is no such text: only then is each looked at by itself.
        return np.array([_iso_second(text) for text in column.to_pylist()], np.float64)
    with_zone, without = (_seconds(part) for part in parts)
    return np.where(np.isnan(with_zone), without, with_zone)


def _iso_second(text: str | None) -> float:
    if text is None:
        return np.nan
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return np.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
