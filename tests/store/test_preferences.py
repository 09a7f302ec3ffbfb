"""Recommendation preferences in the state database: kept as stated, on both kinds."""

from dataclasses import replace

import pytest

from compute_optimizer.model.effective_preferences import PreferenceLayers
from compute_optimizer.model.stated_preferences import (
    ALL_ACCOUNTS,
    NOTHING_STATED,
    PreferenceScope,
    PreferredResource,
    ScopeName,
    StatedPreferences,
    UtilizationPreference,
)
from compute_optimizer.store import State
from compute_optimizer.store.preferences import (
    layers_of,
    layers_of_all,
    save_stated,
    stated_at,
    stated_page,
)
from tests.enrolling import ALPHA, BETA, GAMMA, MANAGEMENT, ORGANIZATION, Desk
from tests.records import REGION, arn
from tests.revisions import back_to

EVERYTHING = StatedPreferences(
    enhanced_infrastructure_metrics="Active",
    inferred_workload_types="Inactive",
    external_metrics_source="Datadog",
    look_back_period="DAYS_93",
    utilization=(
        UtilizationPreference("CpuUtilization", "P95", "PERCENT_30"),
        UtilizationPreference("MemoryUtilization", None, "PERCENT_10"),
    ),
    preferred_resources=(PreferredResource("Ec2InstanceTypes", ("m5", "c*.large"), ("m5.large",)),),
    savings_estimation_mode="BeforeDiscounts",
)
DAYS_32 = StatedPreferences(look_back_period="DAYS_32")
GROUP = f"arn:aws:autoscaling:{REGION}:{ALPHA}:autoScalingGroup:1:autoScalingGroupName/web"


@pytest.fixture
def desk(state: State) -> Desk:
    """An organization of which every account is Active, on each database in turn."""
    desk = Desk(state)
    desk.organize(ALPHA, BETA)
    desk.opt_in_all()
    return desk


def of_account(
    account: str = ALPHA, region: str = REGION, kind: str = "Ec2Instance"
) -> PreferenceScope:
    return PreferenceScope(account, region, kind, ScopeName.ACCOUNT_ID, account)


def of_resource(value: str, kind: str = "Ec2Instance") -> PreferenceScope:
    return PreferenceScope(ALPHA, REGION, kind, ScopeName.RESOURCE_ARN, value)


def of_organization(region: str = REGION) -> PreferenceScope:
    name = ScopeName.ORGANIZATION
    return PreferenceScope(ORGANIZATION, region, "Ec2Instance", name, ALL_ACCOUNTS)


def save(desk: Desk, *scopes: PreferenceScope, stated: StatedPreferences = DAYS_32) -> None:
    with desk.state.writing() as connection:
        for scope in scopes:
            save_stated(connection, scope, stated)


def found_at(desk: Desk, scope: PreferenceScope) -> StatedPreferences:
    with desk.state.reading() as connection:
        return stated_at(connection, scope)


def layers(
    desk: Desk, account: str = ALPHA, region: str = REGION, kind: str = "Ec2Instance"
) -> PreferenceLayers:
    with desk.state.reading() as connection:
        return layers_of(connection, account, region, kind)


def test_what_is_stated_is_read_back_as_it_was(desk: Desk) -> None:
    assert found_at(desk, of_account()) == NOTHING_STATED

    save(desk, of_account(), stated=EVERYTHING)

    assert found_at(desk, of_account()) == EVERYTHING
    save(desk, of_account())
    assert found_at(desk, of_account()) == DAYS_32


def test_a_scope_is_of_one_region_and_one_resource_type(desk: Desk) -> None:
    save(desk, of_account())

    assert found_at(desk, of_account(region="eu-west-1")) == NOTHING_STATED
    assert found_at(desk, of_account(kind="RdsDBInstance")) == NOTHING_STATED
    assert found_at(desk, of_account(BETA)) == NOTHING_STATED


def test_a_scope_with_nothing_left_is_not_listed(desk: Desk) -> None:
    save(desk, of_account())
    save(desk, of_account(), stated=NOTHING_STATED)

    with desk.state.reading() as connection:
        assert stated_page(connection, [ALPHA], REGION, "Ec2Instance", limit=9) == []


def test_pages_go_by_scope_value_and_neither_repeat_nor_skip(desk: Desk) -> None:
    scopes = [of_account(), *(of_resource(arn(number, ALPHA)) for number in range(4))]
    save(desk, *reversed(scopes), of_account(BETA))

    seen: list[PreferenceScope] = []
    with desk.state.reading() as connection:
        while page := stated_page(
            connection,
            [ALPHA],
            REGION,
            "Ec2Instance",
            after=seen[-1].value if seen else "",
            limit=2,
        ):
            seen += [scope for scope, _ in page]

    assert seen == scopes


def test_an_organization_is_listed_with_its_opted_in_accounts(desk: Desk) -> None:
    desk.join(GAMMA)
    desk.settle()
    desk.opt_out(BETA)
    save(desk, of_organization(), *map(of_account, (MANAGEMENT, ALPHA, BETA, GAMMA)))

    with desk.state.reading() as connection:
        found = stated_page(
            connection,
            [MANAGEMENT, ORGANIZATION],
            REGION,
            "Ec2Instance",
            organization_id=ORGANIZATION,
            limit=9,
        )

    assert {scope.value for scope, _ in found} == {ALL_ACCOUNTS, MANAGEMENT, ALPHA, GAMMA}


