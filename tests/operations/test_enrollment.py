"""Opting one account in and out, sentence by sentence of the contract (docs/enrollment.md)."""

import pytest

from compute_optimizer.api.protocols import ENCODINGS, Encoding, answer_writer
from compute_optimizer.jobs import organization
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.shapes import InvalidParameterValueException
from compute_optimizer.store import State
from tests.enrolling import (
    ALPHA,
    BETA,
    GAMMA,
    MANAGEMENT,
    START,
    STRANGER,
    Desk,
)
from tests.states import FreshUrl

STATUS = "GetEnrollmentStatus"

UNREADABLE = "Failed to create service-linked role"


# GetEnrollmentStatus: an account that never enrolled


def test_an_account_that_never_enrolled_is_inactive_and_says_nothing_else(desk: Desk) -> None:
    assert desk.status(STRANGER) == {"status": "Inactive", "memberAccountsEnrolled": False}


def test_a_management_account_that_never_enrolled_counts_its_members(organized: Desk) -> None:
    assert organized.status(MANAGEMENT) == {
        "status": "Inactive",
        "memberAccountsEnrolled": False,
        "numberOfMemberAccountsOptedIn": 0,
    }


def test_a_member_that_never_enrolled_has_no_count(organized: Desk) -> None:
    assert organized.status(ALPHA) == {"status": "Inactive", "memberAccountsEnrolled": False}


def test_a_delegated_administrator_has_a_count(organized: Desk) -> None:
    organized.delegate(ALPHA)
    assert organized.status(ALPHA)["numberOfMemberAccountsOptedIn"] == 0


# GetEnrollmentStatus as it is written for the wire


def test_the_bytes_of_a_status_are_kept_by_encoding_until_it_changes(desk: Desk) -> None:
    never = {"status": "Inactive", "memberAccountsEnrolled": False}

    def kept(encoding: Encoding) -> bytes:
        context = desk.context(STRANGER)
        context.write_answer = answer_writer(encoding, STATUS)
        return encoding.encode(OPERATIONS[STATUS](context, {}), STATUS)

    for _ in range(2):
        assert [kept(one) for one in ENCODINGS] == [one.encode(never, STATUS) for one in ENCODINGS]
        assert desk.status(STRANGER) == never
    desk.opt_in(STRANGER)
    assert [one.parse(kept(one))["status"] for one in ENCODINGS] == ["Pending", "Pending"]


# UpdateEnrollmentStatus(Active): one account


@pytest.mark.parametrize("account", [STRANGER, ALPHA, MANAGEMENT])
def test_opting_in_is_pending_until_the_background_check_passes(
    organized: Desk, account: str
) -> None:
    assert organized.opt_in(account) == {
        "status": "Pending",
        "statusReason": "The account is being enrolled.",
    }
    assert organized.status(account)["status"] == "Pending"
    assert organized.settle()
    answer = organized.status(account)
    assert answer["status"] == "Active"
    assert "statusReason" not in answer


def test_including_no_members_is_opting_in_alone(organized: Desk) -> None:
    organized.opt_in(MANAGEMENT, includeMemberAccounts=False)
    organized.settle()
    assert organized.status(MANAGEMENT)["memberAccountsEnrolled"] is False
    assert organized.status(ALPHA)["status"] == "Inactive"


def test_a_member_may_say_that_it_includes_no_members(organized: Desk) -> None:
    assert organized.opt_in(ALPHA, includeMemberAccounts=False)["status"] == "Pending"


def test_unreadable_metrics_fail_the_check(desk: Desk) -> None:
    desk.break_metrics(STRANGER)
    desk.opt_in(STRANGER)
    desk.settle()
    assert desk.status(STRANGER) == {
        "status": "Failed",
        "statusReason": UNREADABLE,
        "memberAccountsEnrolled": False,
        "lastUpdatedTimestamp": START,
    }


def test_another_request_after_a_failure_tries_again(desk: Desk) -> None:
    desk.break_metrics(STRANGER)
    desk.opt_in(STRANGER)
    desk.settle()
    desk.break_metrics(STRANGER, broken=False)
    assert desk.opt_in(STRANGER)["status"] == "Pending"
    desk.settle()
    assert desk.status(STRANGER)["status"] == "Active"


