"""GetEnrollmentStatusesForOrganization: what it tells, its filters and its pages."""

from typing import Any

import pytest

from compute_optimizer.jobs import organization
from compute_optimizer.shapes import AccessDeniedException, InvalidParameterValueException
from tests.enrolling import (
    ALPHA,
    BETA,
    GAMMA,
    MANAGEMENT,
    START,
    STRANGER,
    Desk,
)

UNREADABLE = "Failed to create service-linked role"


# GetEnrollmentStatusesForOrganization


def test_the_listing_tells_everything_about_every_member(organized: Desk) -> None:
    organized.break_metrics(BETA)
    organized.opt_in_all()
    organized.join(GAMMA)
    organized.opt_out(ALPHA)
    assert organized.listing() == {
        "accountEnrollmentStatuses": [
            {"accountId": ALPHA, "status": "Inactive", "lastUpdatedTimestamp": START},
            {
                "accountId": BETA,
                "status": "Failed",
                "statusReason": UNREADABLE,
                "lastUpdatedTimestamp": START,
            },
            {
                "accountId": GAMMA,
                "status": "Pending",
                "statusReason": "The account is being enrolled.",
                "lastUpdatedTimestamp": START,
            },
        ]
    }


def test_a_member_that_never_enrolled_is_listed_as_inactive(organized: Desk) -> None:
    organized.trusted_access(True)
    assert organized.listing()["accountEnrollmentStatuses"] == [
        {"accountId": ALPHA, "status": "Inactive"},
        {"accountId": BETA, "status": "Inactive"},
    ]


def test_an_organization_without_members_lists_nobody(desk: Desk) -> None:
    desk.organize()
    desk.trusted_access(True)
    assert desk.listing() == {"accountEnrollmentStatuses": []}


@pytest.mark.parametrize("account", [STRANGER, ALPHA])
def test_only_administrators_may_list(enrolled: Desk, account: str) -> None:
    with pytest.raises(AccessDeniedException):
        enrolled.listing(account)


def test_listing_needs_trusted_access(enrolled: Desk) -> None:
    enrolled.trusted_access(False)
    with pytest.raises(AccessDeniedException, match="trusted access"):
        enrolled.listing()


def status_filter(*values: str) -> dict[str, Any]:
    return {"name": "Status", "values": list(values)}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([status_filter("Active")], [BETA]),
        ([status_filter("Inactive")], [ALPHA, GAMMA]),
        ([status_filter("Active", "Inactive")], [ALPHA, BETA, GAMMA]),
        ([status_filter("Failed")], []),
        ([status_filter("Pending")], []),
        ([status_filter("Active", "Inactive"), status_filter("Active", "Failed")], [BETA]),
        ([status_filter("Active"), status_filter("Inactive")], []),
        ([], [ALPHA, BETA, GAMMA]),
    ],
)
def test_filters_match_by_any_value_and_all_together(
    enrolled: Desk, filters: list[dict[str, Any]], expected: list[str]
) -> None:
    enrolled.opt_out(MANAGEMENT)
    enrolled.join(GAMMA)  # never enrolled
    enrolled.opt_out(ALPHA)
    found = enrolled.listing(filters=filters)["accountEnrollmentStatuses"]
    assert [one["accountId"] for one in found] == expected


@pytest.mark.parametrize(
    "one",
    [
        {"name": "status", "values": ["Active"]},
        {"name": "STATUS", "values": ["Active"]},
        {"name": "AccountId", "values": ["Active"]},
        {"values": ["Active"]},
        {"name": "Status"},
        {"name": "Status", "values": []},
        {"name": "Status", "values": ["ACTIVE"]},
        {"name": "Status", "values": ["active"]},
        {"name": "Status", "values": ["Active", "Suspended"]},
    ],
)
def test_other_filter_names_and_values_are_refused(enrolled: Desk, one: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterValueException, match="filter"):
        enrolled.listing(filters=[one])


def test_a_filter_without_a_name_is_told_which_there_is(enrolled: Desk) -> None:
    with pytest.raises(InvalidParameterValueException, match="no name; expected one of Status"):
        enrolled.listing(filters=[{"values": ["Active"]}])


