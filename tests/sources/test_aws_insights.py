"""Counters that only Performance Insights tells, of the databases that it looks at."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.model.collection import NOTHING_WANTED, Effort, Scope, Wanted
from compute_optimizer.model.database import Database
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.resource import RDS_DB_INSTANCE, Resource
from compute_optimizer.sources.aws import Access, AwsSource
from compute_optimizer.sources.aws.insights import Watched, questions, watched_of
from tests.local_aws import OWN, REGION, LocalAws

MEAN, MOST = (
    MetricKey("OsSwapIn", statistic) for statistic in (Statistic.AVERAGE, Statistic.MAXIMUM)
)
KILLS = MetricKey("OsMemoryOutOfMemoryKillCount", Statistic.MAXIMUM)
SCOPE = Scope(OWN, REGION, RDS_DB_INSTANCE)
DAY = 86_400


def a_database(name: str, kind: str = "db") -> Resource:
    arn = f"arn:aws:rds:{REGION}:{OWN}:{kind}:{name}"
    return Database(arn, OWN, REGION, RDS_DB_INSTANCE, name, "db.m5.large", engine="postgres")


@pytest.fixture
def source(aws: LocalAws) -> Iterator[AwsSource]:
    with closing(AwsSource(Access(requests_per_second=0), SystemClock())) as found:
        yield found


def make(aws: LocalAws, name: str) -> str:
    """Make a DB instance with Performance Insights and return its identifier for them.

    The local AWS gives all instances the same one, so that a test can have one of them.
    """
    made = aws.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.m5.large",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="admin1",
        MasterUserPassword="not-a-secret",
    )
    identifier = str(made["DBInstance"]["DbiResourceId"])
    aws.counters[identifier] = {}
    return identifier


def an_hour(*keys: MetricKey) -> tuple[Wanted, int]:
    """Return what is wanted of two databases of the last hour, and when it began."""
    end = int(datetime.now(UTC).timestamp()) // 300 * 300
    since = np.full(2, end - 3600, np.int64)
    fleet = [a_database("orders"), a_database("plain")]
    return Wanted(fleet, dict.fromkeys(keys, since), end), end - 3600


def test_counters_of_a_database_are_read_page_by_page(aws: LocalAws, source: AwsSource) -> None:
    identifier = make(aws, "orders")
    wanted, start = an_hour(MEAN, MOST, KILLS)
    # The third moment has no value; the last lies outside. Only swapping is told.
    told = {start: 1.0, start + 300: 2.0, start + 600: None, start + 900: 4.0, start - 300: 9.0}
    aws.counters[identifier] = {"os.swap.in": told}

    found = list(source.samples(SCOPE, wanted))

    collected = {
        key: sorted(
            (int(at) - start, float(value))
            for one in found
            if one.key == key and not one.places.any()
            for at, value in zip(one.seconds, one.values, strict=True)
        )
        for key in (MEAN, MOST)
    }
    assert collected == {
        MEAN: [(0, 1.0), (300, 2.0), (900, 4.0)],
        MOST: [(0, 10.0), (300, 20.0), (900, 40.0)],
    }
    assert {one.key for one in found} == {MEAN, MOST}


def test_a_database_without_counters_is_not_asked_for_them(
    aws: LocalAws, source: AwsSource
) -> None:
    make(aws, "orders")
    wanted, _ = an_hour(KILLS)
    aws.asked()

    assert list(source.samples(SCOPE, wanted)) == []
    assert ("pi", "GetResourceMetrics") not in aws.asked()


def test_an_estimate_counts_the_calls_for_counters(aws: LocalAws, source: AwsSource) -> None:
    make(aws, "orders")
    wanted, _ = an_hour(MEAN)

    assert source.effort(SCOPE, wanted) == Effort(calls=2)
    assert {service for service, _ in aws.asked()} & {"pi", "cloudwatch"} == set()


def test_refused_counters_are_told(aws: LocalAws, source: AwsSource) -> None:
    make(aws, "orders")
    aws.failing["pi", "ListAvailableResourceMetrics"] = ["NotAuthorizedException"]
    wanted, _ = an_hour(MEAN)

    with pytest.raises(SourceUnavailable, match="pi:ListAvailableResourceMetrics"):
        list(source.samples(SCOPE, wanted))


NOW = datetime(2026, 3, 15, 6, 32, tzinfo=UTC)
END = int(datetime(2026, 3, 15, 6, 30, tzinfo=UTC).timestamp())
WEEK = Watched("db-A", timedelta(days=7))


def test_no_more_is_asked_for_than_is_kept() -> None:
    wanted = Wanted([a_database("one")], {MEAN: np.array([END - 14 * DAY])}, END)

    (found,) = questions(wanted, {"one": WEEK}, NOW)

    # Kept since 06:32 seven days ago: the first whole slot begins at 06:35.
    assert (found.since, found.until) == (END - 7 * DAY + 300, END)


def test_what_is_there_and_what_is_not_watched_is_not_asked_for() -> None:
    fleet = [a_database("one"), a_database("two"), a_database("one", "cluster")]
    wanted = Wanted(fleet, {MEAN: np.array([NOTHING_WANTED, END - 300, END - 300])}, END)

    assert list(questions(wanted, {"one": WEEK}, NOW)) == []


def test_instances_keep_their_samples_as_long_as_they_say() -> None:
    one = {"DBInstanceIdentifier": "a", "DbiResourceId": "db-A", "PerformanceInsightsEnabled": True}
    longer = {**one, "DBInstanceIdentifier": "b", "PerformanceInsightsRetentionPeriod": 93}
    off = {**one, "DBInstanceIdentifier": "c", "PerformanceInsightsEnabled": False}

    found = watched_of([one, longer, off])

    assert {name: it.retention.days for name, it in found.items()} == {"a": 7, "b": 93}
