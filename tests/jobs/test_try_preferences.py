"""Trying preferences says what the analysis says once they are stated, and stores nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.errors import Conflict
from compute_optimizer.jobs import try_preferences as job
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.try_preferences import Fleet, Trial, tried_types, try_preferences
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.model.stated_preferences import (
    PreferenceScope,
    PreferredResource,
    ScopeName,
    StatedPreferences,
    UtilizationPreference,
)
from compute_optimizer.resources.outlook import Outlook, outlook_of
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.inventory import upsert_resources
from compute_optimizer.store.preferences import save_stated
from compute_optimizer.store.recommendations import read_page
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, BETA, Desk
from tests.kept import copied, kept
from tests.records import REGION, arn
from tests.stored_fleets import BUSY, QUIET, machine, store_fleet

GROUP = f"arn:aws:autoscaling:{REGION}:{ALPHA}:autoScalingGroup:1:autoScalingGroupName/web"
ACCOUNT = PreferenceScope(ALPHA, REGION, EC2_INSTANCE, ScopeName.ACCOUNT_ID, ALPHA)
ONE = PreferenceScope(ALPHA, REGION, EC2_INSTANCE, ScopeName.RESOURCE_ARN, arn(1, ALPHA))
MINE = Fleet(frozenset({ALPHA}), REGION, EC2_INSTANCE)

ONLY_C5 = StatedPreferences(preferred_resources=(PreferredResource("Ec2InstanceTypes", ("c5",)),))
CAREFUL = StatedPreferences(
    utilization=(UtilizationPreference("CpuUtilization", "P99_5", "PERCENT_30"),)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two accounts; the fleet of the first: too large, nearly full, and too small."""
    folder = tmp_path_factory.mktemp("tried")
    with kept(folder) as state:
        desk, tiles = Desk(state), TileStore(folder / "tiles")
        for account in (ALPHA, BETA):
            desk.opt_in(account)
        desk.settle()
        store_fleet(state, tiles, ALPHA, cpu=(QUIET, 75.0, BUSY))
        store_fleet(state, tiles, BETA)
        analyze(state, tiles, desk.clock, workers=1)
    return folder


@pytest.fixture
def desk(folder: Path, tmp_path: Path) -> Iterator[Desk]:
    """The same, for one test."""
    with copied(folder, tmp_path) as state:
        yield Desk(state)


def tried(
    desk: Desk,
    tiles: TileStore,
    instead: Mapping[PreferenceScope, StatedPreferences],
    fleet: Fleet = MINE,
    **options: Any,
) -> Trial:
    return try_preferences(desk.state, tiles, desk.clock, fleet, instead, **options)


def advised(desk: Desk, account: str = ALPHA) -> dict[str, Outlook]:
    """Return what the current run says of the instances of an account."""
    scope = Scope(account, REGION, EC2_INSTANCE)
    with desk.state.reading() as connection:
        run_id = current_run(connection, scope)
        assert run_id is not None
        found = read_page(connection, run_id, scope, Ec2InstanceRecommendation, limit=100)
    return {one.resource_arn: outlook_of(one) for one in found}


@pytest.mark.parametrize("stated", [ONLY_C5, CAREFUL])
def test_a_trial_says_what_the_next_analysis_says(
    desk: Desk, tiles: TileStore, stated: StatedPreferences
) -> None:
    before = advised(desk)
    trial = tried(desk, tiles, {ACCOUNT: stated})
    with desk.state.writing() as connection:
        save_stated(connection, ACCOUNT, stated)
    analyze(desk.state, tiles, desk.clock, workers=1)
    after = advised(desk)

    changed = {
        name
        for name, one in after.items()
        if (one.finding, one.advised) != (before[name].finding, before[name].advised)
    }
    assert changed
    assert {one.told.resource_arn: (one.now, one.then) for one in trial.changes} == {
        name: (before[name], after[name]) for name in changed
    }
    assert (trial.resources, trial.changed) == (3, len(changed))
    saved = sum(max(one.saved_usd, 0.0) for one in after.values())
    spent = sum(max(-one.saved_usd, 0.0) for one in after.values())
    cost = sum(one.cost_usd or 0.0 for one in after.values())
    assert trial.then.savings_usd == pytest.approx(saved)
    assert trial.then.cost_after_usd == pytest.approx(cost - saved + spent)


def test_a_trial_stores_nothing(desk: Desk, tiles: TileStore) -> None:
    before = advised(desk)
    tried(desk, tiles, {ACCOUNT: ONLY_C5})

    assert advised(desk) == before
    assert tried(desk, tiles, {}).changed == 0


