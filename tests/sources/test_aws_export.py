"""Reading what the AWS service exported, also after it went through other tools."""

import gzip
from pathlib import Path

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.sources.files.aws_export import read_aws_export

VOLUME = "arn:aws:ec2:us-east-1:111111111111:volume/vol-1"
WANTED = ("finding", "tags")


def test_headers_count_in_any_case_and_unwanted_cells_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(
        f'VOLUMEARN,Finding,rootvolume,tags\n{VOLUME},NotOptimized,true,"{{""a"":""b""}}"\n'
    )

    found = read_aws_export(path, WANTED)

    assert found.resource_type == "EbsVolume"
    assert found.columns == {"volumearn", "finding", "rootvolume", "tags"}
    assert found.rows == {VOLUME: {"finding": "NotOptimized", "tags": '{"a":"b"}'}}


def test_a_byte_order_mark_and_compression_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "export.csv.gz"
    path.write_bytes(gzip.compress(f"\ufeffvolumeArn,finding\n{VOLUME},Optimized\n".encode()))

    assert read_aws_export(path, WANTED).rows == {VOLUME: {"finding": "Optimized"}}


def test_a_damaged_compression_is_told(tmp_path: Path) -> None:
    path = tmp_path / "export.csv.gz"
    # The first ten bytes are gzip's head; a block of type 3, as these bits say, does not exist.
    path.write_bytes(gzip.compress(b"volumeArn")[:10] + b"\xff" * 20)

    with pytest.raises(InvalidInput, match=r"export\.csv\.gz cannot be read"):
        read_aws_export(path, WANTED)


def test_rows_without_an_arn_or_a_cell_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"volumeArn,finding\n,Optimized\n{VOLUME}\n{VOLUME},Optimized\n")

    found = read_aws_export(path, WANTED)

    assert (found.skipped, list(found.rows)) == (2, [VOLUME])


def test_of_repeated_resources_the_last_row_counts(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"volumeArn,finding\n{VOLUME},Optimized\n{VOLUME},NotOptimized\n")

    assert read_aws_export(path, WANTED).rows == {VOLUME: {"finding": "NotOptimized"}}


FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:worker"


def test_an_unqualified_function_goes_with_the_version_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(
        f"functionArn,functionVersion,finding\n{FUNCTION},$LATEST,Optimized\n"
        f"{FUNCTION}:3,3,NotOptimized\n"
    )

    assert list(read_aws_export(path, WANTED).rows) == [f"{FUNCTION}:$LATEST", f"{FUNCTION}:3"]


@pytest.mark.parametrize(
    ("header", "resource_type"),
    [
        ("autoScalingGroupArn,finding", "AutoScalingGroup"),
        ("serviceArn,finding", "EcsService"),
        ("resourceArn,instanceFinding", "RdsDBInstance"),
        ("resourceArn,engine,tags", "RdsDBInstance"),
        ("resourceArn,currentLicenseConfiguration_licenseEdition", "License"),
        ("resourceArn,resourceId,finding", "Idle"),
        ("resourceArn,findingDescription", "Idle"),
    ],
)
def test_the_type_is_told_by_the_columns_that_only_it_has(
    tmp_path: Path, header: str, resource_type: str
) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"{header}\n")

    assert read_aws_export(path, WANTED).resource_type == resource_type


def test_a_resource_column_alone_tells_no_type(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("resourceArn,finding\n")

    with pytest.raises(InvalidInput, match="instancefinding"):
        read_aws_export(path, WANTED)
