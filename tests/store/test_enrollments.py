"""The questions that requests ask of enrollment, on both databases."""

import pytest

from compute_optimizer.model.account import EnrollmentStatus
from compute_optimizer.store import State
from compute_optimizer.store.enrollments import (
    find_enrollment,
    members_by_status,
    members_page,
    opted_in_accounts,
    opted_out_with_data,
    pending_accounts,
    standing_of,
)
from tests.enrolling import ALPHA, BETA, GAMMA, MANAGEMENT, STRANGER, Desk


@pytest.fixture
def desk(state: State) -> Desk:
    """Management and ALPHA Active, BETA Failed, GAMMA never enrolled and suspended."""
    desk = Desk(state)
    desk.organize(ALPHA, BETA)
    desk.break_metrics(BETA)
    desk.opt_in_all()
    desk.opt_out(MANAGEMENT)
    desk.join(GAMMA)
    desk.suspend(GAMMA)
    desk.opt_in(MANAGEMENT)
    desk.settle()
    return desk


def test_an_administrator_stands_with_its_organization_and_its_count(desk: Desk) -> None:
    with desk.state.reading() as connection:
        standing = standing_of(connection, MANAGEMENT)
    assert standing.is_administrator
    assert standing.sees_members
    assert standing.members_opted_in == 1
    assert not standing.members_included


def test_a_member_stands_without_a_count(desk: Desk) -> None:
    with desk.state.reading() as connection:
        standing = standing_of(connection, ALPHA)
    assert standing.organization is not None
    assert not standing.is_administrator
    assert not standing.sees_members
    assert standing.members_opted_in == 0


def test_a_stranger_stands_alone(desk: Desk) -> None:
    with desk.state.reading() as connection:
        standing = standing_of(connection, STRANGER)
        assert standing.enrollment == find_enrollment(connection, STRANGER)
    assert standing.organization is None
    assert not standing.is_administrator


def test_opted_in_accounts_are_those_that_are_analyzed(desk: Desk) -> None:
    desk.opt_in(STRANGER)  # Pending counts
    desk.opt_in(GAMMA)  # suspended does not
    with desk.state.reading() as connection:
        assert opted_in_accounts(connection) == {MANAGEMENT, ALPHA, STRANGER}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (None, [ALPHA, BETA, GAMMA]),
        ({"Active"}, [ALPHA]),
        ({"Failed", "Active"}, [ALPHA, BETA]),
        ({"Inactive"}, [GAMMA]),
        ({"Pending"}, []),
        (set(), []),
    ],
)
def test_members_are_read_by_status(
    desk: Desk, statuses: set[str] | None, expected: list[str]
) -> None:
    wanted = None if statuses is None else {EnrollmentStatus(one) for one in statuses}
    with desk.state.reading() as connection:
        organization = standing_of(connection, MANAGEMENT).organization
        assert organization is not None
        found = members_page(connection, organization, wanted, "", 100)
        after = members_page(connection, organization, wanted, ALPHA, 1)
    assert [one.account_id for one in found] == expected
    assert [one.account_id for one in after] == [one for one in expected if one > ALPHA][:1]


def test_one_account_of_each_group_is_pending(desk: Desk) -> None:
    desk.opt_in(BETA)
    desk.opt_out(ALPHA)
    desk.opt_in(ALPHA)
    desk.opt_in(STRANGER)
    desk.opt_in(GAMMA)
    with desk.state.reading() as connection:
        assert pending_accounts(connection) == (ALPHA, STRANGER)


def test_accounts_without_data_have_nothing_to_purge(desk: Desk) -> None:
    desk.opt_out(ALPHA)
    with desk.state.reading() as connection:
        assert opted_out_with_data(connection) == {}


def test_members_are_counted_by_status(desk: Desk) -> None:
    with desk.state.reading() as connection:
        organization = standing_of(connection, MANAGEMENT).organization
        assert organization is not None
        counts = members_by_status(connection, organization)
        listed = {
            status: len(members_page(connection, organization, [status], "", 100))
            for status in EnrollmentStatus
        }

    # ALPHA, BETA and GAMMA; the management account is none of them.
    assert counts == listed
    assert sum(counts.values()) == 3
