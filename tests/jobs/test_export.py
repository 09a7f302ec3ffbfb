"""Export jobs: the rows of the files, and that no job is lost or written twice."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.purge import purge_opted_out
from compute_optimizer.model.recommendation import Finding, RecommendationError
from compute_optimizer.sinks import FolderSink
from compute_optimizer.store.export_jobs import claim_next
from compute_optimizer.store.schema import export_jobs
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, BETA, GAMMA, MANAGEMENT, Desk
from tests.exporting import ExportDesk, export_desk
from tests.groups import group_arn, group_recommendation
from tests.idleness import idle_recommendation, nat_gateway
from tests.records import NOW, arn, option, recommendation
from tests.volumes import volume_arn, volume_recommendation


@pytest.fixture
def exports(sqlite_state: Any, tmp_path: Path) -> ExportDesk:
    """An organization of which every account is Active, exporting to a folder."""
    desk = Desk(sqlite_state)
    desk.organize(ALPHA, BETA)
    desk.opt_in_all()
    return export_desk(desk, tmp_path)


def volume(number: int, account: str = MANAGEMENT, **changes: Any) -> Any:
    return volume_recommendation(number, account_id=account, **changes)


def test_every_volume_is_a_row_by_ascending_arn(exports: ExportDesk) -> None:
    exports.publish([volume(2), volume(1)])

    rows = exports.exported()

    assert [row["volumeArn"] for row in rows] == [volume_arn(n, MANAGEMENT) for n in (1, 2)]
    first = rows[0]
    assert first["finding"] == "NotOptimized"
    assert first["lastRefreshTimestamp_UTC"] == "2026-03-15 06:30:00"
    assert first["currentConfiguration_volumeType"] == "gp2"
    assert first["recommendations_count"] == "1"
    assert first["recommendationOptions_1_configuration_volumeType"] == "gp3"
    assert first["recommendationOptions_1_estimatedMonthlySavings_value"] == "10.0"
    assert first["recommendationOptions_1_estimatedMonthlySavings_currency"] == "USD"
    assert first["recommendationOptions_2_configuration_volumeType"] == ""
    assert first["rootVolume"] == "false"
    assert first["tags"] == '{"team":"data"}'
    assert (first["errorCode"], first["errorMessage"]) == ("", "")


def test_a_resource_without_a_recommendation_is_a_row_that_says_why(exports: ExportDesk) -> None:
    detached = RecommendationError(volume_arn(7, MANAGEMENT), "INSUFFICIENT_METRIC_DATA", "Few.")
    exports.publish([volume(1)], [detached])

    *_, last = exports.exported()

    filled = {name: value for name, value in last.items() if value}
    assert filled == {
        "accountId": MANAGEMENT,
        "volumeArn": volume_arn(7, MANAGEMENT),
        "recommendations_count": "0",
        "errorCode": "INSUFFICIENT_METRIC_DATA",
        "errorMessage": "Few.",
    }


def test_filters_leave_out_what_does_not_match_and_what_has_no_recommendation(
    exports: ExportDesk,
) -> None:
    error = RecommendationError(volume_arn(7, MANAGEMENT), "INSUFFICIENT_METRIC_DATA", "Few.")
    exports.publish([volume(1), volume(2, tags={"team": "web"})], [error])

    rows = exports.exported(filters=[{"name": "tag:team", "values": ["web"]}])

    assert [row["volumeArn"] for row in rows] == [volume_arn(2, MANAGEMENT)]


def test_fields_choose_columns_in_the_order_of_the_file(exports: ExportDesk) -> None:
    exports.publish([volume(1)])

    answer = exports.ask(fieldsToExport=["Tags", "VolumeArn", "Tags"])
    exports.run()

    header = exports.text(answer).splitlines()[0]
    assert header == "volumeArn,recommendations_count,errorCode,errorMessage,tags"


def test_an_account_without_an_analysis_exports_a_header_alone(exports: ExportDesk) -> None:
    answer = exports.ask()
    exports.run()

    assert len(exports.text(answer).splitlines()) == 1


def test_more_rows_than_a_page_are_all_there_once(exports: ExportDesk) -> None:
    numbers = range(2_001)
    exports.publish([volume(number) for number in numbers])

    rows = exports.exported(fieldsToExport=["VolumeArn"])

    assert [row["volumeArn"] for row in rows] == [volume_arn(n, MANAGEMENT) for n in numbers]


def test_texts_with_commas_quotes_and_line_feeds_come_back_as_they_were(
    exports: ExportDesk,
) -> None:
    name = 'web, "blue"\nsecond line — é'
    one = recommendation(1, account_id=MANAGEMENT, name=name)
    exports.publish([one], resource_type="Ec2Instance")

    (row,) = exports.exported(kind="EC2Instance")

    assert row["instanceName"] == name


def test_instances_are_exported_with_the_options_of_the_asked_architectures(
    exports: ExportDesk,
) -> None:
    exports.publish([recommendation(1, account_id=MANAGEMENT)], resource_type="Ec2Instance")

    (current,) = exports.exported(kind="EC2Instance")
    (both,) = exports.exported(
        kind="EC2Instance",
        recommendationPreferences={"cpuVendorArchitectures": ["AWS_ARM64", "CURRENT"]},
    )

    kind = "recommendationOptions_1_instanceType"
    # t4g.large saves 91.104 USD a month, t3.large 79.424: the most of each pool.
    assert (current[kind], both[kind]) == ("t3.large", "t4g.large")
    assert current["finding"] == "OVER_PROVISIONED"
    assert current["findingReasonCodes_isCPUOverprovisioned"] == "true"
    assert current["findingReasonCodes_isMemoryOverprovisioned"] == "false"
    assert current["utilizationMetrics_CPU_MAXIMUM"] == "21.5"
    # m5.xlarge: 4 vCPUs and 16 GiB; t4g.large: 2 and 8.
    assert (current["current_vcpus"], current["current_memory"]) == ("4.0", "16.0")
    assert both["recommendationOptions_1_vcpus"] == "2.0"
    assert both["recommendationOptions_1_memory"] == "8.0"
    assert both["recommendationOptions_1_platformDifferences_isArchitectureDifferent"] == "true"
    preference = "effectiveRecommendationPreferencesCpuVendorArchitectures"
    assert both[preference] == "AWS_ARM64,CURRENT"


def test_groups_are_exported_beside_those_that_have_no_recommendation(exports: ExportDesk) -> None:
    found = group_recommendation(1, account_id=MANAGEMENT)
    missing = RecommendationError(group_arn(2, MANAGEMENT), "UNSUPPORTED_RESOURCE", "Spot.")
    exports.publish([found], [missing], resource_type="AutoScalingGroup")

    first, second = exports.exported(kind="AutoScalingGroup")

    assert first["autoScalingGroupArn"] == group_arn(1, MANAGEMENT)
    assert first["lastRefreshTimestamp_UTC"] == "2026-03-15 06:30:00"
    assert first["currentConfiguration_desiredCapacity"] == "2"
    assert {name: value for name, value in second.items() if value} == {
        "accountId": MANAGEMENT,
        "autoScalingGroupArn": group_arn(2, MANAGEMENT),
        "recommendations_count": "0",
        "errorCode": "UNSUPPORTED_RESOURCE",
        "errorMessage": "Spot.",
    }


@pytest.mark.parametrize(("finding", "numbers"), [("NOT_OPTIMIZED", [1]), ("Optimized", [2])])
def test_groups_are_filtered_as_where_they_are_listed(
    exports: ExportDesk, finding: str, numbers: list[int]
) -> None:
    found = [
        group_recommendation(1, account_id=MANAGEMENT),
        group_recommendation(2, account_id=MANAGEMENT, finding=Finding.OPTIMIZED),
    ]
    exports.publish(found, resource_type="AutoScalingGroup")

    rows = exports.exported(
        kind="AutoScalingGroup", filters=[{"name": "Finding", "values": [finding]}]
    )

    assert [row["autoScalingGroupArn"] for row in rows] == [
        group_arn(number, MANAGEMENT) for number in numbers
    ]


def idle(number: int, account: str = MANAGEMENT, **changes: Any) -> Any:
    return idle_recommendation(number, account_id=account, **changes)


def test_what_is_idle_is_exported_of_every_type_at_once(exports: ExportDesk) -> None:
    gateway = idle(
        0,
        resource_arn=nat_gateway(1).arn,
        resource_id="nat-1",
        idle_type="NatGateway",
        savings=None,
    )
    error = RecommendationError(volume_arn(2, MANAGEMENT), "INSUFFICIENT_METRIC_DATA", "Few.")
    exports.publish([volume(1)], [error], idle=[idle(2), idle(1)])
    exports.publish([], resource_type="NatGateway", idle=[gateway])

    rows = exports.exported(kind="Idle")

    assert [(row["resourceArn"], row["resourceType"]) for row in rows] == [
        (nat_gateway(1).arn, "NatGateway"),
        (volume_arn(1, MANAGEMENT), "EBSVolume"),
        (volume_arn(2, MANAGEMENT), "EBSVolume"),
    ]
    last = rows[-1]
    assert last["resourceId"] == f"vol-{2:017x}"
    assert last["lastRefreshTimestamp_UTC"] == "2026-03-15T06:30:00Z"
    assert (last["finding"], last["findingDescription"]) == ("Idle", "The volume does nothing.")
    assert last["estimatedMonthlySavingsValue"] == "8.0"
    assert last["estimatedMonthlySavingsValueAfterDiscounts"] == "8.0"
    assert last["utilizationMetricsVolumeReadOpsPerSecondMaximum"] == "0.0"
    assert (last["recommendations_count"], last["errorCode"]) == ("1", "")
    assert last["tags"] == '{"team":"data"}'
    assert rows[0]["estimatedMonthlySavingsValue"] == ""


@pytest.mark.parametrize(
    ("name", "value", "numbers"),
    [
        ("Finding", "Unattached", [2]),
        ("ResourceType", "EBSVolume", [1, 2]),
        ("ResourceType", "NatGateway", []),
        ("tag:team", "web", [1]),
    ],
)
def test_what_is_idle_is_filtered_as_where_it_is_listed(
    exports: ExportDesk, name: str, value: str, numbers: list[int]
) -> None:
    found = [idle(1, tags={"team": "web"}), idle(2, finding=Finding.UNATTACHED)]
    exports.publish([], idle=found)

    rows = exports.exported(kind="Idle", filters=[{"name": name, "values": [value]}])

    assert [row["resourceArn"] for row in rows] == [volume_arn(n, MANAGEMENT) for n in numbers]


def test_more_idle_resources_than_a_page_are_all_there_once(exports: ExportDesk) -> None:
    numbers = range(2_001)
    exports.publish([], idle=[idle(number, savings=None) for number in numbers])

    rows = exports.exported(kind="Idle", fieldsToExport=["ResourceArn"])

    assert [row["resourceArn"] for row in rows] == [volume_arn(n, MANAGEMENT) for n in numbers]


def test_what_is_idle_of_members_is_exported_when_asked_for(exports: ExportDesk) -> None:
    exports.publish([], account=ALPHA, idle=[idle(1, ALPHA)])

    assert exports.exported(kind="Idle") == []
    (row,) = exports.exported(kind="Idle", includeMemberAccounts=True)
    assert row["accountId"] == ALPHA


def test_moments_of_idle_resources_are_moments_in_parquet(exports: ExportDesk) -> None:
    exports.parquet = True
    exports.publish([], idle=[idle(1)])
    answer = exports.ask(kind="Idle")
    exports.run()

    key = answer["s3Destination"]["key"].replace(".csv", ".parquet")
    table = pq.read_table(exports.folder / answer["s3Destination"]["bucket"] / key)

    assert table["lastRefreshTimestamp_UTC"].to_pylist() == [NOW]


def test_the_finding_of_instances_is_spelled_as_in_answers(exports: ExportDesk) -> None:
    under = recommendation(
        1,
        account_id=MANAGEMENT,
        finding=Finding.UNDER_PROVISIONED,
        options=(option("m5.2xlarge", None),),
    )
    exports.publish([under], resource_type="Ec2Instance")

    (row,) = exports.exported(kind="EC2Instance")

    assert row["finding"] == "UNDER_PROVISIONED"
    assert row["recommendationOptions_1_estimatedMonthlySavings_value"] == ""
    assert row["instanceArn"] == arn(1, MANAGEMENT)


def test_members_are_exported_when_asked_for(exports: ExportDesk) -> None:
    for number, account in enumerate((MANAGEMENT, ALPHA, BETA)):
        exports.publish([volume(number, account)], account=account)

    def accounts(**request: Any) -> list[str]:
        return [row["accountId"] for row in exports.exported(**request)]

    assert accounts() == [MANAGEMENT]
    assert accounts(accountIds=[BETA]) == [BETA]
    assert accounts(includeMemberAccounts=True) == [MANAGEMENT, ALPHA, BETA]


def test_a_member_that_opted_out_since_is_left_out(exports: ExportDesk) -> None:
    for number, account in enumerate((ALPHA, BETA)):
        exports.publish([volume(number, account)], account=account)
    answer = exports.ask(includeMemberAccounts=True)
    exports.desk.opt_out(ALPHA)

    exports.run()

    assert [row["accountId"] for row in exports.rows(answer)] == [BETA]


def test_an_account_that_left_the_organization_since_is_left_out(exports: ExportDesk) -> None:
    exports.publish([volume(1, ALPHA)], account=ALPHA)
    answer = exports.ask(accountIds=[ALPHA])
    exports.desk.leave(ALPHA)

    exports.run()

    assert exports.rows(answer) == []


def test_an_export_of_members_fails_where_trusted_access_was_turned_off_since(
    exports: ExportDesk,
) -> None:
    answer = exports.ask(includeMemberAccounts=True)
    exports.desk.trusted_access(False)

    exports.run()

    job = exports.job(answer)
    assert job["status"] == "Failed"
    assert "no longer allowed" in job["failureReason"]
    assert list(exports.folder.rglob("*.csv")) == []


def test_a_job_that_is_done_is_complete_and_says_when(exports: ExportDesk) -> None:
    answer = exports.ask()
    created = exports.desk.clock.now()
    later = exports.desk.clock.tick(minutes=1)

    exports.run()

    job = exports.job(answer)
    assert job["status"] == "Complete"
    assert (job["creationTimestamp"], job["lastUpdatedTimestamp"]) == (created, later)
    assert "failureReason" not in job
    assert job["destination"] == {"s3": answer["s3Destination"]}


class BrokenSink(FolderSink):
    """A folder whose disk is full, told by another thread."""

    def check_access(self, bucket: str, key: str, region: str, account_id: str) -> None:
        raise InvalidInput("The bucket is full.")


def test_a_job_that_cannot_be_written_fails_with_the_reason(exports: ExportDesk) -> None:
    answer = exports.ask()
    exports.desk.sink = BrokenSink(exports.folder)

    exports.run()

    job = exports.job(answer)
    assert (job["status"], job["failureReason"]) == ("Failed", "The bucket is full.")
    exports.ask()


def test_a_job_is_written_by_one_process_only(exports: ExportDesk) -> None:
    exports.ask()
    with exports.desk.state.writing() as connection:
        claim = claim_next(connection, exports.desk.clock.now())
    assert claim is not None

    assert exports.run() == []


def test_jobs_of_an_account_that_is_purged_go_with_it(exports: ExportDesk) -> None:
    exports.publish([volume(1, ALPHA)], account=ALPHA)
    exports.ask(ALPHA)
    exports.run()
    exports.desk.opt_out(ALPHA)

    tiles = TileStore(exports.folder / "tiles")
    assert purge_opted_out(exports.desk.state, tiles, exports.desk.clock, timedelta()) == (ALPHA,)

    with exports.desk.state.reading() as connection:
        left = connection.execute(select(export_jobs.c.account_id)).scalars().all()
    assert left == []


def test_jobs_of_before_seven_days_are_forgotten(exports: ExportDesk) -> None:
    exports.exported()
    exports.desk.clock.tick(days=7, seconds=1)
    exports.exported()

    listed = exports.desk.call("DescribeRecommendationExportJobs", MANAGEMENT)

    assert len(listed["recommendationExportJobs"]) == 1


def test_a_job_of_an_account_outside_is_not_seen(exports: ExportDesk) -> None:
    exports.exported()
    exports.desk.opt_in(GAMMA)
    exports.desk.settle()

    listed = exports.desk.call("DescribeRecommendationExportJobs", GAMMA)

    assert listed == {"recommendationExportJobs": []}
