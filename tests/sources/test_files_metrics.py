"""Samples are taken from metric files; what does not fit is refused with file and row."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import no_progress
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.sources.files import tables
from compute_optimizer.sources.files.layouts import layout_of
from compute_optimizer.sources.files.mapping import NO_MAPPING, FileMapping, SeriesMapping
from compute_optimizer.sources.files.metrics import Known, MetricReader
from compute_optimizer.sources.files.refusals import Reason, Refusals
from compute_optimizer.sources.files.tables import open_table

NOW = datetime(2026, 2, 1, tzinfo=UTC)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
KNOWN = Known(
    {"i-1": 0, "i-2": 1},
    {"i-8": Reason.NOT_OPTED_IN, "i-9": Reason.AMBIGUOUS_RESOURCE},
)

Taken = tuple[int, str, int, int, float]
"""Row, column of the tile, resource, seconds after noon, value."""
Refused = tuple[int, str, str]
"""Row, reason, finding."""


def read(
    path: Path, mapping: FileMapping = NO_MAPPING, fallback: Statistic | None = None
) -> tuple[list[Taken], list[Refused]]:
    table, refusals = open_table(path), Refusals()
    layout = layout_of(path, table.columns, mapping, fallback)
    reader = MetricReader(table, layout, KNOWN, NOW, refusals)
    taken = [
        (int(row), batch.series.key.column, int(place), int(s - NOON.timestamp()), float(value))
        for batch in reader.samples(no_progress)
        for row, place, s, value in zip(
            batch.rows, batch.places, batch.seconds, batch.values, strict=True
        )
    ]
    refused = [(one.row, one.reason.name, one.found) for one in refusals.examples]
    return sorted(taken), refused


def read_csv(folder: Path, *lines: str, **options: Any) -> tuple[list[Taken], list[Refused]]:
    path = folder / "m.csv"
    path.write_text("\n".join(lines) + "\n")
    return read(path, **options)


LONG = "resource,timestamp,metric,statistic,value"
WIDE = "resource,timestamp,CPUUtilization_Maximum,NetworkIn"
AT = "2026-01-31T12:00:00Z"


def test_samples_of_a_long_file(tmp_path: Path) -> None:
    taken, refused = read_csv(
        tmp_path,
        LONG,
        f"i-1,{AT},CPUUtilization,Maximum,90.5",
        f"i-1,{AT},CPUUtilization,Average,30",
        "i-2,2026-01-31T12:05:30Z,NetworkIn,,1e6",
    )

    assert refused == []
    assert taken == [
        (1, "CPUUtilization_Maximum", 0, 0, 90.5),
        (2, "CPUUtilization_Average", 0, 0, 30),
        (3, "NetworkIn_Sum", 1, 330, 1_000_000),
    ]


def test_samples_of_a_wide_file_where_empty_cells_are_gaps(tmp_path: Path) -> None:
    taken, refused = read_csv(tmp_path, WIDE, f"i-1,{AT},50,", f"i-2,{AT},,7", f"i-2,{AT},,")

    assert refused == []
    assert taken == [(1, "CPUUtilization_Maximum", 0, 0, 50), (2, "NetworkIn_Sum", 1, 0, 7)]


REFUSED_LONG = [
    (f",{AT},NetworkIn,Sum,1", "MISSING", ""),
    (f"i-3,{AT},NetworkIn,Sum,1", "UNKNOWN_RESOURCE", "i-3"),
    (f"i-8,{AT},NetworkIn,Sum,1", "NOT_OPTED_IN", "i-8"),
    (f"i-9,{AT},NetworkIn,Sum,1", "AMBIGUOUS_RESOURCE", "i-9"),
    ("i-1,,NetworkIn,Sum,1", "NO_TIMESTAMP", ""),
    ("i-1,noon,NetworkIn,Sum,1", "BAD_TIMESTAMP", "noon"),
    ("i-1,1999-12-31T23:59:59Z,NetworkIn,Sum,1", "TOO_OLD", "1999-12-31T23:59:59Z"),
    ("i-1,2026-02-02T00:00:01Z,NetworkIn,Sum,1", "FUTURE", "2026-02-02T00:00:01Z"),
    (f"i-1,{AT},,Sum,1", "MISSING", "Sum"),
    (f"i-1,{AT},RequestCount,Sum,1", "UNKNOWN_METRIC", "RequestCount Sum"),
    (f"i-1,{AT},CPUUtilization,p99,1", "UNKNOWN_STATISTIC", "CPUUtilization p99"),
    (f"i-1,{AT},CPUUtilization,,1", "UNKNOWN_STATISTIC", "CPUUtilization"),
    (f"i-1,{AT},NetworkIn,Maximum,1", "WRONG_STATISTIC", "NetworkIn Maximum"),
    (f"i-1,{AT},NetworkIn,Sum,", "NO_VALUE", ""),
    (f"i-1,{AT},NetworkIn,Sum,many", "NOT_A_NUMBER", "many"),
    (f"i-1,{AT},NetworkIn,Sum,NaN", "NAN", "NaN"),
    (f"i-1,{AT},NetworkIn,Sum,inf", "INFINITE", "inf"),
    (f"i-1,{AT},NetworkIn,Sum,-inf", "INFINITE", "-inf"),
    (f"i-1,{AT},NetworkIn,Sum,1e39", "INFINITE", "1e39"),
    (f"i-1,{AT},NetworkIn,Sum,-1", "NEGATIVE", "-1"),
    (f"i-1,{AT},CPUUtilization,Maximum,100.1", "OVER_100", "100.1"),
    (f"i-1,{AT},NetworkIn", "FIELDS", "3 fields, expected 5"),
]


@pytest.mark.parametrize(
    ("line", "reason", "found"), REFUSED_LONG, ids=[f"{one[1]}-{one[2]}" for one in REFUSED_LONG]
)
def test_a_bad_row_is_refused_and_its_neighbours_taken(
    tmp_path: Path, line: str, reason: str, found: str
) -> None:
    good = f"i-1,{AT},CPUUtilization,Maximum,1", "i-2,1769860800,CPUUtilization,Maximum,100"

    taken, refused = read_csv(tmp_path, LONG, good[0], line, good[1])

    assert refused == [(2, reason, found)]
    assert [(row, value) for row, _, _, _, value in taken] == [(1, 1), (3, 100)]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("x", "NOT_A_NUMBER"), ("nan", "NAN"), ("-1", "NEGATIVE"), ("101", "OVER_100")],
)
def test_a_bad_cell_of_a_wide_row_leaves_the_others(tmp_path: Path, cell: str, reason: str) -> None:
    taken, refused = read_csv(tmp_path, WIDE, f"i-1,{AT},{cell},7")

    assert refused == [(1, reason, cell)]
    assert taken == [(1, "NetworkIn_Sum", 0, 0, 7)]


def test_a_row_is_refused_once_and_for_the_first_of_several_reasons(tmp_path: Path) -> None:
    assert read_csv(tmp_path, LONG, "i-3,noon,RequestCount,p99,many") == (
        [],
        [(1, "UNKNOWN_RESOURCE", "i-3")],
    )


def test_the_limits_of_time_are_taken(tmp_path: Path) -> None:
    """A day ahead of the clock, and the first second of 2000."""
    latest = NOW + timedelta(days=1)
    lines = (f"i-1,{one.isoformat()},NetworkIn,Sum,1" for one in (datetime(2000, 1, 1), latest))

    taken, refused = read_csv(tmp_path, LONG, *lines)

    assert refused == []
    assert [row for row, *_ in taken] == [1, 2]


USED = FileMapping(columns={"used": SeriesMapping("mem_used_percent", "Average", percent_of="all")})


@pytest.mark.parametrize("whole", ["0", "", "-4", "x", "nan"])
def test_percent_of_nothing_is_refused(tmp_path: Path, whole: str) -> None:
    lines = "id,time,used,all", f"i-1,{AT},1,4", f"i-1,{AT},1,{whole}", f"i-1,{AT},,"

    taken, refused = read_csv(tmp_path, *lines, mapping=USED)

    assert taken == [(1, "mem_used_percent_Average", 0, 0, 25)]
    assert refused == [(2, "NO_WHOLE", "1")]


def test_a_converted_value_that_overflows_is_infinite(tmp_path: Path) -> None:
    rates = FileMapping(columns={"rx": SeriesMapping("NetworkIn", scale=1e30, per_second=True)})

    taken, refused = read_csv(tmp_path, "id,time,rx", f"i-1,{AT},1e38", mapping=rates)

    assert taken == []
    assert refused == [(1, "INFINITE", "1e38")]


def test_every_refusal_is_counted_and_the_first_five_shown_with_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they are spread over many batches."""
    monkeypatch.setattr(tables, "CSV_BLOCK_BYTES", 256)
    path = tmp_path / "m.csv"
    values = ["x" if number % 10 == 0 else "1" for number in range(1, 101)]
    path.write_text("\n".join([LONG, *(f"i-1,{AT},NetworkIn,Sum,{one}" for one in values)]))
    table, refusals = open_table(path), Refusals()
    layout = layout_of(path, table.columns, NO_MAPPING, None)

    batches = list(MetricReader(table, layout, KNOWN, NOW, refusals).samples(no_progress))

    assert len(batches) > 5
    assert refusals.counts == {(path, Reason.NOT_A_NUMBER): 10}
    assert [one.row for one in refusals.examples] == [10, 20, 30, 40, 50]
    assert refusals.examples_of(path, Reason.NOT_A_NUMBER) == refusals.examples
    assert refusals.total == 10


