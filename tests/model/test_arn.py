"""What an ARN says of its resource."""

import pytest

from compute_optimizer.model.arn import account_and_region, account_of, region_of, short_name


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ec2:us-east-1:111111111111:instance/i-0abc", "i-0abc"),
        ("ec2:us-east-1:111111111111:volume/vol-0abc", "vol-0abc"),
        ("rds:us-east-1:111111111111:db:orders", "orders"),
        ("rds:us-east-1:111111111111:cluster:shop", "shop"),
        ("ecs:us-east-1:111111111111:service/main/web", "web"),
        ("lambda:us-east-1:111111111111:function:worker:$LATEST", "worker"),
        ("lambda:us-east-1:111111111111:function:worker:3", "worker:3"),
        (
            "autoscaling:us-east-1:111111111111:autoScalingGroup:"
            "11111111-2222-3333-4444-555555555555:autoScalingGroupName/web",
            "web",
        ),
    ],
)
def test_a_short_name_is_what_people_know_a_resource_by(kind: str, name: str) -> None:
    assert short_name(f"arn:aws:{kind}") == name


GROUP = (
    "arn:aws:autoscaling:eu-west-1:222222222222:autoScalingGroup:"
    "11111111-2222-3333-4444-555555555555:autoScalingGroupName/web"
)


def test_account_and_region_are_read_however_many_colons_the_resource_has() -> None:
    assert (account_of(GROUP), region_of(GROUP)) == ("222222222222", "eu-west-1")
    assert account_and_region(GROUP) == ("222222222222", "eu-west-1")


def test_a_part_that_an_arn_leaves_out_is_empty() -> None:
    assert account_and_region("arn:aws:iam::111111111111:role/Operator") == ("111111111111", "")
    assert account_and_region("arn:aws:s3:::reports") == ("", "")


@pytest.mark.parametrize("text", ["", "i-0abc", "arn:aws:ec2:us-east-1:111111111111"])
def test_what_is_no_arn_is_nowhere(text: str) -> None:
    assert account_and_region(text) == ("", "")
