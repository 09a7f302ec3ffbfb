"""Enrolling an organization: inclusion, joining, leaving, trusted access, delegation."""

from datetime import timedelta

import pytest

from compute_optimizer.jobs import organization
from compute_optimizer.shapes import AccessDeniedException
from tests.enrolling import (
    ALPHA,
    BETA,
    GAMMA,
    MANAGEMENT,
    START,
    Desk,
)

UNREADABLE = "Failed to create service-linked role"
UNTRUSTED = "Failed to enable trusted access"


# UpdateEnrollmentStatus(Active, includeMemberAccounts=true)


def test_including_members_makes_the_management_account_and_each_member_pending(
    organized: Desk,
) -> None:
    organized.opt_out(BETA)
    answer = organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    assert answer == {
        "status": "Pending",
        "statusReason": "Member accounts of the organization need more time to be enrolled.",
    }
    assert organized.listed() == {ALPHA: "Pending", BETA: "Pending"}


def test_member_inclusion_is_set_at_once_by_the_request(organized: Desk) -> None:
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    assert organized.status(MANAGEMENT)["memberAccountsEnrolled"] is True


def test_including_members_turns_trusted_access_on(organized: Desk) -> None:
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    assert organized.listing()["accountEnrollmentStatuses"]


def test_when_every_member_has_settled_the_management_account_becomes_active(
    organized: Desk,
) -> None:
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    organized.clock.tick()
    organized.settle()
    assert organized.status(MANAGEMENT) == {
        "status": "Active",
        "memberAccountsEnrolled": True,
        "lastUpdatedTimestamp": START + timedelta(seconds=1),
        "numberOfMemberAccountsOptedIn": 2,
    }


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        ([ALPHA], "1 member account failed to be enrolled."),
        ([ALPHA, BETA], "2 member accounts failed to be enrolled."),
    ],
)
def test_the_management_account_tells_how_many_members_failed(
    organized: Desk, failing: list[str], reason: str
) -> None:
    for account in failing:
        organized.break_metrics(account)
    organized.opt_in_all()
    answer = organized.status(MANAGEMENT)
    assert (answer["status"], answer["statusReason"]) == ("Active", reason)
    assert answer["numberOfMemberAccountsOptedIn"] == 2 - len(failing)


def test_including_members_again_tries_the_failed_ones_again(organized: Desk) -> None:
    organized.break_metrics(ALPHA)
    organized.opt_in_all()
    organized.break_metrics(ALPHA, broken=False)
    assert organized.opt_in(MANAGEMENT, includeMemberAccounts=True)["status"] == "Pending"
    assert organized.listed() == {ALPHA: "Pending", BETA: "Active"}
    organized.settle()
    assert "statusReason" not in organized.status(MANAGEMENT)


def test_the_managements_own_check_may_fail(organized: Desk) -> None:
    organized.break_metrics(MANAGEMENT)
    organized.opt_in_all()
    answer = organized.status(MANAGEMENT)
    assert (answer["status"], answer["statusReason"]) == ("Failed", UNREADABLE)
    assert answer["memberAccountsEnrolled"] is True
    assert answer["numberOfMemberAccountsOptedIn"] == 2


def test_refused_trusted_access_fails_the_management_account_and_its_members(
    organized: Desk,
) -> None:
    organized.refuse_trusted_access()
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    assert organized.status(MANAGEMENT)["memberAccountsEnrolled"] is True
    organized.settle()
    answer = organized.status(MANAGEMENT)
    assert (answer["status"], answer["statusReason"]) == ("Failed", UNTRUSTED)
    assert answer["memberAccountsEnrolled"] is False
    assert answer["numberOfMemberAccountsOptedIn"] == 0
    assert organized.status(ALPHA)["statusReason"] == UNTRUSTED


def test_a_member_that_opted_in_itself_needs_no_trusted_access(organized: Desk) -> None:
    organized.refuse_trusted_access()
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    organized.opt_in(ALPHA)
    organized.settle()
    assert organized.status(ALPHA)["status"] == "Active"
    assert organized.status(BETA)["status"] == "Failed"


