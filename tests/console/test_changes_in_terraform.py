"""What Terraform is told to change: arguments that its provider knows, held against its schema."""

import json
import re
from typing import Any

import pytest

from compute_optimizer.console.changes import Subject, change_to
from tests.console.test_changes import CHANGES
from tests.local_terraform import terraform_in

REQUIRED = """\
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}
"""


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The resources of the provider by their names."""
    folder = tmp_path_factory.mktemp("schema")
    (folder / "main.tf").write_text(REQUIRED)
    terraform = terraform_in(folder)
    terraform.run("init", "-input=false")
    (provider,) = json.loads(terraform.run("providers", "schema", "-json"))[
        "provider_schemas"
    ].values()
    return provider["resource_schemas"]


def test_arguments_are_those_of_the_provider(schema: Any) -> None:
    for resource_type, arn, to, *_ in CHANGES.values():
        change = change_to(resource_type, Subject(arn, "web-1"), to)
        assert change is not None
        kind = re.findall(r'^resource "(\w+)"', change.terraform)[0]
        told = set(re.findall(r"^  (\w+) +=", change.terraform, re.MULTILINE))
        attributes = schema[kind]["block"]["attributes"]

        assert told, change.terraform
        # One that is only read cannot be set.
        settable = {name for name, one in attributes.items() if set(one) & {"optional", "required"}}
        assert told <= settable
