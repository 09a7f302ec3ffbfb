"""Groups and their members: one analysis, one answer, whoever sent the metrics."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.explain import explain
from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE, Resource
from compute_optimizer.model.stated_preferences import (
    PreferenceScope,
    PreferredResource,
    ScopeName,
    StatedPreferences,
)
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.preferences import save_stated
from compute_optimizer.store.recommendations import counted_savings, read_errors, read_page
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, Desk, opt_in
from tests.groups import group
from tests.records import REGION, arn
from tests.samples import put_samples
from tests.stored_fleets import CPU, LAST_DAY, machine, store_fleet

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
WINDOW = Window(LAST_DAY.replace(day=LAST_DAY.day - 1), LAST_DAY)
"""Two days: enough for a recommendation."""

GROUP = group(1, "m5.xlarge", size=2, account_id=ALPHA)


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    return opt_in(sqlite_state, ALPHA)


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


def instances(desk: Desk) -> list[Ec2InstanceRecommendation]:
    scope = Scope(ALPHA, REGION, EC2_INSTANCE)
    with desk.state.reading() as connection:
        run_id = current_run(connection, scope)
        assert run_id is not None
        return read_page(connection, run_id, scope, Ec2InstanceRecommendation, limit=9)


def test_no_member_is_recommended_anything_but_its_group(desk: Desk, tiles: TileStore) -> None:
    store(desk, tiles, GROUP)
    store_members(desk, tiles, 10.0, 60.0)

    whole = found(desk, tiles)
    quiet, busy, stranger = instances(desk)

    # Alone, 10 % of a m5.xlarge would be half of it or less; the group needs 60 % somewhere.
    types = [option.instance_type for option in whole.options]
    for one, percent in ((quiet, 10.0), (busy, 60.0)):
        assert one.follows_group
        assert [option.instance_type for option in one.options] == types
        assert one.finding_reason_codes == whole.finding_reason_codes
        assert one.current_performance_risk == whole.current_performance_risk
        assert one.utilization[0].value == percent
    # Its savings are those of one machine, the group's of two.
    saved = [one.options[0].savings for one in (quiet, whole)]
    assert saved[0] and saved[1] and saved[1].monthly_usd == 2 * saved[0].monthly_usd
    assert not stranger.follows_group


def test_savings_of_members_are_counted_with_their_group(desk: Desk, tiles: TileStore) -> None:
    store(desk, tiles, GROUP)
    store_members(desk, tiles, 10.0, 10.0)

    whole = found(desk, tiles)

    assert [counted_savings(one) for one in instances(desk)] == [0, 0, 0]
    assert whole.options[0].savings is not None
    assert counted_savings(whole) == whole.options[0].savings.monthly_usd > 0


def test_members_of_a_group_that_is_not_in_the_inventory_stand_alone(
    desk: Desk, tiles: TileStore
) -> None:
    store_members(desk, tiles, 10.0, 60.0)
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT, workers=1)

    quiet, busy, _ = instances(desk)

    assert not (quiet.follows_group or busy.follows_group)
    assert quiet.options != busy.options
    assert quiet.auto_scaling_group_arn == GROUP.arn


def test_members_of_a_group_that_is_not_rightsized_are_not_either(
    desk: Desk, tiles: TileStore
) -> None:
    store(desk, tiles, replace(GROUP, spot=True))
    store_members(desk, tiles, 10.0)
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT, workers=1)

    (stranger,) = instances(desk)

    scope = Scope(ALPHA, REGION, EC2_INSTANCE)
    with desk.state.reading() as connection:
        run_id = current_run(connection, scope)
        assert run_id is not None
        errors = read_errors(connection, run_id, scope)
    assert stranger.auto_scaling_group_arn is None
    assert [(one.resource_arn, one.code) for one in errors] == [
        (arn(0, ALPHA), "UNSUPPORTED_RESOURCE")
    ]


def test_a_member_of_another_type_than_savings_are_counted_from_has_no_options(
    desk: Desk, tiles: TileStore
) -> None:
    mixed = group(1, "m5.xlarge", "m5.2xlarge", account_id=ALPHA)
    store(desk, tiles, mixed)
    store_members(desk, tiles, 10.0, 10.0)
    with desk.state.writing() as connection:
        larger = replace(
            machine(1, ALPHA), auto_scaling_group_arn=mixed.arn, instance_type="m5.2xlarge"
        )
        upsert_resources(connection, [larger])

    whole = found(desk, tiles)
    cheapest, other, _ = instances(desk)

    assert len(cheapest.options) == len(whole.options) > 0
    assert (other.options, other.finding) == ((), cheapest.finding)


def test_a_preference_of_the_group_is_in_force_for_it_and_its_members(
    desk: Desk, tiles: TileStore
) -> None:
    store(desk, tiles, GROUP)
    store_members(desk, tiles, 10.0)
    only_c5 = StatedPreferences(
        preferred_resources=(PreferredResource("Ec2InstanceTypes", ("c5",)),)
    )
    scope = PreferenceScope(ALPHA, REGION, AUTO_SCALING_GROUP, ScopeName.RESOURCE_ARN, GROUP.arn)
    with desk.state.writing() as connection:
        save_stated(connection, scope, only_c5)

    whole = found(desk, tiles)
    member, _ = instances(desk)

    assert whole.preferences == member.preferences
    for one in (whole, member):
        assert {o.instance_type.partition(".")[0] for o in one.options} == {"c5"}


def test_a_group_explains_itself_as_it_was_decided(desk: Desk, tiles: TileStore) -> None:
    store(desk, tiles, replace(GROUP, scaling="dynamic", max_size=8))
    store_members(desk, tiles, 10.0, 60.0)
    whole = found(desk, tiles)

    told = explain(desk.state, tiles, desk.clock, GROUP.arn)

    assert told.finding == whole.finding.value
    assert told.departures == ()
    first = next(one for one in told.considered if one.ranks.get("CURRENT") == 1)
    assert first.instance_type == whole.options[0].instance_type


def test_a_member_is_explained_by_its_group(desk: Desk, tiles: TileStore) -> None:
    store(desk, tiles, GROUP)
    store_members(desk, tiles, 10.0)
    found(desk, tiles)

    with pytest.raises(InvalidInput, match=f"explain the group: {GROUP.arn}"):
        explain(desk.state, tiles, desk.clock, arn(0, ALPHA))
