"""The four operations on recommendation preferences: scopes, refusals, pages."""

from dataclasses import replace
from typing import Any

import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.described_types import described
from compute_optimizer.operations import preferences as operations
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    OptInRequiredException,
    ResourceNotFoundException,
)
from compute_optimizer.store.described_types import keep_types
from compute_optimizer.store.inventory import upsert_resources
from tests.enrolling import ALPHA, BETA, MANAGEMENT, STRANGER, Desk
from tests.new_types import description
from tests.records import REGION, arn
from tests.stored_fleets import LAST_DAY, machine

EC2, ASG = "Ec2Instance", "AutoScalingGroup"
GROUP = f"arn:aws:autoscaling:{REGION}:{ALPHA}:autoScalingGroup:1:autoScalingGroupName/web"
ALONE, MEMBER = arn(1, ALPHA), arn(2, ALPHA)

ORGANIZATION = {"name": "Organization", "value": "ALL_ACCOUNTS"}

CPU = {
    "metricName": "CpuUtilization",
    "metricParameters": {"threshold": "P95", "headroom": "PERCENT_30"},
}
MEMORY = {"metricName": "MemoryUtilization", "metricParameters": {"headroom": "PERCENT_10"}}

DEFAULTS = {
    "enhancedInfrastructureMetrics": "Inactive",
    "lookBackPeriod": "DAYS_14",
    "utilizationPreferences": [
        {
            "metricName": "CpuUtilization",
            "metricParameters": {"threshold": "P99_5", "headroom": "PERCENT_20"},
        },
        {"metricName": "MemoryUtilization", "metricParameters": {"headroom": "PERCENT_20"}},
    ],
}


@pytest.fixture
def desk(enrolled: Desk) -> Desk:
    """An organization of which every account is Active; ALPHA has an instance and a group."""
    member = replace(machine(2, ALPHA), auto_scaling_group_arn=GROUP)
    with enrolled.state.writing() as connection:
        upsert_resources(connection, [machine(1, ALPHA), member])
    return enrolled


def of_account(account: str) -> dict[str, str]:
    return {"name": "AccountId", "value": account}


def of_resource(value: str) -> dict[str, str]:
    return {"name": "ResourceArn", "value": value}


def put(desk: Desk, account: str = ALPHA, kind: str = EC2, **request: Any) -> None:
    answer = desk.call("PutRecommendationPreferences", account, resourceType=kind, **request)
    assert answer == {}


def delete(desk: Desk, *names: str, account: str = ALPHA, kind: str = EC2, **request: Any) -> None:
    given = {"resourceType": kind, "recommendationPreferenceNames": list(names), **request}
    assert desk.call("DeleteRecommendationPreferences", account, **given) == {}


def details(desk: Desk, account: str = ALPHA, kind: str = EC2, **request: Any) -> list[Any]:
    answer = desk.call("GetRecommendationPreferences", account, resourceType=kind, **request)
    assert "nextToken" not in answer
    found: list[Any] = answer["recommendationPreferencesDetails"]
    return found


def in_force(desk: Desk, resource: str = ALONE, account: str = ALPHA) -> dict[str, Any]:
    return desk.call("GetEffectiveRecommendationPreferences", account, resourceArn=resource)


# Put and get


def test_without_any_preference_nothing_is_listed_and_the_defaults_are_in_force(desk: Desk) -> None:
    assert details(desk) == []
    assert in_force(desk) == in_force(desk, GROUP) == DEFAULTS


def test_every_preference_is_kept_and_listed(desk: Desk) -> None:
    stated: dict[str, Any] = {
        "enhancedInfrastructureMetrics": "Active",
        "inferredWorkloadTypes": "Inactive",
        "externalMetricsPreference": {"source": "NewRelic"},
        "lookBackPeriod": "DAYS_93",
        "utilizationPreferences": [CPU, MEMORY],
        "savingsEstimationMode": "BeforeDiscounts",
    }
    lists = {"name": "Ec2InstanceTypes", "includeList": ["M5.*"], "excludeList": ["m5.*xlarge"]}

    put(desk, preferredResources=[lists], **stated)

    (found,) = details(desk)
    # Of the family m5 what is not named anything with xlarge, which metal is not.
    expected = ["m5.large", "m5.metal"]
    assert sorted(found["preferredResources"][0].pop("effectiveIncludeList")) == expected
    assert found == {
        "scope": of_account(ALPHA),
        "resourceType": EC2,
        "preferredResources": [lists],
        **stated,
    }


