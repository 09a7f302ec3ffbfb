"""Cells become numbers and moments; what is neither is told apart by reason."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from compute_optimizer.sources.files.refusals import Reason
from compute_optimizer.sources.files.values import Mask, read_moments, read_numbers, texts

NOON = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp())


def reasons(faults: Mapping[Reason, Mask]) -> list[str]:
    """Return the names of the reasons of a column with one cell."""
    return [reason.name for reason, mask in faults.items() if mask[0]]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7.0),
        (" 7.25 ", 7.25),
        ("+5", 5.0),
        ("-5", -5.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
    ],
)
def test_numbers_in_every_usual_spelling(text: str, number: float) -> None:
    read = read_numbers(pa.array([text]))

    assert read.values.tolist() == [number]
    assert not reasons(read.faults)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("abc", "NOT_A_NUMBER"),
        ("1,5", "NOT_A_NUMBER"),
        ("1_000", "NOT_A_NUMBER"),
        ("0x10", "NOT_A_NUMBER"),
        ("--5", "NOT_A_NUMBER"),
        (" ", "NOT_A_NUMBER"),
        ("٣", "NOT_A_NUMBER"),
        ("NaN", "NAN"),
        ("nan", "NAN"),
        ("inf", "INFINITE"),
        ("-Infinity", "INFINITE"),
        # Larger than any float64, and than any float32.
        ("1e999", "INFINITE"),
        ("3.5e38", "INFINITE"),
    ],
)
def test_texts_that_are_no_finite_number(text: str, reason: str) -> None:
    assert reasons(read_numbers(pa.array([text])).faults) == [reason]


def test_an_empty_cell_is_missing_and_no_fault() -> None:
    read = read_numbers(pa.array([None, "1"], pa.string()))

    assert read.missing.tolist() == [True, False]
    assert not any(mask.any() for mask in read.faults.values())


@pytest.mark.parametrize(
    "column",
    [
        pa.array([3], pa.int8()),
        pa.array([3], pa.uint64()),
        pa.array([np.float16(3)]),
        pa.array([3.0]),
        pa.array([Decimal("3.00")]),
        pa.array(["3"], pa.large_string()),
        pa.array(["3"]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_numbers_of_every_arrow_type(column: Any) -> None:
    read = read_numbers(column)

    assert read.values.tolist() == [3.0]
    assert not reasons(read.faults)


NO_NUMBERS = [
    pa.array([True]),
    pa.array([b"\xff"]),
    pa.array([[1]]),
    pa.array([{"a": 1}]),
    pa.array([date(2026, 1, 31)]),
]


@pytest.mark.parametrize("column", NO_NUMBERS, ids=lambda column: str(column.type))
def test_other_arrow_types_hold_neither_numbers_nor_moments(column: Any) -> None:
    assert reasons(read_numbers(column).faults) == ["NOT_A_NUMBER"]
    assert reasons(read_moments(column).faults) == ["BAD_TIMESTAMP"]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31 12:00:00",
        "2026-01-31T12:00",
        "2026-01-31T12:00:00.999999",
        "2026-01-31T12:00:00.123456789Z",
        "2026-01-31T13:00:00+01:00",
        "2026-01-31T13:00:00+0100",
        "2026-01-31T13:00:00+01",
        "2026-01-31 06:30:00-05:30",
        " 2026-01-31T12:00:00Z ",
        str(NOON),
        f"{NOON}.75",
        f"{NOON}000",
    ],
)
def test_moments_in_every_usual_spelling(text: str) -> None:
    moments = read_moments(pa.array([text]))

    assert moments.seconds.tolist() == [NOON]
    assert not reasons(moments.faults)


def test_a_date_alone_is_its_midnight() -> None:
    assert read_moments(pa.array(["2026-01-31"])).seconds.tolist() == [NOON - 12 * 3600]


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "31.01.2026",
        "2026-02-30T00:00:00Z",
        "2026-01-31T25:00:00Z",
        "10000-01-01",
        "nan",
        "inf",
        "1e300",
        # Microseconds: read as milliseconds they would lie 56,000 years ahead.
        f"{NOON}000000",
    ],
)
def test_texts_that_are_no_moment(text: str) -> None:
    moments = read_moments(pa.array([text]))

    assert reasons(moments.faults) == ["BAD_TIMESTAMP"]
    assert moments.seconds.tolist() == [0]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([NOON]),
        pa.array([NOON * 1000]),
        pa.array([float(NOON) + 0.5]),
        *(pa.array([NOON * 10**power]).cast(pa.timestamp(unit)) for unit, power in
          (("s", 0), ("ms", 3), ("us", 6), ("ns", 9))),
        pa.array([NOON]).cast(pa.timestamp("s", tz="Europe/Berlin")),
        pa.array(["2026-01-31T12:00:00Z"]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)  # fmt: skip
def test_moments_of_every_arrow_type(column: Any) -> None:
    assert read_moments(column).seconds.tolist() == [NOON]


def test_a_missing_moment_is_not_a_bad_one() -> None:
    assert reasons(read_moments(pa.array([None], pa.string())).faults) == ["NO_TIMESTAMP"]


def test_an_arrow_timestamp_beyond_all_calendars_is_no_moment() -> None:
    column = pa.array([2**62]).cast(pa.timestamp("s"))

    assert reasons(read_moments(column).faults) == ["BAD_TIMESTAMP"]


SPELLINGS = st.sampled_from(
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31 12:00:00.25", NOON),
        ("2026-01-31T13:00:00+01:00", NOON),
        ("2026-01-31T13:00:00+01", NOON),
        (str(NOON), NOON),
        (f"{NOON}000", NOON),
        ("soon", None),
        ("2026-13-01", None),
        (None, None),
    ]
)


@settings(deadline=None)
@given(st.lists(SPELLINGS, min_size=1))
def test_a_moment_does_not_depend_on_the_cells_around_it(
    cells: list[tuple[str | None, int | None]],
) -> None:
    """Whole columns are converted at once, and cell by cell where one is bad."""
    moments = read_moments(pa.array([text for text, _ in cells], pa.string()))
    faulty: NDArray[np.bool_] = np.logical_or.reduce(list(moments.faults.values()))

    read = [None if bad else int(s) for s, bad in zip(moments.seconds, faulty, strict=True)]
    assert read == [expected for _, expected in cells]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([12]),
        pa.array(["12"], pa.large_string()),
        pa.array([12]).dictionary_encode(),
        pa.array([b"12"]),
    ],
    ids=lambda column: str(column.type),
)
def test_texts_of_every_arrow_type(column: Any) -> None:
    encoded = texts(column)

    assert encoded.dictionary.to_pylist() == ["12"]


@pytest.mark.parametrize(
    "column", [pa.array([[1]]), pa.array([b"\xff"])], ids=lambda column: str(column.type)
)
def test_what_has_no_text_is_an_error(column: Any) -> None:
    with pytest.raises(pa.ArrowException):
        texts(column)
