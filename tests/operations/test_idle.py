"""GetIdleRecommendations over stored runs: all resource types in one list."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from compute_optimizer.model.recommendation import (
    Finding,
    IdleRecommendation,
    RecommendationError,
    Savings,
)
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    OptInRequiredException,
)
from compute_optimizer.store.analysis_runs import Scope, begin_run, complete_run, write_result
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk
from tests.idleness import TABLE, idle_recommendation
from tests.records import REGION, arn
from tests.volumes import volume_arn

NAT_ARN = f"arn:aws:ec2:{REGION}:{MANAGEMENT}:natgateway/nat-1"


def publish(
    desk: Desk,
    found: dict[str, Sequence[IdleRecommendation]],
    errors: Sequence[RecommendationError] = (),
    account: str = MANAGEMENT,
) -> None:
    now = desk.clock.now()
    with desk.state.writing() as connection:
        run_id = begin_run(connection, now, now)
        for name, idle in found.items():
            scope = Scope(account, REGION, name)
            told = errors if name == "EbsVolume" else ()
            write_result(connection, run_id, scope, [], told, idle=idle, now=now)
        complete_run(connection, run_id, [Scope(account, REGION, name) for name in found], now)


def ask(desk: Desk, account: str = MANAGEMENT, **request: Any) -> dict[str, Any]:
    return desk.call("GetIdleRecommendations", account, **request)


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [one["resourceId"] for one in answer["idleRecommendations"]]


def own(number: int, **changes: Any) -> IdleRecommendation:
    return idle_recommendation(number, account_id=MANAGEMENT, **changes)


def short(number: int) -> str:
    return f"vol-{number:017x}"


def costing(number: int, usd: float) -> IdleRecommendation:
    return own(number, savings=Savings(100.0, usd))


NAT = own(
    1,
    resource_arn=NAT_ARN,
    resource_id="nat-1",
    idle_type="NatGateway",
    finding=Finding.UNUSED,
    savings=None,
    tags={},
)
MACHINE = own(
    1,
    resource_arn=arn(7, MANAGEMENT),
    resource_id="i-7",
    idle_type="EC2Instance",
    savings=Savings(100.0, 70.0),
)


@pytest.fixture
def desk(enrolled: Desk) -> Desk:
    """An organization of which every account is Active."""
    return enrolled


@pytest.fixture
def mixed(desk: Desk) -> Desk:
    """An instance, two volumes and a NAT gateway, all idle in their ways."""
    loose = own(2, finding=Finding.UNATTACHED, savings=Savings(100.0, 3.0))
    publish(desk, {"Ec2Instance": [MACHINE], "EbsVolume": [own(1), loose], "NatGateway": [NAT]})
    return desk


def test_before_the_first_analysis_the_answer_is_empty(desk: Desk) -> None:
    assert ask(desk) == {"idleRecommendations": [], "errors": []}


def test_all_types_stand_in_one_list_by_arn(mixed: Desk) -> None:
    assert ids_of(ask(mixed)) == ["i-7", "nat-1", short(1), short(2)]


def test_a_recommendation_has_every_member_of_the_wire(mixed: Desk) -> None:
    (one,) = ask(mixed, resourceArns=[short(1)])["idleRecommendations"]

    saved = {
        "savingsOpportunityPercentage": 100.0,
        "estimatedMonthlySavings": {"currency": "USD", "value": 8.0},
    }
    assert one == {
        "resourceArn": volume_arn(1, MANAGEMENT),
        "resourceId": short(1),
        "resourceType": "EBSVolume",
        "accountId": MANAGEMENT,
        "finding": "Idle",
        "findingDescription": "The volume does nothing.",
        "savingsOpportunity": saved,
        "savingsOpportunityAfterDiscounts": saved,
        "utilizationMetrics": [
            {"name": "VolumeReadOpsPerSecond", "statistic": "Maximum", "value": 0.0}
        ],
        "lookBackPeriodInDays": 14.0,
        "lastRefreshTimestamp": own(1).last_refresh,
        "tags": [{"key": "team", "value": "data"}],
    }


def test_without_a_price_there_are_no_savings(mixed: Desk) -> None:
    (one,) = ask(mixed, resourceArns=[NAT_ARN])["idleRecommendations"]

    assert not [name for name in one if name.startswith("savings")]


@pytest.mark.parametrize("dimension", ["SavingsValue", "SavingsValueAfterDiscount"])
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # 70, 8 and 3 USD, and one whose price nobody knows.
        ("Desc", ["i-7", short(1), short(2), "nat-1"]),
        ("Asc", ["nat-1", short(2), short(1), "i-7"]),
    ],
)
def test_they_are_ordered_by_savings(
    mixed: Desk, dimension: str, order: str, expected: list[str]
) -> None:
    assert ids_of(ask(mixed, orderBy={"dimension": dimension, "order": order})) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # 70 USD at list are 2 after discounts; 8, 3 and an unknown price stay.
        ("Desc", [short(1), short(2), "i-7", "nat-1"]),
        ("Asc", ["nat-1", "i-7", short(2), short(1)]),
    ],
)
def test_savings_after_discounts_have_an_order_of_their_own_over_pages(
    desk: Desk, order: str, expected: list[str]
) -> None:
    reserved = structs.replace(MACHINE, after_discounts=Savings(100.0, 2.0))
    loose = own(2, finding=Finding.UNATTACHED, savings=Savings(100.0, 3.0))
    publish(desk, {"Ec2Instance": [reserved], "EbsVolume": [own(1), loose], "NatGateway": [NAT]})
    asked: dict[str, Any] = {"orderBy": {"dimension": "SavingsValueAfterDiscount", "order": order}}

    first = ask(desk, maxResults=2, **asked)
    second = ask(desk, maxResults=2, nextToken=first["nextToken"], **asked)

    assert ids_of(first) + ids_of(second) == expected
    assert "nextToken" not in second


def test_the_largest_savings_come_first_where_only_the_dimension_is_named(mixed: Desk) -> None:
    assert ids_of(ask(mixed, orderBy={"dimension": "SavingsValue"}))[0] == "i-7"


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("Finding", ["Idle"], ["i-7", short(1)]),
        ("Finding", ["Unattached", "Unused"], ["nat-1", short(2)]),
        ("ResourceType", ["EBSVolume"], [short(1), short(2)]),
        ("ResourceType", ["NatGateway", "EC2Instance"], ["i-7", "nat-1"]),
        ("ResourceType", ["RDSDBInstance"], []),
        ("tag:team", ["data"], ["i-7", short(1), short(2)]),
        ("tag-key", [""], ["nat-1"]),
    ],
)
def test_filters(mixed: Desk, name: str, values: list[str], expected: list[str]) -> None:
    assert ids_of(ask(mixed, filters=[{"name": name, "values": values}])) == expected


def test_every_filter_must_match(mixed: Desk) -> None:
    filters = [
        {"name": "Finding", "values": ["Idle"]},
        {"name": "ResourceType", "values": ["EBSVolume"]},
    ]
    assert ids_of(ask(mixed, filters=filters)) == [short(1)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("Finding", "idle"), ("Finding", "Optimized"), ("ResourceType", "EbsVolume"), ("Idle", "x")],
)
def test_filters_that_are_not_valid_are_refused_by_name(desk: Desk, name: str, value: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=f"{value}|{name}"):
        ask(desk, filters=[{"name": name, "values": [value]}])


def pages(desk: Desk, **request: Any) -> list[list[str]]:
    found, token = [], None
    while True:
        answer = ask(desk, **request, **({"nextToken": token} if token else {}))
        found.append(ids_of(answer))
        token = answer.get("nextToken")
        if token is None:
            return found


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"orderBy": {"dimension": "SavingsValue", "order": "Asc"}},
        {"orderBy": {"order": "Desc"}},
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_pages_hold_everything_once_and_in_order(
    desk: Desk, size: int, asked: dict[str, Any]
) -> None:
    # Three prices for seven volumes: equal ones go on by their ARNs.
    publish(desk, {"EbsVolume": [costing(number, number % 3 / 10) for number in range(7)]})

    found = pages(desk, maxResults=size, **asked)

    assert [len(page) for page in found[:-1]] == [size] * (len(found) - 1)
    assert [one for page in found for one in page] == ids_of(ask(desk, **asked))
    assert len(found) == -(-7 // size)


def test_a_page_has_a_hundred_unless_it_is_asked_for_fewer(desk: Desk) -> None:
    publish(desk, {"EbsVolume": [own(number) for number in range(101)]})

    assert [len(page) for page in pages(desk)] == [100, 1]
    assert [len(page) for page in pages(desk, maxResults=0)] == [100, 1]
    assert [len(page) for page in pages(desk, maxResults=100)] == [100, 1]
    with pytest.raises(InvalidParameterValueException, match="maxResults is 101"):
        ask(desk, maxResults=101)


def test_a_token_pins_its_runs_and_belongs_to_its_request(desk: Desk) -> None:
    publish(desk, {"EbsVolume": [own(1), own(2)]})
    token = ask(desk, maxResults=1)["nextToken"]
    publish(desk, {"EbsVolume": []})

    assert ids_of(ask(desk, nextToken=token)) == [short(2)]
    assert ids_of(ask(desk)) == []
    with pytest.raises(InvalidParameterValueException, match="not valid for this request"):
        ask(desk, nextToken=token, orderBy={"order": "Asc"})
    desk.clock.tick(hours=25)
    with pytest.raises(InvalidParameterValueException, match="expired"):
        ask(desk, nextToken=token)


def test_types_may_have_been_analyzed_by_different_runs(desk: Desk) -> None:
    publish(desk, {"Ec2Instance": [MACHINE]})
    publish(desk, {"EbsVolume": [own(1), own(2)]})

    assert pages(desk, maxResults=1) == [["i-7"], [short(1)], [short(2)]]


def test_each_listed_resource_without_a_recommendation_says_why(mixed: Desk) -> None:
    few = RecommendationError(
        volume_arn(8, MANAGEMENT), "INSUFFICIENT_METRIC_DATA", "Too few samples."
    )
    publish(mixed, {"EbsVolume": [own(1)]}, [few])
    elsewhere = volume_arn(1, MANAGEMENT, "eu-west-1")
    asked = [short(1), few.resource_arn, volume_arn(9, MANAGEMENT), "vol-9", "no name", elsewhere]

    answer = ask(mixed, resourceArns=[*asked, volume_arn(1, ALPHA)])

    assert ids_of(answer) == [short(1)]
    told = {one["identifier"]: (one["code"], one.get("resourceType")) for one in answer["errors"]}
    assert told == {
        few.resource_arn: ("INSUFFICIENT_METRIC_DATA", "EBSVolume"),
        volume_arn(9, MANAGEMENT): ("RECOMMENDATION_NOT_FOUND", "EBSVolume"),
        "vol-9": ("RECOMMENDATION_NOT_FOUND", None),
        "no name": ("INVALID_ARN", None),
        elsewhere: ("CROSS_REGION", "EBSVolume"),
        volume_arn(1, ALPHA): ("ACCESS_DENIED", "EBSVolume"),
    }


def test_what_a_filter_leaves_out_is_no_error(mixed: Desk) -> None:
    filters = [{"name": "Finding", "values": ["Unused"]}]

    assert ask(mixed, resourceArns=[short(1)], filters=filters) == {
        "idleRecommendations": [],
        "errors": [],
    }


def test_too_many_resources_are_refused(desk: Desk) -> None:
    with pytest.raises(InvalidParameterValueException, match="resourceArns lists 1001 resources"):
        ask(desk, resourceArns=[f"vol-{number}" for number in range(1_001)])


def test_an_administrator_reads_a_member_and_nobody_else_does(desk: Desk) -> None:
    theirs = structs.replace(own(1), account_id=ALPHA, resource_arn=volume_arn(1, ALPHA))
    publish(desk, {"EbsVolume": [theirs]}, account=ALPHA)

    assert ids_of(ask(desk, accountIds=[ALPHA])) == [short(1)]
    assert ids_of(ask(desk)) == []
    with pytest.raises(AccessDeniedException):
        ask(desk, ALPHA, accountIds=[MANAGEMENT])
    with pytest.raises(InvalidParameterValueException, match="only one"):
        ask(desk, accountIds=[ALPHA, MANAGEMENT])
    with pytest.raises(OptInRequiredException):
        ask(desk, STRANGER)


def with_table(desk: Desk, *, newer: bool) -> Desk:
    """Publish a volume and a table, and show newer types or not."""
    publish(
        desk,
        {"EbsVolume": [own(1)], "DynamoDBTable": [structs.replace(TABLE, account_id=MANAGEMENT)]},
    )
    desk.newer_idle_types = newer
    return desk


def test_metrics_of_a_table_and_its_indexes_are_told_apart_by_dimensions(desk: Desk) -> None:
    answer = ask(with_table(desk, newer=True), resourceArns=[TABLE.resource_arn, "orders"])

    (found,) = answer["idleRecommendations"]
    # Sums are told by exports only: the API has no other statistic than Maximum.
    assert [
        (one["name"], one["statistic"], one["value"], one["dimensions"])
        for one in found["utilizationMetrics"]
    ] == [
        ("ConsumedReadCapacityUnits", "Maximum", 0.5, [{"key": "TableName", "values": ["o"]}]),
        (
            "ConsumedReadCapacityUnits",
            "Maximum",
            2.0,
            [{"key": "GlobalSecondaryIndexName", "values": ["a", "b"]}],
        ),
    ]
    assert "savingsOpportunity" not in found


def test_newer_types_are_left_out_where_a_setting_says_so(desk: Desk) -> None:
    shown = ids_of(ask(with_table(desk, newer=True)))
    desk.newer_idle_types = False

    assert len(shown) == 2
    assert ids_of(ask(desk)) == [own(1).resource_id]
    of_type = [{"name": "ResourceType", "values": ["DynamoDBTable"]}]
    assert ids_of(ask(desk, filters=of_type)) == []
    (error,) = ask(desk, resourceArns=[f"arn:aws:dynamodb:{REGION}:{MANAGEMENT}:table/t"])["errors"]
    assert "resourceType" not in error


def test_a_page_token_shows_nothing_that_was_left_out_meanwhile(desk: Desk) -> None:
    first = ask(with_table(desk, newer=True), maxResults=1)
    desk.newer_idle_types = False

    second = ask(desk, maxResults=1, nextToken=first["nextToken"])

    assert ids_of(first) + ids_of(second) == ["orders", own(1).resource_id]


@pytest.mark.parametrize("name", ["web-1", "shop/api", "orders_2026.v1"])
def test_ids_of_every_type_are_taken_in_place_of_arns(desk: Desk, name: str) -> None:
    one = own(1, resource_id=name)
    publish(desk, {"EbsVolume": [one]})

    assert ids_of(ask(desk, resourceArns=[name])) == [name]
