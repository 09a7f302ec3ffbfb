"""The AWS CLI runs every operation against the demo, with arguments as people write them."""

import json
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import boto3
import pytest

from compute_optimizer.operations import OPERATIONS
from compute_optimizer.scenario.organization import (
    ACCOUNTS,
    MANAGEMENT_ACCOUNT_ID,
    MEMBER_ACCOUNT_IDS,
)
from compute_optimizer.shapes.model import service_model
from tests.clients.conftest import Demo
from tests.clients.foreign import REGION, Key, environment, options_of, program, snake

pytestmark = pytest.mark.clients

SHOP, ANALYTICS = MEMBER_ACCOUNT_IDS
YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
DAY = {"start": f"{YESTERDAY}T00:00:00Z", "end": f"{YESTERDAY}T12:00:00Z"}
"""Moments of the look-back period: the demo's metrics end with yesterday."""


@dataclass(frozen=True, slots=True)
class Case:
    """One operation on the command line."""

    words: str
    """Its arguments; {arn} is a resource that the listing has, {account} its owner."""
    shows: Callable[[Any, str], bool]
    """(answer, the ARN) -> whether it shows what was asked for."""
    listing: str = ""
    first: str = ""
    """A command line that makes what this one works on."""


def one_resource(member: str, entries: str) -> Callable[[Any, str], bool]:
    """Return the check that a list shows the one resource, with its account and finding."""

    def shows(answer: Any, arn: str) -> bool:
        (found,) = answer[entries]
        told = found[member] == arn and found["accountId"] == owner_of(arn)
        return told and any("inding" in name for name in found) and answer.get("errors", []) == []

    return shows


def listed(member: str, entries: str, flags: str = "") -> Case:
    """Return the case of an operation that lists recommendations: by account and ARN."""
    option = f"--{snake(member).replace('_', '-')}s"
    words = f"--account-ids {{account}} {option} {{arn}} {flags}"
    return Case(words, one_resource(member, entries), entries)


def projected(member: str, listing: str, flags: str = "") -> Case:
    """Return the case of an operation that projects metrics: points of half a day, by the hour."""

    def shows(answer: Any, arn: str) -> bool:
        options = answer["recommendedOptionProjectedMetrics"]
        series = [metric for option in options for metric in option["projectedMetrics"]]
        # From midnight to the hour in which the end lies: both are in.
        return bool(series) and {len(metric["timestamps"]) for metric in series} <= {12, 13}

    times = "--stat Maximum --period 3600 --start-time {start} --end-time {end}"
    option = f"--{snake(member).replace('_', '-')}"
    return Case(f"{option} {{arn}} {times} {flags}", shows, listing)


EXPORTED = Case(
    "--include-member-accounts --file-format Csv --fields-to-export AccountId "
    "--s3-destination-config bucket=exports,keyPrefix=from-cli",
    lambda answer, _: answer["s3Destination"]["key"].startswith(
        f"from-cli/compute-optimizer/{MANAGEMENT_ACCOUNT_ID}/{REGION}-"
    ),
)

ARMED = "--recommendation-preferences cpuVendorArchitectures=AWS_ARM64,CURRENT"
PREFERENCES = f"--resource-type EbsVolume --scope name=AccountId,value={ANALYTICS}"
PUT = f"put-recommendation-preferences {PREFERENCES} --look-back-period DAYS_32"

CASES = {
    "DeleteRecommendationPreferences": Case(
        f"{PREFERENCES} --recommendation-preference-names LookBackPeriodPreference",
        lambda answer, _: answer is None,
        first=PUT,
    ),
    "DescribeRecommendationExportJobs": Case(
        "--filters name=ResourceType,values=Ec2Instance name=JobStatus,values=Queued,InProgress,"
        "Complete",
        lambda answer, _: (
            {one["resourceType"] for one in answer["recommendationExportJobs"]} == {"Ec2Instance"}
        ),
        first="export-ec2-instance-recommendations --s3-destination-config bucket=described",
    ),
    **{name: EXPORTED for name in service_model().operation_names if name.startswith("Export")},
    "GetAutoScalingGroupRecommendations": listed(
        "autoScalingGroupArn", "autoScalingGroupRecommendations", ARMED
    ),
    "GetEBSVolumeRecommendations": listed("volumeArn", "volumeRecommendations"),
    "GetEC2InstanceRecommendations": listed("instanceArn", "instanceRecommendations", ARMED),
    "GetEC2RecommendationProjectedMetrics": projected(
        "instanceArn", "instanceRecommendations", ARMED
    ),
    "GetECSServiceRecommendationProjectedMetrics": projected(
        "serviceArn", "ecsServiceRecommendations"
    ),
    "GetECSServiceRecommendations": listed("serviceArn", "ecsServiceRecommendations"),
    "GetEffectiveRecommendationPreferences": Case(
        "--resource-arn {arn}",
        lambda answer, _: answer["lookBackPeriod"] == "DAYS_14",
        "instanceRecommendations",
    ),
    "GetEnrollmentStatus": Case(
        "", lambda answer, _: answer["numberOfMemberAccountsOptedIn"] == len(MEMBER_ACCOUNT_IDS)
    ),
    "GetEnrollmentStatusesForOrganization": Case(
        "--filters name=Status,values=Active",
        lambda answer, _: (
            [one["accountId"] for one in answer["accountEnrollmentStatuses"]]
            == sorted(MEMBER_ACCOUNT_IDS)
        ),
    ),
    "GetIdleRecommendations": listed(
        "resourceArn",
        "idleRecommendations",
        "--order-by dimension=SavingsValueAfterDiscount,order=Desc",
    ),
    "GetLambdaFunctionRecommendations": listed("functionArn", "lambdaFunctionRecommendations"),
    "GetLicenseRecommendations": listed("resourceArn", "licenseRecommendations"),
    "GetRDSDatabaseRecommendationProjectedMetrics": projected(
        "resourceArn", "rdsDBRecommendations", ARMED
    ),
    "GetRDSDatabaseRecommendations": listed("resourceArn", "rdsDBRecommendations", ARMED),
    "GetRecommendationPreferences": Case(
        PREFERENCES,
        lambda answer, _: (
            [one["lookBackPeriod"] for one in answer["recommendationPreferencesDetails"]]
            == ["DAYS_32"]
        ),
        first=PUT,
    ),
    "GetRecommendationSummaries": Case(
        f"--account-ids {SHOP}",
        lambda answer, _: (
            {
                summary["name"]: summary["value"] > 0
                for one in answer["recommendationSummaries"]
                if one["recommendationResourceType"] == "Ec2Instance"
                for summary in one["summaries"]
            }
            == {"OPTIMIZED": True, "UNDER_PROVISIONED": True, "OVER_PROVISIONED": True}
        ),
    ),
    "PutRecommendationPreferences": Case(
        f"--resource-type Ec2Instance --scope name=AccountId,value={ANALYTICS} "
        "--preferred-resources name=Ec2InstanceTypes,includeList=m5,m6i "
        '--utilization-preferences \'[{{"metricName": "CpuUtilization", "metricParameters": '
        '{{"threshold": "P95", "headroom": "PERCENT_30"}}}}]\'',
        lambda answer, _: answer is None,
    ),
    "UpdateEnrollmentStatus": Case(
        "--status Active --include-member-accounts",
        lambda answer, _: answer["status"] in ("Active", "Pending"),
    ),
}
"""By operation; those that are not built yet have theirs already."""

