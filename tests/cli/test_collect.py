"""`compute-optimizer collect aws`, against a local AWS."""

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compute_optimizer import cli
from tests.cli.conftest import Type
from tests.local_aws import OWN, REGION, Asked, LocalAws
from tests.waiting import SECONDS

CPU = "CPUUtilization"

PLACE = ("--regions", REGION, "--types", "Ec2Instance", "--days", "2")
HERE = (*PLACE, "--output", "json")


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

    ended = typed("collect", "aws", "--enroll", *HERE)

    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert report["accounts"] == [OWN]
    assert report["resources"] == {"Ec2Instance": 1}
    cpu = [one for one in report["coverage"] if one["metric"] == "CPUUtilization"]
    assert {one["statistic"]: one["withSamples"] for one in cpu} == {"Average": 1, "Maximum": 1}
    # 372 of the 576 slots of two days.
    assert [one["covered"] for one in cpu] == [0.6458, 0.6458]

    assert typed("analyze", "--workers", "1").code == 0
    found = json.loads(typed("recommend", "--output", "json").out)["recommendations"]
    assert [one["resourceArn"].rpartition("/")[2] for one in found] == [machine]
    # 10 % of 8 vCPU fit m5.large, the least of its family with the demand and memory unknown.
    assert found[0]["current"] == "m5.2xlarge"


def test_a_second_run_reads_only_what_is_missing(typed: Type, aws: LocalAws) -> None:
    idle_machine(aws)
    first = json.loads(typed("collect", "aws", "--enroll", *HERE).out)

    second = json.loads(typed("collect", "aws", *HERE).out)

    assert first["tilesWritten"] > 0
    assert second["tilesWritten"] == 0  # the overlap says what is known
    asked = {one["statistic"]: one for one in second["coverage"] if one["metric"] == CPU}
    # Of the three hours that overlap; 36 of 37 slots where one has ended between the two runs.
    assert asked["Maximum"]["covered"] in (1.0, 0.973)


def test_accounts_that_are_not_opted_in_are_not_read(typed: Type, aws: LocalAws) -> None:
    aws.machine()

    ended = typed("collect", "aws", *HERE)

    assert ended.code == 4
    assert "--enroll" in ended.err
    assert ("ec2", "DescribeInstances") not in aws.asked()


def test_an_account_that_cannot_be_read_is_told_and_stops_no_other(
    typed: Type, aws: LocalAws
) -> None:
    idle_machine(aws)

    ended = typed("collect", "aws", "--accounts", f"{OWN},222222222222", "--enroll", *HERE)

    assert ended.code == 6
    report = json.loads(ended.out)
    assert report["resources"] == {"Ec2Instance": 1}
    (failure,) = report["failures"]
    assert failure["accountId"] == "222222222222"
    assert "--role" in failure["message"]


def test_an_organization_is_collected_through_a_role(typed: Type, aws: LocalAws) -> None:
    organizations = aws.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_account(Email="one@example.com", AccountName="one")
    member = made["CreateAccountStatus"]["AccountId"]
    machines = {OWN: aws.machine(), member: aws.machine(account_id=member)}

    ended = typed("collect", "aws", "--accounts", "all", "--role", "Reader", "--enroll", *HERE)

    report = json.loads(ended.out)
    assert (ended.code, report["failures"]) == (0, [])
    assert report["accounts"] == sorted(machines)
    assert report["added"] == 2
    known = json.loads(typed("accounts", "list", "--output", "json").out)["accounts"]
    assert {one["accountId"]: one["status"] for one in known} == dict.fromkeys(machines, "Active")


def test_a_type_that_may_not_be_read_is_told_to_people(typed: Type, aws: LocalAws) -> None:
    aws.failing["rds", "DescribeDBInstances"] = ["AccessDenied"]

    ended = typed("collect", "aws", "--enroll", "--regions", REGION, "--types", "RdsDBInstance")

    assert ended.code == 6
    assert f"could not be read: {OWN}, {REGION}, RdsDBInstance" in ended.out
    assert "rds:DescribeDBInstances" in ended.out


