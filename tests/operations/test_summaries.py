"""GetRecommendationSummaries over stored runs: counts and savings by resource type."""

from collections.abc import Sequence
from typing import Any, get_args

import pytest
from msgspec import structs

from compute_optimizer.model.recommendation import (
    HOURS_PER_MONTH,
    Finding,
    IdleRecommendation,
    PerformanceRisk,
    Recommendation,
    Savings,
)
from compute_optimizer.model.resource import NEWER_IDLE_TYPES
from compute_optimizer.model.tally import Tally, Topic
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    OptInRequiredException,
    RecommendationSourceType,
)
from compute_optimizer.store.analysis_runs import Scope, begin_run, complete_run, write_result
from compute_optimizer.views.summaries import tallies_of
from tests.databases import (
    BYTES_USED,
    GIB,
    MEMORY_USED,
    READ_IOPS,
    READ_IOS,
    WRITE_IOS,
    cluster,
    database,
    recommended_database,
)
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk
from tests.fleets import CPU
from tests.groups import group_option, group_recommendation
from tests.idleness import TABLE, idle_recommendation
from tests.records import REGION, arn, option, recommendation
from tests.volumes import volume_arn, volume_recommendation

Shard = tuple[str, Sequence[Recommendation], Sequence[IdleRecommendation]]


def publish(desk: Desk, *shards: Shard, account: str = MANAGEMENT) -> None:
    now = desk.clock.now()
    with desk.state.writing() as connection:
        run_id = begin_run(connection, now, now)
        for name, found, idle in shards:
            scope = Scope(account, REGION, name)
            write_result(connection, run_id, scope, found, [], idle=idle, now=now)
        scopes = {Scope(account, REGION, name) for name, _, _ in shards}
        complete_run(connection, run_id, scopes, now)


def ask(desk: Desk, account: str = MANAGEMENT, **request: Any) -> dict[str, Any]:
    return desk.call("GetRecommendationSummaries", account, **request)


def summary(desk: Desk, name: str = "Ec2Instance") -> dict[str, Any]:
    (found,) = (
        one
        for one in ask(desk)["recommendationSummaries"]
        if one["recommendationResourceType"] == name
    )
    return dict(found)


def saved(opportunity: dict[str, Any]) -> float:
    return float(opportunity["estimatedMonthlySavings"]["value"])


