"""Whose data a request may read."""

import pytest

from compute_optimizer.jobs import organization
from compute_optimizer.operations.access import target_account
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    OptInRequiredException,
)
from tests.enrolling import ALPHA, BETA, GAMMA, MANAGEMENT, STRANGER, Desk

NOT_REGISTERED = "Aws account is not registered for recommendation."


def target(desk: Desk, caller: str, *accounts: str) -> str:
    return target_account(desk.context(caller), list(accounts))


def test_a_caller_that_never_enrolled_is_told_so(desk: Desk) -> None:
    with pytest.raises(OptInRequiredException) as caught:
        target(desk, STRANGER)
    assert caught.value.message == NOT_REGISTERED


def test_a_caller_that_opted_out_is_told_so(desk: Desk) -> None:
    desk.opt_in(STRANGER)
    desk.settle()
    desk.opt_out(STRANGER)
    with pytest.raises(OptInRequiredException):
        target(desk, STRANGER)


def test_a_failed_caller_is_told_so(desk: Desk) -> None:
    desk.break_metrics(STRANGER)
    desk.opt_in(STRANGER)
    desk.settle()
    with pytest.raises(OptInRequiredException):
        target(desk, STRANGER)


def test_pending_counts_as_opted_in(desk: Desk) -> None:
    desk.opt_in(STRANGER)
    assert target(desk, STRANGER) == STRANGER


@pytest.mark.parametrize("accounts", [None, []])
def test_without_an_account_the_caller_reads_its_own(
    enrolled: Desk, accounts: list[str] | None
) -> None:
    assert target_account(enrolled.context(MANAGEMENT), accounts) == MANAGEMENT


def test_everybody_may_name_itself(enrolled: Desk) -> None:
    assert target(enrolled, ALPHA, ALPHA) == ALPHA


def test_the_management_account_reads_a_member(enrolled: Desk) -> None:
    assert target(enrolled, MANAGEMENT, ALPHA) == ALPHA


def test_the_delegated_administrator_reads_members_and_the_management_account(
    enrolled: Desk,
) -> None:
    enrolled.delegate(ALPHA)
    assert target(enrolled, ALPHA, BETA) == BETA
    assert target(enrolled, ALPHA, MANAGEMENT) == MANAGEMENT


def test_a_pending_member_can_be_read(enrolled: Desk) -> None:
    enrolled.join(GAMMA)
    assert target(enrolled, MANAGEMENT, GAMMA) == GAMMA


@pytest.mark.parametrize("caller", [MANAGEMENT, ALPHA])
def test_nothing_of_a_suspended_account_is_shown_until_it_is_resumed(
    enrolled: Desk, caller: str
) -> None:
    enrolled.suspend(ALPHA)
    with pytest.raises(OptInRequiredException, match=f"Account {ALPHA} is suspended"):
        target(enrolled, caller, ALPHA)
    assert target(enrolled, MANAGEMENT, BETA) == BETA

    enrolled.suspend(ALPHA, suspended=False)
    assert target(enrolled, caller, ALPHA) == ALPHA


@pytest.mark.parametrize("accounts", [(ALPHA, BETA), (ALPHA, ALPHA), (MANAGEMENT, ALPHA)])
def test_more_than_one_account_is_refused(enrolled: Desk, accounts: tuple[str, ...]) -> None:
    with pytest.raises(InvalidParameterValueException, match="accountIds"):
        target(enrolled, MANAGEMENT, *accounts)


@pytest.mark.parametrize("account", ["", "1", "abcdefghijkl", "2222222222222", "22222222222\uff12"])
def test_what_is_no_account_id_is_refused(enrolled: Desk, account: str) -> None:
    with pytest.raises(InvalidParameterValueException, match="account id"):
        target(enrolled, MANAGEMENT, account)


def test_a_member_may_not_read_others(enrolled: Desk) -> None:
    for other in (MANAGEMENT, BETA, STRANGER):
        with pytest.raises(AccessDeniedException):
            target(enrolled, ALPHA, other)


def test_nobody_reads_accounts_outside_the_organization(enrolled: Desk) -> None:
    enrolled.opt_in(STRANGER)
    enrolled.settle()
    with pytest.raises(AccessDeniedException):
        target(enrolled, MANAGEMENT, STRANGER)


def test_nobody_reads_another_organization(enrolled: Desk) -> None:
    organization.set_management(enrolled.state, enrolled.clock, GAMMA)
    enrolled.opt_in(GAMMA, includeMemberAccounts=True)
    with pytest.raises(AccessDeniedException):
        target(enrolled, GAMMA, ALPHA)


def test_a_member_that_left_can_no_longer_be_read(enrolled: Desk) -> None:
    assert target(enrolled, MANAGEMENT, ALPHA) == ALPHA
    enrolled.leave(ALPHA)
    with pytest.raises(AccessDeniedException):
        target(enrolled, MANAGEMENT, ALPHA)


def test_trusted_access_is_checked_on_every_request(enrolled: Desk) -> None:
    assert target(enrolled, MANAGEMENT, ALPHA) == ALPHA
    enrolled.trusted_access(False)
    with pytest.raises(AccessDeniedException):
        target(enrolled, MANAGEMENT, ALPHA)


def test_members_that_are_not_opted_in_are_told_apart(enrolled: Desk) -> None:
    enrolled.opt_out(ALPHA)
    with pytest.raises(OptInRequiredException):
        target(enrolled, MANAGEMENT, ALPHA)
    enrolled.break_metrics(BETA)
    enrolled.opt_out(BETA)
    enrolled.opt_in(BETA)
    enrolled.settle()
    with pytest.raises(OptInRequiredException):
        target(enrolled, MANAGEMENT, BETA)


def test_an_administrator_that_is_not_opted_in_reads_nobody(enrolled: Desk) -> None:
    enrolled.opt_out(MANAGEMENT)
    with pytest.raises(OptInRequiredException):
        target(enrolled, MANAGEMENT, ALPHA)
