"""Changing organizations: what each verb does, what it tells and what it refuses."""

from collections.abc import Callable

import pytest

from compute_optimizer.errors import ComputeOptimizerError, Conflict, InvalidInput, NotFound
from compute_optimizer.jobs import organization
from compute_optimizer.jobs.organization import Change
from compute_optimizer.store import State
from compute_optimizer.store.accounts import list_rosters, the_organization
from tests.enrolling import ALPHA, BETA, GAMMA, MANAGEMENT, ORGANIZATION, STRANGER, Desk
from tests.statements import statements_of


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    return Desk(sqlite_state)


def belonging(state: State) -> dict[str, str | None]:
    with state.reading() as connection:
        rosters = list_rosters(connection)
    accounts = [account for roster in rosters for account in roster.accounts.values()]
    return {account.account_id: account.organization_id for account in accounts}


def test_a_management_account_makes_an_organization_named_after_it(desk: Desk) -> None:
    changes = organization.set_management(desk.state, desk.clock, MANAGEMENT)
    assert Change(MANAGEMENT, "organization_id", None, ORGANIZATION) in changes
    assert belonging(desk.state) == {MANAGEMENT: ORGANIZATION}


def test_an_organization_may_have_an_id_of_its_own(desk: Desk) -> None:
    organization.set_management(desk.state, desk.clock, MANAGEMENT, "o-exampleorg1")
    assert belonging(desk.state) == {MANAGEMENT: "o-exampleorg1"}


def test_accounts_join_together_or_not_at_all(desk: Desk) -> None:
    desk.organize(ALPHA)
    with pytest.raises(Conflict, match=f"{ALPHA} has been added to {ORGANIZATION} already"):
        desk.join(BETA, ALPHA)
    assert belonging(desk.state) == {MANAGEMENT: ORGANIZATION, ALPHA: ORGANIZATION}


def test_however_many_are_added_are_read_at_once(desk: Desk) -> None:
    asked = statements_of(desk.state, "SELECT")
    organization.add_accounts(desk.state, desk.clock, [ALPHA])
    for_one = len(asked)
    organization.add_accounts(desk.state, desk.clock, [BETA, GAMMA, STRANGER, BETA])

    assert len(asked) == 2 * for_one
    assert belonging(desk.state) == dict.fromkeys([ALPHA, BETA, GAMMA, STRANGER])


def test_however_many_join_are_read_at_once(desk: Desk) -> None:
    desk.organize()
    newcomers = [ALPHA, BETA, GAMMA, STRANGER]
    asked = statements_of(desk.state, "SELECT")

    with desk.state.writing() as connection:
        the_one = the_organization(connection)
        asked.clear()
        organization.admit(connection, desk.clock, the_one, newcomers[:1])
        for_one = len(asked)
        organization.admit(connection, desk.clock, the_one, newcomers[1:])

    assert len(asked) == 2 * for_one
    assert belonging(desk.state) == dict.fromkeys([MANAGEMENT, *newcomers], ORGANIZATION)


def test_a_standalone_account_may_join_later(desk: Desk) -> None:
    desk.organize()
    organization.add_accounts(desk.state, desk.clock, [ALPHA], name="Shop")
    assert belonging(desk.state) == {MANAGEMENT: ORGANIZATION, ALPHA: None}
    desk.join(ALPHA)
    assert belonging(desk.state) == {MANAGEMENT: ORGANIZATION, ALPHA: ORGANIZATION}
    with desk.state.reading() as connection:
        assert list_rosters(connection)[0].accounts[ALPHA].name == "Shop"


def test_the_management_account_leaves_last_and_takes_the_organization_along(desk: Desk) -> None:
    desk.organize(ALPHA)
    with pytest.raises(Conflict, match="still has 1 member"):
        desk.leave(MANAGEMENT)
    desk.leave(ALPHA, MANAGEMENT)
    assert belonging(desk.state) == {}
    desk.organize(ALPHA)


def test_another_member_may_become_the_management_account(desk: Desk) -> None:
    desk.organize(ALPHA, BETA)
    desk.delegate(ALPHA)
    desk.opt_in_all()
    changes = organization.set_management(desk.state, desk.clock, ALPHA)
    assert Change(ORGANIZATION, "management_account_id", MANAGEMENT, ALPHA) in changes
    assert Change(ORGANIZATION, "delegated_administrator_id", ALPHA, None) in changes
    # The opt-in that included members was the former management account's.
    assert desk.status(ALPHA)["memberAccountsEnrolled"] is False
    assert desk.status(ALPHA)["numberOfMemberAccountsOptedIn"] == 2
    assert "numberOfMemberAccountsOptedIn" not in desk.status(MANAGEMENT)