def test_once_trusted_access_is_no_longer_refused_another_request_succeeds(
    organized: Desk,
) -> None:
    organized.refuse_trusted_access()
    organized.opt_in_all()
    organized.refuse_trusted_access(refused=False)
    organized.opt_in_all()
    assert organized.listed() == {ALPHA: "Active", BETA: "Active"}
    assert organized.status(MANAGEMENT)["status"] == "Active"


def test_a_member_that_opted_in_itself_stays_active_when_members_are_included(
    organized: Desk,
) -> None:
    organized.opt_in(ALPHA)
    organized.settle()
    organized.clock.tick()
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    assert organized.status(ALPHA)["status"] == "Active"
    assert organized.status(ALPHA)["lastUpdatedTimestamp"] == START


def test_a_suspended_member_keeps_nobody_waiting_and_is_checked_when_resumed(
    organized: Desk,
) -> None:
    organized.suspend(ALPHA)
    organized.opt_in_all()
    assert organized.status(MANAGEMENT)["status"] == "Active"
    assert organized.listed() == {ALPHA: "Pending", BETA: "Active"}
    organized.suspend(ALPHA, suspended=False)
    organized.settle()
    assert organized.listed() == {ALPHA: "Active", BETA: "Active"}


def test_opting_in_alone_later_keeps_the_inclusion(enrolled: Desk) -> None:
    enrolled.opt_in(MANAGEMENT, includeMemberAccounts=False)
    assert enrolled.status(MANAGEMENT)["memberAccountsEnrolled"] is True


# Members that join and leave


def test_a_member_that_joins_is_pending_then_active_by_itself(enrolled: Desk) -> None:
    enrolled.join(GAMMA)
    assert enrolled.listed()[GAMMA] == "Pending"
    assert enrolled.status(MANAGEMENT)["status"] == "Active"
    enrolled.settle()
    assert enrolled.listed()[GAMMA] == "Active"


def test_without_inclusion_a_member_that_joins_stays_inactive(organized: Desk) -> None:
    organized.opt_in(MANAGEMENT)
    organized.settle()
    organized.join(GAMMA)
    assert organized.status(GAMMA)["status"] == "Inactive"


def test_an_active_account_that_joins_stays_active(enrolled: Desk) -> None:
    enrolled.opt_in(GAMMA)
    enrolled.settle()
    enrolled.join(GAMMA)
    assert enrolled.status(GAMMA)["status"] == "Active"


def test_a_member_that_leaves_keeps_its_own_status_and_is_no_longer_counted(
    enrolled: Desk,
) -> None:
    before = enrolled.status(ALPHA)
    enrolled.clock.tick()
    enrolled.leave(ALPHA)
    assert enrolled.status(ALPHA) == before
    assert enrolled.status(MANAGEMENT)["numberOfMemberAccountsOptedIn"] == 1
    assert enrolled.listed() == {BETA: "Active"}


def test_a_delegated_administrator_that_leaves_is_one_no_more(enrolled: Desk) -> None:
    enrolled.delegate(ALPHA)
    enrolled.leave(ALPHA)
    assert enrolled.status(ALPHA)["memberAccountsEnrolled"] is False
    assert "numberOfMemberAccountsOptedIn" not in enrolled.status(ALPHA)


# The count


def test_pending_members_are_not_counted(organized: Desk) -> None:
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    assert organized.status(MANAGEMENT)["numberOfMemberAccountsOptedIn"] == 0


def test_suspended_members_are_not_counted(enrolled: Desk) -> None:
    enrolled.suspend(ALPHA)
    assert enrolled.status(MANAGEMENT)["numberOfMemberAccountsOptedIn"] == 1


def test_members_that_opted_in_themselves_are_counted(organized: Desk) -> None:
    organized.opt_in(ALPHA)
    organized.settle()
    assert organized.status(MANAGEMENT)["numberOfMemberAccountsOptedIn"] == 1
    assert organized.status(MANAGEMENT)["memberAccountsEnrolled"] is False


# Trusted access lost


def test_without_trusted_access_members_become_inactive_with_that_reason(enrolled: Desk) -> None:
    enrolled.clock.tick()
    enrolled.trusted_access(False)
    assert enrolled.status(ALPHA) == {
        "status": "Inactive",
        "statusReason": "Trusted access of the organization was turned off.",
        "memberAccountsEnrolled": False,
        "lastUpdatedTimestamp": START + timedelta(seconds=1),
    }