def counts(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    return {one["name"]: one["value"] for one in rows}


def machine(number: int, usd: float = 10.0, **changes: Any) -> Recommendation:
    """Return a machine of 100 USD a month whose first option saves so much."""
    options = (option("t3.large", usd),)
    return recommendation(
        number,
        account_id=MANAGEMENT,
        options=options,
        current_hourly_usd=100.0 / HOURS_PER_MONTH,
        **changes,
    )


def idle_machine(number: int, usd: float) -> IdleRecommendation:
    return idle_recommendation(
        number,
        account_id=MANAGEMENT,
        resource_arn=arn(number, MANAGEMENT),
        idle_type="EC2Instance",
        savings=Savings(100.0, usd),
    )


@pytest.fixture
def desk(enrolled: Desk) -> Desk:
    """An organization of which every account is Active."""
    return enrolled


def test_before_the_first_analysis_every_type_is_there_with_zeros(desk: Desk) -> None:
    found = ask(desk)["recommendationSummaries"]

    names = [one["recommendationResourceType"] for one in found]
    assert names == list(get_args(RecommendationSourceType))
    nothing = {
        "savingsOpportunityPercentage": 0.0,
        "estimatedMonthlySavings": {"currency": "USD", "value": 0.0},
    }
    assert found[0] == {
        "summaries": [
            {"name": "OPTIMIZED", "value": 0.0},
            {"name": "UNDER_PROVISIONED", "value": 0.0},
            {"name": "OVER_PROVISIONED", "value": 0.0},
        ],
        "idleSummaries": [{"name": "Idle", "value": 0.0}],
        "recommendationResourceType": "Ec2Instance",
        "accountId": MANAGEMENT,
        "savingsOpportunity": nothing,
        "idleSavingsOpportunity": nothing,
        "aggregatedSavingsOpportunity": nothing,
        "currentPerformanceRiskRatings": {"high": 0, "medium": 0, "low": 0, "veryLow": 0},
        "inferredWorkloadSavings": [],
    }


def test_findings_are_counted_as_doubles_in_the_spelling_of_their_type(desk: Desk) -> None:
    fine = [machine(number, finding=Finding.OPTIMIZED) for number in (3, 4, 5)]
    disks = [volume_recommendation(number, account_id=MANAGEMENT) for number in range(2)]
    publish(desk, ("Ec2Instance", [machine(1), machine(2), *fine], []), ("EbsVolume", disks, []))

    of_machines, of_disks = summary(desk)["summaries"], summary(desk, "EbsVolume")["summaries"]

    assert counts(of_machines) == {"OPTIMIZED": 3, "UNDER_PROVISIONED": 0, "OVER_PROVISIONED": 2}
    assert all(type(one["value"]) is float for one in of_machines)
    assert counts(of_disks) == {"Optimized": 0, "NotOptimized": 2}


def test_shards_of_a_run_add_up_and_former_runs_do_not_count(desk: Desk) -> None:
    publish(desk, ("Ec2Instance", [machine(1)], []))
    publish(desk, ("Ec2Instance", [machine(1), machine(2)], []), ("Ec2Instance", [machine(3)], []))

    found = summary(desk)

    assert counts(found["summaries"])["OVER_PROVISIONED"] == 3
    assert saved(found["savingsOpportunity"]) == 30.0


def test_savings_are_those_of_what_counts_of_the_price_of_all(desk: Desk) -> None:
    # 10 + 30 of two times 100 and of an optimized machine's 100 USD: 13.33 %.
    fine = machine(3, 50.0, finding=Finding.OPTIMIZED)
    publish(desk, ("Ec2Instance", [machine(1, 10.0), machine(2, 30.0), fine], []))

    found = summary(desk)["savingsOpportunity"]

    assert saved(found) == 40.0
    assert found["savingsOpportunityPercentage"] == pytest.approx(40 / 3)


def test_groups_cost_what_their_machines_do_and_members_that_follow_are_not_counted(
    desk: Desk,
) -> None:
    # Two machines of 100 USD, of which 40 are saved: 20 %. The two members would cost them again.
    group = group_recommendation(
        account_id=MANAGEMENT,
        current_hourly_usd=100.0 / HOURS_PER_MONTH,
        options=(group_option("m5.large", 40.0),),
    )
    members = [machine(number, follows_group=True) for number in (1, 2)]
    publish(desk, ("AutoScalingGroup", [group], []), ("Ec2Instance", [*members, machine(3)], []))

    of_groups = summary(desk, "AutoScalingGroup")["savingsOpportunity"]
    of_machines = summary(desk)["savingsOpportunity"]

    assert (saved(of_groups), saved(of_machines)) == (40.0, 10.0)
    assert of_groups["savingsOpportunityPercentage"] == pytest.approx(20.0)
    assert of_machines["savingsOpportunityPercentage"] == pytest.approx(10.0)


def test_a_member_of_a_group_that_is_idle_itself_costs_what_deletion_saves(desk: Desk) -> None:
    publish(desk, ("Ec2Instance", [machine(1, follows_group=True)], [idle_machine(1, 100.0)]))

    found = summary(desk)["aggregatedSavingsOpportunity"]

    assert saved(found) == 100.0
    assert found["savingsOpportunityPercentage"] == pytest.approx(100.0)


def test_class_storage_and_clusters_are_counted_in_entries_of_their_own(desk: Desk) -> None:
    series = {CPU: 10.0, MEMORY_USED: 20.0, READ_IOPS: 100.0}
    machines = recommended_database(database(1, "db.m5.2xlarge"), series)
    # Reads by the thousand a second make I/O the larger part of the bill.
    aurora = recommended_database(
        cluster("shop"), {READ_IOS: 3e6, WRITE_IOS: 1e5, BYTES_USED: 100 * GIB}
    )
    assert aurora.cluster_costs is not None
    (first, *_) = aurora.storage_options
    assert first.savings is not None
    found = [structs.replace(one, account_id=MANAGEMENT) for one in (machines, aurora)]
    # Deletion saves class and storage: more than another class does.
    idle = structs.replace(
        idle_machine(1, 510.82), idle_type="RDSDBInstance", resource_arn=machines.resource_arn
    )
    publish(desk, ("RdsDBInstance", found, [idle]))

    by_entry = {
        name: summary(desk, name)
        for name in ("RdsDBInstance", "RdsDBInstanceStorage", "AuroraDBClusterStorage")
    }

    assert {
        name: {each: count for each, count in counts(one["summaries"]).items() if count}
        for name, one in by_entry.items()
    } == {
        "RdsDBInstance": {"Overprovisioned": 1},
        "RdsDBInstanceStorage": {"Optimized": 1},
        "AuroraDBClusterStorage": {"NotOptimized": 1},
    }
    instances, disks, clusters = by_entry.values()
    # db.m5.2xlarge at 0.684 and db.t3.2xlarge at 0.544 USD an hour, of all that deletion saves.
    assert saved(instances["savingsOpportunity"]) == pytest.approx(102.2)
    share = instances["savingsOpportunity"]["savingsOpportunityPercentage"]
    assert share == pytest.approx(102.2 / 510.82 * 100)
    assert saved(instances["idleSavingsOpportunity"]) == 510.82
    assert saved(instances["aggregatedSavingsOpportunity"]) == 510.82
    assert saved(disks["aggregatedSavingsOpportunity"]) == 0.0
    assert saved(clusters["savingsOpportunity"]) == pytest.approx(first.savings.monthly_usd)
    # The instances of a cluster cost as instances.
    cost = aurora.cluster_costs.storage + aurora.cluster_costs.io
    share = clusters["savingsOpportunity"]["savingsOpportunityPercentage"]
    assert share == pytest.approx(first.savings.monthly_usd / cost * 100)


def test_databases_of_a_run_without_parts_are_told_together() -> None:
    counted = {"RdsDBInstance": (Tally(Topic.FINDING, "Optimized", 2, 0.0, 9.0),)}

    assert tallies_of("RdsDBInstance", counted) == list(counted["RdsDBInstance"])
    assert tallies_of("RdsDBInstanceStorage", counted) == []


def test_of_each_resource_the_larger_savings_are_aggregated(desk: Desk) -> None:
    # Machine 1 saves 10 by size or 100 by deletion, machine 2 only 30 by size, and machine 3, of
    # which there is no recommendation of size, 50 by deletion: 100 + 30 + 50.
    idle = [idle_machine(1, 100.0), idle_machine(3, 50.0)]
    publish(desk, ("Ec2Instance", [machine(1, 10.0), machine(2, 30.0)], idle))

    found = summary(desk)

    assert saved(found["savingsOpportunity"]) == 40.0
    assert saved(found["idleSavingsOpportunity"]) == 150.0
    assert saved(found["aggregatedSavingsOpportunity"]) == 180.0
    # Of 100, 100 and 50 USD.
    percentage = found["aggregatedSavingsOpportunity"]["savingsOpportunityPercentage"]
    assert percentage == pytest.approx(180 / 250 * 100)


def test_idle_resources_are_counted_by_their_findings(desk: Desk) -> None:
    loose = [
        idle_recommendation(number, account_id=MANAGEMENT, finding=Finding.UNATTACHED)
        for number in (1, 2)
    ]
    still = idle_recommendation(3, account_id=MANAGEMENT)
    publish(desk, ("EbsVolume", [], [*loose, still]), ("NatGateway", [], []))

    found = summary(desk, "EbsVolume")
    assert counts(found["idleSummaries"]) == {"Idle": 1, "Unattached": 2}
    assert counts(found["summaries"]) == {"Optimized": 0, "NotOptimized": 0}
    gateways = summary(desk, "NatGateway")
    assert (gateways["summaries"], counts(gateways["idleSummaries"])) == ([], {"Unused": 0})


def test_risks_are_counted_by_their_rating(desk: Desk) -> None:
    risky = [machine(number, current_performance_risk=PerformanceRisk.HIGH) for number in (1, 2)]
    publish(desk, ("Ec2Instance", [*risky, machine(3)], []))

    ratings = summary(desk)["currentPerformanceRiskRatings"]

    assert ratings == {"high": 2, "medium": 0, "low": 0, "veryLow": 1}
    assert all(type(one) is int for one in ratings.values())


def test_the_five_best_combinations_of_workload_types_are_told(desk: Desk) -> None:
    kinds = [("Nginx",), ("Redis",), ("Kafka",), ("Memcached",), ("PostgreSql",), ("AmazonEmr",)]
    alone = [
        machine(number, float(number), inferred_workload_types=kind)
        for number, kind in enumerate(kinds, 1)
    ]
    # Both orders are one combination: 4 + 5.
    both = [
        machine(7, 4.0, inferred_workload_types=("Redis", "Nginx")),
        machine(8, 5.0, inferred_workload_types=("Nginx", "Redis")),
    ]
    publish(desk, ("Ec2Instance", [*alone, *both], []))

    found = summary(desk)["inferredWorkloadSavings"]

    assert [(one["inferredWorkloadTypes"], saved(one)) for one in found] == [
        (["Nginx", "Redis"], 9.0),
        (["AmazonEmr"], 6.0),
        (["PostgreSql"], 5.0),
        (["Memcached"], 4.0),
        (["Kafka"], 3.0),
    ]


def test_reason_codes_are_those_of_functions_only(desk: Desk) -> None:
    publish(desk, ("Ec2Instance", [machine(1)], []))

    functions = summary(desk, "LambdaFunction")["summaries"]
    assert [counts(one["reasonCodeSummaries"]) for one in functions] == [
        {"MemoryOverprovisioned": 0, "MemoryUnderprovisioned": 0}
    ] * 2
    assert "reasonCodeSummaries" not in summary(desk)["summaries"][0]


@pytest.mark.parametrize("size", [1, 5, 16, 17])
def test_pages_hold_every_type_once(desk: Desk, size: int) -> None:
    names, token = [], None
    while True:
        answer = ask(desk, maxResults=size, **({"nextToken": token} if token else {}))
        page = answer["recommendationSummaries"]
        assert 0 < len(page) <= size
        names += [one["recommendationResourceType"] for one in page]
        token = answer.get("nextToken")
        if token is None:
            break

    assert names == list(get_args(RecommendationSourceType))


def test_a_token_of_another_account_is_refused(desk: Desk) -> None:
    token = ask(desk, maxResults=1)["nextToken"]

    with pytest.raises(InvalidParameterValueException, match="not valid for this request"):
        ask(desk, accountIds=[ALPHA], nextToken=token)


def test_an_empty_token_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidParameterValueException, match="not valid for this request"):
        ask(desk, nextToken="")


