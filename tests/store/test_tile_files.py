"""The tile format: versioned, explained when it cannot be read, and open to other programs."""

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.model.metrics import SLOTS_PER_DAY, MetricKey, Statistic
from compute_optimizer.store.tile_files import (
    DICTIONARY_VALUES,
    FORMAT_VERSION,
    VERSION_KEY,
    KnownNames,
    Tile,
    TileFile,
    decoded,
    decoding_threads,
    last_slot,
    matrix_of,
    memory_used_again,
    merged,
    same,
    write_tile,
)

CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)
MEMORY = MetricKey("mem_used_percent", Statistic.AVERAGE)
DAY = date(2026, 1, 31)


def read_tile(path: Path) -> Tile:
    with TileFile(path) as file:
        return file.tile()


def tile(**rows: list[float]) -> Tile:
    """Return a CPU tile with the given first samples per resource."""
    matrix = np.full((len(rows), SLOTS_PER_DAY), np.nan, np.float32)
    for row, samples in enumerate(rows.values()):
        matrix[row, : len(samples)] = samples
    return Tile(tuple(rows), {CPU: matrix})


def test_a_tile_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = tile(a=[1, np.nan, 3], b=[])
    written.series[MEMORY] = np.full((2, SLOTS_PER_DAY), 42.5, np.float32)
    write_tile(tmp_path / "t.parquet", DAY, written)
    assert same(read_tile(tmp_path / "t.parquet"), written)


def encodings(path: Path, key: MetricKey) -> set[str]:
    """Return how the first row group keeps the samples of a series."""
    group = pq.read_metadata(path).row_group(0)
    columns = {one.path_in_schema: one for one in map(group.column, range(group.num_columns))}
    return set(columns[key.column].encodings)


def test_a_series_of_few_values_is_kept_by_dictionary_and_one_of_many_by_the_place_of_its_bytes(
    tmp_path: Path,
) -> None:
    # 400 x 288 = 115,200 samples: 100 different ones, and all of them different.
    every = np.arange(400 * SLOTS_PER_DAY, dtype=np.float32).reshape(400, SLOTS_PER_DAY)
    assert every.size > DICTIONARY_VALUES
    arns = tuple(f"{row:03}" for row in range(400))
    written = Tile(arns, {CPU: every % 100, MEMORY: every})
    write_tile(tmp_path / "t.parquet", DAY, written)
    assert "RLE_DICTIONARY" in encodings(tmp_path / "t.parquet", CPU)
    assert "BYTE_STREAM_SPLIT" in encodings(tmp_path / "t.parquet", MEMORY)
    assert same(read_tile(tmp_path / "t.parquet"), written)


def test_a_tile_of_an_earlier_release_is_read_whatever_its_encodings(tmp_path: Path) -> None:
    written = tile(a=[1, np.nan, 3], b=[])
    write_tile(tmp_path / "t.parquet", DAY, written)
    table = pq.read_table(tmp_path / "t.parquet", read_dictionary=["resource"])
    # As tiles were written up to decision 0049: dictionaries for whatever there is.
    pq.write_table(table, tmp_path / "older.parquet", compression="lz4")
    assert same(read_tile(tmp_path / "older.parquet"), written)


def test_names_that_are_stored_alike_are_not_decoded_again(tmp_path: Path) -> None:
    write_tile(tmp_path / "first.parquet", DAY, tile(a=[1.0], b=[2.0]))
    write_tile(tmp_path / "second.parquet", DAY + timedelta(days=1), tile(a=[3.0], b=[4.0]))
    with TileFile(tmp_path / "first.parquet") as file:
        first, _ = file.read_after(KnownNames(), [CPU])
    with TileFile(tmp_path / "second.parquet") as file:
        second, columns = file.read_after(first, [CPU])

    assert second is first
    assert second.arns == ("a", "b")
    assert matrix_of(columns[CPU])[:, 0].tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    "other",
    [
        tile(a=[3.0], c=[4.0]),
        tile(a=[3.0]),
        tile(a=[3.0], b=[4.0], c=[5.0]),
        Tile((), {CPU: np.full((0, SLOTS_PER_DAY), np.nan, np.float32)}),
    ],
    ids=["another", "one less", "one more", "none"],
)
def test_names_that_are_stored_otherwise_are_read(tmp_path: Path, other: Tile) -> None:
    write_tile(tmp_path / "first.parquet", DAY, tile(a=[1.0], b=[2.0]))
    write_tile(tmp_path / "other.parquet", DAY, other)
    with TileFile(tmp_path / "first.parquet") as file:
        known, _ = file.read_after(KnownNames(), [CPU])
    with TileFile(tmp_path / "other.parquet") as file:
        found, _ = file.read_after(known, [CPU])

    assert found.arns == other.resource_arns


def test_the_file_carries_its_format_version(tmp_path: Path) -> None:
    write_tile(tmp_path / "t.parquet", DAY, tile(a=[1]))
    metadata = pq.read_schema(tmp_path / "t.parquet").metadata
    assert metadata[VERSION_KEY] == str(FORMAT_VERSION).encode()