# lastUpdatedTimestamp


def test_the_timestamp_moves_with_the_request_and_with_the_background_change(desk: Desk) -> None:
    asked = desk.clock.tick()
    desk.opt_in(STRANGER)
    assert desk.status(STRANGER)["lastUpdatedTimestamp"] == asked
    settled = desk.clock.tick()
    desk.settle()
    assert desk.status(STRANGER)["lastUpdatedTimestamp"] == settled
    left = desk.clock.tick()
    desk.opt_out(STRANGER)
    assert desk.status(STRANGER)["lastUpdatedTimestamp"] == left


def test_a_repeated_request_does_not_move_the_timestamp(enrolled: Desk) -> None:
    before = enrolled.status(MANAGEMENT)
    enrolled.clock.tick()
    assert enrolled.opt_in(MANAGEMENT) == {"status": "Active"}
    assert enrolled.opt_in(MANAGEMENT, includeMemberAccounts=True) == {"status": "Active"}
    enrolled.settle()
    assert enrolled.status(MANAGEMENT) == before


def test_a_repeated_request_while_pending_does_not_move_the_timestamp(organized: Desk) -> None:
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    organized.opt_in(STRANGER)
    before = [organized.status(one) for one in (MANAGEMENT, ALPHA, STRANGER)]
    organized.clock.tick()
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    organized.opt_in(STRANGER)
    organized.opt_in(ALPHA)
    assert [organized.status(one) for one in (MANAGEMENT, ALPHA, STRANGER)] == before


def test_a_repeated_opt_out_does_not_move_the_timestamp(desk: Desk) -> None:
    desk.opt_in(STRANGER)
    desk.opt_out(STRANGER)
    before = desk.status(STRANGER)
    desk.clock.tick()
    desk.opt_out(STRANGER)
    assert desk.status(STRANGER) == before


def test_opting_out_without_having_opted_in_stays_without_a_timestamp(desk: Desk) -> None:
    assert desk.opt_out(STRANGER) == {"status": "Inactive"}
    assert "lastUpdatedTimestamp" not in desk.status(STRANGER)


def test_a_member_that_joins_does_not_move_the_managements_timestamp(enrolled: Desk) -> None:
    before = enrolled.status(MANAGEMENT)
    enrolled.clock.tick()
    enrolled.join(GAMMA)
    assert enrolled.status(MANAGEMENT) == before
    enrolled.settle()
    after = enrolled.status(MANAGEMENT)
    assert after == before | {"numberOfMemberAccountsOptedIn": 3}


def test_a_member_that_opts_out_does_not_move_the_managements_timestamp(enrolled: Desk) -> None:
    before = enrolled.status(MANAGEMENT)
    enrolled.clock.tick()
    enrolled.opt_out(ALPHA)
    assert enrolled.status(MANAGEMENT) == before | {"numberOfMemberAccountsOptedIn": 1}


def test_a_change_of_member_inclusion_moves_the_timestamp(organized: Desk) -> None:
    for account in (MANAGEMENT, ALPHA, BETA):
        organized.opt_in(account)
    organized.settle()
    included = organized.clock.tick()
    organized.opt_in(MANAGEMENT, includeMemberAccounts=True)
    assert organized.status(MANAGEMENT)["lastUpdatedTimestamp"] == included
    assert organized.status(ALPHA)["lastUpdatedTimestamp"] == START


def test_the_inclusion_by_the_one_administrator_moves_the_others_timestamp(organized: Desk) -> None:
    organized.delegate(ALPHA)
    organized.opt_in(ALPHA, includeMemberAccounts=True)
    assert organized.status(MANAGEMENT) == {
        "status": "Inactive",
        "memberAccountsEnrolled": True,
        "lastUpdatedTimestamp": START,
        "numberOfMemberAccountsOptedIn": 0,
    }


# Opting out