def test_only_one_delegated_administrator_at_a_time(desk: Desk) -> None:
    desk.organize(ALPHA, BETA)
    desk.delegate(ALPHA)
    organization.delegate(desk.state, desk.clock, BETA)
    assert "numberOfMemberAccountsOptedIn" not in desk.status(ALPHA)
    assert "numberOfMemberAccountsOptedIn" in desk.status(BETA)


def test_a_verb_tells_what_changed_and_nothing_else(desk: Desk) -> None:
    desk.organize(ALPHA)
    change = [Change(ALPHA, "suspended", False, True)]
    assert organization.suspend_accounts(desk.state, [ALPHA], True) == change
    assert organization.suspend_accounts(desk.state, [ALPHA], True) == []


def test_enrollments_that_follow_are_told_too(desk: Desk) -> None:
    desk.organize(ALPHA)
    desk.opt_in_all()
    changes = organization.allow_trusted_access(desk.state, desk.clock, None, False)
    assert changes == [
        Change(ALPHA, "status", "Active", "Inactive"),
        Change(ORGANIZATION, "trusted_access", True, False),
    ]


def test_a_switch_may_be_set_for_an_account_that_nobody_added(desk: Desk) -> None:
    desk.break_metrics(STRANGER)
    assert belonging(desk.state) == {STRANGER: None}


def second_organization(desk: Desk) -> list[Change]:
    return organization.set_management(desk.state, desk.clock, GAMMA)


REFUSALS: list[tuple[str, type[ComputeOptimizerError], str, Callable[[Desk], object]]] = [
    ("bad id", InvalidInput, "twelve digits", lambda d: d.join("12")),
    (
        "bad management id",
        InvalidInput,
        "twelve digits",
        lambda d: organization.set_management(d.state, d.clock, "12"),
    ),
    (
        "bad organization id",
        InvalidInput,
        "organization id 'acme'",
        lambda d: organization.set_management(d.state, d.clock, STRANGER, "acme"),
    ),
    (
        "taken organization id",
        Conflict,
        "add the account to it first",
        lambda d: organization.set_management(d.state, d.clock, STRANGER, ORGANIZATION),
    ),
    (
        "member of another organization becomes management",
        Conflict,
        "name that organization, or remove the account there first",
        lambda d: organization.set_management(d.state, d.clock, ALPHA, "o-exampleorg1"),
    ),
    (
        "unknown organization",
        NotFound,
        "no organization",
        lambda d: organization.add_accounts(d.state, d.clock, [STRANGER], "o-exampleorg1"),
    ),
    ("remove a stranger", NotFound, "accounts list", lambda d: d.leave(STRANGER)),
    ("suspend a stranger", NotFound, STRANGER, lambda d: d.suspend(STRANGER)),
    ("suspend management", Conflict, "cannot be suspended", lambda d: d.suspend(MANAGEMENT)),
    ("delegate to management", Conflict, "management account", lambda d: d.delegate(MANAGEMENT)),
    ("delegate to a stranger", NotFound, STRANGER, lambda d: d.delegate(STRANGER)),
    (
        "delegate to a standalone account",
        Conflict,
        "no organization",
        lambda d: (
            organization.add_accounts(d.state, d.clock, [STRANGER]),
            d.delegate(STRANGER),
        ),
    ),
    (
        "delegate to a suspended one",
        Conflict,
        "resume it first",
        lambda d: (d.suspend(ALPHA), d.delegate(ALPHA)),
    ),
    (
        "suspended management",
        Conflict,
        "resume it first",
        lambda d: (
            d.suspend(ALPHA),
            organization.set_management(d.state, d.clock, ALPHA),
        ),
    ),
    (
        "trusted access without all features",
        Conflict,
        "all features",
        lambda d: (
            organization.enable_all_features(d.state, d.clock, None, False),
            d.trusted_access(True),
        ),
    ),
    (
        "trusted access refused",
        Conflict,
        "refuses trusted access",
        lambda d: (d.refuse_trusted_access(), d.trusted_access(True)),
    ),
    (
        "which organization",
        InvalidInput,
        "--organization",
        lambda d: (second_organization(d), d.trusted_access(True)),
    ),
]


@pytest.mark.parametrize(
    ("error", "text", "act"),
    [refusal[1:] for refusal in REFUSALS],
    ids=[refusal[0] for refusal in REFUSALS],
)
def test_what_cannot_be_is_refused_clearly(
    desk: Desk, error: type[Exception], text: str, act: Callable[[Desk], object]
) -> None:
    desk.organize(ALPHA, BETA)
    with pytest.raises(error, match=text):
        act(desk)


def test_without_an_organization_there_is_a_hint(desk: Desk) -> None:
    with pytest.raises(NotFound, match="set-management"):
        desk.trusted_access(True)