@pytest.mark.parametrize("version", [b"2", b"0"])
def test_a_tile_of_another_format_is_refused(tmp_path: Path, version: bytes) -> None:
    path = tmp_path / "t.parquet"
    write_tile(path, DAY, tile(a=[1]))
    table = pq.read_table(path).replace_schema_metadata({VERSION_KEY: version})
    pq.write_table(table, path)
    with pytest.raises(StoreUnavailable, match="reads formats 1 to 1"):
        read_tile(path)


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing that a reader knows"])
def test_a_damaged_tile_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match=r"t\.parquet cannot be read"):
        read_tile(path)


def test_a_missing_tile_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"t\.parquet cannot be read"):
        read_tile(tmp_path / "t.parquet")


def test_merging_keeps_older_samples_where_the_newer_have_gaps() -> None:
    both = merged(tile(b=[1, 2]), tile(a=[7], b=[np.nan, 5]))
    assert same(both, tile(a=[7], b=[1, 5]))


def test_merging_the_same_again_changes_nothing() -> None:
    one = tile(a=[1, np.nan, 3])
    assert same(merged(one, one), one)


def test_the_last_slot_is_the_newest_of_any_resource() -> None:
    assert last_slot(tile(a=[1], b=[1, np.nan, 3])) == 2
    assert last_slot(tile(a=[])) == 0


def test_threads_that_decode_are_limited_for_a_while_and_never_raised() -> None:
    before = pa.cpu_count()

    with decoding_threads(1):
        assert pa.cpu_count() == 1
        with decoding_threads(before + 1):
            assert pa.cpu_count() == 1

    assert pa.cpu_count() == before


def test_memory_is_asked_of_the_c_library_for_a_while_only() -> None:
    before = pa.default_memory_pool().backend_name

    with memory_used_again():
        assert pa.default_memory_pool().backend_name == "system"

    assert pa.default_memory_pool().backend_name == before


def test_some_rows_of_a_column_are_those_of_all_of_it() -> None:
    # Two chunks of two rows each, as of two row groups; row 1 has gaps, row 2 none.
    samples = np.arange(4 * SLOTS_PER_DAY, dtype=np.float32)
    samples[SLOTS_PER_DAY : SLOTS_PER_DAY + 3] = np.nan
    chunks = [pa.array(half, from_pandas=True) for half in np.split(samples, 2)]
    rows = np.array([1, 2, 3])

    column = decoded(pa.chunked_array(chunks))
    found = np.zeros((3, SLOTS_PER_DAY), np.float32)
    column.fill_rows(found, rows, np.nan)

    assert column.counts.tolist() == [288, 285, 288, 288]
    assert np.isnan(found[0, :3]).all()
    assert found[1, 0] == 2 * SLOTS_PER_DAY
    assert np.array_equal(found, matrix_of(pa.chunked_array(chunks))[rows], equal_nan=True)


def test_rows_without_gaps_are_told_uncopied_where_they_lie_together() -> None:
    # Two chunks of two rows each; row 1 has gaps.
    samples = np.arange(4 * SLOTS_PER_DAY, dtype=np.float32)
    samples[SLOTS_PER_DAY] = np.nan
    column = decoded(
        pa.chunked_array([pa.array(h, from_pandas=True) for h in np.split(samples, 2)])
    )

    found = column.rows_without_gaps(2, 2)

    assert found is not None
    # The last sample is the number of cells less one.
    assert (found[0, 0], found[1, -1]) == (2 * SLOTS_PER_DAY, 4 * SLOTS_PER_DAY - 1)
    assert not found.flags.writeable
    assert column.rows_without_gaps(0, 2) is None
    whole = decoded(pa.chunked_array(np.split(np.zeros(4 * SLOTS_PER_DAY, np.float32), 2)))
    assert whole.rows_without_gaps(1, 2) is None


def test_duckdb_and_polars_read_what_is_kept_by_the_place_of_its_bytes(tmp_path: Path) -> None:
    every = np.arange(400 * SLOTS_PER_DAY, dtype=np.float32).reshape(400, SLOTS_PER_DAY)
    path = tmp_path / "t.parquet"
    write_tile(path, DAY, Tile(tuple(f"{row:03}" for row in range(400)), {MEMORY: every}))
    assert "BYTE_STREAM_SPLIT" in encodings(path, MEMORY)
    query = f"SELECT sum({MEMORY.column}) FROM read_parquet('{path}')"
    total = duckdb.connect().execute(query).fetchall()
    # The sum of 0 to 115,199.
    assert total == [(115_199 * 115_200 / 2,)]
    assert polars.read_parquet(path)[MEMORY.column].cast(polars.Float64).sum() == total[0][0]


def test_duckdb_reads_a_tile_as_it_is(tmp_path: Path) -> None:
    write_tile(tmp_path / "t.parquet", DAY, tile(a=[10, np.nan, 20], b=[4]))
    rows = (
        duckdb.connect()
        .execute(
            f"""SELECT resource, count(*), count(CPUUtilization_Maximum),
                   quantile_cont(CPUUtilization_Maximum, 0.5), min(timestamp), max(timestamp)
            FROM read_parquet('{tmp_path}/t.parquet') GROUP BY resource ORDER BY resource"""
        )
        .fetchall()
    )
    midnight = datetime(2026, 1, 31)
    last = midnight + timedelta(minutes=1435)
    # The gap is a null, so the median of 10 and 20 is 15.
    assert rows == [("a", 288, 2, 15.0, midnight, last), ("b", 288, 1, 4.0, midnight, last)]