def test_opting_out_is_inactive_at_once_without_a_reason(enrolled: Desk) -> None:
    assert enrolled.opt_out(ALPHA) == {"status": "Inactive"}
    assert "statusReason" not in enrolled.status(ALPHA)


def test_a_member_that_opts_itself_out_does_not_end_the_inclusion(enrolled: Desk) -> None:
    enrolled.opt_out(ALPHA)
    assert enrolled.status(MANAGEMENT)["memberAccountsEnrolled"] is True


def test_the_managements_opt_out_ends_the_inclusion_and_members_keep_their_status(
    enrolled: Desk,
) -> None:
    enrolled.opt_out(MANAGEMENT)
    answer = enrolled.status(MANAGEMENT)
    assert (answer["status"], answer["memberAccountsEnrolled"]) == ("Inactive", False)
    assert enrolled.listed() == {ALPHA: "Active", BETA: "Active"}


def test_after_the_managements_opt_out_new_members_are_not_enrolled(enrolled: Desk) -> None:
    enrolled.opt_out(MANAGEMENT)
    enrolled.join(GAMMA)
    assert enrolled.status(GAMMA)["status"] == "Inactive"


@pytest.mark.parametrize("include", [True, False])
def test_opting_out_with_include_member_accounts_is_refused(enrolled: Desk, include: bool) -> None:
    with pytest.raises(InvalidParameterValueException, match="includeMemberAccounts"):
        enrolled.call(
            "UpdateEnrollmentStatus", MANAGEMENT, status="Inactive", includeMemberAccounts=include
        )
    assert enrolled.status(MANAGEMENT)["status"] == "Active"


@pytest.mark.parametrize("status", ["Pending", "Failed", "active", ""])
def test_only_active_and_inactive_can_be_asked_for(desk: Desk, status: str) -> None:
    with pytest.raises(InvalidParameterValueException, match="Active or Inactive"):
        desk.call("UpdateEnrollmentStatus", STRANGER, status=status)
    assert desk.status(STRANGER)["status"] == "Inactive"


@pytest.mark.parametrize("account", [STRANGER, ALPHA])
def test_only_administrators_may_include_members(organized: Desk, account: str) -> None:
    with pytest.raises(InvalidParameterValueException, match="management account"):
        organized.opt_in(account, includeMemberAccounts=True)
    assert organized.status(account)["status"] == "Inactive"


def test_including_members_needs_all_features(organized: Desk) -> None:
    organization.enable_all_features(organized.state, organized.clock, None, False)
    with pytest.raises(InvalidParameterValueException, match="all features"):
        organized.opt_in(MANAGEMENT, includeMemberAccounts=True)


# Answers


def test_an_answer_may_be_changed_by_its_receiver(desk: Desk) -> None:
    desk.status(STRANGER)["status"] = "Changed"
    assert desk.status(STRANGER)["status"] == "Inactive"


def test_both_databases_answer_the_same(fresh_url: FreshUrl) -> None:
    url = fresh_url()
    desk, other = Desk(State(url)), Desk(State(url))
    desk.organize(ALPHA, BETA)
    desk.break_metrics(BETA)
    desk.delegate(ALPHA)
    desk.opt_in(MANAGEMENT, includeMemberAccounts=True)
    assert other.status(MANAGEMENT)["status"] == "Pending"
    assert other.settle()
    assert desk.status(MANAGEMENT) == {
        "status": "Active",
        "statusReason": "1 member account failed to be enrolled.",
        "memberAccountsEnrolled": True,
        "lastUpdatedTimestamp": START,
        "numberOfMemberAccountsOptedIn": 1,
    }
    assert desk.listed(ALPHA) == {ALPHA: "Active", BETA: "Failed"}
    first = desk.listing(maxResults=1)
    assert other.listing(maxResults=1, nextToken=first["nextToken"]) == {
        "accountEnrollmentStatuses": [
            {
                "accountId": BETA,
                "status": "Failed",
                "statusReason": UNREADABLE,
                "lastUpdatedTimestamp": START,
            }
        ]
    }
    for one in (desk, other):
        one.state.close()
