"""`compute-optimizer import`, as somebody types it: reports, complaints and exit codes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from compute_optimizer.cli import main
from compute_optimizer.store.tiles import TileStore
from tests.traces import (
    ACCOUNT,
    AZURE,
    BITBRAINS,
    MAPPINGS,
    NAB,
    write_bitbrains_inventory,
    write_inventory,
)


@dataclass(frozen=True)
class Ended:
    """A command that ended."""

    code: int
    output: str
    complaint: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.complaint
        return json.loads(self.output)


@dataclass
class Program:
    """Runs commands on one data folder."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str | Path) -> Ended:
        arguments = ["compute-optimizer", *map(str, words), "--data-dir", str(self.data)]
        self.monkeypatch.setattr("sys.argv", arguments)
        with pytest.raises(SystemExit) as ended:
            main()
        printed = self.capture.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return Ended(int(ended.value.code or 0), printed.out, printed.err)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def write(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def fleet(self, *ids: str, instance_type: str = "m5.large") -> Path:
        return write_inventory(self.folder / "fleet.csv", ids, instance_type)


@pytest.fixture
def fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """A data folder in which nobody has opted in."""
    monkeypatch.setenv("COLUMNS", "200")
    return Program(tmp_path, monkeypatch, capsys)


@pytest.fixture
def program(fresh: Program) -> Program:
    """A data folder with one opted-in account."""
    assert fresh("accounts", "enroll", ACCOUNT).code == 0
    return fresh


LONG = "resource,timestamp,metric,statistic,value"
GOOD = "i-1,2026-01-31T00:00:00Z,CPUUtilization,Maximum,90"


def test_the_report_for_programs(program: Program) -> None:
    metrics = program.write("m.csv", LONG, GOOD, "i-2,2026-01-31T00:05:00Z,NetworkIn,Sum,many")
    fleet = program.fleet("i-1", "i-2", instance_type="z9.huge")

    report = program("import", "--inventory", fleet, "--metrics", metrics, "--output", "json").json

    assert report == {
        "resources": {"added": 2, "changed": 0, "unchanged": 0},
        "samples": [{"metric": "CPUUtilization", "statistic": "Maximum", "count": 1}],
        "first_sample": "2026-01-31T00:00:00+00:00",
        "last_sample": "2026-01-31T00:00:00+00:00",
        "tiles_written": 1,
        "unknown_instance_types": {"z9.huge": 2},
        "unknown_volume_types": {},
        "unknown_database_classes": {},
        "columns_not_read": {},
        "refused": [{"file": str(metrics), "reason": "the value is not a number", "count": 1}],
        "refused_examples": [
            {
                "file": str(metrics),
                "row": 2,
                "reason": "the value is not a number",
                "found": "many",
            }
        ],
    }


def test_the_report_for_people(program: Program) -> None:
    lines = [GOOD.replace(",90", f",{value}") for value in ("90", "x", "y", "[/bold]")]
    metrics = program.write("m.csv", LONG, *lines, "i-7" + GOOD[3:])
    fleet = program.fleet("i-1", instance_type="[red]")

    ended = program("import", "--inventory", fleet, "--metrics", metrics)

    assert ended.code == 0
    assert ended.complaint == ""
    assert "Resources: 1 added, 0 changed, 0 unchanged." in ended.output
    assert "│ CPUUtilization │ Maximum   │             1 │" in ended.output
    assert "From 2026-01-31 00:00 to 2026-01-31 00:00 UTC; 1 day tile written." in ended.output
    assert "does not know the instance type '[red]' (1 resource)" in ended.output
    assert (
        "│ m.csv │ the value is not a number            │      3 │ 2, 3, 4    │ x" in ended.output
    )
    assert (
        "│ m.csv │ the resource is not in the inventory │      1 │ 5          │ i-7" in ended.output
    )
    assert "4 refused in all; everything else was taken." in ended.output


def test_columns_that_are_not_read_are_told(program: Program) -> None:
    metrics = program.write("m.csv", "id,time,NetworkIn,Networkout", "i-1,2026-01-31,5,6")
    words = "import", "--inventory", program.fleet("i-1"), "--metrics", metrics

    assert "warning: m.csv: columns not read: Networkout" in program(*words).output
    report = program(*words, "--output", "json").json
    assert report["columns_not_read"] == {str(metrics): ["Networkout"]}


def test_nothing_refused_is_said(program: Program) -> None:
    ended = program("import", "--inventory", program.fleet("i-1"))

    assert ended.output.splitlines()[-1] == "Nothing was refused."


def test_the_statistic_can_be_given(program: Program) -> None:
    metrics = program.write("m.csv", "id,time,CPUUtilization", "i-1,2026-01-31,5")

    report = program(
        *("import", "--inventory", program.fleet("i-1"), "--metrics", metrics),
        *("--statistic", "Average", "--output", "json"),
    ).json

    assert report["samples"] == [{"metric": "CPUUtilization", "statistic": "Average", "count": 1}]


def test_strict_ends_with_an_error_and_brings_in_nothing(program: Program) -> None:
    metrics = program.write("m.csv", LONG, GOOD, "i-7" + GOOD[3:])
    words = "import", "--inventory", program.fleet("i-1"), "--metrics", metrics

    ended = program(*words, "--strict")

    assert ended.code == 2
    assert f"{metrics} row 2: the resource is not in the inventory: 'i-7'" in ended.complaint
    assert program(*words, "--output", "json").json["resources"]["added"] == 1


def complaints(program: Program) -> Iterator[tuple[list[str | Path], int, str]]:
    """Yield words, exit code and complaint of imports that cannot be."""
    missing, empty = program.folder / "missing.csv", program.write("empty.csv")
    garbage = program.folder / "garbage.csv"
    garbage.write_bytes(bytes(range(256)) * 9)
    metrics, wrong = program.write("m.csv", LONG, GOOD), program.write("wrong.csv", "a,b", "1,2")
    mapping = program.write("map.yaml", "columns: {load: {}}")
    semicolons, array = program.write("s.csv", "id;time", "i-1;2026"), program.write("a.json", "[]")
    yield [], 2, "nothing to import: give --inventory FILE, --metrics FILE, or both"
    yield ["--metrics", missing], 2, "missing.csv: cannot be read: "
    yield ["--inventory", missing], 2, "missing.csv: cannot be read: "
    yield ["--metrics", empty], 2, "empty.csv: the file is empty; expected a header and rows"
    yield ["--metrics", garbage], 2, "garbage.csv: cannot be read: "
    yield ["--metrics", wrong], 2, "wrong.csv: no column for the resource; expected one of "
    yield ["--inventory", wrong], 2, "wrong.csv: no column names the resources; expected arn, or"
    yield ["--inventory", semicolons], 2, "the header is one field, 'id;time'; expected commas"
    yield ["--metrics", semicolons], 2, "the header is one field, 'id;time'; expected commas"
    yield ["--inventory", array], 2, "a.json: begins with '['; expected a JSON object per line"
    yield ["--metrics", metrics, "--mapping", mapping], 2, "the mapping names a column 'load'"
    yield ["--metrics", metrics, "--mapping", garbage], 2, "garbage.csv: is no UTF-8 text"
    yield ["--metrics", metrics, "--statistic", "p99"], 2, "Invalid value for '--statistic'"


def test_what_cannot_be_brought_in_is_explained(program: Program) -> None:
    for words, code, complaint in complaints(program):
        ended = program("import", *words)

        assert (ended.code, ended.output) == (code, "")
        assert complaint in ended.complaint


def test_nothing_is_collected_before_anybody_opted_in(fresh: Program) -> None:
    ended = fresh("import", "--inventory", fresh.fleet("i-1"))

    assert ended.code == 4
    assert "opt in with `compute-optimizer accounts enroll ACCOUNT`" in ended.complaint


def test_one_import_at_a_time(program: Program) -> None:
    with TileStore(program.data / "tiles").locked():
        ended = program("import", "--inventory", program.fleet("i-1"))

    assert ended.code == 4
    assert "such as an import, is changing the tiles" in ended.complaint
    assert "run this one again when it has ended" in ended.complaint


# The public traces, whole: what DuckDB reads from the tiles is what it reads from the trace.

STORED = """
    SELECT regexp_extract(resource, '[^/]+$') AS id, timestamp AS slot, {column} AS value
    FROM read_parquet('{tiles}/current/**/*.parquet', union_by_name = true)
    WHERE {column} IS NOT NULL
"""
# Of samples with the same time the last counts.
EXPECTED = """
    SELECT resource_id::VARCHAR AS id,
        time_bucket(INTERVAL 5 MINUTE, timestamp::TIMESTAMP) AS slot, {value} AS value
    FROM (
        SELECT * FROM read_parquet('{trace}', file_row_number = true)
        QUALIFY row_number() OVER (
            PARTITION BY resource_id, timestamp ORDER BY file_row_number DESC) = 1
    ) WHERE {where} GROUP BY 1, 2
"""


def stored_as_expected(program: Program, column: str, trace: Path, value: str, where: str) -> int:
    """Return how many values a tile column holds, all of them as computed from the trace."""
    stored = STORED.format(column=column, tiles=program.data / "tiles")
    expected = EXPECTED.format(value=value, trace=trace, where=where)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""SELECT count(s.value), count(*),
                    -- Tiles keep float32: seven digits.
                    count(*) FILTER (abs(s.value - e.value) > 1e-6 * e.value + 1e-6)
                FROM ({stored}) s FULL JOIN ({expected}) e USING (id, slot)"""
        ).fetchall()
    ((count, both, different),) = rows
    assert both == count, "neither more nor fewer slots than the trace has"
    assert different == 0
    return int(count)


def test_two_weeks_of_bitbrains_are_stored_whole(program: Program, shared: Path) -> None:
    trace = program.folder / "days.parquet"
    days = [("timestamp", "<", datetime(2013, 8, 15))]
    pq.write_table(pq.read_table(shared / "traces" / BITBRAINS, filters=days), trace)
    fleet = write_bitbrains_inventory(shared, program.folder / "fleet.csv")

    report = program(
        *("import", "--inventory", fleet, "--metrics", trace, "--output", "json"),
        *("--mapping", MAPPINGS / "bitbrains.yaml"),
    ).json

    assert report["resources"]["added"] == 250
    assert report["tiles_written"] == 14
    # Only samples of machines whose memory capacity was unknown at that moment.
    assert [one["reason"] for one in report["refused"]] == [
        "the column that percent_of names is zero or missing"
    ]
    cpu = "avg(least(cpu_centipct / 100, 100))"
    assert stored_as_expected(program, "CPUUtilization_Average", trace, cpu, "true") > 990_000
    memory = "avg(least(100 * mem_used_mib / mem_capacity_mib, 100))"
    known = "mem_capacity_mib > 0"
    assert stored_as_expected(program, "mem_used_percent_Average", trace, memory, known) > 980_000
    # The mean of a slot's rates, over five minutes.
    for column, source in {
        "VolumeReadBytes_Sum": "disk_read_kbps",
        "VolumeWriteBytes_Sum": "disk_write_kbps",
        "NetworkIn_Sum": "net_in_kbps",
        "NetworkOut_Sum": "net_out_kbps",
    }.items():
        bytes_of_slot = f"avg({source}) * 1024 * 300"
        assert stored_as_expected(program, column, trace, bytes_of_slot, "true") > 990_000


def test_azure_is_stored_with_its_averages_and_its_maxima(program: Program, shared: Path) -> None:
    trace = shared / "traces" / AZURE
    ids = sorted(set(pq.read_table(trace)["resource_id"].to_pylist()))

    report = program(
        *("import", "--inventory", program.fleet(*ids), "--metrics", trace, "--output", "json"),
        *("--mapping", MAPPINGS / "azure2017.yaml"),
    ).json

    assert report["refused"] == []
    rows = pq.read_metadata(trace).num_rows
    for column, value in {
        "CPUUtilization_Average": "avg(least(cpu_avg_centipct / 100, 100))",
        "CPUUtilization_Maximum": "max(least(cpu_max_centipct / 100, 100))",
    }.items():
        assert stored_as_expected(program, column, trace, value, "true") == rows


def test_cloudwatch_series_of_nab_are_stored_by_metric(program: Program, shared: Path) -> None:
    trace = shared / "traces" / NAB
    table = pq.read_table(trace, filters=[("namespace", "=", "AWS/EC2")])
    ids = sorted(set(table["resource_id"].to_pylist()))

    report = program(
        *("import", "--inventory", program.fleet(*ids), "--metrics", trace, "--output", "json"),
        *("--mapping", MAPPINGS / "nab_cloudwatch.yaml"),
    ).json

    counts = {one["reason"]: one["count"] for one in report["refused"]}
    # Series of load balancers, databases and groups; the custom metric of a group; summer time.
    assert set(counts) == {
        "the resource is not in the inventory",
        "the metric is unknown",
        "the same sample comes again later; the last one stands",
    }
    where = "namespace = 'AWS/EC2' AND metric = '{}'"
    for column, value in {
        "CPUUtilization_Average": "avg(value)",
        "DiskWriteBytes_Sum": "sum(value)",
        "NetworkIn_Sum": "sum(value)",
    }.items():
        metric = column.partition("_")[0]
        assert stored_as_expected(program, column, trace, value, where.format(metric)) > 8_000
