"""Recommendations that are answered as a test gave them."""

from typing import Any

import pytest

from compute_optimizer.emulator.fixed_kinds import KINDS
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from compute_optimizer.emulator.state import Account, FixedRecommendations, Instance
from compute_optimizer.errors import InvalidInput
from tests.emulating import START, client_of

EC2 = "GetEC2InstanceRecommendations"
IDLE = "GetIdleRecommendations"


def instance_arn(number: int, account_id: str = "123456789012", region: str = "us-east-1") -> str:
    return f"arn:aws:ec2:{region}:{account_id}:instance/i-{number:017x}"


def instance(number: int, finding: str = "OVER_PROVISIONED", **others: Any) -> dict[str, Any]:
    return {"instanceArn": instance_arn(number), "finding": finding, **others}


def listed(running: Emulator, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client_of(running).get_ec2_instance_recommendations(**request)
    return answer


def arns_of(answer: dict[str, Any]) -> list[str]:
    return [one["instanceArn"] for one in answer["instanceRecommendations"]]


def test_is_answered_as_it_was_given(still: Emulator) -> None:
    given = instance(
        1,
        instanceName="web",
        currentInstanceType="x99.large",
        utilizationMetrics=[{"name": "CPU", "statistic": "MAXIMUM", "value": 3.5}],
        recommendationOptions=[{"instanceType": "x99.small", "rank": 1, "performanceRisk": 2.0}],
        lastRefreshTimestamp=START,
        tags=[{"key": "Team", "value": "shop"}],
    )
    still.put_fixed(EC2, [given])

    answer = listed(still)
    assert answer["instanceRecommendations"] == [{"accountId": "123456789012", **given}]
    assert answer["errors"] == []


@pytest.mark.parametrize(
    ("style", "spelled"), [("wire", "OVER_PROVISIONED"), ("model", "Overprovisioned")]
)
@pytest.mark.parametrize("given", ["OVER_PROVISIONED", "Overprovisioned"])
def test_enums_are_spelled_as_the_service_sends_them(style: str, spelled: str, given: str) -> None:
    with emulator(clock=START, frozen=True, settings={"enum_style": style}) as running:
        running.put_fixed(EC2, [instance(1, given)])

        (found,) = listed(running)["instanceRecommendations"]
        assert found["finding"] == spelled


def test_stands_beside_computed_ones_and_in_the_place_of_that_of_its_resource(
    still: Emulator,
) -> None:
    web, api = still.put(Instance("web"), Instance("api"))
    still.put_fixed(EC2, [{"instanceArn": web, "finding": "UNDER_PROVISIONED"}, instance(1)])

    found = {one["instanceArn"]: one for one in listed(still)["instanceRecommendations"]}
    assert set(found) == {web, api, instance_arn(1)}
    assert found[web]["finding"] == "UNDER_PROVISIONED"
    assert "utilizationMetrics" not in found[web]
    assert "utilizationMetrics" in found[api]


def test_pages_lead_through_fixed_and_computed_ones(still: Emulator) -> None:
    computed = still.put(Instance("web", count=3))
    still.put_fixed(EC2, [instance(number) for number in range(4)])

    pages: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        answer = listed(still, maxResults=2, **token)
        pages.append(arns_of(answer))
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    # Seven of them, two on a page, ordered by ARN.
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    found = [arn for page in pages for arn in page]
    assert found == sorted([*computed, *map(instance_arn, range(4))])


def test_a_token_of_another_request_is_refused(still: Emulator) -> None:
    still.put_fixed(EC2, [instance(number) for number in range(2)])
    client = client_of(still)
    token = client.get_ec2_instance_recommendations(maxResults=1)["nextToken"]

    with pytest.raises(client.exceptions.InvalidParameterValueException, match="nextToken"):
        client.get_ec2_instance_recommendations(
            nextToken=token, filters=[{"name": "Finding", "values": ["Optimized"]}]
        )


def test_listed_arns_choose_and_missing_ones_are_errors(still: Emulator) -> None:
    still.put_fixed(EC2, [instance(1), instance(2)])

    answer = listed(still, instanceArns=[instance_arn(2), instance_arn(3), "nonsense"])
    assert arns_of(answer) == [instance_arn(2)]
    assert {one["identifier"]: one["code"] for one in answer["errors"]} == {
        instance_arn(3): "RECOMMENDATION_NOT_FOUND",
        "nonsense": "INVALID_ARN",
    }


FILTERED = [
    ({"name": "Finding", "values": ["Overprovisioned"]}, [1]),
    ({"name": "Finding", "values": ["OVER_PROVISIONED", "Optimized"]}, [1, 2]),
    ({"name": "FindingReasonCodes", "values": ["CPUOverprovisioned"]}, [1]),
    ({"name": "RecommendationSourceType", "values": ["Ec2Instance"]}, [2]),
    ({"name": "InferredWorkloadTypes", "values": ["Redis", "Nginx"]}, [2]),
    ({"name": "tag:Team", "values": ["shop"]}, [1]),
    ({"name": "tag-key", "values": ["Team"]}, [1]),
    ({"name": "tag-key", "values": [""]}, [2]),
]


@pytest.mark.parametrize(("one", "numbers"), FILTERED)
def test_filters_look_at_what_was_given(
    still: Emulator, one: dict[str, Any], numbers: list[int]
) -> None:
    source = {
        "recommendationSourceArn": instance_arn(2),
        "recommendationSourceType": "Ec2Instance",
    }
    still.put_fixed(
        EC2,
        [
            instance(
                1,
                findingReasonCodes=["CPUOverprovisioned"],
                tags=[{"key": "Team", "value": "shop"}],
            ),
            instance(
                2, "OPTIMIZED", recommendationSources=[source], inferredWorkloadTypes=["Nginx"]
            ),
        ],
    )

    assert arns_of(listed(still, filters=[one])) == [instance_arn(number) for number in numbers]


def test_a_filter_that_answers_do_not_tell_is_refused(still: Emulator) -> None:
    arn = (
        "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:"
        "00000000-0000-4000-8000-000000000000:autoScalingGroupName/front"
    )
    still.put_fixed(
        "GetAutoScalingGroupRecommendations",
        [{"autoScalingGroupArn": arn, "finding": "NOT_OPTIMIZED"}],
    )

    client = client_of(still)
    with pytest.raises(
        client.exceptions.InvalidParameterValueException, match="FindingReasonCodes looks at what"
    ):
        client.get_auto_scaling_group_recommendations(
            filters=[{"name": "FindingReasonCodes", "values": ["CPUOverprovisioned"]}]
        )


def test_the_service_refuses_what_it_always_refuses(still: Emulator) -> None:
    still.put(Account("222222222222", "Inactive"))
    still.put_fixed(EC2, [instance(1)])

    client = client_of(still)
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="not valid"):
        client.get_ec2_instance_recommendations(
            filters=[{"name": "Finding", "values": ["over_provisioned"]}]
        )
    with pytest.raises(client.exceptions.AccessDeniedException):
        client_of(still, "333333333333").get_enrollment_statuses_for_organization()
    other = client_of(still, "222222222222")
    with pytest.raises(other.exceptions.OptInRequiredException):
        other.get_ec2_instance_recommendations()


