"""`compute-optimizer compare`, as somebody types it."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Type
from tests.enrolling import ALPHA, BETA

Rows = list[dict[str, str]]


@pytest.fixture
def exported(typed: Type, analyzed: list[str], tmp_path: Path) -> Rows:
    """The rows of our own export of the analyzed fleet: a quiet machine and a busy one."""
    words = ("--type", "Ec2Instance", "--account", ALPHA, "--region", "us-east-1")
    ended = typed("export", *words, "--bucket", "reports", "--output", "json")
    (job,) = json.loads(ended.out)
    with (tmp_path / "exports" / "reports" / job["key"]).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def compared(typed: Type, tmp_path: Path) -> Any:
    """Write rows as the file of the service and compare it."""

    def compare(rows: Rows, drop: tuple[str, ...] = ()) -> dict[str, Any]:
        path = write(tmp_path / "aws.csv", rows, drop)
        ended = typed("compare", str(path), "--output", "json")
        assert ended.code == 0
        answer: dict[str, Any] = json.loads(ended.out)
        return answer

    return compare


def write(path: Path, rows: Rows, drop: tuple[str, ...] = ()) -> Path:
    names = [name for name in rows[0] if name not in drop]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_our_own_export_is_the_same_as_what_is_recommended(exported: Rows, compared: Any) -> None:
    answer = compared(exported)

    assert [one["outcome"] for one in answer["resources"]] == ["same", "same"]
    summary = answer["summary"]
    assert (summary["same"], summary["different"]) == (2, 0)
    assert (summary["onlyThere"], summary["onlyHere"], summary["skippedRows"]) == (0, 0, 0)
    assert summary["notCompared"] == []
    assert summary["estimatedMonthlySavingsThere"] == summary["estimatedMonthlySavingsHere"] > 0


def test_what_differs_is_told_with_its_cause(exported: Rows, compared: Any) -> None:
    quiet, busy = exported
    # They saw no memory, so they could take away less.
    quiet |= {
        "finding": "OPTIMIZED",
        "utilizationMetrics_MEMORY_MAXIMUM": "",
        "lookBackPeriodInDays": "32.0",
    }

    answer = compared([quiet, busy])

    first, second = answer["resources"]
    assert (first["resourceArn"], first["outcome"]) == (quiet["instanceArn"], "different")
    assert [(one["aspect"], one["theirs"], one["ours"]) for one in first["differences"]] == [
        ("finding", "OPTIMIZED", "OVER_PROVISIONED"),
        ("look-back", "32", "14"),
    ]
    assert first["causes"] == [
        "32 days were looked at there and 14 here",
        "MEMORY was seen only here",
    ]
    assert first["estimatedMonthlySavingsThere"] == 0
    assert second["outcome"] == "same"
    assert answer["summary"]["differencesByAspect"]["finding"] == 1


def test_each_side_may_have_resources_of_its_own(exported: Rows, compared: Any) -> None:
    quiet, busy = exported
    unknown = busy | {"instanceArn": busy["instanceArn"][:-3] + "fff"}
    strange = busy | {"instanceArn": busy["instanceArn"].replace(ALPHA, BETA)}

    answer = compared([quiet, unknown, strange])

    found = {one["resourceArn"]: (one["outcome"], one["causes"]) for one in answer["resources"]}
    assert found == {
        quiet["instanceArn"]: ("same", []),
        busy["instanceArn"]: ("only here", ["the file does not have it"]),
        unknown["instanceArn"]: ("only there", ["it is not in the inventory"]),
        strange["instanceArn"]: ("only there", [f"account {BETA} is not opted in here"]),
    }


def test_a_resource_that_they_refused_is_only_here_and_says_why(
    exported: Rows, compared: Any
) -> None:
    quiet, busy = exported
    blank = dict.fromkeys(busy, "")
    refused = blank | {
        "instanceArn": busy["instanceArn"],
        "errorCode": "INSUFFICIENT",
        "errorMessage": "Not enough data.",
    }

    answer = compared([quiet, refused])

    one = answer["resources"][0]
    assert (one["outcome"], one["causes"]) == ("only here", ["there: Not enough data."])


def test_columns_that_the_file_lacks_are_told_and_not_compared(
    exported: Rows, compared: Any
) -> None:
    answer = compared(exported, ("finding", "recommendationOptions_1_performanceRisk"))

    assert answer["summary"]["notCompared"] == ["finding", "risk"]
    assert answer["summary"]["same"] == 2


def test_the_table_has_what_differs_and_the_summary(
    typed: Type, exported: Rows, tmp_path: Path
) -> None:
    exported[0]["recommendationOptions_1_instanceType"] = "m7i.large"

    ended = typed("compare", str(write(tmp_path / "aws.csv", exported)))

    assert ended.code == 0
    assert "first option: m7i.large -> " in ended.out
    assert "2 instances on both sides, 1 of them the same; 0 only there, 0 only here." in ended.out
    assert "They differ: 1 in first option." in ended.out
    assert "Estimated savings: " in ended.out


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"accountId,resourceArn\n", "none of the columns by which one is known"),
        (b"", "none of the columns by which one is known"),
        (b"instanceArn\n\xff\xfe\n", "not UTF-8"),
        (b'instanceArn\n"arn:aws\n', "no CSV file"),
    ],
)
def test_a_file_that_is_no_export_is_refused(
    typed: Type, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "aws.csv"
    path.write_bytes(content)

    ended = typed("compare", str(path))

    assert ended.code == 2
    assert said in ended.err


@pytest.mark.usefixtures("fleet")
def test_a_file_that_is_not_there_is_told(typed: Type, tmp_path: Path) -> None:
    ended = typed("compare", str(tmp_path / "none.csv"))

    assert ended.code == 2
    assert "cannot be read" in ended.err
