"""Calls of GetMetricData keep within its limits, and ask for what is kept only."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from compute_optimizer.model.collection import NOTHING_WANTED, Wanted
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.resource import EC2_INSTANCE, ECS_SERVICE, RDS_DB_INSTANCE, Resource
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.resources.ec2.dimensions import GPU_METRICS
from compute_optimizer.sources.aws.insights import COUNTERS
from compute_optimizer.sources.aws.inventory import READINGS
from compute_optimizer.sources.aws.measures import Dimensions, Measure, measures
from compute_optimizer.sources.aws.queries import (
    CALL_QUERIES,
    CALL_SAMPLES,
    Batch,
    batches,
    spans,
)

NOW = datetime(2026, 3, 15, 6, 32, tzinfo=UTC)
END = int(datetime(2026, 3, 15, 6, 30, tzinfo=UTC).timestamp())
CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)
MEAN = MetricKey("CPUUtilization", Statistic.AVERAGE)
MEMORY = MetricKey("mem_used_percent", Statistic.MAXIMUM)
DAY = 86_400
TABLE = measures()


def fleet(size: int) -> list[Resource]:
    names = [f"i-{number}" for number in range(size)]
    arn = "arn:aws:ec2:us-east-1:111111111111:instance/"
    return [
        Resource(arn + name, "111111111111", "us-east-1", EC2_INSTANCE, name, "m5.large")
        for name in names
    ]


def plain(measure: Measure, resource: Resource) -> Sequence[Dimensions]:
    """Find what is not discovered."""
    return () if measure.discovered else (measure.dimensions(resource),)


def asked(wanted: Wanted, kind: str = EC2_INSTANCE, find: object = plain) -> list[Batch]:
    return list(batches(wanted, TABLE[kind], find, NOW))  # type: ignore[arg-type]


def wanted(size: int, days: float, *keys: MetricKey) -> Wanted:
    since = np.full(size, END - int(days * DAY), np.int64)
    return Wanted(fleet(size), dict.fromkeys(keys, since), END)


@pytest.mark.parametrize(
    ("size", "days", "sizes"),
    [
        (500, 0.5, [500]),
        (501, 0.5, [500, 1]),  # 500 series a call
        (350, 1, [350]),  # 350 x 288 = 100,800 samples
        (351, 1, [350, 1]),
        (30, 14, [25, 5]),  # 25 x 4,032 = 100,800
    ],
)
def test_a_call_keeps_within_the_limits(size: int, days: float, sizes: list[int]) -> None:
    found = asked(wanted(size, days, CPU))

    assert [one.queries for one in found] == sizes
    assert max(sizes) <= CALL_QUERIES
    assert all(sum(series.samples for series in one.series) <= CALL_SAMPLES for one in found)


def test_series_that_begin_at_about_the_same_time_are_asked_for_together() -> None:
    since = np.full(20, END - 300, np.int64)
    since[[3, 11]] = END - 14 * DAY

    found = asked(Wanted(fleet(20), {CPU: since, MEAN: since}, END))

    # Two statistics of the two that lack a fortnight, and of the eighteen that lack one sample.
    starts = [one.parameters["StartTime"].timestamp() for one in found]
    assert [one.queries for one in found] == [4, 36]
    assert starts == [END - 14 * DAY, END - 300]


def test_series_that_are_not_wanted_are_not_asked_for() -> None:
    some = Wanted(fleet(2), {CPU: np.array([END - 300, NOTHING_WANTED])}, END)

    (found,) = asked(some)

    assert [one.place for one in found.series] == [0]


def test_a_query_names_metric_statistic_and_period() -> None:
    (found,) = asked(wanted(1, 1, CPU))

    assert found.parameters == {
        "MetricDataQueries": [
            {
                "Id": "s0_0",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/EC2",
                        "MetricName": "CPUUtilization",
                        "Dimensions": [{"Name": "InstanceId", "Value": "i-0"}],
                    },
                    "Period": 300,
                    "Stat": "Maximum",
                },
                "ReturnData": True,
            }
        ],
        "StartTime": datetime(2026, 3, 14, 6, 30, tzinfo=UTC),
        "EndTime": datetime(2026, 3, 15, 6, 30, tzinfo=UTC),
        "ScanBy": "TimestampAscending",
    }


def test_free_memory_is_asked_for_at_its_least() -> None:
    def only_free(measure: Measure, resource: Resource) -> Sequence[Dimensions]:
        return (measure.dimensions(resource),) if measure.free_bytes else ()

    (found,) = asked(wanted(1, 1, MEMORY), find=only_free)

    assert [one.statistic for one in found.series] == ["Minimum"]


def test_minutes_older_than_fifteen_days_are_asked_for_by_five() -> None:
    # Kept since 06:32 fifteen days ago: the first whole slot begins at 06:35.
    border = END - 15 * DAY + 300

    found = list(spans(END - 20 * DAY, END, TABLE[ECS_SERVICE], NOW))

    assert found == [(END - 20 * DAY, border, 300), (border, END, 60)]


def test_what_is_older_than_sixty_three_days_is_not_asked_for() -> None:
    found = list(spans(END - 93 * DAY, END, TABLE[EC2_INSTANCE], NOW))

    assert found == [(END - 63 * DAY + 300, END, 300)]


def test_every_series_that_an_analysis_reads_can_be_collected() -> None:
    lacking = {
        (kind.name, key.metric)
        for kind in RESOURCE_TYPES
        if kind.name in TABLE
        for key in kind.metrics
        if key.metric not in {one.metric for one in TABLE[kind.name].measures}
    }

    groups = {("AutoScalingGroup", name) for name in (
        "VolumeReadOps", "VolumeWriteOps", "VolumeReadBytes", "VolumeWriteBytes"
    )}  # fmt: skip
    gpus = {("AutoScalingGroup", name) for name in GPU_METRICS}
    memory = {(RDS_DB_INSTANCE, "mem_used_percent")}
    counters = {(RDS_DB_INSTANCE, name) for name in COUNTERS}
    # CloudWatch has no volumes and GPUs of a group (its instances have), RDS tells no used memory,
    # and counters are asked of Performance Insights.
    assert lacking == groups | gpus | memory | counters


def test_every_type_whose_inventory_is_read_has_measures_and_is_analyzed() -> None:
    assert set(READINGS) == set(TABLE) <= {kind.name for kind in RESOURCE_TYPES}
