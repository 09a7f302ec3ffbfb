"""What an analysis does with rules of risk, profiles, and the fleet's own model."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs import calibrate
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.explain import compare, explain
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.jobs.risk import risk_policy
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.model.preferences import (
    AUTO,
    CALIBRATED,
    DEFAULT_RISK_CAP,
    PUBLISHED,
)
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.model.risk_rules import RiskRule, RiskScope
from compute_optimizer.resources import type_named
from compute_optimizer.store import State
from compute_optimizer.store import risk as store
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, MANAGEMENT, ORGANIZATION, Desk
from tests.samples import put_samples
from tests.stored_fleets import CPU, LAST_DAY, MEMORY, machine, store_fleet


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    desk = Desk(sqlite_state)
    desk.organize(ALPHA)
    desk.opt_in_all()
    return desk


def store_restless(desk: Desk, tiles: TileStore, tags: Sequence[str], days: int = 14) -> list[str]:
    """Store a machine for each value of the tag env, busy on every fifth day; return the ARNs."""
    fleet = [replace(machine(number, ALPHA), tags={"env": tag}) for number, tag in enumerate(tags)]
    with desk.state.writing() as connection:
        upsert_resources(connection, fleet)
        keys = place(connection, fleet)
    day = np.arange(days * SLOTS_PER_DAY) // SLOTS_PER_DAY
    shape = (len(fleet), len(day))
    cpu = np.broadcast_to(np.where(day % 5 == 0, 35.0, 4.0), shape).astype(np.float32)
    series = {CPU: cpu, MEMORY: np.full(shape, 20, np.float32)}
    window = Window(LAST_DAY - timedelta(days=days - 1), LAST_DAY)
    arns = tuple(one.arn for one in fleet)
    put_samples(desk.state, tiles, keys[arns[0]], ShardSamples(arns, window, series))
    return list(arns)


def advised(
    desk: Desk, tiles: TileStore, profile: str = CALIBRATED
) -> dict[str, Ec2InstanceRecommendation]:
    analyze(desk.state, tiles, desk.clock, profile=profile)
    with desk.state.reading() as connection:
        found = by_savings(connection, resource_types=[EC2_INSTANCE])
    return {one.resource_arn: one for one in found if isinstance(one, Ec2InstanceRecommendation)}


def allow(desk: Desk, *rules: RiskRule) -> None:
    with desk.state.writing() as connection:
        for rule in rules:
            store.save_rule(connection, rule)


def test_the_profile_decides_and_the_other_answer_stands_beside_it(
    desk: Desk, tiles: TileStore
) -> None:
    (arn,) = store_restless(desk, tiles, ["dev"])

    ours, theirs = advised(desk, tiles)[arn], advised(desk, tiles, PUBLISHED)[arn]

    assert (ours.preferences.profile, theirs.preferences.profile) == (CALIBRATED, PUBLISHED)
    assert ours.other is not None and theirs.other is not None
    assert ours.other.instance_type == theirs.options[0].instance_type
    assert theirs.other.instance_type == ours.options[0].instance_type


def test_tags_take_different_risks_in_one_shard(desk: Desk, tiles: TileStore) -> None:
    prod, dev = store_restless(desk, tiles, ["prod", "dev"])
    allow(
        desk,
        RiskRule(RiskScope.TAG, "env=prod", cap=0.01),
        RiskRule(RiskScope.TAG, "env=dev", cap=0.6, incident_usd=0.0),
    )

    found = advised(desk, tiles)

    assert found[prod].preferences.risk_cap == 0.01
    assert found[dev].preferences.risk_cap == 0.6
    careful, bold = (found[arn].options[0] for arn in (prod, dev))
    assert careful.hourly_usd is not None and bold.hourly_usd is not None
    assert bold.hourly_usd < careful.hourly_usd
    # What is kept as it is has no risk to tell.
    assert (careful.violation_risk or 0) <= 0.01


def test_a_rule_of_the_organization_reaches_its_members(desk: Desk, tiles: TileStore) -> None:
    (arn,) = store_restless(desk, tiles, ["dev"])
    allow(desk, RiskRule(RiskScope.ORGANIZATION, ORGANIZATION, cap=0.03))

    assert advised(desk, tiles)[arn].preferences.risk_cap == 0.03


def test_a_rule_may_keep_an_account_on_the_published_rule(desk: Desk, tiles: TileStore) -> None:
    (arn,) = store_restless(desk, tiles, ["dev"])
    allow(desk, RiskRule(RiskScope.ACCOUNT, ALPHA, profile=PUBLISHED))

    assert advised(desk, tiles)[arn].preferences.profile == PUBLISHED


def test_explain_goes_by_what_the_run_used(desk: Desk, tiles: TileStore) -> None:
    (arn,) = store_restless(desk, tiles, ["prod"])
    allow(desk, RiskRule(RiskScope.TAG, "env=prod", cap=0.02))
    stored = advised(desk, tiles)[arn]

    told = explain(desk.state, tiles, desk.clock, arn)

    assert told.prediction is not None
    assert told.prediction.risk_cap == 0.02
    assert told.departures == ()
    first = next(one for one in told.considered if one.ranks.get("CURRENT") == 1)
    assert first.instance_type == stored.options[0].instance_type
    if first.instance_type != stored.current_instance_type:
        assert first.violation_risk == pytest.approx(stored.options[0].violation_risk, abs=1e-4)


def test_two_moments_are_compared_under_one_policy(desk: Desk, tiles: TileStore) -> None:
    (arn,) = store_restless(desk, tiles, ["prod"], days=20)
    day = desk.clock.now()

    found = compare(
        desk.state,
        tiles,
        desk.clock,
        arn,
        as_of=day,
        against=day - timedelta(days=3),
        profile=CALIBRATED,
    )

    assert {found.before.as_of, found.after.as_of} == {day, day - timedelta(days=3)}


def test_other_resource_types_are_told_nothing_of_risk(desk: Desk) -> None:
    with desk.state.reading() as connection:
        policy = risk_policy(connection, CALIBRATED)
    instances, volumes = type_named(EC2_INSTANCE), type_named("EbsVolume")
    assert instances is not None and volumes is not None

    assert policy.known_to(volumes) == {}
    assert policy.known_to(instances) == {"risk_model": load_risk_prior()}


def test_without_rules_the_settings_hold(desk: Desk, tiles: TileStore) -> None:
    (arn,) = store_restless(desk, tiles, ["prod"])

    preferences = advised(desk, tiles)[arn].preferences

    assert (preferences.risk_cap, preferences.incident_usd) == (DEFAULT_RISK_CAP, None)


def test_the_fleet_s_own_model_replaces_the_one_that_ships(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=tuple(range(5, 45)), days=28)

    model = calibrate.calibrate(desk.state, tiles, desk.clock)

    assert model.card["machines"] == 40
    with desk.state.reading() as connection:
        assert risk_policy(connection, CALIBRATED).model == model
    assert calibrate.forget(desk.state)
    with desk.state.reading() as connection:
        assert risk_policy(connection, CALIBRATED).model == load_risk_prior()
    assert not calibrate.forget(desk.state)


def test_by_itself_the_predicted_risk_decides_once_the_fleet_is_fitted(
    desk: Desk, tiles: TileStore
) -> None:
    with desk.state.reading() as connection:
        assert risk_policy(connection, AUTO).profile == PUBLISHED
    with desk.state.writing() as connection:
        store.save_model(connection, load_risk_prior(), desk.clock.now())
        assert risk_policy(connection, AUTO).profile == CALIBRATED


def test_a_trial_of_the_fit_keeps_nothing(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=tuple(range(5, 45)), days=28)

    calibrate.calibrate(desk.state, tiles, desk.clock, keep=False)

    with desk.state.reading() as connection:
        assert store.fleet_model(connection) is None


def test_too_small_a_fleet_keeps_the_model_that_ships(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, days=28)

    with pytest.raises(InvalidInput, match="use the model that ships"):
        calibrate.calibrate(desk.state, tiles, desk.clock)


def test_the_management_account_is_under_its_organization_too(desk: Desk, tiles: TileStore) -> None:
    fleet = store_fleet(desk.state, tiles, MANAGEMENT)
    allow(desk, RiskRule(RiskScope.ORGANIZATION, ORGANIZATION, cap=0.07))

    assert advised(desk, tiles)[fleet[0].arn].preferences.risk_cap == 0.07
