"""The Export*Recommendations operations: what is queued, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.operations import OPERATIONS
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    LimitExceededException,
    OptInRequiredException,
    ServiceUnavailableException,
)
from tests.enrolling import ALPHA, BETA, MANAGEMENT, STRANGER, Desk
from tests.exporting import BUCKET, ExportDesk, export_desk
from tests.volumes import volume_recommendation


@pytest.fixture
def exports(enrolled: Desk, tmp_path: Path) -> ExportDesk:
    """An organization of which every account is Active, exporting to a folder."""
    return export_desk(enrolled, tmp_path)


def test_the_answer_names_the_keys_before_anything_is_written(exports: ExportDesk) -> None:
    config = {"bucket": BUCKET, "keyPrefix": "team-a"}
    answer = exports.ask(s3DestinationConfig=config)

    # The clock stands at 06:30 on 15 March, and two enrollments have not moved it.
    moment = exports.desk.clock.now().strftime("%Y-%m-%dT%H%M%SZ")
    stem = f"team-a/compute-optimizer/{MANAGEMENT}/us-east-1-{moment}-{answer['jobId']}"
    assert answer["s3Destination"] == {
        "bucket": BUCKET,
        "key": f"{stem}.csv",
        "metadataKey": f"{stem}-metadata.json",
    }
    assert list(exports.folder.rglob("*.csv")) == []
    assert exports.job(answer)["status"] == "Queued"


def test_without_a_prefix_the_key_starts_at_compute_optimizer(exports: ExportDesk) -> None:
    key = exports.ask()["s3Destination"]["key"]

    assert key.startswith(f"compute-optimizer/{MANAGEMENT}/us-east-1-")


def test_a_second_export_of_the_same_type_is_refused_until_the_first_is_done(
    exports: ExportDesk,
) -> None:
    exports.ask()
    with pytest.raises(LimitExceededException, match="already in progress"):
        exports.ask()
    exports.ask(kind="EC2Instance")
    exports.ask(ALPHA)

    exports.run()

    exports.ask()


@pytest.mark.parametrize(
    ("kind", "resource_type", "field"),
    [
        ("AutoScalingGroup", "AutoScalingGroup", "AutoScalingGroupArn"),
        ("ECSService", "EcsService", "ServiceArn"),
        ("Idle", "Idle", "ResourceArn"),
        ("LambdaFunction", "LambdaFunction", "FunctionArn"),
        ("RDSDatabase", "RdsDBInstance", "PromotionTier"),
    ],
)
def test_jobs_are_listed_by_their_type_and_know_its_fields(
    exports: ExportDesk, kind: str, resource_type: str, field: str
) -> None:
    answer = exports.ask(kind=kind, fieldsToExport=[field])

    assert exports.job(answer)["resourceType"] == resource_type
    with pytest.raises(InvalidParameterValueException, match="'InstanceArn'"):
        exports.ask(ALPHA, kind=kind, fieldsToExport=["InstanceArn"])


def test_the_same_type_in_another_region_is_another_export(exports: ExportDesk) -> None:
    exports.ask()
    context = exports.desk.context(MANAGEMENT, "eu-west-1")

    answer = OPERATIONS["ExportEBSVolumeRecommendations"](
        context, {"s3DestinationConfig": {"bucket": BUCKET}}
    )

    assert "/eu-west-1-" in answer["s3Destination"]["key"]


def test_a_refused_export_leaves_nothing_behind(exports: ExportDesk) -> None:
    first = exports.ask()
    with pytest.raises(LimitExceededException):
        exports.ask(s3DestinationConfig={"bucket": "another"})

    listed = exports.desk.call("DescribeRecommendationExportJobs", MANAGEMENT)

    assert [one["jobId"] for one in listed["recommendationExportJobs"]] == [first["jobId"]]
    assert not (exports.folder / "another").exists()


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"s3DestinationConfig": {}}, "no bucket"),
        ({"s3DestinationConfig": {"bucket": "../etc"}}, "bucket name"),
        ({"s3DestinationConfig": {"bucket": "ab"}}, "bucket name"),
        ({"s3DestinationConfig": {"bucket": BUCKET, "keyPrefix": "a/../../b"}}, "key"),
        ({"s3DestinationConfig": {"bucket": BUCKET, "keyPrefix": "/a"}}, "key"),
        ({"s3DestinationConfig": {"bucket": BUCKET, "keyPrefix": "a" * 1_000}}, "too long"),
        ({"fieldsToExport": ["InstanceArn"]}, "InstanceArn"),
        ({"filters": [{"name": "Colour", "values": ["red"]}]}, "Colour"),
        ({"filters": [{"name": "Finding", "values": ["Overprovisioned"]}]}, "Overprovisioned"),
        ({"filters": [{"name": "Finding", "values": []}]}, "no values"),
        ({"accountIds": [ALPHA], "includeMemberAccounts": True}, "together"),
        ({"accountIds": ["12"]}, "account id"),
        ({"accountIds": [f"{n:012d}" for n in range(1_001)]}, "1001 accounts"),
    ],
)
def test_what_cannot_be_exported_is_refused_by_its_name(
    exports: ExportDesk, request_: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidParameterValueException, match=said):
        exports.ask(**request_)


def test_only_administrators_export_other_accounts(exports: ExportDesk) -> None:
    exports.ask(MANAGEMENT, accountIds=[ALPHA, BETA])
    with pytest.raises(AccessDeniedException, match="not authorized to export"):
        exports.ask(ALPHA, accountIds=[BETA])
    with pytest.raises(AccessDeniedException, match="not authorized to export"):
        exports.ask(ALPHA, includeMemberAccounts=True)


def test_without_trusted_access_nobody_exports_members(exports: ExportDesk) -> None:
    exports.desk.trusted_access(False)

    with pytest.raises(AccessDeniedException):
        exports.ask(includeMemberAccounts=True)
    with pytest.raises(AccessDeniedException):
        exports.ask(accountIds=[ALPHA])


def test_a_standalone_account_has_no_members_to_include(exports: ExportDesk) -> None:
    exports.desk.opt_in(STRANGER)
    exports.desk.settle()

    with pytest.raises(InvalidParameterValueException, match="includeMemberAccounts"):
        exports.ask(STRANGER, includeMemberAccounts=True)


def test_an_account_that_is_not_opted_in_exports_nothing(exports: ExportDesk) -> None:
    exports.desk.opt_out(ALPHA)

    with pytest.raises(OptInRequiredException):
        exports.ask(ALPHA)
    with pytest.raises(OptInRequiredException):
        exports.ask(MANAGEMENT, accountIds=[ALPHA])


def test_a_suspended_account_is_exported_neither_by_its_id_nor_with_the_others(
    exports: ExportDesk,
) -> None:
    for number, account in enumerate((ALPHA, BETA)):
        exports.publish([volume_recommendation(number, account_id=account)], account=account)
    exports.desk.suspend(ALPHA)

    with pytest.raises(OptInRequiredException, match=f"Account {ALPHA} is suspended"):
        exports.ask(accountIds=[ALPHA])
    rows = exports.exported(includeMemberAccounts=True)
    assert [row["accountId"] for row in rows] == [BETA]


def test_a_server_without_a_place_to_export_to_says_so(exports: ExportDesk) -> None:
    exports.desk.sink = None

    with pytest.raises(ServiceUnavailableException, match="no place"):
        exports.ask()


def test_empty_lists_of_fields_filters_and_accounts_are_no_lists(exports: ExportDesk) -> None:
    exports.publish([volume_recommendation(1, account_id=MANAGEMENT)])

    rows = exports.exported(fieldsToExport=[], filters=[], accountIds=[])

    assert len(rows) == 1
    assert len(rows[0]) > 56
