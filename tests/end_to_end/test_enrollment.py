"""Enrollment as boto3 sees it, in both protocols: who, in which state, reads what of which type.

The sentences in the comments are those of the service model's documentation.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore import UNSIGNED

from compute_optimizer.app import serving
from compute_optimizer.jobs import organization
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.jobs.organization import Change
from tests.end_to_end.conftest import Served
from tests.enrolling import ALPHA, BETA, GAMMA, MANAGEMENT, STRANGER
from tests.waiting import wait_until

MEMBERS_NEED_TIME = "Member accounts of the organization need more time to be enrolled."
BEING_ENROLLED = "The account is being enrolled."
UNREADABLE = "Failed to create service-linked role"
UNTRUSTED = "Failed to enable trusted access"

NEVER = 3600.0

CLOCK_RESOLUTION = timedelta(milliseconds=1)
"""JSON carries timestamps as decimal numbers of seconds."""


class World:
    """A server whose background step runs when the test says so, and its accounts' clients."""

    def __init__(self, served: Served, protocol: str) -> None:
        self.served = served
        self.protocol = protocol
        self._clients: dict[str, Any] = {}

    def client(self, account: str) -> Any:
        """Return the account's client, as a program keeps one: making it costs two calls."""
        if account not in self._clients:
            self._clients[account] = self.served.client(account, self.protocol)
        return self._clients[account]

    def status(self, account: str) -> dict[str, Any]:
        return without_metadata(self.client(account).get_enrollment_status())

    def opt_in(self, account: str, **request: Any) -> dict[str, Any]:
        client = self.client(account)
        return without_metadata(client.update_enrollment_status(status="Active", **request))

    def opt_out(self, account: str) -> dict[str, Any]:
        client = self.client(account)
        return without_metadata(client.update_enrollment_status(status="Inactive"))

    def listing(self, account: str = MANAGEMENT, **request: Any) -> list[dict[str, Any]]:
        client = self.client(account)
        answer = client.get_enrollment_statuses_for_organization(**request)
        found: list[dict[str, Any]] = answer["accountEnrollmentStatuses"]
        return found

    def pass_time(self) -> None:
        self.served.clock.advance(seconds=1)

    def settle(self) -> None:
        advance_enrollments(self.served.state, self.served.clock)

    def join(self, *accounts: str) -> list[Change]:
        state, clock = self.served.state, self.served.clock
        return organization.add_accounts(state, clock, accounts, f"o-{MANAGEMENT}")

    def delegate(self, account: str) -> None:
        organization.delegate(self.served.state, self.served.clock, account)

    def trusted_access(self, allowed: bool) -> None:
        state, clock = self.served.state, self.served.clock
        organization.allow_trusted_access(state, clock, None, allowed)

    def break_metrics(self, account: str) -> None:
        organization.make_metrics_unreadable(self.served.state, account, True)


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