def test_what_is_taken_away_is_tried_against_what_is_in_force(desk: Desk, tiles: TileStore) -> None:
    with desk.state.writing() as connection:
        save_stated(connection, ACCOUNT, ONLY_C5)
    trial = tried(desk, tiles, {ACCOUNT: StatedPreferences()})

    # The run before it was stated is what comes back.
    stored = advised(desk)
    assert trial.changed == 3
    for one in trial.changes:
        assert one.now is not None
        assert "c5." in (one.now.advised or "")
        assert one.then == stored[one.told.resource_arn]


def test_a_single_resource_is_tried_alone(desk: Desk, tiles: TileStore) -> None:
    one = tried(desk, tiles, {ONE: CAREFUL}, replace(MINE, arn=arn(1, ALPHA)))

    assert one.resources == one.now.resources == one.then.resources == 1
    # 75 % of use with 30 % of headroom ask for 107 % of the capacity, with 20 % for 94 %.
    assert one.now.findings == {"Overprovisioned": 1}
    assert one.then.findings == {"Underprovisioned": 1}


def test_preferences_of_its_own_keep_a_resource_as_it_is(desk: Desk, tiles: TileStore) -> None:
    with desk.state.writing() as connection:
        save_stated(connection, ONE, CAREFUL)
    trial = tried(desk, tiles, {ACCOUNT: CAREFUL})

    assert arn(1, ALPHA) not in {one.told.resource_arn for one in trial.changes}


def test_every_account_of_a_fleet_is_tried(desk: Desk, tiles: TileStore) -> None:
    both = replace(MINE, accounts=frozenset({ALPHA, BETA}))
    steps: list[tuple[int, int]] = []
    trial = tried(desk, tiles, {ACCOUNT: ONLY_C5}, both, progress=lambda *step: steps.append(step))

    # Those of the other account are in the sums, but what this one states is not for them.
    assert trial.resources == 4
    assert {one.told.account_id for one in trial.changes} == {ALPHA}
    assert steps[-1] == (4, 4)


def test_a_group_is_tried_with_its_instances(desk: Desk, tiles: TileStore) -> None:
    with desk.state.writing() as connection:
        upsert_resources(connection, [replace(machine(0, ALPHA), auto_scaling_group_arn=GROUP)])
    scope = PreferenceScope(ALPHA, REGION, "AutoScalingGroup", ScopeName.RESOURCE_ARN, GROUP)
    fleet = replace(MINE, resource_type="AutoScalingGroup", arn=GROUP)
    trial = tried(desk, tiles, {scope: ONLY_C5}, fleet)

    assert trial.resources == 1
    assert [one.told.resource_arn for one in trial.changes] == [arn(0, ALPHA)]


def test_those_that_move_most_money_are_kept(
    desk: Desk, tiles: TileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = tried(desk, tiles, {ACCOUNT: ONLY_C5}).changes
    monkeypatch.setattr(job, "MOST_CHANGES", 1)
    trial = tried(desk, tiles, {ACCOUNT: ONLY_C5})

    largest = max(abs(one.difference_usd) for one in every)
    assert len(trial.changes) == 1 < trial.changed == len(every)
    assert abs(trial.changes[0].difference_usd) == largest


def test_nothing_to_try_them_on_is_told(desk: Desk, tiles: TileStore) -> None:
    with pytest.raises(Conflict, match="there is no EbsVolume in the inventory of us-east-1"):
        tried(desk, tiles, {}, replace(MINE, resource_type="EbsVolume"))


@pytest.mark.parametrize(
    ("stated_for", "types"),
    [
        ("Ec2Instance", {"Ec2Instance", "AutoScalingGroup"}),
        ("AutoScalingGroup", {"Ec2Instance", "AutoScalingGroup"}),
        ("EbsVolume", {"EbsVolume"}),
        ("RdsDBInstance", {"RdsDBInstance"}),
        # Clusters are analyzed with databases, by the preferences of those.
        ("AuroraDBClusterStorage", set()),
        ("Idle", set()),
    ],
)
def test_a_type_is_tried_on_what_goes_by_it(stated_for: str, types: set[str]) -> None:
    assert set(tried_types(stated_for)) == types


def test_what_is_stated_for_no_type_is_tried_on_all_that_have_savings_after_discounts() -> None:
    assert {"Ec2Instance", "EbsVolume", "LambdaFunction"} < set(tried_types("NotApplicable"))