def test_are_seen_in_their_account_and_region_alone(still: Emulator) -> None:
    arn = instance_arn(1, "222222222222", "eu-west-1")
    still.put_fixed(EC2, [{"instanceArn": arn, "finding": "OPTIMIZED"}])
    still.put(Account("123456789012"))

    there = client_of(still, "222222222222", "eu-west-1").get_ec2_instance_recommendations()
    assert arns_of(there) == [arn]
    assert arns_of(listed(still)) == []


def test_functions_that_are_unavailable_are_told_to_those_who_ask(still: Emulator) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:resize"
    still.put_fixed(
        "GetLambdaFunctionRecommendations",
        [{"functionArn": f"{arn}:$LATEST", "finding": "Unavailable"}],
    )

    client = client_of(still)
    answer = client.get_lambda_function_recommendations()
    assert answer["lambdaFunctionRecommendations"] == []
    assert "errors" not in answer
    wanted = [{"name": "Finding", "values": ["Unavailable"]}]
    answer = client.get_lambda_function_recommendations(functionArns=[arn], filters=wanted)
    assert len(answer["lambdaFunctionRecommendations"]) == 1


def idle(number: int, savings: float) -> dict[str, Any]:
    return {
        "resourceArn": instance_arn(number),
        "resourceId": f"i-{number:017x}",
        "resourceType": "EC2Instance",
        "finding": "Idle",
        "savingsOpportunity": {"estimatedMonthlySavings": {"currency": "USD", "value": savings}},
    }


