"""Rows of volumes in an inventory become volumes, beside those of instances."""

from typing import Any

import pytest

from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.sources.files.cells import RowRefused
from compute_optimizer.sources.files.inventory import resource_of

ACCOUNT = "111111111111"
ARN = f"arn:aws:ec2:us-east-1:{ACCOUNT}:volume/vol-1"
ROW = {
    "id": "vol-1",
    "account": ACCOUNT,
    "region": "us-east-1",
    "resource_type": "EbsVolume",
    "type": "gp3",
    "size_gib": "200",
}
VOLUME = EbsVolume(
    ARN, ACCOUNT, "us-east-1", "EbsVolume", "vol-1", "gp3", state="in-use", size_gib=200
)


def test_a_volume_is_attached_unless_the_row_says_otherwise() -> None:
    assert resource_of(ROW) == VOLUME
    assert resource_of(ROW | {"state": "Available"}).state == "available"


def test_a_whole_row() -> None:
    told = ROW | {"iops": 4000, "throughput_mibps": 250.0, "root": "Yes", "name": "boot"}

    found = resource_of(told)

    assert isinstance(found, EbsVolume)
    assert (found.iops, found.throughput_mibps, found.root, found.name) == (4000, 250, True, "boot")


def test_the_arn_tells_the_type_where_the_row_does_not() -> None:
    row = {"arn": ARN, "type": "gp3", "size_gib": 200}

    assert resource_of(row) == VOLUME


def test_columns_of_volumes_are_not_looked_at_in_rows_of_instances() -> None:
    row = {**ROW, "id": "i-1", "resource_type": "", "type": "m5.large", "size_gib": "none"}

    assert resource_of(row).arn == f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1"


@pytest.mark.parametrize(
    ("change", "reason", "found"),
    [
        ({"size_gib": ""}, "MISSING", "size_gib"),
        ({"type": ""}, "MISSING", "type"),
        ({"type": "io1"}, "MISSING", "iops"),
        ({"type": "io2", "iops": ""}, "MISSING", "iops"),
        ({"size_gib": "0"}, "CAPACITY", "size_gib: 0"),
        ({"size_gib": "12.5"}, "CAPACITY", "size_gib: 12.5"),
        ({"size_gib": "big"}, "CAPACITY", "size_gib: big"),
        ({"iops": "-1"}, "CAPACITY", "iops: -1"),
        ({"root": "maybe"}, "FLAG", "root: maybe"),
        ({"state": "running"}, "STATE", "running"),
        ({"resource_type": "Volume"}, "RESOURCE_TYPE", "Volume"),
        ({"arn": ARN, "resource_type": "Ec2Instance"}, "ARN", ARN),
        ({"arn": ARN.replace("volume/", "snapshot/")}, "ARN", ARN.replace("volume/", "snapshot/")),
        ({"arn": ARN, "id": "vol-2"}, "ARN_DIFFERS", f"vol-2 in {ARN}"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], reason: str, found: str) -> None:
    with pytest.raises(RowRefused) as caught:
        resource_of(ROW | change)

    assert (caught.value.reason.name, caught.value.found) == (reason, found)
