"""Instances and volumes side by side: analyzed in one run, told apart, explained."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.explain import compare, explain
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.model.ebs_volume import EbsVolumeRecommendation
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EBS_VOLUME
from compute_optimizer.model.stated_preferences import (
    PreferenceScope,
    ScopeName,
    StatedPreferences,
)
from compute_optimizer.store import State
from compute_optimizer.store.inventory import place, shard_of, upsert_resources
from compute_optimizer.store.preferences import save_stated
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import MANAGEMENT, Desk, opt_in
from tests.fleets import ACCOUNT, REGION
from tests.idleness import nat_gateway
from tests.records import arn
from tests.samples import put_samples
from tests.stored_fleets import LAST_DAY, store_fleet
from tests.volumes import READ_OPS, volume, volume_arn

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)


@pytest.fixture
def desk(sqlite_state: State, tiles: TileStore) -> Desk:
    """One account with a quiet machine, a gp2 and a gp3 volume and one that is detached."""
    desk = opt_in(sqlite_state, MANAGEMENT)
    store_fleet(sqlite_state, tiles, MANAGEMENT)
    disks = [
        volume(1, "gp2", 500),
        volume(2, "gp3", 100),
        volume(3, "gp3", 100, state="available"),
    ]
    with sqlite_state.writing() as connection:
        upsert_resources(connection, disks)
        keys = place(connection, disks)
    reads = np.full((3, 2 * SLOTS_PER_DAY), 60_000, np.float32)
    reads[2] = np.nan
    window = Window(LAST_DAY.replace(day=LAST_DAY.day - 1), LAST_DAY)
    samples = ShardSamples(tuple(one.arn for one in disks), window, {READ_OPS: reads})
    put_samples(sqlite_state, tiles, keys[disks[0].arn], samples)
    return desk


def recommended(desk: Desk, resource_types: Sequence[str] | None = None) -> list[type]:
    with desk.state.reading() as connection:
        return [type(one) for one in by_savings(connection, resource_types=resource_types)]


def test_one_analysis_answers_for_every_type_and_tells_them_apart(
    desk: Desk, tiles: TileStore
) -> None:
    tally = analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT).tally

    assert tally.by_type == {
        ("Ec2Instance", "Overprovisioned"): 1,
        ("EbsVolume", "NotOptimized"): 1,
        ("EbsVolume", "Optimized"): 1,
        ("EbsVolume", "RECOMMENDATION_NOT_FOUND"): 1,
    }
    assert tally.resources == 4
    with desk.state.reading() as connection:
        saved = by_savings(connection, resource_types=["EbsVolume"])[0]
        everything = by_savings(connection)
    assert saved.resource_arn == volume_arn(1)
    assert len(everything) == 3


def test_recommendations_are_read_of_all_types_or_of_some(desk: Desk, tiles: TileStore) -> None:
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)

    of_volume, of_instance = EbsVolumeRecommendation, Ec2InstanceRecommendation
    assert sorted(map(str, recommended(desk))) == sorted(
        map(str, [of_volume, of_volume, of_instance])
    )
    assert recommended(desk, ["EbsVolume"]) == [of_volume, of_volume]
    assert recommended(desk, ["Ec2Instance"]) == [of_instance]


def test_a_volume_is_explained_by_the_figures_that_were_stored(
    desk: Desk, tiles: TileStore
) -> None:
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)

    told = explain(desk.state, tiles, desk.clock, volume_arn(1))

    assert (told.as_of, told.finding) == (MIDNIGHT, "NotOptimized")
    assert told.departures == ()
    # Both rules of volumes are told; that of detached ones looks 32 days back and not at this one.
    idle, unattached = told.idle_rules
    assert (idle.concerned, unattached.concerned) == (True, False)
    assert (idle.window.days, unattached.window.days) == (14, 32)
    # Of reads, 288 five-minute slots of 60,000 each; nobody sent writes, so nothing is called idle.
    (limit,) = idle.limits
    assert (limit.value, limit.limit) == (288 * 60_000, 1)
    assert (limit.known, limit.holds, idle.is_idle) == (False, False, False)


def test_a_volume_is_compared_as_of_two_moments(desk: Desk, tiles: TileStore) -> None:
    noon = MIDNIGHT - timedelta(hours=12)

    found = compare(desk.state, tiles, desk.clock, volume_arn(1), as_of=MIDNIGHT, against=noon)

    assert found.changes == ()
    # Two days, and a day and a half.
    assert (found.after.history.samples, found.before.history.samples) == (2 * 288, 432)
    assert found.after.first_option_monthly_usd == 40


def test_what_has_no_answer_of_size_is_not_compared(desk: Desk, tiles: TileStore) -> None:
    gateway = nat_gateway(1)
    with desk.state.writing() as connection:
        upsert_resources(connection, [gateway])
        place(connection, [gateway])

    with pytest.raises(InvalidInput, match=r"NatGateway cannot be compared; expected .* EbsVol"):
        compare(desk.state, tiles, desk.clock, gateway.arn, as_of=None, against=MIDNIGHT)


def test_what_came_in_after_the_analysis_of_a_volume_is_told(desk: Desk, tiles: TileStore) -> None:
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)
    with desk.state.reading() as connection:
        key = shard_of(connection, volume_arn(1))
    day = Window(LAST_DAY, LAST_DAY)
    reads = np.full((1, SLOTS_PER_DAY), 90_000, np.float32)
    put_samples(desk.state, tiles, key, ShardSamples((volume_arn(1),), day, {READ_OPS: reads}))

    told = explain(desk.state, tiles, desk.clock, volume_arn(1))

    # 60,000 and 90,000 reads in 300 seconds.
    found = {one.fact: (one.stored, one.now) for one in told.departures or ()}
    assert found == {"VolumeReadOpsPerSecond Sum": ("200", "300")}


def test_volumes_look_back_as_far_as_is_stated_for_them(desk: Desk, tiles: TileStore) -> None:
    name, owner = ScopeName.ACCOUNT_ID, ACCOUNT
    scope = PreferenceScope(owner, REGION, EBS_VOLUME, name, owner)
    one = PreferenceScope(owner, REGION, EBS_VOLUME, ScopeName.RESOURCE_ARN, volume_arn(2))
    with desk.state.writing() as connection:
        save_stated(connection, scope, StatedPreferences(look_back_period="DAYS_32"))
        save_stated(connection, one, StatedPreferences(look_back_period="DAYS_14"))

    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)

    with desk.state.reading() as connection:
        found = by_savings(connection)
    known = (EbsVolumeRecommendation, Ec2InstanceRecommendation)
    days = {one.resource_arn: one.lookback_days for one in found if isinstance(one, known)}
    # What is stated for volumes says nothing of instances.
    assert days == {volume_arn(1): 32, volume_arn(2): 14, arn(0, MANAGEMENT): 14}