@pytest.mark.parametrize("scope", [{}, {"name": "AccountId"}, {"value": ALPHA}])
def test_a_scope_without_name_or_value_is_refused_also_of_a_list(
    desk: Desk, scope: dict[str, str]
) -> None:
    # Taken for none, it would list every scope that the caller sees.
    with pytest.raises(InvalidParameterValueException, match=r"scope has no .* or no scope at all"):
        details(desk, scope=scope)


def test_described_types_are_among_those_that_a_list_leaves(desk: Desk) -> None:
    new = described(description("m20i.xlarge", "m8i.xlarge"), REGION, LAST_DAY)
    with desk.state.writing() as connection:
        keep_types(connection, [new])
    lists = {"name": "Ec2InstanceTypes", "includeList": ["m20i", "m5.large"]}

    put(desk, preferredResources=[lists])

    left = ["m20i.xlarge", "m5.large"]
    assert details(desk)[0]["preferredResources"][0]["effectiveIncludeList"] == left
    assert in_force(desk)["preferredResources"][0]["effectiveIncludeList"] == left


def test_a_put_changes_only_what_it_supplies(desk: Desk) -> None:
    put(desk, lookBackPeriod="DAYS_32", utilizationPreferences=[CPU])
    put(desk, utilizationPreferences=[MEMORY], inferredWorkloadTypes="Active")

    assert details(desk) == [
        {
            "scope": of_account(ALPHA),
            "resourceType": EC2,
            "lookBackPeriod": "DAYS_32",
            "utilizationPreferences": [MEMORY],
            "inferredWorkloadTypes": "Active",
        }
    ]


def test_the_same_scope_named_or_left_out_is_one(desk: Desk) -> None:
    put(desk, scope=of_account(ALPHA), lookBackPeriod="DAYS_32")
    put(desk, lookBackPeriod="DAYS_14")

    assert [one["lookBackPeriod"] for one in details(desk)] == ["DAYS_14"]
    assert details(desk, scope=of_account(ALPHA)) == details(desk)


def test_preferences_are_of_one_region(desk: Desk) -> None:
    put(desk, lookBackPeriod="DAYS_32")
    elsewhere = desk.context(ALPHA, "eu-west-1")

    answer = operations.get_recommendation_preferences(elsewhere, {"resourceType": EC2})

    assert answer == {"recommendationPreferencesDetails": []}


def test_an_excluded_family_leaves_the_other_types_in_effect(desk: Desk) -> None:
    put(desk, preferredResources=[{"name": "Ec2InstanceTypes", "excludeList": ["t3"]}])

    (found,) = in_force(desk)["preferredResources"]

    names = load_instance_types().names
    assert set(found["effectiveIncludeList"]) == {n for n in names if not n.startswith("t3.")}
    assert "includeList" not in found


def test_preferences_of_types_that_are_not_analyzed_are_kept(desk: Desk) -> None:
    volume = f"arn:aws:ec2:{REGION}:{ALPHA}:volume/vol-1"
    put(desk, kind="EbsVolume", scope=of_resource(volume), lookBackPeriod="DAYS_32")
    put(desk, kind="RdsDBInstance", enhancedInfrastructureMetrics="Active")

    assert [one["scope"]["value"] for one in details(desk, kind="EbsVolume")] == [volume]
    assert [one["resourceType"] for one in details(desk, kind="RdsDBInstance")] == ["RdsDBInstance"]


# Refusals


def test_values_are_checked_before_anything_is_kept(desk: Desk) -> None:
    with pytest.raises(InvalidParameterValueException, match="a threshold can be set for Cpu"):
        put(
            desk,
            lookBackPeriod="DAYS_32",
            utilizationPreferences=[
                {"metricName": "MemoryUtilization", "metricParameters": {"threshold": "P90"}}
            ],
        )

    assert details(desk) == []


