"""Shards of databases: what cases of one resource cannot show."""

from typing import Any

import numpy as np
import pytest

from compute_optimizer.model.database import Database, DatabaseRecommendation
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.model.resource import RDS_DB_INSTANCE
from compute_optimizer.resources import type_named
from compute_optimizer.resources.rds.dimensions import METRICS
from compute_optimizer.resources.rds.reading import counted_savings, facets_of, summary_of
from compute_optimizer.sources.files.vocabulary import is_kept
from tests.databases import (
    BYTES_USED,
    FREE,
    GIB,
    MEMORY_USED,
    READ_IOPS,
    READ_IOS,
    WRITE_IOS,
    analyzed_databases,
    class_options,
    cluster,
    database,
    recommended_database,
)
from tests.fleets import CPU, CPU_AVERAGE

WRITER_UNDER = "DBClusterWriterUnderprovisioned"


def member(number: int, **others: Any) -> Database:
    facts = {"engine": "aurora-mysql", "cluster": "shop", "id": f"shop-{number}"}
    return database(number, others.pop("db_class", "db.r5.large"), **{**facts, **others})


WRITER = member(1, writer=True, promotion_tier=0)


def both(writer: Database, reader: Database) -> dict[str, DatabaseRecommendation]:
    """Return the recommendations of a writer at 95 % of CPU and a reader at 30 %."""
    found = analyzed_databases([writer, reader], {CPU: np.array([[95], [30]])})
    return {one.resource_arn.rpartition(":")[2]: one for one in found.recommendations}


def test_the_record_of_the_type_names_what_belongs_to_it() -> None:
    kind = type_named(RDS_DB_INSTANCE)

    assert kind is not None
    assert (kind.resource, kind.recommendation) == (Database, DatabaseRecommendation)
    assert len(set(kind.metrics)) == len(METRICS)
    assert all(is_kept(key) for key in METRICS)


def test_a_reader_that_may_take_over_follows_its_writer() -> None:
    found = both(WRITER, member(2, promotion_tier=1))

    reader = found["shop-2"]
    assert (
        class_options(reader)
        == class_options(found["shop-1"])
        == ["db.r5.xlarge", "db.r5.2xlarge", "db.r5.4xlarge"]
    )
    assert reader.instance_finding is Finding.UNDER_PROVISIONED
    assert WRITER_UNDER in reader.instance_reason_codes
    assert WRITER_UNDER not in found["shop-1"].instance_reason_codes
    # 30 % of two vCPUs are 15 % of four.
    assert reader.instance_options[0].projected_cpu == pytest.approx(15)


@pytest.mark.parametrize(
    "others",
    [
        {"promotion_tier": 2},
        {"promotion_tier": None},
        {"promotion_tier": 1, "cluster": "other"},
        {"promotion_tier": 1, "db_class": "db.r5.xlarge"},
    ],
    ids=["a later tier", "no tier", "another cluster", "large enough"],
)
def test_other_readers_go_by_their_own_load(others: dict[str, Any]) -> None:
    reader = both(WRITER, member(2, **others))["shop-2"]

    assert WRITER_UNDER not in reader.instance_reason_codes
    assert reader.instance_finding is not Finding.UNDER_PROVISIONED


def test_a_writer_that_is_large_enough_moves_no_reader() -> None:
    found = analyzed_databases([WRITER, member(2, promotion_tier=1)], {CPU: 30})

    assert [WRITER_UNDER in one.instance_reason_codes for one in found.recommendations] == [
        False,
        False,
    ]


def test_a_database_is_answered_alike_alone_and_among_others() -> None:
    fleet = [
        database(1, "db.m5.2xlarge", performance_insights=True),
        database(2, "db.r5.large", engine="postgres", storage_type="gp2", multi_az=True),
        database(3, "db.t3.medium", region="eu-west-1"),
        member(4),
        cluster("shop"),
        database(5, "db.m1.small"),
    ]
    rows = np.random.default_rng(7)
    series = {
        CPU: rows.uniform(0, 90, (6, 4032)),
        MEMORY_USED: rows.uniform(10, 60, (6, 4032)),
        READ_IOPS: rows.uniform(0, 3000, (6, 4032)),
        FREE: rows.uniform(10, 50, (6, 1)) * GIB,
        BYTES_USED: rows.uniform(50, 500, (6, 1)) * GIB,
        READ_IOS: rows.uniform(0, 1e5, (6, 4032)),
        WRITE_IOS: rows.uniform(0, 1e5, (6, 4032)),
    }

    whole = analyzed_databases(fleet, series)
    alone = [
        analyzed_databases([one], {key: matrix[row : row + 1] for key, matrix in series.items()})
        for row, one in enumerate(fleet)
    ]

    assert whole.recommendations == tuple(r for found in alone for r in found.recommendations)
    assert whole.errors == tuple(e for found in alone for e in found.errors)
    assert len(whole.recommendations) == 5
    assert [one.code for one in whole.errors] == ["UNSUPPORTED_RESOURCE"]