def test_a_token_goes_on_or_is_refused_where_types_are_hidden_meanwhile(desk: Desk) -> None:
    shown = len(get_args(RecommendationSourceType)) - len(NEWER_IDLE_TYPES)
    behind_all, of_a_hidden_type = (
        ask(desk, maxResults=size)["nextToken"] for size in (shown, shown + 1)
    )
    desk.newer_idle_types = False

    assert ask(desk, nextToken=behind_all) == {"recommendationSummaries": []}
    with pytest.raises(InvalidParameterValueException, match="not valid for this request"):
        ask(desk, nextToken=of_a_hidden_type)


def test_an_administrator_reads_a_member_and_its_own_account_by_default(desk: Desk) -> None:
    theirs = structs.replace(
        idle_recommendation(1), account_id=ALPHA, resource_arn=volume_arn(1, ALPHA)
    )
    publish(desk, ("EbsVolume", [], [theirs]), account=ALPHA)

    (of_member,) = (
        one
        for one in ask(desk, accountIds=[ALPHA])["recommendationSummaries"]
        if one["recommendationResourceType"] == "EbsVolume"
    )
    assert of_member["accountId"] == ALPHA
    assert counts(of_member["idleSummaries"])["Idle"] == 1
    assert counts(summary(desk, "EbsVolume")["idleSummaries"])["Idle"] == 0
    with pytest.raises(AccessDeniedException):
        ask(desk, ALPHA, accountIds=[MANAGEMENT])
    with pytest.raises(InvalidParameterValueException, match="only one"):
        ask(desk, accountIds=[ALPHA, MANAGEMENT])
    with pytest.raises(OptInRequiredException):
        ask(desk, STRANGER)


@pytest.mark.parametrize("newer", [True, False])
def test_idle_only_types_have_one_entry_unless_a_setting_leaves_them_out(
    desk: Desk, newer: bool
) -> None:
    table = structs.replace(TABLE, account_id=MANAGEMENT, savings=Savings(100.0, 58.5))
    publish(desk, ("DynamoDBTable", [], [table]))
    desk.newer_idle_types = newer

    found = [
        one
        for one in ask(desk)["recommendationSummaries"]
        if one["recommendationResourceType"] in NEWER_IDLE_TYPES
    ]

    told = [one["recommendationResourceType"] for one in found if counts(one["idleSummaries"])]
    assert told == (list(NEWER_IDLE_TYPES) if newer else [])
    assert [one["summaries"] for one in found] == [[]] * len(found)
    if newer:
        assert counts(found[0]["idleSummaries"]) == {"Idle": 1.0}
        assert saved(found[0]["idleSavingsOpportunity"]) == 58.5
