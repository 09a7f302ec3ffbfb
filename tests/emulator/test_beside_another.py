"""An emulator of Compute Optimizer beside one of the rest of AWS, as the guide shows it."""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from compute_optimizer.emulator.environment import environment_of
from compute_optimizer.emulator.running import emulator
from tests.local_aws import OWN, LocalAws

pytest_plugins = ["pytester"]


def shown(repository: Path) -> str:
    """Return the test that the guide shows under its heading."""
    page = (repository / "docs" / "emulator-guides.md").read_text()
    section = page.partition("## Beside another emulator\n")[2]
    (code,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return str(code)


def test_each_service_is_led_to_its_own(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = aws.machine()
    with emulator() as running:
        for name, value in environment_of(running.url, running.account_id).items():
            monkeypatch.setenv(name, value)

        optimizer, ec2 = boto3.client("compute-optimizer"), boto3.client("ec2")

        assert optimizer.meta.endpoint_url == running.url
        assert ec2.meta.endpoint_url == aws.url
        assert optimizer.get_enrollment_status()["status"] == "Inactive"
        (started,) = ec2.describe_instances()["Reservations"]
        assert started["Instances"][0]["InstanceId"] == machine
        assert boto3.client("sts").get_caller_identity()["Account"] == running.account_id == OWN


def test_it_advises_on_the_fleet_of_the_other(
    aws: LocalAws,
    pytester: pytest.Pytester,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = aws.machine()
    last = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 300 * 300, UTC)
    # 31 hours of five minutes each, an hour more than the least.
    aws.put("AWS/EC2", "CPUUtilization", {"InstanceId": machine}, [10.0] * 372, last)
    programs = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    pytester.makepyfile(shown(repository))
    ended = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    ended.assert_outcomes(passed=1)