def test_nothing_is_said_of_nothing() -> None:
    assert analyzed_databases([], {}).recommendations == ()
    silent = analyzed_databases([database(1, "db.r5.large"), cluster("shop")], {})
    assert {one.code for one in silent.errors} == {"INSUFFICIENT_METRIC_DATA"}


def test_averages_stand_in_where_nobody_sent_maxima() -> None:
    found = recommended_database(database(1, "db.r5.large"), {CPU_AVERAGE: 81})

    assert found.instance_finding is Finding.UNDER_PROVISIONED
    assert [(one.name, one.source_statistic) for one in found.utilization] == [("CPU", "Average")]


def test_reported_are_the_highest_values_and_the_space_in_use() -> None:
    free = np.full(4032, 60.0 * GIB)
    free[100] = 25 * GIB
    found = recommended_database(database(1, "db.r5.large"), {CPU: 30, READ_IOPS: 12.5, FREE: free})

    values = {one.name: one.value for one in found.utilization}
    assert values == {
        "CPU": 30,
        "EBSVolumeReadIOPS": 12.5,
        # 75 of 100 GiB.
        "EBSVolumeStorageSpaceUtilization": 75,
    }


def test_an_instance_of_aurora_reports_its_storage_network_and_no_volumes() -> None:
    flow = MetricKey("StorageNetworkReadThroughput", Statistic.MAXIMUM)

    found = recommended_database(member(1), {CPU: 30, READ_IOPS: 500, flow: 1e6})

    assert [one.name for one in found.utilization] == ["CPU", "StorageNetworkReceiveThroughput"]
    assert (found.storage, found.storage_finding, found.storage_options) == (None, None, ())


def test_an_instance_in_a_cluster_with_io_optimized_saves_thirty_percent_more() -> None:
    series = {CPU: 5, MEMORY_USED: 10}
    facts = {"db_class": "db.r5.2xlarge", "performance_insights": True}

    standard = recommended_database(member(1, **facts), series)
    optimized = recommended_database(member(1, storage_type="aurora-iopt1", **facts), series)

    assert class_options(standard) == class_options(optimized)
    one, other = (found.instance_options[0].savings for found in (standard, optimized))
    assert one is not None
    assert other is not None
    assert other.monthly_usd == pytest.approx(1.3 * one.monthly_usd)


def test_counted_are_the_savings_of_class_and_storage_where_they_are_too_much() -> None:
    large = database(1, "db.m5.2xlarge", performance_insights=True, storage_type="io1", iops=5000)
    found = recommended_database(large, {CPU: 10, MEMORY_USED: 20, READ_IOPS: 100})

    # (0.684 - 0.171) x 730 for the class, 512.50 - 11.50 for the storage.
    assert counted_savings(found) == pytest.approx(374.49 + 501)
    line = summary_of(found)
    assert line.current == "db.m5.2xlarge, io1 100 GiB"
    assert line.recommended == "db.m5.large, gp3 100 GiB"
    assert "EBSVolumeIOPSOverprovisioned" in line.reason_codes


def test_savings_of_what_is_not_too_much_do_not_count() -> None:
    found = recommended_database(database(1, "db.m5.2xlarge"), {CPU: 10, MEMORY_USED: 20})

    assert found.instance_finding is Finding.OPTIMIZED
    assert found.instance_options[0].savings is not None
    assert counted_savings(found) == 0


def test_filters_look_at_class_and_storage_apart() -> None:
    instance = facets_of(recommended_database(database(1, "db.r5.large"), {CPU: 30}))
    volume = {BYTES_USED: 100 * GIB, READ_IOS: 1e6, WRITE_IOS: 0}
    storage = facets_of(recommended_database(cluster("shop"), volume))

    assert (instance.source_type, storage.source_type) == (
        "RdsDBInstance",
        "AuroraDBClusterStorage",
    )
    assert instance.marks["idle"] == ("False",)
    assert storage.marks == {
        "instance_finding": (),
        "storage_finding": ("NotOptimized",),
        "storage_codes": ("DBClusterStorageSavingsAvailable",),
        "idle": (),
    }
    assert storage.finding == "NotOptimized"
