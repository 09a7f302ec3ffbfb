"""AWS's own dashboards read the exports: the right values are in the right columns.

Cloud Intelligence Dashboards (cid-cmd) request exports with a Lambda function and read the files by
position. The requests here are those of the function; dashboards.py is what Athena does.
"""

import csv
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from compute_optimizer.operations import OPERATIONS
from compute_optimizer.scenario.organization import ACCOUNTS, MANAGEMENT_ACCOUNT_ID
from tests.clients.conftest import Service
from tests.clients.foreign import CLIENTS, Answer, Call, environment, program

pytestmark = pytest.mark.clients

READER = Path(__file__).with_name("dashboards.py")
BUCKET = "optimization-data"
ARMED = {"recommendationPreferences": {"cpuVendorArchitectures": ["AWS_ARM64", "CURRENT"]}}


@dataclass(frozen=True, slots=True)
class View:
    """What a view shows of the recommendations that an operation lists."""

    finding: str = "finding"
    options: str | None = "recommendationOptions"
    """The member with the options; None where savings belong to the recommendation."""
    codes: str = "findingReasonCodes"
    """The member with the reasons of the finding; some types have none."""
    of_group: bool = False
    """The view makes savings anew from prices of one machine: a group saves as many times that."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One export as the dashboards know it."""

    module: str
    listing: str
    arn: str
    views: dict[str, View]
    armed: bool = False
    """Whether options of both architectures are wanted."""


KINDS = {
    "ExportAutoScalingGroupRecommendations": Kind(
        "auto_scale",
        "GetAutoScalingGroupRecommendations",
        "autoScalingGroupArn",
        {"auto_scale": View(of_group=True)},
        armed=True,
    ),
    "ExportEBSVolumeRecommendations": Kind(
        "ebs_volume",
        "GetEBSVolumeRecommendations",
        "volumeArn",
        {"ebs_volume": View(options="volumeRecommendationOptions")},
    ),
    "ExportEC2InstanceRecommendations": Kind(
        "ec2_instance",
        "GetEC2InstanceRecommendations",
        "instanceArn",
        {"ec2_instance": View()},
        armed=True,
    ),
    "ExportECSServiceRecommendations": Kind(
        "ecs_service",
        "GetECSServiceRecommendations",
        "serviceArn",
        {"ecs_service": View(options="serviceRecommendationOptions")},
    ),
    "ExportIdleRecommendations": Kind(
        "idle", "GetIdleRecommendations", "resourceArn", {"idle": View(options=None)}
    ),
    "ExportLambdaFunctionRecommendations": Kind(
        "lambda",
        "GetLambdaFunctionRecommendations",
        "functionArn",
        {"lambda": View(options="memorySizeRecommendationOptions")},
    ),
    "ExportLicenseRecommendations": Kind(
        "license",
        "GetLicenseRecommendations",
        "resourceArn",
        {"license": View(options="licenseRecommendationOptions")},
    ),
    "ExportRDSDatabaseRecommendations": Kind(
        "rds_database",
        "GetRDSDatabaseRecommendations",
        "resourceArn",
        {
            "rds_instance": View(
                "instanceFinding", "instanceRecommendationOptions", "instanceFindingReasonCodes"
            ),
            "rds_storage": View(
                "storageFinding", "storageRecommendationOptions", "storageFindingReasonCodes"
            ),
        },
        armed=True,
    ),
}
"""By the operation that exports."""

BUILT = [name for name in OPERATIONS if name.startswith("Export")]
VIEWS = [(operation, view) for operation in BUILT for view in KINDS[operation].views]

RANKS = {"Option 1": 1, "Option 2": 2, "Option 3": 3, "Recommendation": 1}
"""What views call the rows of options."""


@dataclass(frozen=True, slots=True)
class Dashboards:
    """What the dashboards made of the exports."""

    files: dict[str, Path]
    """By module."""
    listed: dict[str, list[dict[str, Any]]]
    """By module, what the API lists of all accounts."""
    columns: dict[str, list[str]]
    tables: dict[str, list[dict[str, str]]]
    views: dict[str, list[dict[str, Any]]]
    statements: dict[str, str]
    """The SQL of the views, as it comes."""


