"""Rows of Auto Scaling groups in an inventory become groups, known by ARN and by name."""

from typing import Any

import pytest

from compute_optimizer.model.auto_scaling_group import AutoScalingGroup
from compute_optimizer.sources.files.cells import RowRefused
from compute_optimizer.sources.files.inventory import resource_of
from tests.groups import group, group_arn

ARN = group_arn(1)
ROW = {
    "arn": ARN,
    "type": "m5.xlarge",
    "min_size": "2",
    "desired_capacity": "2",
    "max_size": "2",
}


def read(**changes: Any) -> AutoScalingGroup:
    found = resource_of(ROW | changes)
    assert isinstance(found, AutoScalingGroup)
    return found


def test_the_arn_tells_the_type_and_the_name() -> None:
    assert read() == group(1, "m5.xlarge")
    assert read(id="web-1", resource_type="AutoScalingGroup") == group(1, "m5.xlarge")


def test_a_group_that_may_grow_follows_its_load_unless_the_row_says_otherwise() -> None:
    assert read().scaling == "none"
    assert read(max_size=8).scaling == "dynamic"
    assert read(max_size=8, scaling="None").scaling == "none"
    assert read(scaling="scheduled").scaling == "scheduled"


def test_a_whole_row_of_a_mixed_group() -> None:
    found = read(
        type="m5.xlarge; c5.xlarge",
        min_size=0,
        desired_capacity=3.0,
        max_size="10",
        allocation_strategy="lowest-price",
        spot="yes",
        weighted="true",
        platform="Windows",
        name="front",
        tags="Team=web",
    )

    assert found.instance_type == "m5.xlarge"
    assert found.mixed_types == ("m5.xlarge", "c5.xlarge")
    assert (found.min_size, found.desired_capacity, found.max_size) == (0, 3, 10)
    assert (found.allocation_strategy, found.platform) == ("LowestPrice", "windows")
    assert (found.spot, found.weighted, found.name) == (True, True, "front")
    assert found.tags == {"Team": "web"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"arn": ""}, "MISSING"),
        ({"type": " ; "}, "MISSING"),
        ({"max_size": ""}, "MISSING"),
        ({"max_size": "1"}, "GROUP_SIZE"),
        ({"desired_capacity": "3"}, "GROUP_SIZE"),
        ({"min_size": "-1"}, "GROUP_SIZE"),
        ({"min_size": "1.5"}, "GROUP_SIZE"),
        ({"max_size": "many"}, "GROUP_SIZE"),
        ({"max_size": "1e20"}, "TOO_LARGE"),
        ({"scaling": "sometimes"}, "SCALING"),
        ({"allocation_strategy": "capacity-optimized"}, "STRATEGY"),
        ({"spot": "perhaps"}, "FLAG"),
        ({"id": "web-2"}, "ARN_DIFFERS"),
        ({"resource_type": "Ec2Instance"}, "ARN"),
        ({"arn": ARN.replace("autoScalingGroupName/", "")}, "ARN"),
        ({"arn": ARN.replace(":autoscaling:", ":ec2:")}, "ARN"),
        ({"arn": ARN.replace("autoScalingGroup:1", "autoScalingGroup/1")}, "ARN"),
    ],
)
def test_what_is_no_group_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    row: dict[str, Any] = {
        "id": "web-1",
        "account": "111111111111",
        "region": "us-east-1",
        "resource_type": "AutoScalingGroup",
        **ROW,
        **changes,
    }
    with pytest.raises(RowRefused) as refused:
        resource_of(row)

    assert refused.value.reason.name == reason