def test_idle_ones_are_ordered_by_savings_with_computed_ones_across_pages(
    still: Emulator,
) -> None:
    (computed,) = still.put(Instance("idle", "m5.large", load="idle"))
    still.put_fixed(IDLE, [idle(1, 5.0), idle(2, 1000.0), idle(3, 1.0)])
    client = client_of(still)

    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        order = {"dimension": "SavingsValue", "order": "Desc"}
        answer = client.get_idle_recommendations(orderBy=order, maxResults=1, **token)
        found += [one["resourceArn"] for one in answer["idleRecommendations"]]
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    # A m5.large costs 70 USD a month, all of which is saved.
    assert found == [instance_arn(2), computed, instance_arn(1), instance_arn(3)]


def test_idle_ones_are_found_by_their_id(still: Emulator) -> None:
    still.put_fixed(IDLE, [idle(1, 5.0), idle(2, 6.0)])

    answer = client_of(still).get_idle_recommendations(resourceArns=[f"i-{2:017x}"])
    assert [one["resourceArn"] for one in answer["idleRecommendations"]] == [instance_arn(2)]
    assert answer["errors"] == []


def test_of_one_resource_the_last_stands_until_all_are_forgotten(still: Emulator) -> None:
    still.put_fixed(EC2, [instance(1, "OPTIMIZED"), instance(2)])
    still.put_fixed(EC2, [instance(1, "UNDER_PROVISIONED")])
    answer = listed(still)
    assert [one["finding"] for one in answer["instanceRecommendations"]] == [
        "UNDER_PROVISIONED",
        "OVER_PROVISIONED",
    ]

    still.fixed.clear()
    assert arns_of(listed(still)) == []


def test_stand_in_yaml_as_well() -> None:
    text = f"""
    recommendations:
      - operation: {EC2}
        recommendations:
          - instanceArn: {instance_arn(1)}
            finding: OPTIMIZED
            lastRefreshTimestamp: 2026-03-01T00:00:00Z
    """
    with emulator(clock=START, frozen=True, state=text) as running:
        assert arns_of(listed(running)) == [instance_arn(1)]


OPTIONS = "instanceRecommendations[0].recommendationOptions[1]"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"findin": "OPTIMIZED"}, "instanceRecommendations[0].findin: no such member"),
        (
            {"recommendationOptions": [{}, {"instnceType": "m5.large"}]},
            f"{OPTIONS}.instnceType: no such member; expected one of instanceType",
        ),
        (
            {"recommendationOptions": [{}, {"rank": "first"}]},
            f"{OPTIONS}.rank: expected an integer, got 'first'",
        ),
        (
            {"finding": "over"},
            "instanceRecommendations[0].finding: expected one of Underprovisioned",
        ),
        (
            {"lastRefreshTimestamp": "yesterday"},
            "instanceRecommendations[0].lastRefreshTimestamp: expected a moment, got 'yesterday'",
        ),
        (
            {"lastRefreshTimestamp": START.replace(tzinfo=None)},
            "lastRefreshTimestamp: expected a moment with its time zone",
        ),
        ({"tags": {"Team": "shop"}}, "instanceRecommendations[0].tags: expected a list"),
        ({"accountId": "222222222222"}, "accountId is 222222222222, but the ARN"),
        ({"instanceArn": "i-1"}, "instanceRecommendations[0].instanceArn: expected the ARN"),
        ({"instanceArn": None}, "instanceRecommendations[0].instanceArn: expected the ARN"),
    ],
)
def test_refuses_what_the_service_could_not_send_and_names_its_place(
    still: Emulator, given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        still.put_fixed(EC2, [{**instance(1), **given}])

    assert f"{EC2}: {problem}" in str(refused.value) or problem in str(refused.value)


def test_refuses_an_operation_that_lists_no_recommendations(still: Emulator) -> None:
    with pytest.raises(InvalidInput, match=r"GetEC2Instances.* expected one of GetEC2I"):
        still.put(FixedRecommendations("GetEC2Instances", []))


def test_refuses_one_resource_twice_and_another_account(still: Emulator) -> None:
    with pytest.raises(InvalidInput, match="given twice"):
        still.put_fixed(EC2, [instance(1), instance(1)])
    with pytest.raises(InvalidInput, match="account_id is 222222222222, but the ARN"):
        still.put_fixed(EC2, [instance(1)], account_id="222222222222")


@pytest.mark.parametrize("operation", KINDS)
def test_every_kind_names_members_of_the_model(operation: str) -> None:
    from compute_optimizer.shapes.model import service_model

    kind, model = KINDS[operation], service_model().operation_model(operation)
    shape = model.output_shape.members[kind.answer].member
    assert kind.arns in model.input_shape.members
    assert kind.arn in shape.members
    assert set(kind.paths) <= set(kind.rules)
    for path in kind.paths.values():
        found = shape
        for member in path:
            found = (found.member if found.type_name == "list" else found).members[member]
