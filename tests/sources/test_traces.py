"""Trace layouts on files of a few rows, and the public traces against DuckDB."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compute_optimizer.backtest.fleet import CPU, DISK, MEMORY, NETWORK
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Statistic
from compute_optimizer.sources.traces import read_trace


def bitbrains_row(resource: int, when: datetime, **changed: int) -> dict[str, Any]:
    return {
        "resource_id": resource,
        "timestamp": when,
        "cpu_cores": 4,
        "mem_capacity_mib": 8192,
        "mem_used_mib": 1000,
        "disk_read_kbps": 1,
        "disk_write_kbps": 2,
        "net_in_kbps": 3,
        "net_out_kbps": 5,
        "cpu_centipct": 2500,
    } | changed


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_bitbrains_in_absolute_units_on_the_grid(tmp_path: Path) -> None:
    rows = [
        bitbrains_row(7, datetime(2013, 8, 2, 0, 7)),
        bitbrains_row(3, datetime(2013, 8, 1, 23, 59), cpu_centipct=12000),
    ]

    fleet = read_trace(written(tmp_path / "t.parquet", rows))

    assert fleet.ids == ("3", "7")
    assert (fleet.first, fleet.days) == (date(2013, 8, 1), 2)
    assert fleet.statistic is Statistic.AVERAGE
    second_slot = SLOTS_PER_DAY + 1
    assert fleet.demand[CPU][1, second_slot] == 1  # a quarter of 4 cores
    assert fleet.demand[MEMORY][1, second_slot] == 1000
    assert fleet.demand[DISK][1, second_slot] == 3 * 1024
    assert fleet.demand[NETWORK][1, second_slot] == 5 * 1024
    # The hypervisor's turbo counts as all of the cores.
    assert fleet.demand[CPU][0, SLOTS_PER_DAY - 1] == 4
    assert fleet.saturated[0, SLOTS_PER_DAY - 1]
    assert np.isfinite(fleet.demand[CPU]).sum() == 2
    assert fleet.provisioned[CPU][1, 1] == 4
    assert np.isnan(fleet.provisioned[CPU][1, 0])


def test_two_averages_in_one_slot_count_as_their_mean(tmp_path: Path) -> None:
    rows = [
        bitbrains_row(1, datetime(2013, 8, 1, 0, 1), cpu_centipct=1000),
        bitbrains_row(1, datetime(2013, 8, 1, 0, 4), cpu_centipct=3000),
    ]

    fleet = read_trace(written(tmp_path / "t.parquet", rows))

    assert fleet.demand[CPU][0, 0] == pytest.approx(0.8)


def test_a_machine_that_is_off_shows_no_demand(tmp_path: Path) -> None:
    rows = [
        bitbrains_row(1, datetime(2013, 8, 1), cpu_cores=0, mem_capacity_mib=0),
        bitbrains_row(1, datetime(2013, 8, 1, 0, 5)),
    ]

    fleet = read_trace(written(tmp_path / "t.parquet", rows))

    assert np.isfinite(fleet.demand[CPU][0, :2]).tolist() == [False, True]
    assert fleet.provisioned[MEMORY][0, 0] == 8192


def azure(tmp_path: Path) -> Path:
    rows = [
        {
            "resource_id": "m1",
            "timestamp": datetime(2016, 11, 16, 0, minute),
            "cpu_avg_centipct": 1000,
            "cpu_max_centipct": height,
        }
        for minute, height in ((0, 5000), (2, 7500))
    ]
    return written(tmp_path / "azure.parquet", rows)


def test_azure_maxima_come_first_and_stay_maxima(tmp_path: Path) -> None:
    fleet = read_trace(azure(tmp_path))

    assert fleet.statistic is Statistic.MAXIMUM
    assert fleet.demand[CPU][0, 0] == 3  # 75 % of the four cores that stand in


def test_azure_averages_on_request(tmp_path: Path) -> None:
    fleet = read_trace(azure(tmp_path), Statistic.AVERAGE)

    assert fleet.demand[CPU][0, 0] == pytest.approx(0.4)


def test_a_statistic_that_the_trace_does_not_have_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "t.parquet", [bitbrains_row(1, datetime(2013, 8, 1))])

    with pytest.raises(InvalidInput, match="no samples of statistic Maximum; expected Average"):
        read_trace(path, Statistic.MAXIMUM)


def test_other_files_are_refused(tmp_path: Path) -> None:
    text, other = tmp_path / "t.txt", tmp_path / "o.parquet"
    text.write_text("no Parquet")
    pq.write_table(pa.table({"a": [1]}), other)

    with pytest.raises(InvalidInput, match="cannot read the trace"):
        read_trace(text)
    with pytest.raises(InvalidInput, match="cannot read the trace"):
        read_trace(tmp_path / "absent.parquet")
    with pytest.raises(InvalidInput, match="no trace of a known layout"):
        read_trace(other)


def test_public_august_agrees_with_duckdb(shared: Path) -> None:
    path = shared / "traces" / "bitbrains_rnd_5min_aug2013.parquet"
    query = """
        SELECT resource_id::VARCHAR, max(v), sum(v) FROM (
            SELECT resource_id, floor(epoch(timestamp) / 300) AS slot,
                   avg(least(cpu_centipct / 10000, 1) * cpu_cores) AS v
            FROM read_parquet(?) WHERE cpu_cores > 0 AND mem_capacity_mib > 0 GROUP BY 1, 2)
        GROUP BY 1
    """
    with duckdb.connect() as connection:
        found = connection.execute(query, [str(path)]).fetchall()

    fleet = read_trace(path)

    assert len(fleet.ids) == 250
    cpu = fleet.demand[CPU]
    row_of = {name: row for row, name in enumerate(fleet.ids)}
    for name, peak, total in found:
        assert np.nanmax(cpu[row_of[name]]) == pytest.approx(peak, rel=1e-5)
        assert np.nansum(cpu[row_of[name]], dtype=np.float64) == pytest.approx(total, rel=1e-5)