CommandLine = Callable[[str], Any]


@pytest.fixture
def command_line(demo: Demo, tmp_path: Path) -> CommandLine:
    """How the CLI runs a line and what it prints; None where it prints nothing."""

    def run(line: str) -> Any:
        done = subprocess.run(
            [
                program("client-awscli", "aws"),
                f"--endpoint-url={demo.endpoint}",
                "compute-optimizer",
                *shlex.split(line),
            ],
            env=environment(demo.endpoint, Key(MANAGEMENT_ACCOUNT_ID, "demo"), tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    return run


@pytest.fixture(scope="module")
def client(demo: Demo) -> Any:
    """A client of the demo, to look up what the CLI is to be asked for."""
    return boto3.session.Session().client(
        "compute-optimizer",
        endpoint_url=demo.endpoint,
        region_name=REGION,
        aws_access_key_id=MANAGEMENT_ACCOUNT_ID,
        aws_secret_access_key="demo",
    )


def arn_for(client: Any, entries: str) -> str:
    """Return a resource that has a recommendation, one with options where there is any."""
    (operation,) = (
        name
        for name, case in CASES.items()
        if case.listing == entries and "--account-ids" in case.words
    )
    call = getattr(client, snake(operation))
    found = [one for account in ACCOUNTS for one in call(accountIds=[account.account_id])[entries]]
    # No cluster: it has no instance class whose metrics could be projected.
    named = {
        value: one
        for one in found
        for member, value in one.items()
        if member.endswith("Arn") and ":cluster:" not in value
    }
    return str(max(named, key=lambda arn: options_of(named[arn])))


def owner_of(arn: str) -> str:
    return arn.split(":")[4] if arn else ""


@pytest.mark.parametrize("operation", OPERATIONS)
def test_command_line_runs_the_operation(
    operation: str, command_line: CommandLine, client: Any, demo: Demo
) -> None:
    case = CASES[operation]
    arn = arn_for(client, case.listing) if case.listing else ""
    wait_for_exports(client)
    if case.first:
        command_line(case.first)

    name = snake(operation).replace("_", "-")
    words = case.words.format(arn=arn, account=owner_of(arn), **DAY)
    answer = command_line(f"{name} {words}")

    assert case.shows(answer, arn), answer
    if case is EXPORTED:
        assert_written(client, demo, answer)


def wait_for_exports(client: Any) -> None:
    """Wait until all are written: there is one at a time of each type."""
    for _attempt in range(100):
        jobs = client.describe_recommendation_export_jobs()["recommendationExportJobs"]
        if all(job["status"] == "Complete" for job in jobs):
            return
        sleep(0.2)
    pytest.fail(f"some exports were not complete within twenty seconds: {jobs}")


def assert_written(client: Any, demo: Demo, answer: dict[str, Any]) -> None:
    """Hold that the file of an export tells of accounts of the organization, members among them."""
    wait_for_exports(client)
    place = answer["s3Destination"]
    lines = (demo.data_dir / "exports" / place["bucket"] / place["key"]).read_text().splitlines()
    assert lines[0].split(",")[0] == "accountId"
    accounts = {line.split(",")[0] for line in lines[1:]}
    assert accounts <= {account.account_id for account in ACCOUNTS}
    assert accounts & set(MEMBER_ACCOUNT_IDS)


def test_every_operation_of_the_model_has_its_command_line() -> None:
    assert CASES.keys() == set(service_model().operation_names)
