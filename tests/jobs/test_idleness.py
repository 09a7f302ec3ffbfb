"""What an analysis says of idle resources: from stored inventory and samples to the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.explain import explain
from compute_optimizer.model.idle_limits import IdleLimits
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.resource import Resource
from compute_optimizer.store import State
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.databases import database, maximum
from tests.enrolling import MANAGEMENT, Desk, opt_in
from tests.fleets import CPU, counter, instance
from tests.groups import group
from tests.idleness import nat_gateway
from tests.samples import put_samples
from tests.services import service
from tests.stored_fleets import LAST_DAY
from tests.volumes import READ_OPS, WRITE_OPS, volume

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
CONNECTIONS = MetricKey("ActiveConnectionCount", Statistic.MAXIMUM)
PACKETS = counter("PacketsInFromSource"), counter("PacketsInFromDestination")


def store(
    desk: Desk,
    tiles: TileStore,
    resources: Sequence[Resource],
    series: Mapping[MetricKey, Sequence[float]],
    days: int,
) -> None:
    """Store resources with one constant value for each of them and metric."""
    with desk.state.writing() as connection:
        upsert_resources(connection, resources)
        key = place(connection, resources)[resources[0].arn]
    shape = (len(resources), days * SLOTS_PER_DAY)
    matrices = {
        metric: np.broadcast_to(np.array(values, np.float32)[:, None], shape).copy()
        for metric, values in series.items()
    }
    window = Window(LAST_DAY - timedelta(days=days - 1), LAST_DAY)
    arns = tuple(one.arn for one in resources)
    put_samples(desk.state, tiles, key, ShardSamples(arns, window, matrices))


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    return opt_in(sqlite_state, MANAGEMENT)


@pytest.fixture
def analyzed(desk: Desk, tiles: TileStore) -> Desk:
    """One machine, one volume and one gateway that idle, and a volume attached to nothing."""
    machines = [instance(1, "m5.large"), instance(2, "m5.large")]
    network = counter("NetworkIn"), counter("NetworkOut")
    store(desk, tiles, machines, {CPU: [1, 30], **{key: [0, 0] for key in network}}, 14)
    disks = [
        volume(1, "gp3", 100),
        volume(2, "gp3", 100),
        volume(3, "gp3", 100, state="available", created_at=LONG_AGO),
    ]
    # The first does nothing, the second something, and the third sends nothing.
    store(desk, tiles, disks, {key: [0, 9, np.nan] for key in (READ_OPS, WRITE_OPS)}, 20)
    gateways = [nat_gateway(1), nat_gateway(2)]
    traffic = {CONNECTIONS: [0, 0], PACKETS[0]: [0, 0], PACKETS[1]: [0, 1]}
    store(desk, tiles, gateways, traffic, 32)
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)
    return desk


def test_an_analysis_lists_what_is_idle_of_every_type(analyzed: Desk) -> None:
    answer = analyzed.call("GetIdleRecommendations", MANAGEMENT, orderBy={"order": "Desc"})

    found = [
        (
            one["resourceId"],
            one["finding"],
            round(one["savingsOpportunity"]["estimatedMonthlySavings"]["value"], 2),
            one["lookBackPeriodInDays"],
        )
        for one in answer["idleRecommendations"]
    ]
    assert found == [
        (f"i-{1:017x}", "Idle", 70.08, 14.0),
        (f"nat-{1:017x}", "Unused", 32.85, 32.0),
        (f"vol-{3:017x}", "Unattached", 8.0, 32.0),
        (f"vol-{1:017x}", "Idle", 8.0, 14.0),
    ]


def test_an_idle_instance_still_has_its_recommendation_of_size(analyzed: Desk) -> None:
    answer = analyzed.call("GetEC2InstanceRecommendations", MANAGEMENT)

    told = {one["instanceArn"][-1]: one["idle"] for one in answer["instanceRecommendations"]}
    assert told == {"1": "True", "2": "False"}


def test_summaries_count_what_the_lists_hold(analyzed: Desk) -> None:
    answer = analyzed.call("GetRecommendationSummaries", MANAGEMENT)

    summaries = {
        one["recommendationResourceType"]: one for one in answer["recommendationSummaries"]
    }
    idle = {
        name: {row["name"]: row["value"] for row in one["idleSummaries"] if row["value"]}
        for name, one in summaries.items()
    }
    assert {name: found for name, found in idle.items() if found} == {
        "Ec2Instance": {"Idle": 1},
        "EbsVolume": {"Idle": 1, "Unattached": 1},
        "NatGateway": {"Unused": 1},
    }
    sized = sum(row["value"] for row in summaries["Ec2Instance"]["summaries"])
    assert sized == 2
    saved = summaries["NatGateway"]["aggregatedSavingsOpportunity"]
    assert saved["savingsOpportunityPercentage"] == pytest.approx(100.0)


def test_what_was_attached_within_32_days_is_not_unattached(desk: Desk, tiles: TileStore) -> None:
    disk = volume(1, "gp3", 100, state="available", created_at=LONG_AGO)
    # Attached for the last 20 of the 32 days, though it did nothing.
    store(desk, tiles, [disk], {READ_OPS: [0], WRITE_OPS: [0]}, 20)

    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)

    assert desk.call("GetIdleRecommendations", MANAGEMENT)["idleRecommendations"] == []


def test_a_moment_in_the_past_does_not_see_what_came_later(desk: Desk, tiles: TileStore) -> None:
    gateway = nat_gateway(1)
    store(desk, tiles, [gateway], {key: [0] for key in (CONNECTIONS, *PACKETS)}, 33)
    store(desk, tiles, [gateway], {PACKETS[0]: [1]}, 1)

    def listed(as_of: datetime) -> list[str]:
        analyze(desk.state, tiles, desk.clock, as_of=as_of)
        answer = desk.call("GetIdleRecommendations", MANAGEMENT)
        return [one["finding"] for one in answer["idleRecommendations"]]

    assert listed(MIDNIGHT) == []
    assert listed(MIDNIGHT - timedelta(days=1)) == ["Unused"]


NETWORK = counter("NetworkIn"), counter("NetworkOut")
WEB = group(1, "m5.large", size=2)


def members(count: int) -> list[Resource]:
    """Return instances of the group WEB."""
    machines = (instance(number, "m5.large") for number in range(1, count + 1))
    return [replace(one, auto_scaling_group_arn=WEB.arn) for one in machines]


def listed(desk: Desk, tiles: TileStore) -> dict[str, str]:
    """Return what is idle after an analysis, its type by its name."""
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)
    found = desk.call("GetIdleRecommendations", MANAGEMENT)["idleRecommendations"]
    return {one["resourceId"]: one["resourceType"] for one in found}


def store_group(
    desk: Desk, tiles: TileStore, machines: Sequence[Resource], bytes_in: float
) -> None:
    """Store WEB, which sends nothing itself, and members, one of which sends network."""
    with desk.state.writing() as connection:
        upsert_resources(connection, [WEB])
    others = [0.0] * (len(machines) - 1)
    sent = {CPU: [4.9, *others], NETWORK[0]: [bytes_in / SLOTS_PER_DAY, *others]}
    store(desk, tiles, machines, {**sent, NETWORK[1]: [0.0, *others]}, 14)


@pytest.mark.parametrize(("bytes_in", "idle"), [(4_900_000, True), (5_100_000, False)])
def test_a_group_is_idle_when_every_one_of_its_instances_is(
    desk: Desk, tiles: TileStore, bytes_in: float, idle: bool
) -> None:
    store_group(desk, tiles, members(2), bytes_in)

    # The instances are its own matter: the second is idle in either case.
    assert listed(desk, tiles) == ({"web-1": "AutoScalingGroup"} if idle else {})


def test_a_group_of_which_an_instance_is_not_known_is_not_idle(
    desk: Desk, tiles: TileStore
) -> None:
    store_group(desk, tiles, members(1), 0)

    assert listed(desk, tiles) == {}


def test_members_of_a_group_that_gets_no_size_are_its_own_matter_too(
    desk: Desk, tiles: TileStore
) -> None:
    store_group(desk, tiles, members(2), 0)
    # Spot Instances get no recommendation of size, and may be idle.
    with desk.state.writing() as connection:
        upsert_resources(connection, [replace(WEB, spot=True)])

    assert listed(desk, tiles) == {"web-1": "AutoScalingGroup"}


def test_an_instance_whose_group_nobody_imported_is_listed(desk: Desk, tiles: TileStore) -> None:
    (alone,) = members(1)
    store(desk, tiles, [alone], {CPU: [1], NETWORK[0]: [0], NETWORK[1]: [0]}, 14)

    assert listed(desk, tiles) == {alone.resource_id: "EC2Instance"}


def test_members_of_an_idle_group_say_that_they_idle_and_are_not_counted_twice(
    desk: Desk, tiles: TileStore
) -> None:
    store_group(desk, tiles, members(2), 0)
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)

    sized = desk.call("GetEC2InstanceRecommendations", MANAGEMENT)["instanceRecommendations"]
    summaries = desk.call("GetRecommendationSummaries", MANAGEMENT)["recommendationSummaries"]

    saved = {
        one["recommendationResourceType"]: one["idleSavingsOpportunity"]["estimatedMonthlySavings"]
        for one in summaries
    }
    assert [one["idle"] for one in sized] == ["True", "True"]
    # One of two m5.large, 0.096 USD an hour.
    assert saved["AutoScalingGroup"]["value"] == pytest.approx(70.08)
    assert saved["Ec2Instance"]["value"] == 0


def test_services_and_databases_are_listed(desk: Desk, tiles: TileStore) -> None:
    memory = MetricKey("mem_used_percent", Statistic.MAXIMUM)
    store(desk, tiles, [service("api", 256, 512)], {CPU: [0.5], memory: [0.5]}, 14)
    quiet = {maximum(name): [0.0] for name in ("DatabaseConnections", "ReadIOPS", "WriteIOPS")}
    store(desk, tiles, [database(1, "db.r5.large")], {CPU: [1], **quiet}, 14)

    found = listed(desk, tiles)
    sized = desk.call("GetRDSDatabaseRecommendations", MANAGEMENT)["rdsDBRecommendations"]

    assert sorted(found.values()) == ["ECSService", "RDSDBInstance"]
    assert [one["idle"] for one in sized] == ["True"]


def test_recommendations_of_size_and_explanations_go_by_stated_limits(
    desk: Desk, tiles: TileStore
) -> None:
    machine = instance(1, "m5.large")
    store(desk, tiles, [machine], {CPU: [3], **{key: [0] for key in NETWORK}}, 14)

    def idle(limits: IdleLimits) -> tuple[str, bool | None, int]:
        analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT, idle_limits=limits)
        sized = desk.call("GetEC2InstanceRecommendations", MANAGEMENT)["instanceRecommendations"]
        told = explain(desk.state, tiles, desk.clock, machine.arn, idle_limits=limits)
        listed = desk.call("GetIdleRecommendations", MANAGEMENT)["idleRecommendations"]
        return sized[0]["idle"], told.idle, len(listed)

    assert idle({}) == ("True", True, 1)
    assert idle({"EC2Instance": {"cpu_percent": 3}}) == ("False", False, 0)
