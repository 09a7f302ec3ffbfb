"""Groups and their members: one analysis, one answer, whoever sent the metrics."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, Resource
from compute_optimizer.store import State
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.recommendations import Scope, current_run, read_errors, read_page
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, Desk
from tests.groups import group
from tests.records import REGION
from tests.samples import put_samples
from tests.stored_fleets import CPU, LAST_DAY, machine, store_fleet

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
WINDOW = Window(LAST_DAY.replace(day=LAST_DAY.day - 1), LAST_DAY)
"""Two days: enough for a recommendation."""

GROUP = group(1, "m5.xlarge", size=2, account_id=ALPHA)


@pytest.fixture
def tiles(tmp_path: Path) -> TileStore:
    return TileStore(tmp_path / "tiles")


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    desk = Desk(sqlite_state)
    desk.opt_in(ALPHA)
    desk.settle()
    return desk


def store(
    desk: Desk, tiles: TileStore, one: Resource, series: dict[MetricKey, Any] | None = None
) -> None:
    """Store a resource and, where there are any, its samples of two days."""
    with desk.state.writing() as connection:
        upsert_resources(connection, [one])
        (key,) = place(connection, [one]).values()
    if series:
        slots = WINDOW.days * SLOTS_PER_DAY
        rows = {name: np.full((1, slots), value, np.float32) for name, value in series.items()}
        put_samples(desk.state, tiles, key, ShardSamples((one.arn,), WINDOW, rows))


def store_members(desk: Desk, tiles: TileStore, *cpu: float) -> None:
    """Store members of the group, at 20 % of their memory, and a stranger at 99 % of its CPU."""
    fleet = store_fleet(desk.state, tiles, ALPHA, cpu=(*cpu, 99.0))
    with desk.state.writing() as connection:
        members = [replace(one, auto_scaling_group_arn=GROUP.arn) for one in fleet[:-1]]
        upsert_resources(connection, members)


def found(desk: Desk, tiles: TileStore) -> AutoScalingGroupRecommendation:
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT, workers=1)
    scope = Scope(ALPHA, REGION, AUTO_SCALING_GROUP)
    with desk.state.reading() as connection:
        run_id = current_run(connection, scope)
        assert run_id is not None
        assert read_errors(connection, run_id, scope) == []
        (one,) = read_page(connection, run_id, scope, AutoScalingGroupRecommendation, limit=9)
    return one


def use(one: AutoScalingGroupRecommendation) -> dict[str, float]:
    return {metric.name: metric.value for metric in one.utilization}


def test_a_group_without_metrics_is_told_by_its_busiest_member(
    desk: Desk, tiles: TileStore
) -> None:
    store(desk, tiles, GROUP)
    store_members(desk, tiles, 10.0, 30.0)

    one = found(desk, tiles)

    assert use(one) == {"Cpu": 30.0, "Memory": 20.0}
    assert one.finding.value == "NotOptimized"


def test_what_the_group_sent_itself_goes_before_its_members(desk: Desk, tiles: TileStore) -> None:
    store(desk, tiles, GROUP, {CPU: 60.0})
    store_members(desk, tiles, 10.0, 30.0)

    # Memory is known of the members only.
    assert use(found(desk, tiles)) == {"Cpu": 60.0, "Memory": 20.0}


def test_counters_of_a_group_are_shared_by_its_machines(desk: Desk, tiles: TileStore) -> None:
    sent = MetricKey("NetworkIn", Statistic.SUM)
    store(desk, tiles, GROUP, {CPU: 60.0, sent: 600_000})

    # 600,000 bytes in 300 s from two machines.
    assert use(found(desk, tiles))["NETWORK_IN_BYTES_PER_SECOND"] == 1_000


def test_members_of_other_groups_and_accounts_say_nothing(desk: Desk, tiles: TileStore) -> None:
    other = group(2, "m5.xlarge", account_id=ALPHA)
    store(desk, tiles, GROUP, {CPU: 60.0})
    store_members(desk, tiles, 10.0)
    with desk.state.writing() as connection:
        strange = replace(machine(0, ALPHA), auto_scaling_group_arn=other.arn)
        upsert_resources(connection, [strange])

    assert use(found(desk, tiles)) == {"Cpu": 60.0}
