"""Every refusal of a statement, in one table, and what is let through."""

from typing import Any

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.preference_rules import (
    LARGEST_LIST,
    RESOURCE_ARNS,
    RULES,
    check_look_back,
    check_stated,
    look_back_periods,
    members_allowed,
)
from compute_optimizer.model.stated_preferences import (
    FIELDS,
    NOTHING_STATED,
    PreferredResource,
    ScopeName,
    StatedPreferences,
    UtilizationPreference,
)

EC2, ASG, RDS = "Ec2Instance", "AutoScalingGroup", "RdsDBInstance"
ORGANIZATION, ACCOUNT, RESOURCE = ScopeName

CPU = UtilizationPreference("CpuUtilization", "P95", "PERCENT_30")

VALUES: dict[str, Any] = {
    "enhancedInfrastructureMetrics": "Active",
    "inferredWorkloadTypes": "Inactive",
    "externalMetricsPreference": "Dynatrace",
    "lookBackPeriod": "DAYS_32",
    "utilizationPreferences": (CPU,),
    "preferredResources": (PreferredResource("Ec2InstanceTypes", ("m5",)),),
    "savingsEstimationMode": "BeforeDiscounts",
}

PLACES: dict[str, dict[str, set[ScopeName]]] = {
    "enhancedInfrastructureMetrics": {EC2: set(ScopeName), ASG: {RESOURCE}, RDS: set(ScopeName)},
    "inferredWorkloadTypes": {EC2: {ORGANIZATION, ACCOUNT}, ASG: {RESOURCE}},
    "externalMetricsPreference": {EC2: {ORGANIZATION, ACCOUNT}},
    "lookBackPeriod": {
        EC2: set(ScopeName),
        ASG: {RESOURCE},
        RDS: set(ScopeName),
        "EbsVolume": set(ScopeName),
        "EcsService": set(ScopeName),
        "AuroraDBClusterStorage": set(ScopeName),
    },
    "utilizationPreferences": {EC2: set(ScopeName)},
    "preferredResources": {EC2: set(ScopeName), ASG: {RESOURCE}},
    "savingsEstimationMode": {
        one: {ORGANIZATION, ACCOUNT}
        for one in (
            *(EC2, RDS, "EbsVolume", "EcsService", "AuroraDBClusterStorage"),
            *("LambdaFunction", "License", "Idle", "NotApplicable"),
        )
    },
}
"""Where each preference may be stated (the table of the service's documentation)."""

TYPES = sorted({one for places in PLACES.values() for one in places})


def stating(member: str, value: Any) -> StatedPreferences:
    return StatedPreferences(**{FIELDS[member]: value})


@pytest.mark.parametrize("member", FIELDS)
def test_a_preference_is_let_through_at_its_places_only(member: str) -> None:
    allowed = set()
    for resource_type in TYPES:
        for scope in ScopeName:
            try:
                check_stated(resource_type, scope, stating(member, VALUES[member]))
            except InvalidInput as error:
                assert member in str(error)
            else:
                allowed.add((resource_type, scope))

    assert allowed == {(kind, one) for kind, scopes in PLACES[member].items() for one in scopes}


def test_every_preference_has_a_rule() -> None:
    assert set(RULES) == set(FIELDS) == set(PLACES)


def utilization(*entries: UtilizationPreference) -> StatedPreferences:
    return stating("utilizationPreferences", entries)


def preferred(*entries: PreferredResource) -> StatedPreferences:
    return stating("preferredResources", entries)


def types(**lists: tuple[str, ...]) -> PreferredResource:
    return PreferredResource("Ec2InstanceTypes", **lists)