def types(**lists: list[str]) -> list[dict[str, Any]]:
    return [{"name": "Ec2InstanceTypes", **lists}]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "states no preference"),
        ({"scope": {"value": ALPHA}, "lookBackPeriod": "DAYS_32"}, "scope has no name"),
        ({"scope": {"name": "AccountId"}, "lookBackPeriod": "DAYS_32"}, "scope has no value"),
        ({"scope": of_account("12"), "lookBackPeriod": "DAYS_32"}, "expected twelve digits"),
        (
            {"scope": {"name": "Organization", "value": ALPHA}, "lookBackPeriod": "DAYS_32"},
            "expected ALL_ACCOUNTS",
        ),
        ({"scope": of_resource(GROUP), "lookBackPeriod": "DAYS_32"}, "not the ARN of a resource"),
        ({"scope": of_resource("i-1"), "lookBackPeriod": "DAYS_32"}, "not the ARN of a resource"),
        (
            {"scope": of_resource(arn(1, ALPHA, "eu-west-1")), "lookBackPeriod": "DAYS_32"},
            "not in the Region",
        ),
        ({"scope": of_resource(MEMBER), "lookBackPeriod": "DAYS_32"}, "belongs to an Auto Scaling"),
        ({"kind": ASG, "lookBackPeriod": "DAYS_32"}, "can't be set at the scope AccountId"),
        ({"kind": ASG, "scope": of_resource(ALONE), "lookBackPeriod": "DAYS_32"}, "not the ARN"),
        (
            {"kind": "License", "scope": of_resource("x"), "savingsEstimationMode": "Before"},
            "no preferences of single resources",
        ),
        ({"kind": "EcsService", "preferredResources": types(includeList=["m5"])}, "EcsService"),
        ({"externalMetricsPreference": {}}, "has no source"),
        ({"lookBackPeriod": "DAYS_93"}, "needs enhancedInfrastructureMetrics"),
        ({"utilizationPreferences": []}, "utilizationPreferences is empty"),
        ({"utilizationPreferences": [{}]}, "expected a metricName"),
        ({"preferredResources": []}, "preferredResources is empty"),
        ({"preferredResources": [{"includeList": ["m5"]}]}, "expected the name Ec2InstanceTypes"),
        ({"preferredResources": types()}, "expected an includeList or an excludeList"),
        ({"preferredResources": types(includeList=["m55"])}, "no instance type matches 'm55'"),
        (
            {"preferredResources": types(includeList=["m5.large"], excludeList=["m5"])},
            "leaves no instance type",
        ),
    ],
)
def test_what_put_refuses(desk: Desk, request_: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=message):
        put(desk, **request_)


def test_an_instance_has_to_be_known(desk: Desk) -> None:
    with pytest.raises(ResourceNotFoundException, match="not known"):
        put(desk, scope=of_resource(arn(7, ALPHA)), lookBackPeriod="DAYS_32")
    with pytest.raises(ResourceNotFoundException, match="not known"):
        in_force(desk, arn(7, ALPHA))


@pytest.mark.parametrize(
    "resource", ["i-1", f"arn:aws:ec2:{REGION}:{ALPHA}:volume/vol-1", arn(1, ALPHA, "eu-west-1")]
)
def test_only_instances_and_groups_of_the_region_have_effective_preferences(
    desk: Desk, resource: str
) -> None:
    with pytest.raises(InvalidParameterValueException):
        in_force(desk, resource)