def test_parquet_with_types_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    pq.write_table(
        pa.table(
            {
                "resource": pa.array(["i-1", "i-2", None, "i-7"]).dictionary_encode(),
                "timestamp": pa.array([NOON] * 4),
                "CPUUtilization_Maximum": pa.array([1, None, 2, 3], pa.int8()),
                "NetworkIn": pa.array([float("nan"), 5, 6, 7], pa.float32()),
            }
        ),
        path,
    )

    taken, refused = read(path)

    assert taken == [(1, "CPUUtilization_Maximum", 0, 0, 1), (2, "NetworkIn_Sum", 1, 0, 5)]
    assert refused == [(1, "NAN", "nan"), (3, "MISSING", ""), (4, "UNKNOWN_RESOURCE", "i-7")]


@pytest.mark.parametrize("column", ["resource", "metric", "statistic"])
def test_columns_of_words_that_hold_none(tmp_path: Path, column: str) -> None:
    path = tmp_path / "m.parquet"
    columns: dict[str, list[Any]] = {name: ["i-1"] for name in LONG.split(",")}
    pq.write_table(pa.table(columns | {"timestamp": [NOON], column: [[1]]}), path)

    with pytest.raises(InvalidInput, match=f"'{column}' holds list<.*>; expected text"):
        read(path)


def test_moments_beyond_every_calendar_are_refused_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    moment = pa.array([2**62]).cast(pa.timestamp("ms"))
    pq.write_table(pa.table({"id": ["i-1"], "time": moment, "NetworkIn": [1.0]}), path)

    assert read(path) == ([], [(1, "BAD_TIMESTAMP", str(2**62))])


def not_text(size: int) -> Any:
    """Return a column that says it is text and is not."""
    wrong = pa.array([b"\xff\xfe"] * size)
    return pa.Array.from_buffers(pa.string(), size, wrong.buffers())


@pytest.mark.parametrize("column", ["resource", "timestamp", "metric", "value"])
def test_text_that_is_none_is_explained(tmp_path: Path, column: str) -> None:
    path = tmp_path / "m.parquet"
    cells = ["i-1", AT, "NetworkIn", "Sum", "1"]
    columns = {name: pa.array([cell]) for name, cell in zip(LONG.split(","), cells, strict=True)}
    pq.write_table(pa.table(columns | {column: not_text(1)}), path)

    with pytest.raises(InvalidInput, match=r"m\.parquet: "):
        read(path)
