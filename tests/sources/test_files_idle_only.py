"""Rows of an inventory that name what is only looked at for idleness."""

from typing import Any

import pytest

from compute_optimizer.model.idle_only import IdleOnly
from compute_optimizer.model.resource import NEWER_IDLE_TYPES
from compute_optimizer.sources.files.cells import RowRefused
from compute_optimizer.sources.files.inventory import resource_of
from compute_optimizer.sources.files.refusals import Reason

HERE = {"account": "111111111111", "region": "us-east-1"}
START = "arn:aws:{}:us-east-1:111111111111:{}"

ROWS = {
    "DynamoDBTable": (
        {"id": "orders_2026", "type": "PROVISIONED"},
        ("dynamodb", "table/orders_2026", "provisioned", "active"),
    ),
    "ElastiCacheCluster": (
        {"id": "carts", "type": "nodes", "engine": "Redis"},
        ("elasticache", "cluster:carts", "nodes", "available"),
    ),
    "MemoryDBCluster": ({"id": "m"}, ("memorydb", "cluster/m", "nodes", "available")),
    "DocumentDBCluster": ({"id": "d"}, ("rds", "cluster:d", "instances", "available")),
    "WorkSpaces": (
        {"id": "ws-1", "type": "ALWAYS_ON", "state": "STOPPED"},
        ("workspaces", "workspace/ws-1", "always_on", "stopped"),
    ),
    "SageMakerEndpoint": (
        {"id": "scores", "state": "InService"},
        ("sagemaker", "endpoint/scores", "real-time", "inservice"),
    ),
}


def read(resource_type: str, **row: Any) -> IdleOnly:
    found = resource_of({**HERE, "resource_type": resource_type, **row})
    assert isinstance(found, IdleOnly)
    return found


def test_there_is_a_row_of_every_type() -> None:
    assert set(ROWS) == set(NEWER_IDLE_TYPES)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_becomes_the_resource_with_its_arn(name: str) -> None:
    row, (service, rest, mode, state) = ROWS[name]

    found = read(name, **row)

    assert (found.arn, found.resource_type) == (START.format(service, rest), name)
    assert (found.instance_type, found.state) == (mode, state)


@pytest.mark.parametrize("kind", ["cluster", "replicationgroup", "serverlesscache"])
def test_a_cache_has_an_arn_of_three_kinds(kind: str) -> None:
    arn = START.format("elasticache", f"{kind}:carts")

    found = resource_of({"arn": arn, "type": "serverless", "engine": "valkey"})

    assert (found.resource_type, found.resource_id) == ("ElastiCacheCluster", "carts")


def test_an_arn_of_a_database_cluster_is_of_aurora_unless_the_row_says_otherwise() -> None:
    arn = START.format("rds", "cluster:docs")

    assert read("DocumentDBCluster", arn=arn).resource_id == "docs"
    with pytest.raises(RowRefused) as refused:
        resource_of({"arn": arn, "type": "aurora"})
    assert refused.value.reason is Reason.MISSING


@pytest.mark.parametrize(
    ("cell", "indexes"),
    [("", None), ("none", ()), ("by-date", ("by-date",)), ("a; b", ("a", "b"))],
)
def test_indexes_of_a_table_are_named_none_or_unknown(
    cell: str, indexes: tuple[str, ...] | None
) -> None:
    found = read("DynamoDBTable", id="orders", type="provisioned", global_secondary_indexes=cell)

    assert found.indexes == indexes


def test_what_it_costs_may_be_stated() -> None:
    assert read("MemoryDBCluster", id="m", monthly_usd="226.3").monthly_usd == 226.3
    assert read("MemoryDBCluster", id="m").monthly_usd is None


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        ("DynamoDBTable", {"id": "orders", "type": "reserved"}, Reason.MODE),
        ("DynamoDBTable", {"id": "orders"}, Reason.MISSING),
        ("DynamoDBTable", {"id": "ab", "type": "provisioned"}, Reason.RESOURCE_ID),
        ("ElastiCacheCluster", {"id": "carts", "type": "nodes"}, Reason.MISSING),
        ("WorkSpaces", {"id": "ws-1", "type": "always"}, Reason.MODE),
        ("SageMakerEndpoint", {"id": "scores", "monthly_usd": "-1"}, Reason.CAPACITY),
    ],
)
def test_what_does_not_fit_is_refused(name: str, row: dict[str, str], reason: Reason) -> None:
    with pytest.raises(RowRefused) as refused:
        read(name, **row)

    assert refused.value.reason is reason