@pytest.fixture
def world(serve: Callable[..., Served], protocol: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """An organization with two members; nobody is enrolled, and nobody checks by itself."""
    monkeypatch.setattr(serving, "ENROLLMENT_SECONDS", NEVER)
    world = World(serve(), protocol)
    organization.set_management(world.served.state, world.served.clock, MANAGEMENT)
    world.join(ALPHA, BETA)
    return world


@pytest.fixture
def enrolled(world: World) -> World:
    """The same, everybody Active."""
    world.opt_in(MANAGEMENT, includeMemberAccounts=True)
    world.settle()
    return world


def assert_typed(answer: dict[str, Any]) -> None:
    """Each member has the type that its shape promises."""
    kinds = {
        "accountId": str,
        "status": str,
        "statusReason": str,
        "memberAccountsEnrolled": bool,
        "lastUpdatedTimestamp": datetime,
        "numberOfMemberAccountsOptedIn": int,
    }
    for member, value in answer.items():
        assert type(value) is kinds[member], member
    if "lastUpdatedTimestamp" in answer:
        assert answer["lastUpdatedTimestamp"].tzinfo is not None


def assert_now(world: World, answer: dict[str, Any]) -> None:
    age = world.served.clock.now() - answer["lastUpdatedTimestamp"]
    assert -CLOCK_RESOLUTION <= age < timedelta(seconds=30)


# "Returns the enrollment (opt in) status of an account to the Compute Optimizer service."


def test_never_enrolled_standalone(world: World) -> None:
    assert world.status(STRANGER) == {"status": "Inactive", "memberAccountsEnrolled": False}


def test_never_enrolled_member(world: World) -> None:
    assert world.status(ALPHA) == {"status": "Inactive", "memberAccountsEnrolled": False}


@pytest.mark.parametrize("account", [MANAGEMENT, ALPHA])
def test_never_enrolled_administrator(world: World, account: str) -> None:
    world.delegate(ALPHA)
    assert world.status(account) == {
        "status": "Inactive",
        "memberAccountsEnrolled": False,
        "numberOfMemberAccountsOptedIn": 0,
    }


@pytest.mark.parametrize("account", [STRANGER, ALPHA, MANAGEMENT])
def test_pending_then_active_then_inactive(world: World, account: str) -> None:
    """Every state of an account that opts in alone: standalone, member and management account."""
    assert world.opt_in(account) == {"status": "Pending", "statusReason": BEING_ENROLLED}
    pending = world.status(account)
    assert (pending["status"], pending["statusReason"]) == ("Pending", BEING_ENROLLED)
    assert_typed(pending)
    assert_now(world, pending)

    world.pass_time()
    world.settle()
    active = world.status(account)
    assert active["status"] == "Active"
    assert "statusReason" not in active
    assert active["memberAccountsEnrolled"] is False
    assert active["lastUpdatedTimestamp"] > pending["lastUpdatedTimestamp"]
    assert_typed(active)

    world.pass_time()
    assert world.opt_out(account) == {"status": "Inactive"}
    inactive = world.status(account)
    assert inactive["status"] == "Inactive"
    assert "statusReason" not in inactive
    assert inactive["lastUpdatedTimestamp"] > active["lastUpdatedTimestamp"]
    assert_typed(inactive)


@pytest.mark.parametrize("account", [STRANGER, ALPHA, MANAGEMENT])
def test_failed(world: World, account: str) -> None:
    world.break_metrics(account)
    world.opt_in(account)
    world.settle()
    answer = world.status(account)
    assert (answer["status"], answer["statusReason"]) == ("Failed", UNREADABLE)
    assert_typed(answer)
    assert_now(world, answer)


# "If the account is the management account of an organization, this action also confirms the
# enrollment status of member accounts of the organization."


def test_management_account_while_its_members_are_enrolled(world: World) -> None:
    # "For example, an account might show a status of Pending because member accounts of an
    # organization require more time to be enrolled in the service."
    answer = world.opt_in(MANAGEMENT, includeMemberAccounts=True)
    assert answer == {"status": "Pending", "statusReason": MEMBERS_NEED_TIME}
    pending = world.status(MANAGEMENT)
    assert pending["statusReason"] == MEMBERS_NEED_TIME
    assert pending["memberAccountsEnrolled"] is True
    assert pending["numberOfMemberAccountsOptedIn"] == 0
    assert_typed(pending)
    assert_now(world, pending)


def test_management_account_with_its_members(enrolled: World) -> None:
    answer = enrolled.status(MANAGEMENT)
    moved = answer.pop("lastUpdatedTimestamp")
    assert type(moved) is datetime
    # "The count of organization member accounts that are opted in to the service, if your account
    # is an organization management account."
    assert answer == {
        "status": "Active",
        "memberAccountsEnrolled": True,
        "numberOfMemberAccountsOptedIn": 2,
    }


def test_management_account_whose_members_partly_failed(world: World) -> None:
    world.break_metrics(BETA)
    world.opt_in(MANAGEMENT, includeMemberAccounts=True)
    world.settle()
    answer = world.status(MANAGEMENT)
    assert answer["status"] == "Active"
    assert answer["statusReason"] == "1 member account failed to be enrolled."
    assert answer["numberOfMemberAccountsOptedIn"] == 1


def test_management_account_whose_trusted_access_is_refused(world: World) -> None:
    organization.refuse_trusted_access(world.served.state, None, True)
    world.opt_in(MANAGEMENT, includeMemberAccounts=True)
    world.settle()
    answer = world.status(MANAGEMENT)
    assert (answer["status"], answer["statusReason"]) == ("Failed", UNTRUSTED)
    assert answer["memberAccountsEnrolled"] is False


def test_management_account_that_lost_trusted_access(enrolled: World) -> None:
    before = enrolled.status(MANAGEMENT)["lastUpdatedTimestamp"]
    enrolled.pass_time()
    enrolled.trusted_access(False)
    answer = enrolled.status(MANAGEMENT)
    assert answer["memberAccountsEnrolled"] is False
    assert answer["numberOfMemberAccountsOptedIn"] == 0
    assert answer["lastUpdatedTimestamp"] > before
    member = enrolled.status(ALPHA)
    assert member["status"] == "Inactive"
    assert member["statusReason"] == "Trusted access of the organization was turned off."


def test_delegated_administrator_with_members(enrolled: World) -> None:
    enrolled.delegate(ALPHA)
    answer = enrolled.status(ALPHA)
    assert answer["memberAccountsEnrolled"] is True
    assert answer["numberOfMemberAccountsOptedIn"] == 2
    assert_typed(answer)


def test_delegated_administrator_that_enrolls_the_members(world: World) -> None:
    world.delegate(ALPHA)
    answer = world.opt_in(ALPHA, includeMemberAccounts=True)
    assert answer == {"status": "Pending", "statusReason": MEMBERS_NEED_TIME}
    world.settle()
    assert world.status(ALPHA)["status"] == "Active"
    assert world.status(BETA)["status"] == "Active"
    assert world.status(MANAGEMENT)["memberAccountsEnrolled"] is True


def test_a_member_has_neither_count_nor_inclusion(enrolled: World) -> None:
    answer = enrolled.status(ALPHA)
    assert answer["status"] == "Active"
    assert answer["memberAccountsEnrolled"] is False
    assert "numberOfMemberAccountsOptedIn" not in answer


def test_a_repeated_request_changes_nothing(enrolled: World) -> None:
    before = enrolled.status(MANAGEMENT)
    enrolled.pass_time()
    assert enrolled.opt_in(MANAGEMENT, includeMemberAccounts=True) == {"status": "Active"}
    assert enrolled.opt_in(MANAGEMENT) == {"status": "Active"}
    assert enrolled.status(MANAGEMENT) == before


# "Active - Opts in your account [...] Inactive - Opts out your account [...] The Pending and Failed
# options cannot be used to update the enrollment status of an account."


@pytest.mark.parametrize("status", ["Pending", "Failed", "ACTIVE"])
def test_other_statuses_cannot_be_asked_for(world: World, status: str) -> None:
    client = world.client(STRANGER)
    with pytest.raises(client.exceptions.InvalidParameterValueException) as raised:
        client.update_enrollment_status(status=status)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert world.status(STRANGER)["status"] == "Inactive"


@pytest.mark.parametrize("include", [True, False])
def test_opting_out_cannot_mention_members(enrolled: World, include: bool) -> None:
    client = enrolled.client(MANAGEMENT)
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="opting out"):
        client.update_enrollment_status(status="Inactive", includeMemberAccounts=include)
    assert enrolled.status(MANAGEMENT)["status"] == "Active"


