"""What an ARN calls its resource."""

import pytest

from compute_optimizer.model.resource import short_name


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
