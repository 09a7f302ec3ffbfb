"""The evidence of a database: the very figures that its recommendation rests on."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from numpy.typing import ArrayLike

from compute_optimizer.catalog.database_classes import load_database_classes
from compute_optimizer.engine.explanation import Explanation, Figure
from compute_optimizer.model.database import Database
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.resources.rds.reading import summary_of
from compute_optimizer.resources.rds_database import explain, explained_beside
from tests.databases import (
    BYTES_USED,
    FREE,
    GIB,
    MEMORY_USED,
    READ_IOPS,
    READ_IOS,
    WRITE_IOS,
    analyzed_databases,
    cluster,
    database,
    recommended_database,
)
from tests.fleets import AS_OF, CPU, shard

Series = Mapping[MetricKey, ArrayLike]

QUIET: dict[MetricKey, Any] = {CPU: 12.0, MEMORY_USED: 20.0, READ_IOPS: 500.0, FREE: 60 * GIB}


def explained(one: Database, series: Series, beside: Sequence[Database] = ()) -> Explanation:
    return explain(
        one,
        shard([one, *beside], series),
        load_database_classes(),
        as_of=AS_OF,
        preferences=DEFAULT_PREFERENCES,
        beside=beside,
    )


def figure(told: Explanation, name: str) -> Figure:
    (found,) = [one for one in told.figures if one.figure == name]
    return found


@pytest.mark.parametrize(
    ("one", "series"),
    [
        (database(1, "db.m5.2xlarge", performance_insights=True), QUIET),
        (database(2, "db.m5.large"), QUIET | {CPU: 95.0}),
        (database(3, "db.m5.large", storage_type="io1", iops=4_000), QUIET),
        (database(4, "db.m5.large", storage_type="gp2"), QUIET | {FREE: 2 * GIB}),
        (database(5, "db.r5.large", engine="aurora-mysql"), {CPU: 30.0}),
    ],
)
def test_findings_prices_and_options_are_those_of_the_recommendation(
    one: Database, series: Series
) -> None:
    told, found = explained(one, series), recommended_database(one, series)

    assert told.finding == str(found.instance_finding and found.instance_finding.value)
    assert told.storage_finding == (found.storage_finding and found.storage_finding.value)
    assert told.finding_reason_codes == (
        *found.instance_reason_codes,
        *found.storage_reason_codes,
    )
    assert told.current == summary_of(found).current
    assert told.current_hourly_usd == found.hourly_usd
    assert told.current_monthly_usd == found.storage_monthly_usd
    assert (told.price_date, told.idle) == (found.price_date, found.idle)
    classes = {
        (pool, rank): (considered.instance_type, considered.hourly_usd)
        for considered in told.considered
        for pool, rank in considered.ranks.items()
    }
    assert classes == {
        (o.architecture_pool, o.rank): (o.db_class, o.hourly_usd) for o in found.instance_options
    }
    storage = {c.rank: c.monthly_usd for c in told.choices if c.rank is not None}
    assert storage == {o.rank: o.monthly_usd for o in found.storage_options}


def test_storage_is_told_against_what_there_is_and_refused_with_a_reason() -> None:
    told = explained(database(1, "db.m5.large"), QUIET)
    space, iops = figure(told, "storage needed"), figure(told, "storage IOPS needed")

    # 40 of 100 GiB are in use; 500 operations: both with a fifth left free.
    assert (space.value, space.limit) == pytest.approx((50, 100))
    assert (iops.value, iops.limit) == pytest.approx((625, 3_000))
    refused = {c.configuration.partition(" ")[0]: c.refused_because for c in told.choices}
    assert refused["io1"] == ("saves nothing",)
    assert "previous generation" in refused["gp2"]


def test_without_performance_insights_the_vcpus_stay_and_the_evidence_says_so() -> None:
    told = explained(database(1, "db.m5.2xlarge"), QUIET)
    (vcpus,) = [one for one in told.dimensions if one.dimension == "VCPU"]

    # A db.m5.2xlarge has 8.
    assert (vcpus.demand, vcpus.limit) == (None, 8)
    assert any("VCPU too small" in one.refused_because for one in told.considered)


def test_a_reader_is_explained_beside_the_writer_that_it_follows() -> None:
    shared = {"engine": "aurora-mysql", "cluster": "shop"}
    reader = database(1, "db.r5.large", id="shop-1", promotion_tier=1, **shared)
    writer = database(2, "db.r5.large", id="shop-2", writer=True, promotion_tier=0, **shared)
    other = database(3, "db.r5.large", id="else-1", engine="aurora-mysql", cluster="else")
    series = {CPU: [[20.0], [95.0]]}

    told = explained(reader, series, beside=[writer])

    found = {
        one.resource_arn: one
        for one in analyzed_databases([reader, writer], series).recommendations
    }[reader.arn]
    assert "DBClusterWriterUnderprovisioned" in told.finding_reason_codes
    assert told.finding_reason_codes == found.instance_reason_codes
    ranked = [one.instance_type for one in told.considered if one.ranks.get("CURRENT") == 1]
    assert ranked == [found.instance_options[0].db_class]
    assert explained_beside(reader, [reader, writer, other]) == [writer]
    assert explained_beside(writer, [reader, writer, other]) == []
    # Its own demand is its own: 20 % of two vCPUs.
    alone = explained(reader, {CPU: 20.0})
    assert told.dimensions == alone.dimensions


def test_a_cluster_is_told_by_what_both_storages_cost() -> None:
    one = cluster("shop")
    series = {READ_IOS: 300_000.0, WRITE_IOS: 300_000.0, BYTES_USED: 100.0 * GIB}
    told, found = explained(one, series), recommended_database(one, series)

    assert told.finding == found.finding.value == "NotOptimized"
    assert told.finding_reason_codes == found.storage_reason_codes
    assert [(c.rank, c.configuration, c.monthly_usd) for c in told.choices] == [
        (o.rank, o.configuration.storage_type, o.monthly_usd) for o in found.storage_options
    ]
    # 600,000 in each of the 8,760 five-minute slots of 730 hours.
    assert figure(told, "I/O").value == 600_000 * 8_760
    assert figure(told, "storage in use").value == 100
    assert figure(told, "I/O varies from day to day").value == 0


def test_a_database_without_a_recommendation_is_explained_by_its_error() -> None:
    told = explained(database(1, "db.no.such"), QUIET)

    assert (told.finding, told.considered) == ("UNSUPPORTED_RESOURCE", ())
