"""The main job on real traces, as a user does it: import, analyze, serve, and read with boto3.

What is expected is computed by DuckDB from the source files, not by the program.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.commands import Type
from tests.end_to_end.conftest import Served
from tests.traces import (
    AZURE,
    BITBRAINS,
    MAPPINGS,
    NAB,
    write_bitbrains_inventory,
    write_inventory,
)

ACCOUNT = "111111111111"

Program = Callable[..., dict[str, Any]]

SLOTS = """
    SELECT resource_id::VARCHAR AS id, floor(epoch(timestamp) / 300) AS slot, {value} AS value
    FROM read_parquet(?) WHERE {where} GROUP BY 1, 2
"""
"""A value per machine and slot; two samples in one slot count as their mean, or their maximum."""


def quantiles(path: Path, value: str, where: str = "true") -> dict[str, tuple[float, float]]:
    """Return the P99.5 and the maximum of each machine's slots."""
    query = f"""
        SELECT id, quantile_cont(value, 0.995), max(value)
        FROM ({SLOTS.format(value=value, where=where)}) GROUP BY id
    """
    with duckdb.connect() as connection:
        found = connection.execute(query, [str(path)]).fetchall()
    return {name: (percentile, highest) for name, percentile, highest in found}


@pytest.fixture
def program(typed: Type) -> Program:
    """Run a command of the program on the test's data and return its JSON."""

    def run(*words: str) -> dict[str, Any]:
        ended = typed(*words, "--output", "json")
        assert ended.code == 0, ended.err
        answer: dict[str, Any] = json.loads(ended.out)
        return answer

    return run


@pytest.fixture
def read(serve: Callable[..., Served], tmp_path: Path) -> Callable[[], dict[str, Any]]:
    """Serve the test's data and read every recommendation through boto3, by instance id."""

    def all_pages() -> dict[str, Any]:
        client = serve(state_url=f"sqlite:///{tmp_path / 'state.db'}").client(ACCOUNT)
        page = client.get_ec2_instance_recommendations(maxResults=100)
        found = page["instanceRecommendations"]
        while "nextToken" in page:
            token = page["nextToken"]
            page = client.get_ec2_instance_recommendations(maxResults=100, nextToken=token)
            found += page["instanceRecommendations"]
        return {one["instanceArn"].rpartition("/")[2]: one for one in found}

    return all_pages


def cpu_of(recommendation: dict[str, Any]) -> float:
    (value,) = [
        metric["value"]
        for metric in recommendation["utilizationMetrics"]
        if metric["name"] == "CPU"
    ]
    return float(value)


def explained(program: Program, instance: str, dimension: str = "CPU") -> dict[str, Any]:
    """Return what `explain` says of one dimension of an instance."""
    evidence = program("explain", instance)["dimensions"]
    (found,) = [one for one in evidence if one["dimension"] == dimension]
    answer: dict[str, Any] = found
    return answer


def used_statistic(program: Program, instance: str) -> str:
    metrics = program("explain", instance)["metrics"]
    (statistic,) = [one["statistic"] for one in metrics if one["metric"] == "CPUUtilization"]
    return str(statistic)


def test_two_weeks_of_bitbrains(
    shared: Path, tmp_path: Path, program: Program, read: Callable[[], dict[str, Any]]
) -> None:
    trace = shared / "traces" / BITBRAINS
    inventory = write_bitbrains_inventory(shared, tmp_path / "inventory.csv")
    program("accounts", "enroll", ACCOUNT)
    report = program(
        *("import", "--inventory", str(inventory), "--metrics", str(trace)),
        *("--mapping", str(MAPPINGS / "bitbrains.yaml")),
    )
    program("analyze", "--as-of", "2013-08-14")
    found = read()

    assert report["resources"]["added"] == 250
    # A turbo clock takes the trace's CPU beyond 100 %, where CloudWatch stops.
    expected = quantiles(
        trace, "avg(least(cpu_centipct / 100.0, 100))", "timestamp < TIMESTAMP '2013-08-15'"
    )
    assert len(found) > 230
    for instance, recommendation in found.items():
        percentile, highest = expected[instance]
        assert cpu_of(recommendation) == pytest.approx(highest, rel=1e-5, abs=1e-4)
        codes = recommendation["findingReasonCodes"]
        # The published rule: P99.5 of the CPU stays under 80 % (20 % headroom).
        if percentile < 79.99:
            assert "CPUUnderprovisioned" not in codes
        if "CPUUnderprovisioned" in codes:
            assert recommendation["finding"] == "UNDER_PROVISIONED"
            assert percentile > 79.99
    assert {one["finding"] for one in found.values()} == {
        "OPTIMIZED",
        "OVER_PROVISIONED",
        "UNDER_PROVISIONED",
    }
    assert used_statistic(program, "1") == "Average"
    # P99.5 of a machine's percent x its cores at the measured speed of its family (m5 = 1).
    cpu = explained(program, "1")
    assert cpu["demand"] == pytest.approx(
        expected["1"][0] / 100 * cpu["current_capacity"], rel=1e-5
    )
    check_that_recommended_types_carry_the_demand(program)


