"""Who asks, whom, and where: a local AWS answers."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.parsers import ResponseParserError

from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.model.collection import Scope
from compute_optimizer.model.resource import EBS_VOLUME, EC2_INSTANCE
from compute_optimizer.sources.aws import Access, AwsSource, check_collected
from compute_optimizer.sources.aws.failing import refusals
from tests.local_aws import OWN, REGION, LocalAws

OTHER = "222222222222"

Open = Callable[..., AwsSource]


@pytest.fixture
def opened(aws: LocalAws) -> Iterator[Open]:
    """Open AWS with an access; closed at the end."""
    sources: list[AwsSource] = []

    def open_source(**access: Any) -> AwsSource:
        sources.append(AwsSource(Access(requests_per_second=0, **access), SystemClock()))
        return sources[-1]

    yield open_source
    for source in sources:
        source.close()


def test_the_account_of_the_credentials_is_the_default(opened: Open) -> None:
    assert opened().accounts() == [OWN]


def test_all_accounts_are_the_active_ones_of_the_organization(aws: LocalAws, opened: Open) -> None:
    organizations = aws.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    names = ("one", "two")
    made = [
        organizations.create_account(Email=f"{name}@example.com", AccountName=name)
        for name in names
    ]
    ids = [one["CreateAccountStatus"]["AccountId"] for one in made]
    organizations.close_account(AccountId=ids[1])

    assert opened(accounts=("all",)).accounts() == sorted([OWN, ids[0]])


def test_what_is_no_account_id_is_told(opened: Open) -> None:
    with pytest.raises(InvalidInput, match="'production': expected twelve digits"):
        opened(accounts=("production",)).accounts()


def test_regions_are_those_that_are_enabled(aws: LocalAws, opened: Open) -> None:
    enabled = {one["RegionName"] for one in aws.client("ec2").describe_regions()["Regions"]}

    scopes = opened().scopes(OWN)

    assert {one.region for one in scopes} == enabled


def test_given_regions_are_not_asked_for(aws: LocalAws, opened: Open) -> None:
    scopes = opened(regions=("eu-west-1",)).scopes(OWN)

    assert {one.region for one in scopes} == {"eu-west-1"}
    assert ("ec2", "DescribeRegions") not in aws.asked()


def test_another_account_is_read_through_the_role_in_it(aws: LocalAws, opened: Open) -> None:
    mine, theirs = aws.machine(), aws.machine(account_id=OTHER)
    source = opened(
        accounts=(OWN, OTHER), role="readers/{account}-reader", external_id="between-us"
    )

    found = {
        account: [one.resource_id for one in source.inventory(Scope(account, REGION, EC2_INSTANCE))]
        for account in source.accounts()
    }

    assert found == {OWN: [mine], OTHER: [theirs]}
    asked = parse_qs(aws.bodies["sts", "AssumeRole"].decode())
    assert asked["RoleArn"] == [f"arn:aws:iam::{OTHER}:role/readers/{OTHER}-reader"]
    assert asked["ExternalId"] == ["between-us"]
    assert asked["RoleSessionName"] == ["open-compute-optimizer"]


def test_another_account_without_a_role_is_told(opened: Open) -> None:
    with pytest.raises(SourceUnavailable, match=f"account {OTHER} is not .*--role"):
        opened(accounts=(OTHER,)).scopes(OTHER)


def test_a_refusal_names_the_account_and_the_action(aws: LocalAws, opened: Open) -> None:
    aws.failing["autoscaling", "DescribeAutoScalingGroups"] = ["AccessDenied"]

    with pytest.raises(SourceUnavailable) as told:
        opened().inventory(Scope(OWN, REGION, EC2_INSTANCE))

    assert f"account {OWN}, {REGION}: autoscaling:DescribeAutoScalingGroups" in str(told.value)


def test_a_role_that_cannot_be_taken_is_told_once_for_its_account(
    aws: LocalAws, opened: Open
) -> None:
    aws.failing["sts", "AssumeRole"] = ["AccessDenied"]
    source = opened(accounts=(OTHER,), role="reader", regions=(REGION,))

    with pytest.raises(SourceUnavailable, match=rf"account {OTHER}.*AssumeRole"):
        source.scopes(OTHER)


def test_throttled_calls_are_repeated(aws: LocalAws, opened: Open) -> None:
    aws.machine()
    aws.failing["ec2", "DescribeInstances"] = ["RequestLimitExceeded"]

    found = opened().inventory(Scope(OWN, REGION, EC2_INSTANCE))

    assert len(found) == 1
    assert aws.calls.count(("ec2", "DescribeInstances")) == 2


def test_an_answer_that_is_not_from_aws_is_told(aws: LocalAws, opened: Open) -> None:
    aws.failing["ec2", "DescribeInstances"] = ["<html>"]  # so that it is no XML

    with pytest.raises(SourceUnavailable, match=r"ec2:DescribeInstances.*parse"):
        opened().inventory(Scope(OWN, REGION, EC2_INSTANCE))


def test_a_profile_that_is_not_there_is_told(opened: Open) -> None:
    with pytest.raises(InvalidInput, match="profile 'nobody'"):
        opened(profile="nobody")


def test_missing_credentials_are_told(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(InvalidInput, match=r"no AWS credentials .*--profile"):
        opened()


def test_a_profile_gives_credentials_and_region(
    aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "with-profile"
    config.write_text(
        "[profile mine]\nregion = eu-west-1\naws_access_key_id = x\naws_secret_access_key = y\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    with closing(AwsSource(Access(profile="mine"), SystemClock())) as source:
        assert source.accounts() == [OWN]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDenied", "allow it as in docs/collect-aws.md"),
        ("AuthFailure", "the credentials are wrong, or the account has not enabled this Region"),
        ("ExpiredToken", "get new ones, as by `aws sso login`"),
        ("SignatureDoesNotMatch", "or the clock of this machine"),
    ],
)
def test_a_refusal_that_the_user_can_mend_says_how(
    aws: LocalAws, opened: Open, code: str, advice: str
) -> None:
    aws.failing["ec2", "DescribeVolumes"] = [code]

    with pytest.raises(SourceUnavailable, match=rf"ec2:DescribeVolumes.*{code}.*{advice}$"):
        opened().inventory(Scope(OWN, REGION, EBS_VOLUME))


def test_a_page_in_place_of_an_answer_is_told_in_one_short_line() -> None:
    page = "<html>\n<h1>Sign in</h1>\n" + "<p>to the network</p>\n" * 100

    with pytest.raises(SourceUnavailable) as told, refusals("account 1", "ec2:DescribeVolumes"):
        raise ResponseParserError(f"Unable to parse response, invalid XML received:\n{page}")

    text = str(told.value)
    assert text.startswith("account 1: ec2:DescribeVolumes: Unable to parse response")
    assert "<html> <h1>Sign in</h1>" in text
    assert "\n" not in text
    assert len(text) < 500


def test_what_is_named_like_no_region_is_refused_before_anything_is_asked(
    aws: LocalAws, opened: Open
) -> None:
    with pytest.raises(InvalidInput, match="'Frankfurt' is no Region; expected one such as"):
        opened(regions=(REGION, "Frankfurt"))

    assert aws.asked() == set()


def test_types_that_are_not_read_from_aws_are_refused() -> None:
    check_collected([EC2_INSTANCE, EBS_VOLUME])

    with pytest.raises(InvalidInput, match=r"'DynamoDBTable' are not collected from AWS; .*Ec2"):
        check_collected([EC2_INSTANCE, "DynamoDBTable"])