def test_every_scope_becomes_its_layer(desk: Desk) -> None:
    instance = of_resource(arn(1, ALPHA))
    save(desk, of_organization(), stated=EVERYTHING)
    save(desk, instance, of_resource(GROUP, "AutoScalingGroup"), of_account())

    assert layers(desk) == PreferenceLayers(
        organization=EVERYTHING,
        account=DAYS_32,
        resources={instance.value: DAYS_32},
        groups={GROUP: DAYS_32},
        savings_estimation_mode="BeforeDiscounts",
    )
    other = layers(desk, BETA)
    assert (other.organization, other.account) == (EVERYTHING, NOTHING_STATED)
    assert layers(desk, ALPHA, "eu-west-1").organization == NOTHING_STATED


def test_other_statements_can_stand_for_what_is_stored(desk: Desk) -> None:
    save(desk, of_organization(), of_account())
    place = (ALPHA, REGION, "Ec2Instance")
    instance = of_resource(arn(1, ALPHA))
    instead = {of_account(): NOTHING_STATED, instance: EVERYTHING}
    with desk.state.reading() as connection:
        found = layers_of_all(connection, [place], instead)[place]

    assert found.organization == DAYS_32
    assert found.account == NOTHING_STATED
    assert found.resources == {instance.value: EVERYTHING}
    # What is stored is as it was.
    assert layers(desk).account == DAYS_32


def test_what_is_stated_for_a_type_counts_for_its_own_resources_only(desk: Desk) -> None:
    volume = f"arn:aws:ec2:{REGION}:{ALPHA}:volume/vol-1"
    save(desk, of_account(kind="EbsVolume"), of_resource(volume, "EbsVolume"))

    of_volumes = layers(desk, kind="EbsVolume")

    assert (of_volumes.account, of_volumes.resources) == (DAYS_32, {volume: DAYS_32})
    assert (layers(desk).account, layers(desk).resources) == (NOTHING_STATED, {})
    assert layers(desk, kind="EcsService").account == NOTHING_STATED


def test_a_group_goes_by_its_own_statement_and_those_for_instances(desk: Desk) -> None:
    save(desk, of_organization(), of_account(), stated=EVERYTHING)
    save(desk, of_resource(GROUP, "AutoScalingGroup"), of_resource(arn(1, ALPHA)))

    found = layers(desk, kind="AutoScalingGroup")

    # Metrics of other providers are not taken in for groups.
    wide = replace(EVERYTHING, external_metrics_source=None)
    assert (found.organization, found.account) == (wide, wide)
    assert found.resources == {GROUP: DAYS_32}


def test_preferences_of_an_organization_do_not_reach_accounts_outside(desk: Desk) -> None:
    save(desk, of_organization())
    desk.leave(BETA)

    assert layers(desk, BETA) == PreferenceLayers()
    assert layers(desk, GAMMA) == PreferenceLayers()


def test_what_is_stated_for_no_type_in_particular_counts_for_instances(desk: Desk) -> None:
    save(
        desk,
        of_account(MANAGEMENT, kind="NotApplicable"),
        stated=StatedPreferences(savings_estimation_mode="BeforeDiscounts"),
    )
    assert layers(desk, MANAGEMENT).account.savings_estimation_mode == "BeforeDiscounts"

    own = StatedPreferences(savings_estimation_mode="AfterDiscounts")
    save(desk, of_account(MANAGEMENT), stated=own)

    assert layers(desk, MANAGEMENT).account == own


def test_the_default_savings_mode_depends_on_the_kind_of_account(desk: Desk) -> None:
    desk.delegate(ALPHA)

    with desk.state.reading() as connection:
        places = {(one, REGION, "Ec2Instance") for one in (MANAGEMENT, ALPHA, BETA, GAMMA)}
        found = layers_of_all(connection, places)

    assert {one[0]: found[one].savings_estimation_mode for one in places} == {
        MANAGEMENT: "AfterDiscounts",
        ALPHA: "AfterDiscounts",
        BETA: "BeforeDiscounts",
        GAMMA: "AfterDiscounts",
    }


def test_preferences_of_an_organization_go_with_it(desk: Desk) -> None:
    save(desk, of_organization(), of_account())
    desk.leave(ALPHA, BETA, MANAGEMENT)
    desk.organize(ALPHA)

    assert found_at(desk, of_organization()) == NOTHING_STATED
    assert found_at(desk, of_account()) == DAYS_32


def test_a_state_of_the_first_revision_gets_the_table_and_keeps_its_rows(desk: Desk) -> None:
    with desk.state.writing() as connection:
        back_to(connection, "0001")

    desk.state.migrate()

    save(desk, of_account())
    assert found_at(desk, of_account()) == DAYS_32
    assert desk.listed() == {ALPHA: "Active", BETA: "Active"}