@pytest.fixture(scope="session")
def dashboards(analyzed: Service, tmp_path_factory: pytest.TempPathFactory) -> Dashboards:
    """Export everything as the dashboards' function does, and read it as they do."""
    folder = tmp_path_factory.mktemp("dashboards")
    with CLIENTS["boto3-newest"](analyzed.endpoint, analyzed.management, folder) as call:
        files = {KINDS[name].module: exported(call, analyzed, name) for name in BUILT}
        listed = {KINDS[name].module: list(recommended(call, KINDS[name])) for name in BUILT}
    done = subprocess.run(
        [program("client-cid", "python"), str(READER)],
        input=json.dumps({module: str(path) for module, path in files.items()}),
        env=environment(analyzed.endpoint, analyzed.management, folder),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return Dashboards(files, listed, **told)


def exported(call: Call, service: Service, operation: str) -> Path:
    """Request an export for the whole organization, wait for it and return its file."""
    kind = KINDS[operation]
    prefix = f"compute_optimizer/compute_optimizer_{kind.module}/payer_id={MANAGEMENT_ACCOUNT_ID}"
    request = {
        "includeMemberAccounts": True,
        "s3DestinationConfig": {"bucket": BUCKET, "keyPrefix": f"{prefix}/year=2026/month=3"},
    }
    asked = succeeded(call(operation, request | (ARMED if kind.armed else {})))
    again = call(operation, request).error
    # The function takes this for an export in progress, unless the first one is done already.
    assert again in (None, "LimitExceededException")
    for _attempt in range(100):
        jobs = succeeded(call("DescribeRecommendationExportJobs", {"jobIds": [asked["jobId"]]}))
        if (status := jobs["recommendationExportJobs"][0]["status"]) == "Complete":
            place: dict[str, str] = asked["s3Destination"]
            return service.data_dir / "exports" / place["bucket"] / place["key"]
        assert status in ("Queued", "InProgress"), jobs
        sleep(0.2)
    pytest.fail(f"the export {asked['jobId']} was not complete within twenty seconds")


def succeeded(answer: Answer) -> dict[str, Any]:
    assert answer.error is None, answer.response
    return answer.response


def recommended(call: Call, kind: Kind) -> Iterator[dict[str, Any]]:
    """Yield what the API lists of every account."""
    for account in ACCOUNTS:
        asked = {"accountIds": [account.account_id]} | (ARMED if kind.armed else {})
        for name, entries in succeeded(call(kind.listing, asked)).items():
            if name not in ("errors", "ResponseMetadata"):
                yield from entries


@pytest.mark.parametrize("operation", BUILT)
def test_columns_stand_where_the_dashboards_expect_them(
    operation: str, dashboards: Dashboards
) -> None:
    module = KINDS[operation].module
    with dashboards.files[module].open(newline="") as file:
        header = [name.lower() for name in next(csv.reader(file))]
    expected = [name.lower() for name in dashboards.columns[module]]

    assert header[: len(expected)] == expected


@pytest.mark.parametrize("operation", BUILT)
def test_tables_hold_every_row_with_its_values(operation: str, dashboards: Dashboards) -> None:
    module = KINDS[operation].module
    with dashboards.files[module].open(newline="") as file:
        lines = list(csv.DictReader(file))
    exported = [{name.lower(): value for name, value in line.items()} for line in lines]

    assert exported
    known = dashboards.columns[module]
    assert dashboards.tables[module] == [
        {name: one[name.lower()] for name in known} for one in exported
    ]


@pytest.mark.parametrize(("operation", "view"), VIEWS)
def test_views_show_the_recommendations_of_the_api(
    operation: str, view: str, dashboards: Dashboards
) -> None:
    kind = KINDS[operation]
    shown = dashboards.views[f"{view}_options"]
    current = {row["arn"]: row for row in shown if row["option_name"] == "Current"}
    member = kind.views[view].finding
    listed = [one for one in dashboards.listed[kind.module] if member in one]

    assert listed
    for one in listed:
        row = current[one[kind.arn]]
        assert row["finding"] == one[member]
        assert row["accountid"] == one["accountId"] == one[kind.arn].split(":")[4]
        assert row["region"] == "us-east-1"
        refreshed = datetime.fromisoformat(f"{row['lastrefreshtimestamp_utc']}+00:00")
        assert refreshed.timestamp() == one["lastRefreshTimestamp"]["$datetime"]


@pytest.mark.parametrize(("operation", "view"), VIEWS)
def test_views_show_as_many_reasons_as_the_api(
    operation: str, view: str, dashboards: Dashboards
) -> None:
    kind = KINDS[operation]
    statement = dashboards.statements[f"{view}_options"].lower()
    shown = dashboards.views[f"{view}_options"]
    current = {row["arn"]: row["reason"] for row in shown if row["option_name"] == "Current"}

    for one in dashboards.listed[kind.module]:
        # Views tell a reason by one word each, and not all of the newer ones.
        told = [code for code in one.get(kind.views[view].codes, ()) if code.lower() in statement]
        if told:
            assert len(current[one[kind.arn]].split()) == len(told), one


@pytest.mark.parametrize(("operation", "view"), VIEWS)
def test_views_show_the_savings_of_the_api(
    operation: str, view: str, dashboards: Dashboards
) -> None:
    kind, how = KINDS[operation], KINDS[operation].views[view]
    savings = {one[kind.arn]: saved_by(one, how) for one in dashboards.listed[kind.module]}
    rows = [row for row in dashboards.views[f"{view}_options"] if row["option_name"] in RANKS]
    seen = [row for row in rows if row["currency"] and row["arn"] in savings]

    assert seen
    for row in seen:
        expected = savings[row["arn"]][RANKS[row["option_name"]] - 1]
        if expected is None:
            # Of what nobody told the price the API tells no savings, and the view shows none.
            assert not row["estimatedmonthlysavings_value"], row["arn"]
            continue
        shown = row["estimatedmonthlysavings_value"]
        # The API tells no savings below 0 (spec 15, 20), the view's own may be below.
        assert (max(shown, 0) if how.of_group else shown) == pytest.approx(expected), row["arn"]


def saved_by(one: dict[str, Any], how: View) -> list[float | None]:
    """Return what the options of a recommendation save, by rank; None where nothing is told."""
    options = [one] if how.options is None else one.get(how.options, [])
    return [
        option["savingsOpportunity"]["estimatedMonthlySavings"]["value"]
        / (option["configuration"]["desiredCapacity"] if how.of_group else 1)
        if "savingsOpportunity" in option
        else None
        for option in options
    ]


def test_the_view_of_everything_holds_all_the_others(dashboards: Dashboards) -> None:
    everything = {row["arn"] for row in dashboards.views["all_options"]}
    modules = {row["module"] for row in dashboards.views["all_options"]}

    assert modules == {view for _, view in VIEWS}
    for operation in BUILT:
        kind = KINDS[operation]
        assert {one[kind.arn] for one in dashboards.listed[kind.module]} <= everything
