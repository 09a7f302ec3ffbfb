"""Reading what the AWS service exported, also after it went through other tools."""

import gzip
from pathlib import Path

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


def test_rows_without_an_arn_or_a_cell_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"volumeArn,finding\n,Optimized\n{VOLUME}\n{VOLUME},Optimized\n")

    found = read_aws_export(path, WANTED)

    assert (found.skipped, list(found.rows)) == (2, [VOLUME])


def test_of_repeated_resources_the_last_row_counts(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"volumeArn,finding\n{VOLUME},Optimized\n{VOLUME},NotOptimized\n")

    assert read_aws_export(path, WANTED).rows == {VOLUME: {"finding": "NotOptimized"}}
