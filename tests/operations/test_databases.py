"""GetRDSDatabaseRecommendations over stored runs: what it has of its own.

Accounts, pages and tokens are those of every list; the tests of the instances hold them.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from compute_optimizer.model.database import DatabaseRecommendation
from compute_optimizer.model.recommendation import Finding, RecommendationError
from compute_optimizer.shapes import InvalidParameterValueException, OptInRequiredException
from tests.databases import database_arn
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk
from tests.recommended_databases import CLUSTER, INSTANCE
from tests.records import arn
from tests.written_runs import publish

OPERATION = "GetRDSDatabaseRecommendations"
SHOP = database_arn("shop", "cluster", account=MANAGEMENT)


def ask(desk: Desk, account: str = MANAGEMENT, **request: Any) -> dict[str, Any]:
    return desk.call(OPERATION, account, **request)


def own(number: int) -> str:
    return database_arn(f"orders-{number}", account=MANAGEMENT)


def stored(number: int, **changes: Any) -> DatabaseRecommendation:
    return structs.replace(INSTANCE, account_id=MANAGEMENT, resource_arn=own(number), **changes)


SHOP_STORED = structs.replace(CLUSTER, account_id=MANAGEMENT, resource_arn=SHOP)


def published(
    desk: Desk,
    found: Sequence[DatabaseRecommendation],
    errors: Sequence[RecommendationError] = (),
) -> None:
    publish(desk, found, errors, resource_type="RdsDBInstance")


def arns_of(answer: dict[str, Any]) -> list[str]:
    return [one["resourceArn"] for one in answer["rdsDBRecommendations"]]


@pytest.fixture
def desk(enrolled: Desk) -> Desk:
    """An organization of which every account is Active."""
    return enrolled


def test_before_the_first_analysis_the_answer_is_empty(desk: Desk) -> None:
    assert ask(desk) == {"rdsDBRecommendations": [], "errors": []}


def test_instances_and_clusters_are_one_list(desk: Desk) -> None:
    published(desk, [SHOP_STORED, stored(1), stored(2)])

    first = ask(desk, maxResults=2)
    second = ask(desk, maxResults=2, nextToken=first["nextToken"])

    assert arns_of(first) + arns_of(second) == [SHOP, own(1), own(2)]


def test_each_listed_arn_without_a_recommendation_says_why(desk: Desk) -> None:
    young = RecommendationError(own(7), "INSUFFICIENT_METRIC_DATA", "Not enough.")
    published(desk, [stored(1), SHOP_STORED], [young])
    strange = database_arn("orders-1", account=ALPHA)
    far = database_arn("orders-1", region="eu-west-1", account=MANAGEMENT)
    instance = arn(1, MANAGEMENT)

    answer = ask(desk, resourceArns=[own(1), SHOP, own(7), strange, far, instance, own(9)])

    assert arns_of(answer) == [SHOP, own(1)]
    assert {one["identifier"]: one["code"] for one in answer["errors"]} == {
        own(7): "INSUFFICIENT_METRIC_DATA",
        strange: "ACCESS_DENIED",
        far: "CROSS_REGION",
        instance: "INVALID_ARN",
        own(9): "RECOMMENDATION_NOT_FOUND",
    }


def test_filters_look_at_class_storage_and_use(desk: Desk) -> None:
    quiet = stored(
        2,
        instance_finding=Finding.OPTIMIZED,
        instance_reason_codes=("NewEngineVersionAvailable",),
        storage_finding=Finding.OPTIMIZED,
        storage_reason_codes=(),
        idle=True,
        tags={},
    )
    published(desk, [SHOP_STORED, stored(1), quiet])

    def by(name: str, *values: str) -> list[str]:
        return arns_of(ask(desk, filters=[{"name": name, "values": list(values)}]))

    assert by("InstanceFinding", "Overprovisioned") == [own(1)]
    assert by("InstanceFinding", "Optimized", "Overprovisioned") == [own(1), own(2)]
    assert by("InstanceFindingReasonCode", "NewEngineVersionAvailable") == [own(2)]
    assert by("StorageFinding", "NotOptimized") == [SHOP]
    assert by("StorageFindingReasonCode", "EBSVolumeAllocatedStorageUnderprovisioned") == [own(1)]
    assert by("Idle", "True") == [own(2)]
    assert by("Idle", "False") == [own(1)]
    assert by("tag:team", "data") == [own(1)]
    assert by("tag-key", "") == [SHOP, own(2)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Finding", "Optimized"),
        ("InstanceFinding", "NotOptimized"),
        ("InstanceFindingReasonCode", "MemoryOverprovisioned"),
        ("StorageFindingReasonCode", "CPUOverprovisioned"),
        ("Idle", "true"),
    ],
)
def test_what_is_no_filter_of_databases_is_refused(desk: Desk, name: str, value: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=f"{name}"):
        ask(desk, filters=[{"name": name, "values": [value]}])


def test_the_architectures_of_the_request_choose_the_options(desk: Desk) -> None:
    published(desk, [stored(1), stored(2)])

    def asked(*architectures: str, **others: Any) -> dict[str, Any]:
        wanted = {"cpuVendorArchitectures": list(architectures)}
        return ask(desk, recommendationPreferences=wanted, **others)

    def first(answer: dict[str, Any]) -> str:
        option = answer["rdsDBRecommendations"][0]["instanceRecommendationOptions"][0]
        return str(option["dbInstanceClass"])

    assert first(ask(desk)) == first(asked("CURRENT")) == "db.m5.large"
    assert first(asked("AWS_ARM64")) == first(asked("AWS_ARM64", "CURRENT")) == "db.m6g.large"
    token = asked("AWS_ARM64", maxResults=1)["nextToken"]
    with pytest.raises(InvalidParameterValueException, match="not valid for this request"):
        asked("CURRENT", maxResults=1, nextToken=token)


def test_an_account_that_is_not_opted_in_is_told_so(desk: Desk) -> None:
    with pytest.raises(OptInRequiredException):
        ask(desk, STRANGER)
