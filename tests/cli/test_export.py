"""`compute-optimizer export`, as somebody types it."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Type
from tests.enrolling import ALPHA, BETA

WANTED = ("--type", "Ec2Instance", "--account", ALPHA, "--region", "us-east-1")


def test_one_command_writes_what_was_analyzed(
    typed: Type, analyzed: list[str], tmp_path: Path
) -> None:
    words = (*WANTED, "--bucket", "reports", "--prefix", "fleet", "--parquet")
    ended = typed("export", *words, "--output", "json")

    assert ended.code == 0
    (job,) = json.loads(ended.out)
    assert (job["status"], job["rows"], job["failureReason"]) == ("Complete", 2, None)
    assert job["key"].startswith(f"fleet/compute-optimizer/{ALPHA}/us-east-1-")
    path = tmp_path / "exports" / "reports" / job["key"]
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["instanceArn"] for row in rows] == analyzed
    # m5.xlarge in us-east-1: 0.192 USD an hour, 4 vCPUs, 16 GiB.
    first = rows[0]
    assert (first["current_onDemandPrice"], first["current_vcpus"]) == ("0.192", "4.0")
    assert first["current_storage"] == "EBS only"
    assert first["current_network"] == "Up to 10 Gigabit"
    assert pq.read_table(path.with_suffix(".parquet")).num_rows == 2
    described = json.loads((tmp_path / "exports" / "reports" / job["metadataKey"]).read_text())
    assert described["url"] == path.name


@pytest.mark.usefixtures("fleet")
def test_without_a_type_it_writes_what_is_queued(typed: Type) -> None:
    assert "No export is waiting." in typed("export").out
    assert typed("export", "--output", "json").out.strip() == "[]"


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (WANTED, "--bucket is missing"),
        (("--type", "Ec2Instance"), "--account is missing"),
        ((*WANTED, "--bucket", "../out"), "bucket name"),
        (("--type", "NatGateway", *WANTED[2:], "--bucket", "reports"), "Ec2Instance"),
        (
            ("--type", "Ec2Instance", "--account", BETA, *WANTED[4:], "--bucket", "reports"),
            "not registered",
        ),
        ((*WANTED, "--bucket", "reports", "--members"), "includeMemberAccounts"),
        ((*WANTED[:5], "mars", "--bucket", "reports"), "--region 'mars' is no Region"),
        (("--region", "us-east-1"), "--region is about an export to queue"),
        (("--members",), "none without --type"),
    ],
)
def test_what_is_missing_or_refused_is_told(typed: Type, words: tuple[str, ...], said: str) -> None:
    ended = typed("export", *words)

    assert ended.code == 2
    assert said in ended.err


@pytest.mark.usefixtures("analyzed")
def test_an_export_that_failed_is_told_and_ends_with_1(typed: Type, tmp_path: Path) -> None:
    (tmp_path / "exports").write_text("a file where the folder should be")

    ended = typed("export", *WANTED, "--bucket", "reports", "--output", "json")

    assert ended.code == 1
    (job,) = json.loads(ended.out)
    assert job["status"] == "Failed"
    assert "cannot be made" in job["failureReason"]


@pytest.mark.usefixtures("analyzed")
def test_an_export_stands_in_the_audit_log(typed: Type, tmp_path: Path) -> None:
    typed("export", *WANTED, "--bucket", "reports")

    (line,) = (tmp_path / "audit.jsonl").read_text().splitlines()
    entry = json.loads(line)
    assert (entry["operation"], entry["targets"]) == ("export", [ALPHA])