def check_that_recommended_types_carry_the_demand(program: Program) -> None:
    recommended = program("recommend")["recommendations"]
    over = [one for one in recommended if one["finding"] == "Overprovisioned"]
    # The largest savings and the smallest: a command each, so not all 150.
    for one in (*over[:2], *over[-2:]):
        evidence = program("explain", one["instanceArn"])
        (option,) = [
            kind
            for kind in evidence["considered"]
            if kind["instance_type"] == one["recommendedInstanceType"]
        ]
        for dimension in evidence["dimensions"]:
            capacity = option["capacity"][dimension["dimension"]]
            if dimension["demand"] is not None and capacity is not None:
                # Demand leaves 20 % of the option's capacity free, within float32.
                assert dimension["demand"] <= 0.8 * capacity * (1 + 1e-5)


def test_cloudwatch_series_of_nab(
    shared: Path, tmp_path: Path, program: Program, read: Callable[[], dict[str, Any]]
) -> None:
    trace = shared / "traces" / NAB
    expected = quantiles(
        trace,
        "avg(least(value, 100))",
        "metric = 'CPUUtilization' AND timestamp >= TIMESTAMP '2014-02-15'"
        " AND timestamp < TIMESTAMP '2014-03-01'",
    )
    with duckdb.connect() as connection:
        ids = [
            name
            for (name,) in connection.execute(
                "SELECT DISTINCT resource_id FROM read_parquet(?)", [str(trace)]
            ).fetchall()
        ]
    inventory = write_inventory(tmp_path / "inventory.csv", sorted(ids), "m5.large")
    program("accounts", "enroll", ACCOUNT)
    report = program(
        *("import", "--inventory", str(inventory), "--metrics", str(trace)),
        *("--mapping", str(MAPPINGS / "nab_cloudwatch.yaml")),
    )
    program("analyze", "--as-of", "2014-02-28")
    found = read()

    # RequestCount of a load balancer is no metric of an instance; one series has repetitions.
    assert {one["reason"] for one in report["refused"]} == {
        "the metric is unknown",
        "the same sample comes again later; the last one stands",
    }
    assert len(found) >= 5
    for instance, recommendation in found.items():
        percentile, highest = expected[instance]
        assert cpu_of(recommendation) == pytest.approx(highest, rel=1e-5, abs=1e-4)
        under = "CPUUnderprovisioned" in recommendation["findingReasonCodes"]
        assert under == (percentile > 80)
        assert used_statistic(program, instance) == "Average"


def test_maxima_of_azure(
    shared: Path, tmp_path: Path, program: Program, read: Callable[[], dict[str, Any]]
) -> None:
    trace = shared / "traces" / AZURE
    with duckdb.connect() as connection:
        last = connection.execute(
            "SELECT max(timestamp)::DATE FROM read_parquet(?)", [str(trace)]
        ).fetchone()
        ids = connection.execute(
            "SELECT DISTINCT resource_id::VARCHAR FROM read_parquet(?)", [str(trace)]
        ).fetchall()
    assert last is not None
    window = f"timestamp >= DATE '{last[0]}' - INTERVAL 13 DAY"
    expected = quantiles(trace, "max(least(cpu_max_centipct / 100.0, 100))", window)
    averages = quantiles(trace, "avg(least(cpu_avg_centipct / 100.0, 100))", window)
    inventory = write_inventory(
        tmp_path / "inventory.csv", sorted(name for (name,) in ids), "m5.xlarge"
    )
    program("accounts", "enroll", ACCOUNT)
    program(
        *("import", "--inventory", str(inventory), "--metrics", str(trace)),
        *("--mapping", str(MAPPINGS / "azure2017.yaml")),
    )
    program("analyze", "--as-of", last[0].isoformat())
    found = read()

    assert len(found) >= 40
    for instance, recommendation in found.items():
        percentile, highest = expected[instance]
        assert cpu_of(recommendation) == pytest.approx(highest, rel=1e-5, abs=1e-4)
        assert ("CPUUnderprovisioned" in recommendation["findingReasonCodes"]) == (percentile > 80)
    # Advice from maxima is not advice from averages: the latter are lower on every machine.
    some = min(found)
    assert averages[some][0] < expected[some][0]
    assert used_statistic(program, some) == "Maximum"