@pytest.mark.parametrize("account", [STRANGER, ALPHA])
def test_only_administrators_include_members(world: World, account: str) -> None:
    # "Indicates whether to enroll member accounts of the organization if the account is the
    # management account of an organization."
    client = world.client(account)
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.update_enrollment_status(status="Active", includeMemberAccounts=True)
    assert world.status(account)["status"] == "Inactive"


def test_opting_out_hides_recommendations_at_once(enrolled: World) -> None:
    # "Your account's recommendations and related metrics data will be deleted from Compute
    # Optimizer after you opt out."
    enrolled.opt_out(ALPHA)
    for account, asked in ((ALPHA, {}), (MANAGEMENT, {"accountIds": [ALPHA]})):
        client = enrolled.client(account)
        with pytest.raises(client.exceptions.OptInRequiredException) as raised:
            client.get_ec2_instance_recommendations(**asked)
        assert raised.value.response["Error"]["Message"] == (
            "Aws account is not registered for recommendation."
        )


def test_pending_reads_an_empty_list(world: World) -> None:
    world.opt_in(STRANGER)
    answer = world.client(STRANGER).get_ec2_instance_recommendations()
    assert answer["instanceRecommendations"] == []


# "Returns the Compute Optimizer enrollment (opt-in) status of organization member accounts, if your
# account is an organization management account."


@pytest.mark.parametrize("account", [MANAGEMENT, ALPHA])
def test_administrators_list_every_member_in_every_state(enrolled: World, account: str) -> None:
    enrolled.delegate(ALPHA)
    enrolled.break_metrics(BETA)
    enrolled.opt_out(BETA)
    enrolled.opt_in(BETA)
    enrolled.settle()
    enrolled.join(GAMMA)
    listed = enrolled.listing(account)
    assert [(one["accountId"], one["status"], one.get("statusReason")) for one in listed] == [
        (ALPHA, "Active", None),
        (BETA, "Failed", UNREADABLE),
        (GAMMA, "Pending", BEING_ENROLLED),
    ]
    for one in listed:
        assert_typed(one)
        assert_now(enrolled, one)
        own = enrolled.status(one["accountId"])
        assert own["lastUpdatedTimestamp"] == one["lastUpdatedTimestamp"]


def test_a_member_that_never_enrolled_is_listed_without_a_timestamp(world: World) -> None:
    world.trusted_access(True)
    assert world.listing()[0] == {"accountId": ALPHA, "status": "Inactive"}