MEMORY_30 = UtilizationPreference("MemoryUtilization", None, "PERCENT_30")


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (NOTHING_STATED, "states no preference"),
        (utilization(), "utilizationPreferences is empty"),
        (utilization(CPU, CPU), "names a metric twice"),
        (utilization(UtilizationPreference("", "P95")), "expected a metricName"),
        (utilization(UtilizationPreference("CpuUtilization")), "a threshold or a headroom"),
        (
            utilization(UtilizationPreference("MemoryUtilization", "P95", "PERCENT_10")),
            "a threshold can be set for CpuUtilization only",
        ),
        (
            utilization(UtilizationPreference("CpuUtilization", "P95", "PERCENT_10")),
            "headroom PERCENT_10, expected PERCENT_30, PERCENT_20, PERCENT_0",
        ),
        (
            utilization(UtilizationPreference("MemoryUtilization", None, "PERCENT_0")),
            "headroom PERCENT_0, expected PERCENT_30, PERCENT_20, PERCENT_10",
        ),
        (preferred(), "preferredResources is empty"),
        (preferred(types(), types()), "has 2 entries"),
        (preferred(PreferredResource("", ("m5",))), "expected the name Ec2InstanceTypes"),
        (preferred(types()), "expected an includeList or an excludeList"),
        (
            preferred(types(include=("m5",) * (LARGEST_LIST + 1))),
            "includeList has 1001 values; at most 1000",
        ),
        (
            preferred(types(exclude=("m5",) * (LARGEST_LIST + 1))),
            "excludeList has 1001 values; at most 1000",
        ),
    ],
)
def test_values_that_are_refused(stated: StatedPreferences, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        check_stated(EC2, ACCOUNT, stated)


@pytest.mark.parametrize(
    "stated",
    [
        utilization(CPU, MEMORY_30),
        utilization(UtilizationPreference("CpuUtilization", None, "PERCENT_0")),
        utilization(UtilizationPreference("CpuUtilization", "P90")),
        preferred(types(include=("m5",) * LARGEST_LIST, exclude=("m5.large",))),
        preferred(types(exclude=("t3",))),
    ],
)
def test_values_that_are_let_through(stated: StatedPreferences) -> None:
    check_stated(EC2, ACCOUNT, stated)


DAYS_93 = StatedPreferences(look_back_period="DAYS_93")
ENHANCED = StatedPreferences(enhanced_infrastructure_metrics="Active")
NOT_ENHANCED = StatedPreferences(enhanced_infrastructure_metrics="Inactive")


@pytest.mark.parametrize(
    ("resource_type", "chain", "message"),
    [
        (EC2, [DAYS_93], "needs enhancedInfrastructureMetrics to be Active"),
        (ASG, [DAYS_93, NOT_ENHANCED, ENHANCED], "to be Active"),
        (RDS, [DAYS_93, NOTHING_STATED], "to be Active"),
        ("EbsVolume", [DAYS_93, ENHANCED], "which EbsVolume does not have"),
    ],
)
def test_93_days_without_enhanced_infrastructure_metrics_are_refused(
    resource_type: str, chain: list[StatedPreferences], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        check_look_back(resource_type, chain)


def test_93_days_are_let_through_where_a_wider_scope_has_enhanced_infrastructure_metrics() -> None:
    check_look_back(EC2, [DAYS_93, NOTHING_STATED, ENHANCED])
    # The scope itself states nothing, so what a wider one states is not its mistake.
    check_look_back(EC2, [NOTHING_STATED, DAYS_93])


ACCOUNT_ID = "222222222222"
NAME = "autoScalingGroupName"


@pytest.mark.parametrize(
    ("resource_type", "arn"),
    [
        (EC2, f"arn:aws:ec2:us-east-1:{ACCOUNT_ID}:instance/i-0"),
        (EC2, f"arn:aws-us-gov:ec2:us-gov-east-1:{ACCOUNT_ID}:instance/i-0"),
        (
            ASG,
            f"arn:aws:autoscaling:eu-west-1:{ACCOUNT_ID}:autoScalingGroup:7f:{NAME}/a/b",
        ),
        ("EbsVolume", f"arn:aws:ec2:us-east-1:{ACCOUNT_ID}:volume/vol-0"),
        ("EcsService", f"arn:aws:ecs:us-east-1:{ACCOUNT_ID}:service/cluster/name"),
        (RDS, f"arn:aws:rds:us-east-1:{ACCOUNT_ID}:db:orders"),
        ("AuroraDBClusterStorage", f"arn:aws:rds:us-east-1:{ACCOUNT_ID}:cluster:orders"),
    ],
)
def test_an_arn_belongs_to_one_resource_type(resource_type: str, arn: str) -> None:
    matching = {kind for kind, pattern in RESOURCE_ARNS.items() if pattern.fullmatch(arn)}

    assert matching == {resource_type}


@pytest.mark.parametrize(
    "name", ["", "i-0 ", "i-\x00", "i-\n", "i-\ud800", "i-é", "i/0", "i:0", "i" * 512]
)
def test_what_no_database_keeps_is_no_arn(name: str) -> None:
    arn = f"arn:aws:ec2:us-east-1:{ACCOUNT_ID}:instance/{name}"

    assert not any(pattern.fullmatch(arn) for pattern in RESOURCE_ARNS.values())


@pytest.mark.parametrize("scope", ScopeName)
@pytest.mark.parametrize("resource_type", TYPES)
def test_what_is_offered_is_what_may_be_stated(resource_type: str, scope: ScopeName) -> None:
    allowed = {one for one, places in PLACES.items() if scope in places.get(resource_type, ())}

    assert set(members_allowed(resource_type, scope)) == allowed


@pytest.mark.parametrize(
    ("resource_type", "periods"),
    [
        ("Ec2Instance", ("DAYS_14", "DAYS_32", "DAYS_93")),
        ("RdsDBInstance", ("DAYS_14", "DAYS_32", "DAYS_93")),
        ("EbsVolume", ("DAYS_14", "DAYS_32")),
    ],
)
def test_93_days_are_offered_where_there_are_enhanced_metrics(
    resource_type: str, periods: tuple[str, ...]
) -> None:
    assert look_back_periods(resource_type) == periods
