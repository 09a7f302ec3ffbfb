"""An analysis goes by the preferences in force for each resource, and explains itself by them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs import analyze as job
from compute_optimizer.jobs import readings
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.explain import explain
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.model.stated_preferences import (
    PreferenceScope,
    PreferredResource,
    ScopeName,
    StatedPreferences,
    UtilizationPreference,
)
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.inventory import upsert_resources
from compute_optimizer.store.preferences import save_stated
from compute_optimizer.store.recommendations import read_errors, read_page
from compute_optimizer.store.tile_digests import read_digested
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, Desk, opt_in
from tests.records import REGION, arn
from tests.stored_fleets import BUSY, LAST_DAY, QUIET, machine, store_fleet

SCOPE = Scope(ALPHA, REGION, EC2_INSTANCE)
GROUP = f"arn:aws:autoscaling:{REGION}:{ALPHA}:autoScalingGroup:1:autoScalingGroupName/web"

ONLY_C5 = StatedPreferences(preferred_resources=(PreferredResource("Ec2InstanceTypes", ("c5",)),))
DAYS_32 = StatedPreferences(look_back_period="DAYS_32")
ENHANCED = StatedPreferences(enhanced_infrastructure_metrics="Active")

MIDDLING = 70.0
"""Percent of CPU that needs 87.5 % of a m5.xlarge with a headroom of 20 %, all with one of 30 %."""


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    return enrolled(sqlite_state)


def enrolled(state: State) -> Desk:
    return opt_in(state, ALPHA)


def state_for(
    desk: Desk, stated: StatedPreferences, value: str = ALPHA, kind: str = EC2_INSTANCE
) -> None:
    """State preferences for the account, or for a resource."""
    name = ScopeName.ACCOUNT_ID if value == ALPHA else ScopeName.RESOURCE_ARN
    with desk.state.writing() as connection:
        save_stated(connection, PreferenceScope(ALPHA, REGION, kind, name, value), stated)


def analyzed(desk: Desk, tiles: TileStore, **options: Any) -> list[Ec2InstanceRecommendation]:
    analyze(desk.state, tiles, desk.clock, **{"workers": 1, **options})
    with desk.state.reading() as connection:
        run_id = current_run(connection, SCOPE)
        assert run_id is not None
        return read_page(connection, run_id, SCOPE, Ec2InstanceRecommendation, limit=1_000)


def families(found: Ec2InstanceRecommendation) -> set[str]:
    return {one.instance_type.partition(".")[0] for one in found.options}


def test_a_changed_preference_changes_the_next_analysis_on_both_databases(
    state: State, tiles: TileStore
) -> None:
    desk = enrolled(state)
    store_fleet(state, tiles, ALPHA)
    (before,) = analyzed(desk, tiles)

    state_for(desk, ONLY_C5)
    (after,) = analyzed(desk, tiles)

    assert before.preferences == DEFAULT_PREFERENCES
    assert families(before) != {"c5"}
    assert after.preferences == structs.replace(DEFAULT_PREFERENCES, include_types=("c5",))
    assert families(after) == {"c5"}
    # Without the statement everything is as it was before.
    state_for(desk, StatedPreferences())
    assert analyzed(desk, tiles) == [structs.replace(before, last_refresh=desk.clock.now())]


def test_resources_of_one_shard_go_by_their_own_preferences(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=(QUIET, QUIET, QUIET))
    with desk.state.writing() as connection:
        member = replace(machine(2, ALPHA), auto_scaling_group_arn=GROUP)
        upsert_resources(connection, [member])
    state_for(desk, ONLY_C5, arn(1, ALPHA))
    state_for(desk, DAYS_32, GROUP, "AutoScalingGroup")

    first, second, third = analyzed(desk, tiles)

    assert first.preferences == DEFAULT_PREFERENCES
    assert second.preferences == structs.replace(DEFAULT_PREFERENCES, include_types=("c5",))
    assert third.preferences == structs.replace(DEFAULT_PREFERENCES, lookback_days=32)
    assert [one.lookback_days for one in (first, second, third)] == [14, 14, 32]
    assert families(second) == {"c5"} != families(first)


def test_headroom_and_threshold_decide_the_finding(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=(75.0,))
    # 75 % of use with 20 % of headroom ask for 93.75 % of the capacity, with 30 % for 107.1 %.
    (before,) = analyzed(desk, tiles)

    cpu = UtilizationPreference("CpuUtilization", "P90", "PERCENT_30")
    state_for(desk, StatedPreferences(utilization=(cpu,)))
    (after,) = analyzed(desk, tiles)

    assert (before.finding.value, "CPUUnderprovisioned" in before.finding_reason_codes) == (
        "Overprovisioned",  # For its memory.
        False,
    )
    assert (after.finding.value, "CPUUnderprovisioned" in after.finding_reason_codes) == (
        "Underprovisioned",
        True,
    )


@pytest.mark.parametrize(
    ("stated", "days", "finding"),
    [
        (StatedPreferences(), 14, "Overprovisioned"),
        (DAYS_32, 32, "Underprovisioned"),
        (ENHANCED, 93, "Underprovisioned"),
    ],
)
def test_the_look_back_period_decides_which_samples_count(
    desk: Desk, tiles: TileStore, stated: StatedPreferences, days: int, finding: str
) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=(BUSY,), last=LAST_DAY - timedelta(days=20), days=8)
    store_fleet(desk.state, tiles, ALPHA, cpu=(QUIET,), days=14)
    state_for(desk, stated)

    (found,) = analyzed(desk, tiles)

    assert (found.lookback_days, found.finding.value) == (days, finding)


def test_old_samples_are_enough_where_the_look_back_period_reaches_them(
    desk: Desk, tiles: TileStore
) -> None:
    store_fleet(desk.state, tiles, ALPHA, last=LAST_DAY - timedelta(days=40))
    with pytest.raises(InvalidInput, match="no sample lies in the look-back period"):
        analyzed(desk, tiles)

    state_for(desk, ENHANCED)

    assert [one.lookback_days for one in analyzed(desk, tiles)] == [93]


def test_a_group_that_is_too_large_is_analyzed_in_batches_with_the_same_result(
    desk: Desk, tiles: TileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=(QUIET, BUSY, MIDDLING, QUIET, BUSY))
    at_once = analyzed(desk, tiles)

    # Two resources over 14 days.
    monkeypatch.setattr(job, "BATCH_RESOURCE_DAYS", 28)

    assert analyzed(desk, tiles) == at_once


def test_an_error_of_one_batch_stands_beside_the_recommendations_of_another(
    desk: Desk, tiles: TileStore
) -> None:
    # 20 days ago: within 32 days, not within 14.
    store_fleet(
        desk.state, tiles, ALPHA, cpu=(QUIET, QUIET), last=LAST_DAY - timedelta(days=20), days=5
    )
    state_for(desk, DAYS_32, arn(0, ALPHA))

    (found,) = analyzed(desk, tiles)

    assert found.resource_arn == arn(0, ALPHA)
    with desk.state.reading() as connection:
        run_id = current_run(connection, SCOPE)
        assert run_id is not None
        (error,) = read_errors(connection, run_id, SCOPE)
    assert (error.resource_arn, error.code) == (arn(1, ALPHA), "INSUFFICIENT_METRIC_DATA")


def test_with_preferred_types_that_the_catalog_no_longer_has_the_type_stays(
    desk: Desk, tiles: TileStore
) -> None:
    store_fleet(desk.state, tiles, ALPHA)
    gone = PreferredResource("Ec2InstanceTypes", ("zz9.large",), ("yy8",))
    state_for(desk, StatedPreferences(preferred_resources=(gone,)))

    (found,) = analyzed(desk, tiles)

    assert {one.instance_type for one in found.options} == {"m5.xlarge"}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Numbers of resources whose days were read at once."""
    counted: list[int] = []

    def counting(*arguments: Any) -> Any:
        *_, only, _as_of = arguments
        counted.append(len(only))
        return read_digested(*arguments)

    monkeypatch.setattr(readings, "read_digested", counting)
    yield counted