def test_the_listing_is_filtered_by_status(enrolled: World) -> None:
    # "Specify Status to return accounts with a specific enrollment status (for example, Active)."
    enrolled.opt_out(ALPHA)
    for values, expected in ((["Active"], [BETA]), (["Inactive"], [ALPHA]), (["Failed"], [])):
        found = enrolled.listing(filters=[{"name": "Status", "values": values}])
        assert [one["accountId"] for one in found] == expected


@pytest.mark.parametrize(
    "request_",
    [
        {"filters": [{"name": "status", "values": ["Active"]}]},
        {"filters": [{"name": "Status", "values": ["ACTIVE"]}]},
        {"maxResults": 101},
        {"maxResults": 1001},
        {"nextToken": "made up"},
    ],
)
def test_the_listing_refuses_what_is_not_valid(enrolled: World, request_: dict[str, Any]) -> None:
    client = enrolled.client(MANAGEMENT)
    with pytest.raises(client.exceptions.InvalidParameterValueException) as raised:
        client.get_enrollment_statuses_for_organization(**request_)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_the_paginator_reads_every_member_once(enrolled: World) -> None:
    # "This value is null when there are no more pages of account enrollment statuses to return."
    enrolled.join(GAMMA, STRANGER)
    paginator = enrolled.client(MANAGEMENT).get_paginator(
        "get_enrollment_statuses_for_organization"
    )
    pages = list(paginator.paginate(PaginationConfig={"PageSize": 2}))
    accounts = [one["accountId"] for page in pages for one in page["accountEnrollmentStatuses"]]
    assert accounts == [ALPHA, BETA, GAMMA, STRANGER]
    assert ["nextToken" in page for page in pages] == [True, False]


@pytest.mark.parametrize("account", [STRANGER, ALPHA])
def test_only_administrators_list_members(enrolled: World, account: str) -> None:
    client = enrolled.client(account)
    with pytest.raises(client.exceptions.AccessDeniedException) as raised:
        client.get_enrollment_statuses_for_organization()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_listing_needs_trusted_access(enrolled: World) -> None:
    enrolled.trusted_access(False)
    client = enrolled.client(MANAGEMENT)
    with pytest.raises(client.exceptions.AccessDeniedException):
        client.get_enrollment_statuses_for_organization()


# Identity, for all three operations

CALLS: dict[str, Callable[[Any], Any]] = {
    "GetEnrollmentStatus": lambda client: client.get_enrollment_status(),
    "UpdateEnrollmentStatus": lambda client: client.update_enrollment_status(status="Active"),
    "GetEnrollmentStatusesForOrganization": (
        lambda client: client.get_enrollment_statuses_for_organization()
    ),
}


@pytest.mark.parametrize("operation", CALLS)
def test_each_operation_needs_a_signature(world: World, operation: str) -> None:
    client = world.served.client(protocol=world.protocol, signature_version=UNSIGNED)
    with pytest.raises(client.exceptions.MissingAuthenticationToken):
        CALLS[operation](client)


@pytest.mark.parametrize("operation", CALLS)
def test_each_operation_needs_its_permission(
    secured: Served, protocol: str, operation: str
) -> None:
    others = [f"compute-optimizer:{one}" for one in CALLS if one != operation]
    client = secured.signed_client(secured.new_key(*others), protocol)
    with pytest.raises(client.exceptions.AccessDeniedException) as raised:
        CALLS[operation](client)
    assert f"compute-optimizer:{operation}" in raised.value.response["Error"]["Message"]


# The server's own background step, and its restart


def wait_while_pending(client: Any) -> None:
    wait_until(lambda: client.get_enrollment_status()["status"] != "Pending")


def test_an_opt_in_is_decided_by_a_step_that_runs_several_times_a_second(
    served: Served, protocol: str
) -> None:
    assert serving.ENROLLMENT_SECONDS < 0.5
    client = served.client(STRANGER, protocol)
    client.update_enrollment_status(status="Active")
    wait_while_pending(client)
    assert client.get_enrollment_status()["status"] == "Active"


def test_pending_outlives_the_server_and_is_decided_by_the_next(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(serving, "ENROLLMENT_SECONDS", NEVER)
        first = serve()
    client = first.client(STRANGER)
    assert client.update_enrollment_status(status="Active")["status"] == "Pending"
    second = serve(state_url=first.settings.state_url)
    wait_while_pending(second.client(STRANGER))
    assert client.get_enrollment_status()["status"] == "Active"


def test_another_process_sees_every_change_at_once(serve: Callable[..., Served]) -> None:
    first = serve()
    second = serve(state_url=first.settings.state_url)
    one, other = first.client(STRANGER), second.client(STRANGER)
    for _ in range(5):
        one.update_enrollment_status(status="Active")
        assert other.get_enrollment_status()["status"] in {"Pending", "Active"}
        one.update_enrollment_status(status="Inactive")
        assert other.get_enrollment_status()["status"] == "Inactive"