def test_without_trusted_access_the_management_account_stays_active_without_members(
    enrolled: Desk,
) -> None:
    enrolled.clock.tick()
    enrolled.trusted_access(False)
    assert enrolled.status(MANAGEMENT) == {
        "status": "Active",
        "memberAccountsEnrolled": False,
        "lastUpdatedTimestamp": START + timedelta(seconds=1),
        "numberOfMemberAccountsOptedIn": 0,
    }


def test_trusted_access_lost_while_pending_lets_the_management_account_settle(
    organized: Desk,
) -> None:
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    organized.trusted_access(False)
    organized.settle()
    answer = organized.status(MANAGEMENT)
    assert (answer["status"], answer["memberAccountsEnrolled"]) == ("Active", False)
    assert organized.status(ALPHA)["status"] == "Inactive"


def test_including_members_again_brings_trusted_access_and_members_back(enrolled: Desk) -> None:
    enrolled.trusted_access(False)
    enrolled.opt_in_all()
    assert enrolled.listed() == {ALPHA: "Active", BETA: "Active"}
    assert enrolled.status(MANAGEMENT)["memberAccountsEnrolled"] is True


def test_losing_all_features_loses_trusted_access(enrolled: Desk) -> None:
    organization.enable_all_features(enrolled.state, enrolled.clock, None, False)
    assert enrolled.status(ALPHA)["status"] == "Inactive"


# The delegated administrator


def test_a_delegated_administrator_sees_what_the_management_account_sees(enrolled: Desk) -> None:
    enrolled.delegate(ALPHA)
    answer = enrolled.status(ALPHA)
    assert answer["memberAccountsEnrolled"] is True
    assert answer["numberOfMemberAccountsOptedIn"] == 2
    assert enrolled.listed(ALPHA) == enrolled.listed(MANAGEMENT)


def test_a_delegated_administrator_may_include_members(organized: Desk) -> None:
    organized.delegate(ALPHA)
    assert organized.opt_in(ALPHA, includeMemberAccounts=True)["status"] == "Pending"
    assert organized.listed(ALPHA) == {ALPHA: "Pending", BETA: "Pending"}
    organized.settle()
    assert organized.listed(ALPHA) == {ALPHA: "Active", BETA: "Active"}
    assert organized.status(MANAGEMENT)["status"] == "Inactive"


def test_both_administrators_may_wait_for_the_members_at_once(organized: Desk) -> None:
    organized.delegate(ALPHA)
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    organized.opt_in(ALPHA, includeMemberAccounts=True)
    organized.settle()
    assert organized.status(MANAGEMENT)["status"] == "Active"
    assert organized.status(ALPHA)["status"] == "Active"


def test_the_delegated_administrators_inclusion_ends_with_its_opt_out(organized: Desk) -> None:
    organized.delegate(ALPHA)
    organized.opt_in(ALPHA, includeMemberAccounts=True)
    organized.settle()
    organized.opt_out(ALPHA)
    assert organized.status(ALPHA)["memberAccountsEnrolled"] is False
    assert organized.status(MANAGEMENT)["memberAccountsEnrolled"] is False


def test_the_managements_opt_out_ends_the_delegated_administrators_inclusion_too(
    organized: Desk,
) -> None:
    organized.delegate(ALPHA)
    organized.opt_in(ALPHA, includeMemberAccounts=True)
    organized.opt_out(MANAGEMENT)
    assert organized.status(MANAGEMENT)["memberAccountsEnrolled"] is False
    assert organized.status(ALPHA)["memberAccountsEnrolled"] is False


def test_the_managements_inclusion_outlives_the_delegated_administrators_opt_out(
    enrolled: Desk,
) -> None:
    enrolled.delegate(ALPHA)
    enrolled.opt_out(ALPHA)
    assert enrolled.status(ALPHA)["memberAccountsEnrolled"] is True


def test_without_delegation_a_member_is_a_plain_member_again(enrolled: Desk) -> None:
    enrolled.delegate(ALPHA)
    organization.undelegate(enrolled.state, enrolled.clock)
    assert enrolled.status(ALPHA)["memberAccountsEnrolled"] is False
    with pytest.raises(AccessDeniedException):
        enrolled.listing(ALPHA)
