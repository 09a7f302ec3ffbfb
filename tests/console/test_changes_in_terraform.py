"""What Terraform is told to change: arguments that its provider knows, held against its schema."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from compute_optimizer.console.changes import Subject, change_to
from compute_optimizer.console.stopping import STOPS
from tests.console.changing import CHANGES, IDLE
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


def told_changes() -> Iterator[str]:
    """Yield every snippet that has a block."""
    for resource_type, arn, to, *_ in CHANGES.values():
        change = change_to(resource_type, Subject(arn, "web-1"), to)
        assert change is not None
        yield change.terraform
    for resource_type, (arn, *_) in IDLE.items():
        told = STOPS[resource_type].make(Subject(f"arn:aws:{arn}", "web-1")).terraform
        if not told.startswith("#"):
            yield told


def test_arguments_are_those_of_the_provider(schema: Any) -> None:
    for snippet in told_changes():
        kind = re.findall(r'^resource "(\w+)"', snippet)[0]
        told = set(re.findall(r"^  (\w+) +=", snippet, re.MULTILINE))
        attributes = schema[kind]["block"]["attributes"]

        assert told, snippet
        # One that is only read cannot be set.
        settable = {name for name, one in attributes.items() if set(one) & {"optional", "required"}}
        assert told <= settable, snippet
