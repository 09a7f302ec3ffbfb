"""The IAM policy allows what collecting asks for, and nothing else: a local AWS notes the calls."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.collect import collect
from compute_optimizer.jobs.collect_run import CollectRequest
from compute_optimizer.sources.aws import Access, AwsSource
from compute_optimizer.sources.aws.policy import (
    ROLE_NAME,
    assuming_policy,
    collecting_actions,
    collecting_policy,
)
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests import aws_estate
from tests.enrolling import opt_in
from tests.local_aws import OWN, REGION, LocalAws

PREFIXES = {"resourcegroupstaggingapi": "tag"}
"""Of IAM actions, where boto3 names a service otherwise (Service Authorization Reference)."""

ALWAYS_ALLOWED = "sts:GetCallerIdentity"
"""Needs no permission (AWS STS API Reference)."""

OTHER = "222222222222"


@pytest.fixture
def opted_in(sqlite_state: State) -> State:
    opt_in(sqlite_state, OWN, OTHER)
    return sqlite_state


def collect_everything(state: State, folder: Path, access: Access) -> None:
    clock = SystemClock()
    request = CollectRequest(since=clock.now() - timedelta(days=1))
    with closing(AwsSource(access, clock)) as source:
        report = collect(state, TileStore(folder / "tiles"), clock, source, request)
    assert report.failures == []


def actions(aws: LocalAws) -> set[str]:
    """Return what was asked, as IAM names it."""
    asked = {f"{PREFIXES.get(one[0], one[0])}:{one[1]}" for one in aws.asked()}
    return asked - {ALWAYS_ALLOWED}


def test_the_policy_is_what_collecting_asks_for(
    aws: LocalAws, opted_in: State, tmp_path: Path
) -> None:
    aws_estate.fill(aws)
    # Of a type that the catalog lacks.
    aws.machine(InstanceType="m20i.large")
    # Every Region of an account once, so that the list of Regions is asked for; then one of them.
    with closing(AwsSource(Access(requests_per_second=0), SystemClock())) as source:
        aws.asked()
        source.scopes(OWN)
    regions = actions(aws)

    collect_everything(opted_in, tmp_path, Access(regions=(REGION,), requests_per_second=0))

    assert regions | actions(aws) == set(collecting_actions())


def test_the_policy_of_the_collector_is_what_it_asks_for(
    aws: LocalAws, opted_in: State, tmp_path: Path
) -> None:
    organizations = aws.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_account(Email="one@example.com", AccountName="one")
    account = made["CreateAccountStatus"]["AccountId"]
    access = Access(accounts=("all",), role="OpenComputeOptimizer", regions=(REGION,))
    aws.asked()

    with closing(AwsSource(access, SystemClock())) as source:
        assert account in source.accounts()
        source.scopes(account)
    # Who may not list them is asked who may.
    aws.failing["organizations", "ListAccounts"] = ["AccessDeniedException"]
    with closing(AwsSource(access, SystemClock())) as source, pytest.raises(SourceUnavailable):
        source.accounts()

    allowed = {action for one in assuming_policy()["Statement"] for action in one["Action"]}
    assert actions(aws) == allowed


def test_no_action_changes_anything() -> None:
    for action in collecting_actions():
        assert action.split(":")[1].startswith(("Describe", "List", "Get")), action


@pytest.mark.parametrize("external_id", ["", "between-us"])
def test_the_template_makes_the_role(aws: LocalAws, repository: Path, external_id: str) -> None:
    collector = f"arn:aws:iam::{OWN}:user/collector"
    given = {"CollectorArn": collector, "ExternalId": external_id}
    aws.client("cloudformation").create_stack(
        StackName="reader",
        TemplateBody=(repository / "deploy/aws/role.yaml").read_text(),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )

    iam = aws.client("iam")
    (trust,) = iam.get_role(RoleName=ROLE_NAME)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    may = iam.get_role_policy(RoleName=ROLE_NAME, PolicyName="collect")["PolicyDocument"]
    assert trust["Principal"] == {"AWS": collector}
    wanted = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else None
    assert trust.get("Condition") == wanted
    # The local AWS writes it as Python does, which YAML reads.
    assert yaml.safe_load(str(may)) == collecting_policy()


def test_the_templates_have_the_same_actions(repository: Path) -> None:
    class Plain(yaml.SafeLoader):
        """Reads CloudFormation's own tags as what they stand on."""

    Plain.add_multi_constructor("!", lambda loader, suffix, node: suffix)
    template = yaml.load((repository / "deploy/aws/role.yaml").read_text(), Plain)
    document = template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]
    terraform = (repository / "deploy/aws/terraform/main.tf").read_text()

    assert document["Statement"] == collecting_policy()["Statement"]
    assert [action for action in collecting_actions() if f'"{action}",' not in terraform] == []
