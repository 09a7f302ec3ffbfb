"""Rows of DB instances and Aurora clusters in an inventory become databases."""

from typing import Any

import pytest

from compute_optimizer.model.database import Database
from compute_optimizer.sources.files.cells import RowRefused
from compute_optimizer.sources.files.inventory import resource_of
from compute_optimizer.sources.files.vocabulary import default_statistic, is_kept, metric_named
from tests.databases import BYTES_USED, FREE, READ_IOPS, READ_IOS

ACCOUNT = "111111111111"
ARN = f"arn:aws:rds:us-east-1:{ACCOUNT}:db:orders"
CLUSTER_ARN = f"arn:aws:rds:us-east-1:{ACCOUNT}:cluster:shop"
ROW = {
    "id": "orders",
    "account": ACCOUNT,
    "region": "us-east-1",
    "resource_type": "RdsDBInstance",
    "type": "db.m5.large",
    "engine": "mysql",
    "storage_type": "gp3",
    "size_gib": "200",
}
INSTANCE = Database(
    ARN,
    ACCOUNT,
    "us-east-1",
    "RdsDBInstance",
    "orders",
    "db.m5.large",
    state="available",
    engine="mysql",
    storage_type="gp3",
    allocated_gib=200,
)
CLUSTER_ROW = {
    "id": "shop",
    "account": ACCOUNT,
    "region": "us-east-1",
    "resource_type": "AuroraDBClusterStorage",
    "type": "aurora",
    "engine": "aurora-mysql",
    "member_classes": "db.r5.large; db.r6g.large",
}


def test_the_least_that_a_row_says() -> None:
    assert resource_of(ROW) == INSTANCE


def test_the_arn_tells_what_the_row_does_not() -> None:
    row = {name: ROW[name] for name in ("type", "engine", "storage_type", "size_gib")}

    assert resource_of(row | {"arn": ARN}) == INSTANCE


def test_a_whole_row() -> None:
    told = ROW | {
        "engine": "Postgres",
        "engine_version": "16.3",
        "multi_az": "yes",
        "storage_type": "io1",
        "iops": 4000,
        "max_allocated_gib": 500,
        "read_replica": "true",
        "performance_insights": 1,
    }

    found = resource_of(told)

    assert isinstance(found, Database)
    assert (found.engine, found.engine_version, found.iops) == ("postgres", "16.3", 4000)
    assert (found.multi_az, found.read_replica, found.performance_insights) == (True, True, True)
    assert (found.storage_type, found.max_allocated_gib) == ("io1", 500)
    assert not found.is_cluster


def test_an_instance_of_aurora_needs_no_storage_and_may_be_in_tier_nought() -> None:
    row = ROW | {"engine": "aurora-mysql", "storage_type": "", "size_gib": "", "cluster": "shop"}

    found = resource_of(row | {"promotion_tier": "0", "writer": "true"})

    assert isinstance(found, Database)
    assert (found.cluster, found.promotion_tier, found.writer) == ("shop", 0, True)
    assert (found.storage_type, found.allocated_gib, found.is_aurora) == ("", 0, True)


def test_a_cluster_is_kept_among_the_databases() -> None:
    found = resource_of(CLUSTER_ROW)

    assert isinstance(found, Database)
    assert (found.arn, found.resource_type) == (CLUSTER_ARN, "RdsDBInstance")
    assert found.is_cluster
    assert found.member_classes == ("db.r5.large", "db.r6g.large")
    assert resource_of(CLUSTER_ROW | {"arn": CLUSTER_ARN, "resource_type": ""}) == found


@pytest.mark.parametrize(
    ("change", "reason", "found"),
    [
        ({"engine": ""}, "MISSING", "engine"),
        ({"storage_type": ""}, "MISSING", "storage_type"),
        ({"size_gib": ""}, "MISSING", "size_gib"),
        ({"storage_type": "io1"}, "MISSING", "iops"),
        ({"max_allocated_gib": "-5"}, "CAPACITY", "max_allocated_gib: -5"),
        ({"promotion_tier": "16"}, "TIER", "promotion_tier: 16"),
        ({"promotion_tier": "1.5"}, "TIER", "promotion_tier: 1.5"),
        ({"promotion_tier": "first"}, "TIER", "promotion_tier: first"),
        ({"writer": "maybe"}, "FLAG", "writer: maybe"),
        ({"arn": CLUSTER_ARN}, "ARN", CLUSTER_ARN),
        ({"arn": ARN.replace("db:", "db/")}, "ARN", ARN.replace("db:", "db/")),
        ({"arn": ARN.replace(":rds:", ":ec2:")}, "ARN", ARN.replace(":rds:", ":ec2:")),
        ({"arn": ARN, "id": "others"}, "ARN_DIFFERS", f"others in {ARN}"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], reason: str, found: str) -> None:
    with pytest.raises(RowRefused) as caught:
        resource_of(ROW | change)

    assert (caught.value.reason.name, caught.value.found) == (reason, found)


def test_a_cluster_without_its_classes_is_refused() -> None:
    with pytest.raises(RowRefused) as caught:
        resource_of(CLUSTER_ROW | {"member_classes": ""})

    assert caught.value.found == "member_classes"


def test_metrics_are_kept_as_the_analysis_wants_them() -> None:
    for key in (READ_IOPS, FREE, BYTES_USED, READ_IOS):
        assert is_kept(key)
    assert metric_named("os.swap.in") == "OsSwapIn"
    # Bytes that are free, and I/Os that are counted, have one statistic; rates have to say theirs.
    assert default_statistic("FreeStorageSpace", None) == "Average"
    assert default_statistic("VolumeReadIOPs", None) == "Sum"
    assert default_statistic("ReadIOPS", None) is None
