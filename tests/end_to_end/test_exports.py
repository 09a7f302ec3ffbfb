"""Exports from boto3 to the files that DuckDB and pyarrow read, over moto's S3."""

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compute_optimizer.model.recommendation import Recommendation, RecommendationError
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store.analysis_runs import Scope
from tests.buckets import content, keys_in
from tests.end_to_end.conftest import ACCOUNT, REGION, Served
from tests.export_readers import Described, by_duckdb
from tests.exporting import finished
from tests.records import NOW, arn, recommendation
from tests.volumes import volume_arn, volume_recommendation
from tests.written_runs import store_run


def publish(served: Served, resource_type: str, *found: Recommendation) -> None:
    scope = Scope(ACCOUNT, REGION, resource_type)
    missing = RecommendationError(arn(9, ACCOUNT), "INSUFFICIENT_METRIC_DATA", 'Too few, "yet".')
    store_run(served.state, scope, found, [missing])


@pytest.fixture
def exporting(serve: Callable[..., Served], s3_url: str, s3: Any) -> Served:
    """A server that exports to moto's S3, with recommendations of two types."""
    served = serve(export_sink="s3", export_s3_endpoint=s3_url, export_parquet=True)
    change_enrollment(served.state, served.clock, ACCOUNT, "Active")
    instances = [
        recommendation(n, account_id=ACCOUNT, name=f'web, "{n}"\n', current_hourly_usd=0.192)
        for n in (1, 2)
    ]
    publish(served, "Ec2Instance", *instances)
    publish(served, "EbsVolume", volume_recommendation(1, account_id=ACCOUNT))
    return served


def test_an_export_of_instances_is_read_by_duckdb_and_pyarrow(
    exporting: Served, protocol: str, s3: Any, bucket: str, tmp_path: Any
) -> None:
    client = exporting.client(protocol=protocol)

    answer = client.export_ec2_instance_recommendations(
        s3DestinationConfig={"bucket": bucket, "keyPrefix": "team-a"}, fileFormat="Csv"
    )
    job = finished(client, answer["jobId"])

    place = answer["s3Destination"]
    assert (job["status"], job["resourceType"]) == ("Complete", "Ec2Instance")
    assert job["destination"] == {"s3": place}
    parquet_key = place["key"].replace(".csv", ".parquet")
    assert keys_in(s3, bucket) == sorted([place["key"], place["metadataKey"], parquet_key])
    described = Described(json.loads(content(s3, bucket, place["metadataKey"])))
    _, rows = by_duckdb(content(s3, bucket, place["key"]), described, tmp_path)
    names = list(described.base)
    of_duckdb = [dict(zip(names, row, strict=True)) for row in rows]
    table = pq.read_table(io.BytesIO(content(s3, bucket, parquet_key)))
    assert table.column_names == names
    assert names[:3] == ["accountId", "instanceArn", "instanceName"]
    by_arrow = table.to_pylist()
    first = of_duckdb[0]
    assert first["instanceArn"] == arn(1, ACCOUNT)
    assert first["instanceName"] == 'web, "1"\n'
    assert first["lastRefreshTimestamp_UTC"] == NOW.replace(tzinfo=None)
    assert first["recommendations_count"] == 2
    # m5.xlarge in us-east-1 costs 0.192 USD an hour.
    assert first["current_onDemandPrice"] == 0.192
    assert first["findingReasonCodes_isCPUOverprovisioned"] is True
    assert first["recommendationOptions_3_instanceType"] is None
    assert of_duckdb[-1]["errorMessage"] == 'Too few, "yet".'
    assert [_naive(row) for row in by_arrow] == [_empty_as_null(row) for row in of_duckdb]


@pytest.mark.parametrize(
    ("method", "resource_type", "field", "header"),
    [
        (
            "export_auto_scaling_group_recommendations",
            "AutoScalingGroup",
            "AutoScalingGroupName",
            b"autoScalingGroupName,recommendations_count,errorCode,errorMessage\n",
        ),
        (
            "export_idle_recommendations",
            "Idle",
            "ResourceId",
            b"resourceId,recommendations_count,errorCode,errorMessage\n",
        ),
    ],
)
def test_boto3_exports_groups_and_what_is_idle(
    exporting: Served,
    protocol: str,
    s3: Any,
    bucket: str,
    method: str,
    resource_type: str,
    field: str,
    header: bytes,
) -> None:
    client = exporting.client(protocol=protocol)

    answer = getattr(client, method)(s3DestinationConfig={"bucket": bucket}, fieldsToExport=[field])
    job = finished(client, answer["jobId"])

    assert (job["status"], job["resourceType"]) == ("Complete", resource_type)
    assert content(s3, bucket, answer["s3Destination"]["key"]) == header


def _naive(row: dict[str, Any]) -> dict[str, Any]:
    return _empty_as_null(
        {
            name: cell.replace(tzinfo=None) if name == "lastRefreshTimestamp_UTC" and cell else cell
            for name, cell in row.items()
        }
    )


def _empty_as_null(row: dict[str, Any]) -> dict[str, Any]:
    # In CSV an empty text and none are the same.
    return {name: None if cell == "" else cell for name, cell in row.items()}


def test_an_export_of_volumes_has_the_declared_types(
    exporting: Served, s3: Any, bucket: str
) -> None:
    client = exporting.client()

    answer = client.export_ebs_volume_recommendations(s3DestinationConfig={"bucket": bucket})
    assert finished(client, answer["jobId"])["status"] == "Complete"

    key = answer["s3Destination"]["key"].replace(".csv", ".parquet")
    table = pq.read_table(io.BytesIO(content(s3, bucket, key)))
    assert table.schema.field("currentConfiguration_volumeSize").type == pa.int64()
    assert table.schema.field("current_monthlyPrice").type == pa.float64()
    assert table.schema.field("rootVolume").type == pa.bool_()
    assert table.column("volumeArn").to_pylist() == [volume_arn(1, ACCOUNT), arn(9, ACCOUNT)]


def test_a_public_bucket_fails_the_job_with_the_text_of_the_service(
    exporting: Served, s3: Any, bucket: str
) -> None:
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    client = exporting.client()

    answer = client.export_ebs_volume_recommendations(s3DestinationConfig={"bucket": bucket})
    job = finished(client, answer["jobId"])

    assert job["status"] == "Failed"
    assert job["failureReason"].startswith("The Amazon S3 bucket specified is public.")
    assert keys_in(s3, bucket) == []


def test_a_missing_bucket_and_unknown_jobs_are_modelled_exceptions(
    exporting: Served, protocol: str
) -> None:
    client = exporting.client(protocol=protocol)

    with pytest.raises(client.exceptions.InvalidParameterValueException, match="no bucket"):
        client.export_ebs_volume_recommendations(s3DestinationConfig={"bucket": "no-such-bucket"})
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_recommendation_export_jobs(jobIds=["0f1e2d3c"])
