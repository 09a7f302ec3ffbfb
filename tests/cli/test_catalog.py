"""Instance types that the package lacks, from EC2 or a file through to recommendations."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.prices import hourly_prices
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.projected_metrics import (
    get_ec2_recommendation_projected_metrics,
)
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests.cli.conftest import Type
from tests.local_aws import OWN, REGION, LocalAws
from tests.new_types import description, newer_ec2

__all__ = ["newer_ec2"]

SHIPPED = load_instance_types()
JSON = ("--output", "json")
HERE = ("--regions", REGION, "--types", "Ec2Instance", "--days", "2", "--output", "json")


def idle_machine(aws: LocalAws, instance_type: str) -> str:
    """Start a machine that has used 10 % of its CPU for 31 hours."""
    machine = aws.machine(InstanceType=instance_type)
    slot = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 300 * 300, UTC)
    aws.put("AWS/EC2", "CPUUtilization", {"InstanceId": machine}, [10.0] * 372, slot)
    return machine


def recommended(typed: Type) -> dict[str, dict[str, Any]]:
    """Analyze, and return what is recommended by the type that a machine has."""
    assert typed("analyze", "--workers", "1").code == 0
    rows = json.loads(typed("recommend", "--output", "json").out)["recommendations"]
    return {one["current"]: one for one in rows}


def sheet(folder: Path, **usd: float) -> str:
    """Write a price sheet of types, named with an underscore for the dot."""
    path = folder / "ours.csv"
    lines = [f"{REGION},{name.replace('_', '.')},{price}" for name, price in usd.items()]
    path.write_text("\n".join(("region,type,usd", *lines)))
    return str(path)


def test_a_type_that_the_catalog_lacks_is_asked_from_ec2_and_priced_by_a_sheet(
    typed: Type, aws: LocalAws, newer_ec2: None, tmp_path: Path
) -> None:
    idle_machine(aws, "m20i.2xlarge")
    idle_machine(aws, "m8i.2xlarge")

    report = json.loads(typed("collect", "aws", "--enroll", *HERE).out)

    assert ("ec2", "DescribeInstanceTypes") in aws.asked()
    assert (report["describedTypes"], report["unknownTypes"]) == (["m20i.2xlarge"], [])
    told = json.loads(typed("catalog", "list", "--output", "json").out)["types"]
    assert [(one["type"], one["region"], one["vcpus"]) for one in told] == [
        ("m20i.2xlarge", REGION, 8.0)
    ]
    # Known, and so judged; without a price it saves nothing, and nobody is sent there.
    without = recommended(typed)
    assert without["m20i.2xlarge"]["finding"] in ("OverProvisioned", "Optimized")
    assert without["m20i.2xlarge"]["estimatedMonthlySavings"] in (None, 0.0)
    assert without["m8i.2xlarge"]["recommended"] == "x8i.large"

    # A sheet that makes it dear: what it saves is 730 hours of the difference.
    dear = sheet(tmp_path, m20i_2xlarge=0.5)
    assert typed("prices", "import", dear, "--as-of", "2026-01-01").code == 0
    found = recommended(typed)
    prices = hourly_prices(SHIPPED, REGION, "linux")
    small = prices[SHIPPED.index["x8i.large"]]
    assert found["m20i.2xlarge"]["recommended"] == "x8i.large"
    saved = found["m20i.2xlarge"]["estimatedMonthlySavings"]
    assert saved == pytest.approx((0.5 - small) * 730, abs=0.01)
    told = json.loads(typed("explain", found["m20i.2xlarge"]["resourceArn"], *JSON).out)
    assert (told["instance_type"], told["current_hourly_usd"]) == ("m20i.2xlarge", 0.5)
    assert told["departures"] == []

    # And one that makes it cheap: now it is what others had better be.
    cheap = sheet(tmp_path, m20i_2xlarge=0.1)
    assert typed("prices", "import", cheap, "--as-of", "2026-01-01").code == 0
    found = recommended(typed)
    assert found["m8i.2xlarge"]["recommended"] == "m20i.2xlarge"
    saved = found["m8i.2xlarge"]["estimatedMonthlySavings"]
    assert saved == pytest.approx((prices[SHIPPED.index["m8i.2xlarge"]] - 0.1) * 730, abs=0.01)


def test_who_may_not_describe_types_is_told_and_everything_else_is_kept(
    typed: Type, aws: LocalAws, newer_ec2: None
) -> None:
    idle_machine(aws, "m20i.2xlarge")
    aws.failing["ec2", "DescribeInstanceTypes"] = ["UnauthorizedOperation"]

    ended = typed("collect", "aws", "--enroll", *HERE)

    assert ended.code == 6
    report = json.loads(ended.out)
    assert report["resources"] == {"Ec2Instance": 1}
    assert report["tilesWritten"] > 0
    assert [one["type"] for one in report["unknownTypes"]] == ["m20i.2xlarge"]
    assert "ec2:DescribeInstanceTypes" in report["failures"][0]["message"]


def test_types_that_ec2_does_not_know_either_stay_unknown(typed: Type, aws: LocalAws) -> None:
    idle_machine(aws, "m20i.2xlarge")

    ended = typed("collect", "aws", "--enroll", *HERE)

    report = json.loads(ended.out)
    assert (ended.code, report["describedTypes"]) == (0, [])
    assert [one["type"] for one in report["unknownTypes"]] == ["m20i.2xlarge"]


def test_fleets_of_shipped_types_ask_for_no_description(typed: Type, aws: LocalAws) -> None:
    idle_machine(aws, "m5.2xlarge")

    typed("collect", "aws", "--enroll", *HERE)

    assert ("ec2", "DescribeInstanceTypes") not in aws.asked()


def test_projected_metrics_know_described_types(
    typed: Type, aws: LocalAws, newer_ec2: None, tmp_path: Path
) -> None:
    idle_machine(aws, "m20i.2xlarge")
    typed("collect", "aws", "--enroll", *HERE)
    dear = sheet(tmp_path, m20i_2xlarge=0.5)
    typed("prices", "import", dear, "--as-of", "2026-01-01")
    found = recommended(typed)["m20i.2xlarge"]
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with closing(State(url)) as state:
        context = Context(
            OWN, REGION, "1", "root", state, SystemClock(), TileStore(tmp_path / "tiles")
        )
        now = datetime.now(UTC)
        answer = get_ec2_recommendation_projected_metrics(
            context,
            {
                "instanceArn": found["resourceArn"],
                "stat": "Maximum",
                "period": 300,
                "startTime": now - timedelta(hours=3),
                "endTime": now,
            },
        )
    options = answer["recommendedOptionProjectedMetrics"]
    assert options[0]["recommendedInstanceType"] == found["recommended"]
    (cpu,) = (one for one in options[0]["projectedMetrics"] if one["name"] in ("Cpu", "CPU"))
    # 10 % of 8 vCPU at the speed of m8i, on the 2 vCPU of x8i.large.
    speed = SHIPPED.relative_speed[[SHIPPED.index[name] for name in ("m8i.large", "x8i.large")]]
    assert cpu["values"][0] == pytest.approx(10 * 8 * speed[0] / (2 * speed[1]), rel=1e-3)


def test_types_of_a_file_are_listed_and_removed(typed: Type, tmp_path: Path) -> None:
    path = tmp_path / "types.json"
    path.write_text(json.dumps({"InstanceTypes": [description("m5.large", "m5.large")]}))
    known = typed("catalog", "import", str(path), "--region", REGION)
    assert known.out.startswith("Nothing new: the program knows the 1 type of the file")
    assert typed("catalog", "list").out.startswith("There are none")

    path.write_text(json.dumps({"InstanceTypes": [description("m20i.large", "m8i.large")]}))
    assert "m20i.large" in typed("catalog", "import", str(path), "--region", REGION).out
    assert "m20i.large" in typed("catalog", "list").out
    assert typed("catalog", "remove").out.startswith("Removed 1 type.")
    assert typed("catalog", "list").out.startswith("There are none")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no json", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[]", "has no instance types; expected JSON with a list"),
        ('{"InstanceTypes": []}', "has no instance types"),
        ('{"InstanceTypes": [{"InstanceType": "m20i.large"}]}', "lacks or misstates"),
    ],
)
def test_files_that_describe_no_types_are_refused(
    typed: Type, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "types.json"
    path.write_text(content)

    ended = typed("catalog", "import", str(path), "--region", REGION)

    assert ended.code == 2
    assert message in " ".join(ended.err.split())
    assert "types.json" in ended.err