@pytest.mark.parametrize("size", [101, 1000, -1])
def test_a_page_holds_at_most_a_hundred(enrolled: Desk, size: int) -> None:
    with pytest.raises(InvalidParameterValueException, match="maxResults"):
        enrolled.listing(maxResults=size)


def many(count: int) -> list[str]:
    return [f"5{number:011d}" for number in range(count)]


@pytest.mark.parametrize(("size", "expected"), [(None, 100), (0, 100), (100, 100), (1, 1)])
def test_the_default_page_holds_a_hundred(desk: Desk, size: int | None, expected: int) -> None:
    desk.organize(*many(101))
    desk.trusted_access(True)
    request: dict[str, Any] = {} if size is None else {"maxResults": size}
    answer = desk.listing(**request)
    assert len(answer["accountEnrollmentStatuses"]) == expected
    assert answer["nextToken"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_pages_together_hold_every_member_once_and_in_order(desk: Desk, size: int) -> None:
    desk.organize(*many(7))
    desk.trusted_access(True)
    pages: list[list[str]] = []
    request: dict[str, Any] = {"maxResults": size}
    while request:
        answer = desk.listing(**request)
        pages.append([one["accountId"] for one in answer["accountEnrollmentStatuses"]])
        following = {"maxResults": size, "nextToken": answer.get("nextToken")}
        request = following if "nextToken" in answer else {}
    assert [account for page in pages for account in page] == many(7)
    assert len(pages) == -(-7 // size)  # the last page has no token, so no page is empty


def test_pages_stay_in_place_while_members_come_and_go(desk: Desk) -> None:
    accounts = many(6)
    desk.organize(*accounts)
    desk.trusted_access(True)
    first = desk.listing(maxResults=3)
    desk.leave(accounts[0], accounts[4])
    desk.join("000000000001")
    second = desk.listing(maxResults=3, nextToken=first["nextToken"])
    found = [one["accountId"] for one in second["accountEnrollmentStatuses"]]
    assert found == [accounts[3], accounts[5]]


def test_a_token_is_bound_to_its_filters(desk: Desk) -> None:
    desk.organize(*many(3))
    desk.trusted_access(True)
    token = desk.listing(maxResults=1)["nextToken"]
    with pytest.raises(InvalidParameterValueException, match="nextToken"):
        desk.listing(maxResults=1, nextToken=token, filters=[status_filter("Inactive")])


def test_a_token_is_bound_to_its_account(desk: Desk) -> None:
    desk.organize(ALPHA, *many(3))
    desk.trusted_access(True)
    desk.delegate(ALPHA)
    token = desk.listing(maxResults=1)["nextToken"]
    with pytest.raises(InvalidParameterValueException, match="nextToken"):
        desk.listing(ALPHA, maxResults=1, nextToken=token)


def test_a_page_may_be_continued_with_another_size(desk: Desk) -> None:
    desk.organize(*many(3))
    desk.trusted_access(True)
    token = desk.listing(maxResults=1)["nextToken"]
    assert len(desk.listing(maxResults=50, nextToken=token)["accountEnrollmentStatuses"]) == 2


def test_a_token_expires_after_a_day(desk: Desk) -> None:
    desk.organize(*many(2))
    desk.trusted_access(True)
    token = desk.listing(maxResults=1)["nextToken"]
    desk.clock.tick(hours=23, minutes=59)
    assert desk.listing(maxResults=1, nextToken=token)["accountEnrollmentStatuses"]
    desk.clock.tick(minutes=1)
    with pytest.raises(InvalidParameterValueException, match="expired"):
        desk.listing(maxResults=1, nextToken=token)


def test_an_organization_is_found_by_its_own_members_only(enrolled: Desk) -> None:
    organization.set_management(enrolled.state, enrolled.clock, GAMMA)
    organization.add_accounts(enrolled.state, enrolled.clock, [STRANGER], f"o-{GAMMA}")
    organization.allow_trusted_access(enrolled.state, enrolled.clock, f"o-{GAMMA}", True)
    assert enrolled.listed(GAMMA) == {STRANGER: "Inactive"}
    assert enrolled.listed(MANAGEMENT) == {ALPHA: "Active", BETA: "Active"}