def test_a_shard_whose_resources_share_their_preferences_is_read_once(
    desk: Desk, tiles: TileStore, reads: list[int]
) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=(QUIET,) * 5)
    analyzed(desk, tiles)
    assert reads == [5]

    state_for(desk, DAYS_32)
    analyzed(desk, tiles)
    assert reads == [5, 5]


# Explain


def test_what_the_run_decided_is_explained_by_the_preferences_it_used(
    desk: Desk, tiles: TileStore
) -> None:
    store_fleet(desk.state, tiles, ALPHA, days=40)
    state_for(desk, replace(ONLY_C5, look_back_period="DAYS_32"))
    (found,) = analyzed(desk, tiles)

    # Stated after the run, so that it is no part of what the run decided.
    state_for(desk, StatedPreferences())
    told = explain(desk.state, tiles, desk.clock, found.resource_arn)

    assert told.window.days == 32
    assert told.departures == ()
    ranked = [one.instance_type for one in told.considered if one.ranks.get("CURRENT") == 1]
    assert ranked == [found.options[0].instance_type]
    preferred = [one for one in told.refusals if one.reason == "not among the preferred types"]
    assert preferred and preferred[0].types > 0


def test_another_moment_is_explained_by_the_preferences_of_today(
    desk: Desk, tiles: TileStore
) -> None:
    store_fleet(desk.state, tiles, ALPHA, days=40)
    (found,) = analyzed(desk, tiles)
    state_for(desk, DAYS_32)

    earlier = explain(
        desk.state, tiles, desk.clock, found.resource_arn, as_of=found.last_refresh - timedelta(1)
    )

    assert earlier.window.days == 32
    assert explain(desk.state, tiles, desk.clock, found.resource_arn).window.days == 14
