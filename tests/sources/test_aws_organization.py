"""The accounts of an organization: who may list them, which are read, and what stops no other.

The local AWS lists them for the management account only, and refuses nobody. What AWS documents is
added by its front: members are refused, and delegated administrators get the same list.
"""

from contextlib import closing
from pathlib import Path

import pytest

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.collect import collect
from compute_optimizer.jobs.collect_run import CollectRequest
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.sources.aws import Access, AwsSource
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import Desk
from tests.local_aws import OWN, REGION, Asked, LocalAws

PRINCIPAL = "compute-optimizer.amazonaws.com"


@pytest.fixture
def members(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An organization of three members, of which the first one's credentials are used."""
    organizations = aws.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    found = [_member(aws, name) for name in ("first", "second", "third")]
    role = f"arn:aws:iam::{found[0]}:role/operator"
    given = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", given["SessionToken"])
    aws.managed = lambda asked: asked.operation == "ListAccounts" and _is_delegated(aws, asked)
    aws.spoil = lambda asked: (
        "AccessDeniedException"
        if asked.operation == "ListAccounts" and not _is_delegated(aws, asked)
        else None
    )
    return found


def _member(aws: LocalAws, name: str) -> str:
    made = aws.client("organizations").create_account(Email=f"{name}@example.com", AccountName=name)
    return str(made["CreateAccountStatus"]["AccountId"])


def _is_delegated(aws: LocalAws, asked: Asked) -> bool:
    """Return whether who asked is registered (ListDelegatedAdministrators) or the manager."""
    found = aws.client("organizations").list_delegated_administrators()
    return asked.account_id in {OWN, *(one["Id"] for one in found["DelegatedAdministrators"])}


def delegate(aws: LocalAws, account_id: str) -> None:
    # A service that the local AWS knows; AWS lets delegated administrators of any list accounts.
    aws.client("organizations").register_delegated_administrator(
        AccountId=account_id, ServicePrincipal="guardduty.amazonaws.com"
    )


def opened(**access: object) -> AwsSource:
    return AwsSource(
        Access(
            accounts=("all",),
            role="reader",
            regions=(REGION,),
            requests_per_second=0,
            **access,  # type: ignore[arg-type]
        ),
        SystemClock(),
    )


def test_a_delegated_administrator_lists_every_account(aws: LocalAws, members: list[str]) -> None:
    delegate(aws, members[0])

    with closing(opened()) as source:
        assert source.accounts() == sorted([OWN, *members])


def test_a_member_is_told_who_may_list_accounts(aws: LocalAws, members: list[str]) -> None:
    with closing(opened()) as source, pytest.raises(SourceUnavailable) as told:
        source.accounts()

    said = str(told.value)
    assert f"account {members[0]}" in said
    assert f"the management account ({OWN}) or a delegated administrator" in said
    assert f"enable-aws-service-access --service-principal {PRINCIPAL}" in said
    assert f"register-delegated-administrator --service-principal {PRINCIPAL}" in said
    assert f"--account-id {members[0]}" in said


def test_the_management_account_is_told_of_its_policies(aws: LocalAws) -> None:
    aws.client("organizations").create_organization(FeatureSet="ALL")
    aws.spoil = lambda asked: "AccessDenied" if asked.operation == "ListAccounts" else None

    with (
        closing(opened()) as source,
        pytest.raises(SourceUnavailable, match="management account, so its policies"),
    ):
        source.accounts()


def test_an_account_that_may_not_ask_for_the_organization_is_told_both_ways(aws: LocalAws) -> None:
    denied = ("ListAccounts", "DescribeOrganization")
    aws.spoil = lambda asked: "AccessDeniedException" if asked.operation in denied else None

    with (
        closing(opened()) as source,
        pytest.raises(SourceUnavailable, match="the management account or a delegated"),
    ):
        source.accounts()


def test_an_account_without_an_organization_is_told_so(aws: LocalAws) -> None:
    code = "AWSOrganizationsNotInUseException"
    aws.spoil = lambda asked: code if asked.operation == "ListAccounts" else None

    with closing(opened()) as source, pytest.raises(SourceUnavailable, match="no organization"):
        source.accounts()


def test_a_list_without_accounts_is_told(aws: LocalAws, members: list[str]) -> None:
    aws.spoil = lambda _: None
    aws.managed = lambda _: False

    # So this local AWS answers a member.
    with closing(opened()) as source, pytest.raises(SourceUnavailable, match="no active account"):
        source.accounts()


def test_suspended_accounts_are_left_out_and_one_without_the_role_stops_no_other(
    aws: LocalAws, members: list[str], sqlite_state: State, tmp_path: Path
) -> None:
    delegate(aws, members[0])
    first, without_role, suspended = members
    aws.client("organizations").close_account(AccountId=suspended)
    for account in (OWN, first):
        aws.machine(account_id=account)
    listing = aws.spoil
    aws.spoil = lambda asked: (
        "AccessDenied"
        if asked.operation == "AssumeRole" and without_role.encode() in asked.body
        else listing(asked)
    )
    desk, clock = Desk(sqlite_state), SystemClock()
    for account in (OWN, *members):
        desk.opt_in(account)
    desk.settle()
    request = CollectRequest(since=clock.now(), resource_types=frozenset({EC2_INSTANCE}))

    with closing(opened()) as source:
        report = collect(sqlite_state, TileStore(tmp_path / "tiles"), clock, source, request)

    assert report.accounts == tuple(sorted([OWN, first, without_role]))
    assert report.resources[EC2_INSTANCE] == 2
    (failure,) = report.failures
    assert failure.account_id == without_role
    assert "AssumeRole" in failure.message
