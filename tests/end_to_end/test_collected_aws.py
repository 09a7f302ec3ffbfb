"""An organization collected from two independent local AWSes, analyzed, served and read by boto3.

Metrics are real traces. A front before each AWS counts what is asked and spoils answers.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.collected_estate import (
    BEFORE,
    DAYS,
    REGIONS,
    ROLE,
    Estate,
    make,
    scaling,
    standing,
    stored,
)
from tests.commands import Ended, Type
from tests.end_to_end.conftest import Served
from tests.local_aws import OWN, LocalAws

CREATED = ("111111111111", "222222222222")
"""Members where an AWS takes any account id."""

SCALING = "Ec2Instance,AutoScalingGroup,EcsService"
STANDING = "Ec2Instance,EbsVolume,LambdaFunction,RdsDBInstance"


@dataclass(frozen=True)
class Cloud:
    """What a local AWS has, and which accounts and types of it are collected."""

    estate: Estate
    accounts: str
    types: str

    @property
    def aws(self) -> LocalAws:
        return self.estate.aws

    def words(self) -> tuple[str, ...]:
        asked = ("--accounts", self.accounts, "--types", self.types, "--days", str(DAYS))
        where = ("--role", ROLE, "--regions", ",".join(REGIONS))
        return ("collect", "aws", "--enroll", *asked, *where, "--output", "json")


def of_moto(aws: LocalAws, shared: Path) -> Cloud:
    """An organization, and services that scale.

    Not more: to find samples it looks through all of a Region for each slot and series.
    """
    organizations = aws.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    members = [
        organizations.create_account(Email=f"{name}@example.com", AccountName=name)
        for name in ("one", "two")
    ]
    ids = [one["CreateAccountStatus"]["AccountId"] for one in members]
    return Cloud(make(aws, (OWN, *ids), shared, scaling(aws)), "all", SCALING)


def of_ministack(aws: LocalAws, shared: Path) -> Cloud:
    """Accounts, and the rest.

    It makes no organizations, has no Application Auto Scaling, which services ask for, and tells of
    no launch templates but by their name, which groups need.
    """
    accounts = (OWN, *CREATED)
    return Cloud(make(aws, accounts, shared, standing(aws)), ",".join(accounts), STANDING)


MAKERS: dict[str, Callable[[LocalAws, Path], Cloud]] = {"aws": of_moto, "ministack": of_ministack}
"""By the fixture of the AWS."""


@pytest.fixture(params=MAKERS)
def cloud(request: pytest.FixtureRequest, shared: Path) -> Cloud:
    """Three accounts in two Regions, of which all but the last day has been measured."""
    made = MAKERS[request.param](request.getfixturevalue(request.param), shared)
    made.estate.send(0, BEFORE)
    made.aws.calls.clear()
    return made


def report_of(ended: Ended, code: int = 0) -> dict[str, Any]:
    assert ended.code == code, ended
    found: dict[str, Any] = json.loads(ended.out)
    return found


def check(cloud: Cloud, data: Path, slots: int, without: str = "") -> None:
    """Compare what is stored with the source, bit for bit."""
    expected = cloud.estate.expected(slots, without)
    assert stored(data, cloud.estate.window) == {key: {row} for key, row in expected.items()}


def test_an_organization_is_collected_analyzed_served_and_read(
    cloud: Cloud, typed: Type, tmp_path: Path, serve: Callable[..., Served]
) -> None:
    report = report_of(typed(*cloud.words()))
    check(cloud, tmp_path, BEFORE)
    assert sorted(report["accounts"]) == sorted(cloud.estate.accounts)
    assert typed("analyze", "--workers", "1").code == 0

    served = serve(state_url=f"sqlite:///{tmp_path / 'state.db'}")
    for account_id in cloud.estate.accounts:
        machines = {
            (one.region, one.suffix)
            for one in cloud.estate.series
            if (one.account_id, one.metric.resource_type) == (account_id, "Ec2Instance")
        }
        found = set()
        for region in REGIONS:
            client = served.client(account_id, region=region)
            page = client.get_ec2_instance_recommendations()
            for one in page["instanceRecommendations"]:
                found.add((region, one["instanceArn"].rpartition("/")[2]))
        assert found >= machines