def test_an_estimate_changes_nothing_and_enrolls_nobody(typed: Type, aws: LocalAws) -> None:
    aws.machine()

    ended = typed("collect", "aws", "--enroll", "--estimate", *HERE)

    estimate = json.loads(ended.out)
    # CPU by two statistics, network, instance store and one volume by four counters each.
    assert (estimate["calls"], estimate["metrics"], estimate["usd"]) == (1, 14, 0.0001)
    assert ("cloudwatch", "GetMetricData") not in aws.asked()
    assert typed("collect", "aws", *HERE).code == 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--days", "3", "--since", "2026-01-31"), "give one of them"),
        (("--since", "2999-01-01"), "lies in the future"),
        (("--days", "1000000"), "less than or equal to 36525"),
        (("--types", "Toaster"), "'Toaster' cannot be analyzed"),
        (("--accounts", "production"), "expected twelve digits"),
        (("--profile", "nobody"), "profile 'nobody' cannot be used"),
    ],
)
def test_options_that_cannot_be_meant_are_told(
    typed: Type, aws: LocalAws, options: tuple[str, ...], told: str
) -> None:
    ended = typed("collect", "aws", *options)

    assert ended.code == 2
    assert told in ended.err


def test_older_samples_than_are_kept_are_told(typed: Type, aws: LocalAws) -> None:
    ended = typed(
        "collect", "aws", "--enroll", "--days", "93", "--regions", REGION, "--types", "NatGateway"
    )

    assert ended.code == 0
    assert "the source keeps five-minute samples only since" in " ".join(ended.out.split())


def test_quickstart_prints_what_could_be_saved_and_keeps_nothing(
    aws: LocalAws,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    idle_machine(aws)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("COMPUTE_OPTIMIZER_WORKERS", "1")
    command = ["compute-optimizer", "quickstart", *PLACE]
    monkeypatch.setattr(sys, "argv", command)

    with pytest.raises(SystemExit) as ended:
        cli.main()

    said = capsys.readouterr().out
    assert not ended.value.code
    assert "m5.2xlarge" in said
    assert "Total estimated savings" in said
    assert [one.name for one in tmp_path.iterdir()] == ["aws-config"]


def test_quickstart_keeps_the_data_where_it_is_told_to(typed: Type, aws: LocalAws) -> None:
    machine = idle_machine(aws)

    ended = typed("quickstart", *PLACE)

    assert ended.code == 0
    found = json.loads(typed("recommend", "--output", "json").out)["recommendations"]
    assert [one["resourceArn"].rpartition("/")[2] for one in found] == [machine]


def test_quickstart_that_is_ended_keeps_nothing(aws: LocalAws, tmp_path: Path) -> None:
    idle_machine(aws)
    folder = tmp_path / "temporary"
    folder.mkdir()
    command = [sys.executable, "-m", "compute_optimizer", "quickstart", *PLACE]
    ended: subprocess.Popen[bytes]

    def ending(asked: Asked) -> None:
        if asked.operation == "GetMetricData":
            assert list(folder.iterdir())
            ended.terminate()

    aws.spoil = ending
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as ended:
        # As Ctrl-C: docs/cli.md.
        assert ended.wait(SECONDS) == 130
    assert list(folder.iterdir()) == []


def test_an_address_that_is_no_url_is_told(
    typed: Type, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost")

    ended = typed("collect", "aws", *HERE)

    assert ended.code == 2
    assert "the address of sts cannot be used: Invalid endpoint: localhost" in ended.err


def test_a_type_that_is_not_in_aws_inventory_is_refused(typed: Type, aws: LocalAws) -> None:
    for command in (("collect", "aws"), ("quickstart",)):
        ended = typed(*command, "--types", "DynamoDBTable")

        assert ended.code == 2
        assert "'DynamoDBTable' are not collected from AWS" in ended.err
    assert aws.asked() == set()