def test_93_days_and_enhanced_infrastructure_metrics_stand_and_fall_together(desk: Desk) -> None:
    put(desk, MANAGEMENT, scope=ORGANIZATION, enhancedInfrastructureMetrics="Active")
    put(desk, lookBackPeriod="DAYS_93")
    assert in_force(desk)["lookBackPeriod"] == "DAYS_93"

    with pytest.raises(InvalidParameterValueException, match="set or remove both together"):
        put(desk, enhancedInfrastructureMetrics="Inactive")
    put(desk, enhancedInfrastructureMetrics="Inactive", lookBackPeriod="DAYS_32")

    assert in_force(desk)["lookBackPeriod"] == "DAYS_32"
    put(desk, enhancedInfrastructureMetrics="Active", lookBackPeriod="DAYS_93")
    delete(desk, "EnhancedInfrastructureMetrics", account=MANAGEMENT, scope=ORGANIZATION)
    with pytest.raises(InvalidParameterValueException, match="set or remove both together"):
        delete(desk, "EnhancedInfrastructureMetrics")
    delete(desk, "EnhancedInfrastructureMetrics", "LookBackPeriodPreference")
    assert details(desk) == []


# Who


@pytest.mark.parametrize("account", [BETA, STRANGER])
def test_an_account_that_is_not_opted_in_uses_no_preferences(desk: Desk, account: str) -> None:
    desk.opt_out(BETA)
    for call in (
        lambda: put(desk, account, lookBackPeriod="DAYS_32"),
        lambda: delete(desk, "LookBackPeriodPreference", account=account),
        lambda: details(desk, account),
        lambda: in_force(desk, arn(1, account), account),
    ):
        with pytest.raises(OptInRequiredException):
            call()


@pytest.mark.parametrize("administrator", [MANAGEMENT, BETA])
def test_administrators_use_every_scope_of_their_organization(
    desk: Desk, administrator: str
) -> None:
    desk.delegate(BETA)
    scopes = (ORGANIZATION, of_account(ALPHA), of_account(administrator), of_resource(ALONE))

    for scope in scopes:
        put(desk, administrator, scope=scope, lookBackPeriod="DAYS_32")
        assert [one["scope"] for one in details(desk, administrator, scope=scope)] == [scope]
    put(desk, administrator, ASG, scope=of_resource(GROUP), lookBackPeriod="DAYS_32")

    assert len(details(desk, administrator)) == len(scopes)
    assert in_force(desk, ALONE, administrator)["lookBackPeriod"] == "DAYS_32"
    for scope in scopes:
        delete(desk, "LookBackPeriodPreference", account=administrator, scope=scope)
    assert details(desk, administrator) == []


@pytest.mark.parametrize(
    "scope", [ORGANIZATION, of_account(MANAGEMENT), of_account(BETA), of_resource(arn(1, BETA))]
)
def test_a_member_uses_its_own_scopes_only(desk: Desk, scope: dict[str, str]) -> None:
    for call in (
        lambda: put(desk, scope=scope, lookBackPeriod="DAYS_32"),
        lambda: delete(desk, "LookBackPeriodPreference", scope=scope),
        lambda: details(desk, scope=scope),
    ):
        with pytest.raises(AccessDeniedException, match=f"{ALPHA} is not authorized to use"):
            call()
    with pytest.raises(AccessDeniedException):
        in_force(desk, arn(1, BETA))


def test_without_trusted_access_administrators_use_their_own_account_only(desk: Desk) -> None:
    put(desk, MANAGEMENT, scope=of_account(ALPHA), lookBackPeriod="DAYS_32")
    desk.trusted_access(False)

    assert details(desk, MANAGEMENT) == []
    for scope in (ORGANIZATION, of_account(ALPHA)):
        with pytest.raises(AccessDeniedException):
            put(desk, MANAGEMENT, scope=scope, lookBackPeriod="DAYS_32")
    put(desk, MANAGEMENT, lookBackPeriod="DAYS_32")


def test_a_member_that_opted_out_cannot_be_reached(desk: Desk) -> None:
    desk.opt_out(ALPHA)

    with pytest.raises(OptInRequiredException):
        put(desk, MANAGEMENT, scope=of_account(ALPHA), lookBackPeriod="DAYS_32")


def test_opting_out_keeps_the_preferences(desk: Desk) -> None:
    put(desk, lookBackPeriod="DAYS_32")
    desk.opt_out(ALPHA)
    desk.opt_in(ALPHA)

    assert [one["lookBackPeriod"] for one in details(desk)] == ["DAYS_32"]


