"""Every foreign client reads EC2 recommendations: whole, filtered, page by page."""

from collections.abc import Iterator
from typing import Any

import pytest

from compute_optimizer.scenario.organization import MANAGEMENT_ACCOUNT_ID, MEMBER_ACCOUNT_IDS
from tests.clients.conftest import Connector, Service
from tests.clients.foreign import CLIENTS, PROTOCOLS, REGION, Call

pytestmark = pytest.mark.clients

GET = "GetEC2InstanceRecommendations"
SHOP = MEMBER_ACCOUNT_IDS[0]
OVER = {"name": "Finding", "values": ["Overprovisioned"]}


@pytest.fixture(scope="session")
def everything(
    analyzed: Service, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """The recommendations of the first member account, by ARN, read without any client."""
    folder = tmp_path_factory.mktemp("everything")
    with CLIENTS["raw-json"](analyzed.endpoint, analyzed.management, folder) as call:
        answer = call(GET, {"accountIds": [SHOP]})
    return {one["instanceArn"]: one for one in answer.response["instanceRecommendations"]}


def pages(call: Call, request: dict[str, Any], size: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the recommendations page by page."""
    token: dict[str, str] = {}
    while True:
        answer = call(GET, request | {"maxResults": size} | token).response
        yield answer["instanceRecommendations"]
        if "nextToken" not in answer:
            return
        token = {"nextToken": answer["nextToken"]}


def test_recommendations_arrive_whole(
    client: str, analyzed: Service, connect: Connector, everything: dict[str, dict[str, Any]]
) -> None:
    answer = connect(analyzed, analyzed.management)(GET, {"accountIds": [SHOP]})
    found = {one["instanceArn"]: one for one in answer.response["instanceRecommendations"]}

    assert answer.protocol == PROTOCOLS[client]
    assert found.keys() == everything.keys()
    for arn, one in found.items():
        assert one["finding"] == everything[arn]["finding"]
        assert arn == f"arn:aws:ec2:{REGION}:{SHOP}:instance/{arn.rpartition('/')[2]}"
        ranks = [option["rank"] for option in one["recommendationOptions"]]
        assert ranks == list(range(1, len(ranks) + 1))
        savings = [
            option["savingsOpportunity"]["estimatedMonthlySavings"]["value"]
            for option in one["recommendationOptions"]
            if "savingsOpportunity" in option
        ]
        assert savings == sorted(savings, reverse=True)


def test_pages_hold_everything_once(
    client: str, analyzed: Service, connect: Connector, everything: dict[str, dict[str, Any]]
) -> None:
    call = connect(analyzed, analyzed.management)

    read = list(pages(call, {"accountIds": [SHOP]}, size=5))

    assert all(len(page) == 5 for page in read[:-1])
    arns = [one["instanceArn"] for page in read for one in page]
    assert sorted(arns) == sorted(everything)


def test_filters_narrow_the_answer(
    client: str, analyzed: Service, connect: Connector, everything: dict[str, dict[str, Any]]
) -> None:
    call = connect(analyzed, analyzed.management)

    answer = call(GET, {"accountIds": [SHOP], "filters": [OVER]}).response

    found = {one["instanceArn"] for one in answer["instanceRecommendations"]}
    over = {arn for arn, one in everything.items() if one["finding"] == "OVER_PROVISIONED"}
    assert found == over
    assert over < everything.keys(), "the fleet shows nothing if all of it is overprovisioned"
    assert over


def test_instances_can_be_asked_for_by_arn(
    client: str, analyzed: Service, connect: Connector, everything: dict[str, dict[str, Any]]
) -> None:
    call = connect(analyzed, analyzed.management)
    wanted = sorted(everything)[:2]
    missing = f"arn:aws:ec2:{REGION}:{SHOP}:instance/i-00000000000000000"

    answer = call(GET, {"accountIds": [SHOP], "instanceArns": [*wanted, missing]}).response

    assert [one["instanceArn"] for one in answer["instanceRecommendations"]] == wanted
    assert [one["identifier"] for one in answer["errors"]] == [missing]


def test_own_account_is_the_default(client: str, analyzed: Service, connect: Connector) -> None:
    answer = connect(analyzed, analyzed.management)(GET, {}).response

    accounts = {one["accountId"] for one in answer["instanceRecommendations"]}
    assert accounts == {MANAGEMENT_ACCOUNT_ID}


def test_member_sees_only_itself(client: str, analyzed: Service, connect: Connector) -> None:
    answer = connect(analyzed, analyzed.member)(GET, {"accountIds": [MANAGEMENT_ACCOUNT_ID]})

    assert answer.error == "AccessDeniedException"


def test_wrong_filter_is_refused(client: str, analyzed: Service, connect: Connector) -> None:
    wrong = {"name": "Finding", "values": ["overprovisioned"]}

    answer = connect(analyzed, analyzed.management)(GET, {"filters": [wrong]})

    assert answer.error == "InvalidParameterValueException"
