"""Every foreign client walks through every state of an enrollment."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from compute_optimizer.scenario.organization import MEMBER_ACCOUNT_IDS
from tests.clients.conftest import Connector, Service, wait_for
from tests.clients.foreign import PROTOCOLS, Answer, Call

pytestmark = pytest.mark.clients

AWS_CLI = "aws-cli"
INCLUDING_MEMBERS = {"status": "Active", "includeMemberAccounts": True}


def moment_of(answer: Answer) -> datetime:
    """Return when the enrollment was last updated; clients spell moments differently."""
    spelled = answer.response["lastUpdatedTimestamp"]
    seconds = spelled["$datetime"] if isinstance(spelled, dict) else spelled
    return datetime.fromtimestamp(float(seconds), UTC)


def members(call: Call, **request: object) -> dict[str, str]:
    """Return the status of every member account, read page by page."""
    found: dict[str, str] = {}
    token: dict[str, str] = {}
    while True:
        answer = call(
            "GetEnrollmentStatusesForOrganization", {"maxResults": 1} | request | token
        ).response
        page = answer["accountEnrollmentStatuses"]
        assert len(page) <= 1
        found |= {one["accountId"]: one["status"] for one in page}
        if "nextToken" not in answer:
            return found
        token = {"nextToken": answer["nextToken"]}


def test_enrollment_goes_through_all_its_states(
    client: str, fresh: Service, connect: Connector
) -> None:
    call = connect(fresh, fresh.management)
    shop, analytics = MEMBER_ACCOUNT_IDS

    # Inactive: nobody has enrolled.
    never = call("GetEnrollmentStatus", {})
    assert never.response["status"] == "Inactive"
    assert never.response["memberAccountsEnrolled"] is False
    assert never.response["numberOfMemberAccountsOptedIn"] == 0
    assert "lastUpdatedTimestamp" not in never.response
    assert never.protocol == PROTOCOLS[client]

    # Pending, then Active, members first.
    asked = call("UpdateEnrollmentStatus", INCLUDING_MEMBERS)
    assert asked.response["status"] == "Pending"
    assert asked.response["statusReason"]
    wait_for(call, "Active")
    active = call("GetEnrollmentStatus", {})
    assert active.response["memberAccountsEnrolled"] is True
    assert active.response["numberOfMemberAccountsOptedIn"] == 2
    assert members(call) == {shop: "Active", analytics: "Active"}

    # Failed: the metrics of a member cannot be read.
    member = connect(fresh, fresh.member)
    member("UpdateEnrollmentStatus", {"status": "Inactive"})
    fresh.run("accounts", "fail", "metrics", "on", "--account", shop)
    member("UpdateEnrollmentStatus", {"status": "Active"})
    wait_for(member, "Failed")
    failed = member("GetEnrollmentStatus", {})
    assert failed.response["statusReason"] == "Failed to create service-linked role"
    filters = [{"name": "Status", "values": ["Failed"]}]
    assert members(call, filters=filters) == {shop: "Failed"}
    assert call("GetEnrollmentStatus", {}).response["numberOfMemberAccountsOptedIn"] == 1

    # And back to Inactive.
    call("UpdateEnrollmentStatus", {"status": "Inactive"})
    ended = call("GetEnrollmentStatus", {})
    assert ended.response["status"] == "Inactive"
    assert ended.response["memberAccountsEnrolled"] is False
    assert moment_of(ended) > moment_of(active)


def refused(answer: Answer, code: str, status: int, client: str) -> None:
    """Hold an answer to the error that its user must see."""
    assert answer.error == code
    if client != AWS_CLI:
        assert answer.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert answer.response["Error"]["Message"]
    if answer.caught_by_name is not None:
        assert answer.caught_by_name, f"client.exceptions.{code} does not catch it"


def test_exceptions_are_the_modelled_ones(client: str, fresh: Service, connect: Connector) -> None:
    call = connect(fresh, fresh.management)
    invalid = "InvalidParameterValueException"

    output_only = call("UpdateEnrollmentStatus", {"status": "Failed"})
    leaving = call("UpdateEnrollmentStatus", {"status": "Inactive", "includeMemberAccounts": True})
    member = connect(fresh, fresh.member)
    no_administrator = member("UpdateEnrollmentStatus", INCLUDING_MEMBERS)
    listing = member("GetEnrollmentStatusesForOrganization", {})
    not_enrolled = call("GetEC2InstanceRecommendations", {})
    not_allowed = connect(fresh, fresh.stranger)("GetEnrollmentStatus", {})

    for answer in (output_only, leaving, no_administrator):
        refused(answer, invalid, 400, client)
    refused(listing, "AccessDeniedException", 403, client)
    refused(not_enrolled, "OptInRequiredException", 403, client)
    refused(not_allowed, "AccessDeniedException", 403, client)


def test_wrong_secret_is_refused(client: str, analyzed: Service, connect: Connector) -> None:
    wrong = replace(analyzed.management, secret_access_key="not the secret")

    answer = connect(analyzed, wrong)("GetEnrollmentStatus", {})

    # An error of the front door, which no operation lists: clients show its code as it is.
    assert answer.error == "InvalidSignatureException"
