"""The Terraform module makes the role: applied to a local AWS, read back, and taken away again."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.sources.aws.policy import ROLE_NAME, collecting_policy
from tests.local_aws import OWN, LocalAws
from tests.local_terraform import (
    Terraform,
    point_provider_at,
    terraform_in,
    with_standing_provider,
)

COLLECTOR = f"arn:aws:iam::{OWN}:user/collector"


@pytest.fixture
def module(aws: LocalAws, repository: Path, tmp_path: Path) -> Iterator[Terraform]:
    """The module as it is, in a folder of its own, with its provider at the local AWS."""
    folder = tmp_path / "module"
    shutil.copytree(repository / "deploy" / "aws" / "terraform", folder)
    terraform = terraform_in(folder)
    point_provider_at(aws.url, folder, ("iam", "sts"))
    terraform.run("init", "-input=false")
    with with_standing_provider(terraform) as module:
        yield module


def test_the_module_makes_the_role_and_takes_it_away(aws: LocalAws, module: Terraform) -> None:
    given = {"collector_arn": COLLECTOR, "external_id": "between-us"}
    iam = aws.client("iam")

    outputs = module.apply(**given)

    role = iam.get_role(RoleName=ROLE_NAME)["Role"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert outputs == {"role_arn": role["Arn"]}
    assert trust["Principal"] == {"AWS": COLLECTOR}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "between-us"}}
    assert _read_back(aws) == collecting_policy()
    assert not module.has_changes(**given)

    # Without the external id anybody whom the collector's account lets may take it.
    module.apply(collector_arn=COLLECTOR)
    (trust,) = iam.get_role(RoleName=ROLE_NAME)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert "Condition" not in trust

    module.destroy(collector_arn=COLLECTOR)
    assert iam.list_roles()["Roles"] == []


def _read_back(aws: LocalAws) -> dict[str, Any]:
    """Return the policy of the role, its actions in order: the provider reverses them."""
    found = aws.client("iam").get_role_policy(RoleName=ROLE_NAME, PolicyName="collect")
    document: dict[str, Any] = found["PolicyDocument"]
    for statement in document["Statement"]:
        statement["Action"].sort()
    return document