def test_only_administrators_and_accounts_of_their_own_estimate_after_discounts(desk: Desk) -> None:
    put(desk, savingsEstimationMode="BeforeDiscounts")
    with pytest.raises(AccessDeniedException, match="savingsEstimationMode"):
        put(desk, savingsEstimationMode="AfterDiscounts")

    put(desk, MANAGEMENT, scope=of_account(ALPHA), savingsEstimationMode="AfterDiscounts")
    desk.opt_in(STRANGER)
    put(desk, STRANGER, savingsEstimationMode="AfterDiscounts")

    assert [one["savingsEstimationMode"] for one in details(desk)] == ["AfterDiscounts"]


# In force


def test_every_scope_takes_part_in_what_is_in_force(desk: Desk) -> None:
    put(
        desk, MANAGEMENT, scope=ORGANIZATION, lookBackPeriod="DAYS_32", utilizationPreferences=[CPU]
    )
    put(desk, utilizationPreferences=[MEMORY], externalMetricsPreference={"source": "Instana"})
    put(desk, scope=of_resource(ALONE), lookBackPeriod="DAYS_14")
    put(desk, kind=ASG, scope=of_resource(GROUP), enhancedInfrastructureMetrics="Active")

    cpu, _ = DEFAULTS["utilizationPreferences"]
    common = {**DEFAULTS, "utilizationPreferences": [cpu, MEMORY]}
    assert in_force(desk) == common | {"externalMetricsPreference": {"source": "Instana"}}
    # The group has the account's utilization and the organization's period, and takes no external
    # metrics in.
    group = common | {"enhancedInfrastructureMetrics": "Active", "lookBackPeriod": "DAYS_32"}
    assert in_force(desk, MEMBER) == in_force(desk, GROUP) == group


# Delete


def test_what_is_deleted_falls_back_to_the_wider_scope(desk: Desk) -> None:
    put(desk, MANAGEMENT, scope=ORGANIZATION, lookBackPeriod="DAYS_32")
    put(desk, lookBackPeriod="DAYS_14", inferredWorkloadTypes="Inactive")

    delete(desk, "LookBackPeriodPreference", "UtilizationPreferences")

    assert in_force(desk)["lookBackPeriod"] == "DAYS_32"
    (left,) = details(desk)
    assert left.keys() == {"scope", "resourceType", "inferredWorkloadTypes"}


def test_deleting_what_is_not_there_is_not_found(desk: Desk) -> None:
    put(desk, lookBackPeriod="DAYS_32")

    with pytest.raises(ResourceNotFoundException, match="no preference UtilizationPreferences"):
        delete(desk, "UtilizationPreferences")
    with pytest.raises(ResourceNotFoundException):
        delete(desk, "LookBackPeriodPreference", scope=of_resource(ALONE))


def test_deleting_nothing_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidParameterValueException, match="recommendationPreferenceNames"):
        delete(desk)


# Pages


def test_pages_hold_every_scope_once(desk: Desk) -> None:
    with desk.state.writing() as connection:
        upsert_resources(connection, [machine(number, ALPHA) for number in range(10, 14)])
    scopes = [of_account(ALPHA), *(of_resource(arn(number, ALPHA)) for number in range(10, 14))]
    for scope in scopes:
        put(desk, scope=scope, lookBackPeriod="DAYS_32")
    request: dict[str, Any] = {"resourceType": EC2, "maxResults": 2}

    pages: list[list[dict[str, str]]] = []
    while True:
        answer = desk.call("GetRecommendationPreferences", ALPHA, **request)
        pages.append([one["scope"] for one in answer["recommendationPreferencesDetails"]])
        if "nextToken" not in answer:
            break
        request["nextToken"] = answer["nextToken"]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [scope for page in pages for scope in page] == scopes
    with pytest.raises(InvalidParameterValueException, match="nextToken"):
        desk.call("GetRecommendationPreferences", ALPHA, **request | {"resourceType": ASG})


def test_zero_results_mean_the_default_page(desk: Desk) -> None:
    put(desk, lookBackPeriod="DAYS_32")

    assert len(details(desk, maxResults=0)) == 1
