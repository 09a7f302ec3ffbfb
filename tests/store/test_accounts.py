"""Rosters come back from the database as they went in, and only differences are written."""

from dataclasses import replace

import pytest

from compute_optimizer.errors import Conflict, InvalidInput, NotFound
from compute_optimizer.model.account import Account, Enrollment, EnrollmentStatus, Organization
from compute_optimizer.model.roster import Roster
from compute_optimizer.store import State
from compute_optimizer.store.accounts import (
    change_roster,
    find_account,
    find_organization,
    list_rosters,
    remove_account,
    remove_organization,
    roster_of,
    save_accounts,
    save_roster,
    the_organization,
)
from compute_optimizer.store.enrollments import find_enrollment
from tests.enrolling import ALPHA, BETA, GAMMA, MANAGEMENT, START, STRANGER
from tests.statements import statements_of

ORGANIZATION = Organization("o-exampleorg1", MANAGEMENT, False, True, True, ALPHA)

ROSTER = Roster(
    ORGANIZATION,
    {
        MANAGEMENT: Account(MANAGEMENT, "Platform", "o-exampleorg1"),
        ALPHA: Account(ALPHA, "Shop", "o-exampleorg1", suspended=True),
        BETA: Account(BETA, "Größe", "o-exampleorg1", metrics_unreadable=True),
    },
    {
        MANAGEMENT: Enrollment(
            MANAGEMENT, EnrollmentStatus.PENDING, "why", True, START, False, None
        ),
        ALPHA: Enrollment(ALPHA, EnrollmentStatus.FAILED, "why", False, START, True, START),
        BETA: Enrollment(BETA),
    },
)

NOBODY = Roster(None, {}, {})


def stored(state: State, account_id: str) -> Roster:
    with state.reading() as connection:
        return roster_of(connection, account_id)


@pytest.fixture
def filled(state: State) -> State:
    with state.writing() as connection:
        save_roster(connection, NOBODY, ROSTER)
    return state


def test_a_roster_comes_back_as_it_went_in_through_each_of_its_accounts(filled: State) -> None:
    for account_id in ROSTER.accounts:
        assert stored(filled, account_id) == ROSTER


def test_an_account_that_nobody_added_stands_alone_and_is_inactive(filled: State) -> None:
    alone = Roster(None, {STRANGER: Account(STRANGER)}, {STRANGER: Enrollment(STRANGER)})
    assert stored(filled, STRANGER) == alone


def test_changing_a_roster_writes_what_differs_and_nothing_else(filled: State) -> None:
    written = statements_of(filled, "INSERT", "UPDATE", "DELETE")

    def activate(roster: Roster) -> Roster:
        active = replace(roster.enrollments[BETA], status=EnrollmentStatus.ACTIVE)
        return replace(roster, enrollments={**roster.enrollments, BETA: active})

    after = change_roster(filled, MANAGEMENT, activate)
    assert stored(filled, BETA) == after
    assert [" ".join(one.split()[:3]) for one in written] == [
        "DELETE FROM enrollments",
        "INSERT INTO enrollments",
    ]


def test_a_change_of_nothing_writes_nothing(filled: State) -> None:
    before = filled.remembered("roster", lambda connection: roster_of(connection, ALPHA))
    change_roster(filled, ALPHA, lambda roster: roster)
    if filled.is_sqlite:
        # Not even the other processes have to read again.
        again = filled.remembered("roster", lambda connection: roster_of(connection, ALPHA))
        assert again is before


def test_a_decision_that_refuses_leaves_no_trace(filled: State) -> None:
    def refuse(_roster: Roster) -> Roster:
        raise Conflict("no")

    with pytest.raises(Conflict):
        change_roster(filled, ALPHA, refuse)
    assert stored(filled, ALPHA) == ROSTER


def test_rosters_are_listed_organizations_first(filled: State) -> None:
    with filled.writing() as connection:
        save_accounts(connection, [Account(GAMMA, "Laboratory")])
        enrolled = Roster(None, {STRANGER: Account(STRANGER)}, {STRANGER: Enrollment(STRANGER)})
        active = {STRANGER: Enrollment(STRANGER, EnrollmentStatus.ACTIVE)}
        save_roster(connection, enrolled, replace(enrolled, enrollments=active))
    with filled.reading() as connection:
        found = [sorted(one.accounts) for one in list_rosters(connection)]
    assert found == [[MANAGEMENT, ALPHA, BETA], [GAMMA], [STRANGER]]


def test_all_rosters_are_read_at_once_and_are_those_of_their_accounts(filled: State) -> None:
    with filled.writing() as connection:
        save_accounts(connection, [Account(GAMMA, "Laboratory")])
        enrollment = Enrollment(STRANGER, EnrollmentStatus.ACTIVE)
        save_roster(connection, NOBODY, Roster(None, {}, {STRANGER: enrollment}))
    statements = statements_of(filled)

    with filled.reading() as connection:
        found = list_rosters(connection)
        asked = [one for one in statements if "FROM" in one]
        assert found == [roster_of(connection, one) for one in (MANAGEMENT, GAMMA, STRANGER)]
    # One each for organizations, accounts and enrollments.
    assert len(asked) == 3


def test_a_removed_account_keeps_its_enrollment(filled: State) -> None:
    with filled.writing() as connection:
        remove_account(connection, ALPHA)
        assert find_account(connection, ALPHA) is None
        assert find_enrollment(connection, ALPHA) == ROSTER.enrollments[ALPHA]


def test_an_organization_is_found_by_id_or_by_being_the_only_one(filled: State) -> None:
    with filled.writing() as connection:
        assert the_organization(connection) == ORGANIZATION
        assert find_organization(connection, "o-exampleorg1") == ORGANIZATION
        with pytest.raises(NotFound, match="o-exampleorg2"):
            the_organization(connection, "o-exampleorg2")
        second = Organization("o-exampleorg2", GAMMA)
        save_roster(connection, NOBODY, Roster(second, {}, {}))
        with pytest.raises(InvalidInput, match="o-exampleorg1, o-exampleorg2"):
            the_organization(connection)
        remove_organization(connection, "o-exampleorg2")
        assert the_organization(connection) == ORGANIZATION


def test_without_any_organization_there_is_a_hint(state: State) -> None:
    with state.reading() as connection, pytest.raises(NotFound, match="set-management"):
        the_organization(connection)
