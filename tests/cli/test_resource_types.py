"""`import`, `analyze` and `recommend` with several resource types, as somebody types them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Type
from tests.enrolling import ALPHA

LAST_DAY = "2026-03-14"

INVENTORY = f"""\
id,account,region,resource_type,type,size_gib
vol-1,{ALPHA},us-east-1,EbsVolume,gp2,500
vol-2,{ALPHA},us-east-1,EbsVolume,gp9,10
"""


@pytest.fixture
def analyzed(typed: Type, fleet: list[str], tmp_path: Path) -> list[str]:
    """The fleet and one volume of 500 GiB, imported and analyzed: what the commands printed."""
    start = datetime(2026, 3, 13, tzinfo=UTC)
    rows = (
        f"vol-1,{(start + timedelta(minutes=5 * slot)).isoformat()},VolumeReadOps,Sum,300"
        for slot in range(2 * 288)
    )
    files = tmp_path / "volumes.csv", tmp_path / "operations.csv"
    files[0].write_text(INVENTORY)
    files[1].write_text("\n".join(["resource,timestamp,metric,statistic,value", *rows]))
    taken = typed("import", "--inventory", str(files[0]), "--metrics", str(files[1]))
    assert taken.code == 0
    ran = typed("analyze", "--as-of", LAST_DAY)
    assert ran.code == 0
    return [taken.out + taken.err, ran.out]


def test_an_unknown_volume_type_is_taken_with_a_warning(analyzed: list[str]) -> None:
    assert "does not know the volume type 'gp9' (1 resource)" in analyzed[0]


def test_analyze_counts_each_type_by_itself(analyzed: list[str]) -> None:
    assert "Analyzed 2 volumes and 2 instances of 1 account" in analyzed[1]
    assert analyzed[1].index("EbsVolume") < analyzed[1].index("Ec2Instance")
    assert "NotOptimized" in analyzed[1]
    assert "UNSUPPORTED_RESOURCE" in analyzed[1]


@pytest.mark.usefixtures("analyzed")
def test_recommend_shows_every_type_or_one(typed: Type) -> None:
    every = json.loads(typed("recommend", "--output", "json").out)
    volumes = json.loads(typed("recommend", "--type", "EbsVolume", "--output", "json").out)

    kinds = [one["resourceType"] for one in every["recommendations"]]
    assert sorted(kinds) == ["EbsVolume", "Ec2Instance", "Ec2Instance"]
    (one,) = volumes["recommendations"]
    assert one["resourceArn"].endswith(":volume/vol-1")
    assert "instanceArn" not in one
    assert one["current"] == "gp2 500 GiB, 1,500 IOPS, 250 MiB/s"
    assert one["recommended"] == "gp3 500 GiB, 3,000 IOPS, 125 MiB/s"
    # 500 GiB at 0.10 and at 0.08 USD.
    assert volumes["totalEstimatedMonthlySavings"] == 10.0


@pytest.mark.usefixtures("analyzed")
def test_the_table_says_findings_in_words(typed: Type) -> None:
    shown = typed("recommend").out

    assert "1 not optimized" in shown
    assert "1 overprovisioned" in shown


def test_an_unknown_type_is_refused_with_what_is_expected(typed: Type, fleet: list[str]) -> None:
    ended = typed("recommend", "--type", "Volume")

    assert fleet
    assert ended.code == 2
    assert "'Volume' cannot be analyzed; expected one of Ec2Instance, EbsVolume" in ended.err
