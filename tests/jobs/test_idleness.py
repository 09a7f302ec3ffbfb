"""What an analysis says of idle resources: from stored inventory and samples to the answers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.jobs.analyze import analyze
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
from tests.enrolling import MANAGEMENT, Desk
from tests.fleets import CPU, counter, instance
from tests.idleness import nat_gateway
from tests.samples import put_samples
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
def tiles(tmp_path: Path) -> TileStore:
    return TileStore(tmp_path / "tiles")


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    desk = Desk(sqlite_state)
    desk.opt_in(MANAGEMENT)
    desk.settle()
    return desk


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
