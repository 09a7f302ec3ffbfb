"""What the rules of idleness say of one resource, with the figures beside their limits."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from compute_optimizer.engine.explanation import Explanation, IdleEvidence
from compute_optimizer.jobs.explain import compare, explain
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.resource import DOCUMENTDB_CLUSTER, Resource
from compute_optimizer.store import State
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import MANAGEMENT, Desk, opt_in
from tests.fleets import CPU, counter, instance
from tests.idleness import idle_only, nat_gateway
from tests.samples import put_samples
from tests.stored_fleets import LAST_DAY
from tests.volumes import READ_OPS, WRITE_OPS, volume

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)

TRAFFIC = (
    MetricKey("ActiveConnectionCount", Statistic.MAXIMUM),
    counter("PacketsInFromSource"),
    counter("PacketsInFromDestination"),
)


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    return opt_in(sqlite_state, MANAGEMENT)


def explained(
    desk: Desk,
    tiles: TileStore,
    resources: Sequence[Resource],
    series: Mapping[MetricKey, Sequence[float]],
    days: int = 14,
) -> list[Explanation]:
    """Store resources with one constant value for each metric, and explain them."""
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
    return [explain(desk.state, tiles, desk.clock, arn, as_of=MIDNIGHT) for arn in arns]


def figures(rule: IdleEvidence) -> list[tuple[float | None, float, bool, bool]]:
    return [(one.value, one.limit, one.known, one.holds) for one in rule.limits]


def test_a_gateway_is_explained_by_its_rule_alone(desk: Desk, tiles: TileStore) -> None:
    quiet, busy, routed = explained(
        desk,
        tiles,
        [nat_gateway(1), nat_gateway(2), nat_gateway(3, in_route_table=True)],
        {TRAFFIC[0]: [0, 0, 0], TRAFFIC[1]: [0, 7, 0], TRAFFIC[2]: [0, 0, 0]},
        days=32,
    )

    assert (quiet.finding, quiet.idle) == ("Unused", True)
    assert figures(quiet.idle_rules[0]) == [(0, 0, True, True)] * 3
    assert quiet.idle_rules[0].window.days == 32
    # 0.045 USD an hour.
    assert quiet.current_monthly_usd == pytest.approx(0.045 * 730)
    assert (busy.finding, busy.idle) == ("RECOMMENDATION_NOT_FOUND", False)
    assert figures(busy.idle_rules[0])[1] == (7, 0, True, False)
    # To the third a route leads: its traffic is told, and not asked about.
    assert (routed.idle, routed.idle_rules[0].concerned) == (False, False)
    assert figures(routed.idle_rules[0])[0] == (0, 0, True, True)


def test_what_is_only_looked_at_for_idleness_is_explained_by_the_rules_of_its_mode(
    desk: Desk, tiles: TileStore
) -> None:
    connections = MetricKey("DatabaseConnections", Statistic.MAXIMUM)
    quiet, busy = explained(
        desk,
        tiles,
        [
            idle_only(DOCUMENTDB_CLUSTER, "quiet", monthly_usd=200.0),
            idle_only(DOCUMENTDB_CLUSTER, "sales"),
        ],
        {connections: [0, 3]},
    )

    assert (quiet.finding, quiet.idle, quiet.current_monthly_usd) == ("Idle", True, 200.0)
    assert (busy.finding, busy.idle, busy.current_monthly_usd) == (
        "RECOMMENDATION_NOT_FOUND",
        False,
        None,
    )
    assert figures(busy.idle_rules[0]) == [(3, 0, True, False)]
    assert [one.metric for one in busy.metrics] == ["DatabaseConnections"]


def test_a_limit_whose_metric_nobody_sent_is_told_as_unknown(desk: Desk, tiles: TileStore) -> None:
    (told,) = explained(desk, tiles, [instance(1, "m5.large")], {CPU: [1]})
    # The other rule is about machines with GPUs.
    rule = next(one for one in told.idle_rules if one.concerned)
    cpu, network = rule.limits

    assert (cpu.value, cpu.known, cpu.holds) == (1, True, True)
    assert (network.value, network.known, network.holds) == (None, False, False)
    # 5 MB a day, told in the unit of the samples.
    assert network.limit == 5_000_000
    assert not rule.is_idle
    assert told.idle is False


def test_volumes_are_told_by_both_of_their_rules(desk: Desk, tiles: TileStore) -> None:
    long_ago = MIDNIGHT - timedelta(days=100)
    disks = [volume(1, "gp3", 100), volume(2, "gp3", 100, state="available", created_at=long_ago)]
    still, detached = explained(
        desk, tiles, disks, {key: [0, np.nan] for key in (READ_OPS, WRITE_OPS)}
    )

    assert [(r.finding, r.concerned, r.is_idle) for r in still.idle_rules] == [
        ("Idle", True, True),
        ("Unattached", False, False),
    ]
    assert [(r.finding, r.concerned, r.is_idle) for r in detached.idle_rules] == [
        ("Idle", False, False),
        ("Unattached", True, True),
    ]
    # It sends metrics only while it is attached: 32 days without a sample.
    assert figures(detached.idle_rules[1]) == [(0, 0, True, True)]


def test_both_sides_of_a_comparison_go_by_the_stated_limits(desk: Desk, tiles: TileStore) -> None:
    one = instance(1, "m5.large")
    explained(
        desk, tiles, [one], {CPU: [4.0], counter("NetworkIn"): [0], counter("NetworkOut"): [0]}
    )
    earlier = MIDNIGHT - timedelta(days=1)
    limits = {"EC2Instance": {"cpu_percent": 3.0}}

    # 4 % is less than the published 5 %, and no less than 3 %.
    for stated, idle in (({}, True), (limits, False)):
        found = compare(
            desk.state,
            tiles,
            desk.clock,
            one.arn,
            as_of=MIDNIGHT,
            against=earlier,
            idle_limits=stated,
        )
        told = explain(desk.state, tiles, desk.clock, one.arn, as_of=MIDNIGHT, idle_limits=stated)
        assert (found.before.idle, found.after.idle, told.idle) == (idle, idle, idle)
