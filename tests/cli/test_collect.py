"""`compute-optimizer collect aws`, against a local AWS."""

import json
from datetime import UTC, datetime

from tests.cli.conftest import Type
from tests.local_aws import OWN, REGION, LocalAws


def whole_slot() -> datetime:
    """Return the end of the last slot that has ended."""
    now = datetime.now(UTC).timestamp()
    return datetime.fromtimestamp(now // 300 * 300, UTC)


def idle_machine(aws: LocalAws) -> str:
    """Start a machine that has used 10 % of its CPU for 31 hours."""
    machine = aws.machine()
    aws.put("AWS/EC2", "CPUUtilization", {"InstanceId": machine}, [10.0] * 372, whole_slot())
    return machine


def test_an_account_is_collected_analyzed_and_recommended(typed: Type, aws: LocalAws) -> None:
    machine = idle_machine(aws)

    ended = typed(
        "collect", "aws", "--enroll", "--regions", REGION, "--types", "Ec2Instance",
        "--output", "json",
    )  # fmt: skip

    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert report["accounts"] == [OWN]
    assert report["resources"] == {"Ec2Instance": 1}
    cpu = [one for one in report["coverage"] if one["metric"] == "CPUUtilization"]
    assert {one["statistic"]: one["withSamples"] for one in cpu} == {"Average": 1, "Maximum": 1}
    # 372 of the 4,032 slots of 14 days.
    assert [one["covered"] for one in cpu] == [0.0923, 0.0923]

    assert typed("analyze", "--workers", "1").code == 0
    found = json.loads(typed("recommend", "--output", "json").out)["recommendations"]
    assert [one["resourceArn"].rpartition("/")[2] for one in found] == [machine]
    # 10 % of 8 vCPU fit m5.large, the least of its family with the demand and memory unknown.
    assert found[0]["current"] == "m5.2xlarge"
