"""5,000 instances in ten accounts take less than half an hour and 5 USD: by the calls that are
made, CloudWatch's documented limits and its list price."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from compute_optimizer.jobs.collect_run import CONCURRENCY, DEFAULT_DAYS, OVERLAP
from compute_optimizer.model.collection import Effort, Wanted, at_once
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.resource import EBS_VOLUME, EC2_INSTANCE, Resource
from compute_optimizer.resources import type_named
from compute_optimizer.sources.aws.access import Access
from compute_optimizer.sources.aws.effort import REQUESTS_PER_SECOND, SAMPLES_PER_SECOND, effort_of
from compute_optimizer.sources.aws.measures import AGENT, MEMORY, Dimensions, Measure, measures
from compute_optimizer.sources.aws.queries import batches
from tests.collecting import machine

ACCOUNTS, INSTANCES = 10, 500
NOW = datetime(2026, 3, 15, 6, 32, tzinfo=UTC)
END = int(datetime(2026, 3, 15, 6, 30, tzinfo=UTC).timestamp())
PACE = Access().requests_per_second
DAY = 86_400
TABLE = measures()
HALF_AN_HOUR, FIVE_MINUTES = 1800, 300


def fleet(size: int) -> list[Resource]:
    return [machine("111111111111", number) for number in range(size)]


def everything(measure: Measure, resource: Resource) -> Sequence[Dimensions]:
    """Find every series that an instance with an agent and one volume may have, and no GPU."""
    if measure.part or (measure.name != MEMORY and measure.namespace == AGENT):
        return ()
    if measure.namespace == "System/Linux":
        return ()
    return (measure.dimensions(resource),)


def effort(kind: str, seconds: int) -> Effort:
    """Return what the resources of one account take that lack so many seconds of samples."""
    found = type_named(kind)
    assert found is not None
    since = np.full(INSTANCES, END - seconds, np.int64)
    wanted = Wanted(fleet(INSTANCES), dict.fromkeys(found.metrics, since), END)
    return effort_of(batches(wanted, TABLE[kind], everything, NOW), PACE)


def organization(seconds: int) -> Effort:
    """Return what ten accounts take, each with as many volumes as instances."""
    one = effort(EC2_INSTANCE, seconds) + effort(EBS_VOLUME, seconds)
    return at_once([one] * ACCOUNTS, CONCURRENCY)


def test_the_first_run_keeps_the_goal() -> None:
    found = organization(DEFAULT_DAYS * DAY)

    # An instance has CPU and memory as maximum and average, four series of volumes, of disks and of
    # the network: 16; a volume has four and two checks. A call holds 25 series of 4,032 samples.
    assert found.metrics == ACCOUNTS * INSTANCES * (16 + 6) == 110_000
    assert found.calls == 110_000 / 25
    assert found.usd == pytest.approx(1.10)
    # 44,352,000 samples of each account, and ten accounts by eight workers.
    assert found.seconds == pytest.approx(44_352_000 / 180_000 * ACCOUNTS / CONCURRENCY)
    assert found.usd < 5
    assert found.seconds < HALF_AN_HOUR


def test_the_next_day_keeps_the_goal_and_costs_the_same() -> None:
    found = organization(DAY + int(OVERLAP.total_seconds()))

    # 324 samples of each series, so 311 series in a call: 26 calls for 8,000 and 10 for 3,000.
    assert found.calls == ACCOUNTS * (26 + 10)
    assert found.usd == pytest.approx(1.10)
    assert found.seconds < FIVE_MINUTES


def test_the_pace_keeps_below_the_documented_quotas() -> None:
    assert PACE < REQUESTS_PER_SECOND
    assert SAMPLES_PER_SECOND <= 180_000


def test_requests_bind_where_there_are_few_samples() -> None:
    key = MetricKey("CPUUtilization", Statistic.MAXIMUM)
    wanted = Wanted(fleet(1000), {key: np.full(1000, END - 300, np.int64)}, END)

    found = effort_of(batches(wanted, TABLE[EC2_INSTANCE], everything, NOW), 0.5)

    # 1,000 samples in two calls, one every two seconds.
    assert (found.calls, found.metrics, found.seconds) == (2, 1000, 4.0)
