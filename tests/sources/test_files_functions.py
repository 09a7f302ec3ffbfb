"""Rows of Lambda functions in an inventory become functions, each version by itself."""

from typing import Any

import pytest

from compute_optimizer.model.lambda_function import LambdaFunction
from compute_optimizer.sources.files.cells import RowRefused
from compute_optimizer.sources.files.inventory import resource_of

ACCOUNT = "111111111111"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:worker"
ROW = {
    "id": "worker",
    "account": ACCOUNT,
    "region": "us-east-1",
    "resource_type": "LambdaFunction",
    "memory_mib": "1024",
}
FUNCTION = LambdaFunction(
    f"{ARN}:$LATEST",
    ACCOUNT,
    "us-east-1",
    "LambdaFunction",
    "worker",
    "x86_64",
    name="worker",
    memory_size=1024,
)


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        ROW | {"id": "worker:$LATEST"},
        {"arn": ARN, "memory_mib": 1024},
        {"arn": f"{ARN}:$LATEST", "memory_mib": 1024},
        {"arn": ARN, "id": "worker:$LATEST", "memory_mib": 1024},
    ],
)
def test_without_a_version_a_row_means_the_latest(row: dict[str, Any]) -> None:
    assert resource_of(row) == FUNCTION


def test_a_version_is_a_function_of_its_own() -> None:
    found = resource_of(ROW | {"id": "worker:3", "name": ""})

    assert (found.arn, found.resource_id, found.name) == (f"{ARN}:3", "worker:3", "worker:3")


def test_a_whole_row() -> None:
    told = {"architecture": "ARM64", "timeout_seconds": "30", "name": "Worker"}

    found = resource_of(ROW | told)

    assert isinstance(found, LambdaFunction)
    assert (found.instance_type, found.timeout_seconds, found.name) == ("arm64", 30.0, "Worker")


@pytest.mark.parametrize(
    ("change", "reason", "found"),
    [
        ({"memory_mib": ""}, "MISSING", "memory_mib"),
        ({"memory_mib": "0"}, "CAPACITY", "memory_mib: 0"),
        ({"timeout_seconds": "soon"}, "CAPACITY", "timeout_seconds: soon"),
        ({"architecture": "riscv"}, "ARCHITECTURE", "riscv"),
        ({"id": "work er"}, "RESOURCE_ID", "work er"),
        ({"id": "worker:"}, "RESOURCE_ID", "worker:"),
        ({"arn": ARN, "id": "worker:3"}, "ARN_DIFFERS", f"worker:3 in {ARN}"),
        ({"arn": ARN, "resource_type": "Ec2Instance"}, "ARN", ARN),
        ({"arn": ARN.replace("lambda", "ec2")}, "ARN", ARN.replace("lambda", "ec2")),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], reason: str, found: str) -> None:
    with pytest.raises(RowRefused) as caught:
        resource_of(ROW | change)

    assert (caught.value.reason.name, caught.value.found) == (reason, found)
