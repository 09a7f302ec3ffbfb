"""Inventory files become resources; what does not fit is refused with file and row."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.sources.files import inventory
from compute_optimizer.sources.files.cells import RowRefused
from compute_optimizer.sources.files.inventory import read_inventory, resource_of
from compute_optimizer.sources.files.refusals import Refusals

ACCOUNT = "111111111111"
ARN = f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1"
ROW = {"id": "i-1", "account": ACCOUNT, "region": "us-east-1", "type": "m5.large"}
RESOURCE = Resource(ARN, ACCOUNT, "us-east-1", EC2_INSTANCE, "i-1", "m5.large")


def read(path: Path) -> tuple[list[Resource], list[tuple[int, str, str]]]:
    """Return the resources, and row, reason and finding of each refusal."""
    refusals = Refusals()
    found = read_inventory(path, {ACCOUNT}, refusals)
    return found, [(one.row, one.reason.name, one.found) for one in refusals.examples]


def as_csv(folder: Path, *lines: str) -> Path:
    path = folder / "fleet.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def as_json(folder: Path, *rows: Any) -> Path:
    path = folder / "fleet.jsonl"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in rows))
    return path


WHOLE = Resource(
    arn=ARN,
    account_id=ACCOUNT,
    region="us-east-1",
    resource_type=EC2_INSTANCE,
    resource_id="i-1",
    instance_type="m5.large",
    name="web, front",
    state="stopped",
    platform="windows",
    tags={"Team": "search", "Cost center": "12=3"},
    vcpus=1.5,
    memory_mib=686.0,
    auto_scaling_group_arn="arn:aws:autoscaling:us-east-1:111111111111:autoScalingGroup:1:x",
)
TAGS = dict(WHOLE.tags)
EVERYTHING = {
    "arn": ARN,
    "account": ACCOUNT,
    "region": "us-east-1",
    "resource_type": EC2_INSTANCE,
    "id": "i-1",
    "type": "m5.large",
    "name": "web, front",
    "state": "Stopped",
    "platform": "Windows",
    "tags": TAGS,
    "vcpus": 1.5,
    "memory_mib": 686,
    "auto_scaling_group_arn": WHOLE.auto_scaling_group_arn,
}


def test_a_whole_row_of_csv(tmp_path: Path) -> None:
    cells = EVERYTHING | {"tags": "Team=search; Cost center=12=3", "name": '"web, front"'}
    path = as_csv(tmp_path, ",".join(cells), ",".join(str(cell) for cell in cells.values()))

    assert read(path) == ([WHOLE], [])


def test_a_whole_row_of_json_lines(tmp_path: Path) -> None:
    assert read(as_json(tmp_path, EVERYTHING)) == ([WHOLE], [])


@pytest.mark.parametrize(
    ("kind", "tags"),
    [
        (pa.string(), json.dumps(TAGS)),
        (pa.map_(pa.string(), pa.string()), list(TAGS.items())),
        (None, [{"Key": key, "Value": value} for key, value in TAGS.items()]),
        # A null in a struct is a tag that the resource does not have.
        (None, TAGS | {"Owner": None}),
    ],
    ids=["text", "map", "list of structs", "struct"],
)
def test_a_whole_row_of_parquet(tmp_path: Path, kind: Any, tags: Any) -> None:
    path = tmp_path / "fleet.parquet"
    columns = {name: pa.array([value]) for name, value in EVERYTHING.items() if name != "tags"}
    pq.write_table(pa.table(columns | {"tags": pa.array([tags], kind)}), path)

    assert read(path) == ([WHOLE], [])


def test_column_names_are_recognized_without_case_and_separators(tmp_path: Path) -> None:
    path = as_csv(
        tmp_path, "Instance ID,OwnerId,AWS-Region,InstanceType", f"i-1,{ACCOUNT},us-east-1,m5.large"
    )

    assert read(path) == ([RESOURCE], [])


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_the_arn_is_made_from_account_region_and_id(region: str, partition: str) -> None:
    arn = f"arn:{partition}:ec2:{region}:{ACCOUNT}:instance/i-1"

    assert resource_of(ROW | {"region": region}).arn == arn
    assert resource_of({"arn": arn, "type": "m5.large"}).region == region


def test_an_arn_beside_equal_parts_is_no_contradiction() -> None:
    assert resource_of(ROW | {"arn": ARN}) == RESOURCE
    # Some exports repeat the ARN as the id.
    assert resource_of(ROW | {"arn": ARN, "id": ARN}) == RESOURCE


@pytest.mark.parametrize(
    "tags",
    [
        "App=front;Team=search",
        " App = front ; Team = search ; ",
        '{"App": "front", "Team": "search"}',
        '[{"Key": "App", "Value": "front"}, {"Value": "search", "Key": "Team"}]',
        {"App": "front", "Team": "search"},
        [{"key": "App", "value": "front"}, {"key": "Team", "value": "search"}],
        [("App", "front"), ("Team", "search")],
    ],
    ids=str,
)
def test_tags_in_every_form(tags: Any) -> None:
    assert resource_of(ROW | {"tags": tags}).tags == {"App": "front", "Team": "search"}


@pytest.mark.parametrize("tags", [None, "", "{}", "[]", " ; "])
def test_no_tags(tags: Any) -> None:
    assert resource_of(ROW | {"tags": tags}).tags == {}


def test_tags_may_be_empty_and_numbers_become_text() -> None:
    assert resource_of(ROW | {"tags": {"a": "", "b": 7}}).tags == {"a": "", "b": "7"}


LONG = "x" * 257

REFUSED = [
    ({"account": "11111111111"}, "ACCOUNT", "11111111111"),
    ({"account": "٣" * 12}, "ACCOUNT", "٣" * 12),
    ({"region": "Virginia"}, "REGION", "Virginia"),
    ({"region": None}, "REGION", ""),
    ({"id": "i 1"}, "RESOURCE_ID", "i 1"),
    ({"id": ""}, "RESOURCE_ID", ""),
    ({"id": "../../etc"}, "RESOURCE_ID", "../../etc"),
    ({"arn": "i-1"}, "ARN", "i-1"),
    ({"arn": "arn:aws:s3:::bucket"}, "ARN", "arn:aws:s3:::bucket"),
    ({"arn": ARN.replace("us-east-1", "")}, "ARN_DIFFERS", None),
    ({"arn": ARN.replace("i-1", "i-2")}, "ARN_DIFFERS", None),
    ({"arn": ARN, "account": "222222222222"}, "ARN_DIFFERS", f"222222222222 in {ARN}"),
    ({"resource_type": "S3Bucket"}, "RESOURCE_TYPE", "S3Bucket"),
    ({"type": None}, "MISSING", "type"),
    ({"state": "asleep"}, "STATE", "asleep"),
    ({"platform": "plan9"}, "PLATFORM", "plan9"),
    ({"vcpus": "two"}, "CAPACITY", "vcpus: two"),
    ({"vcpus": 0}, "CAPACITY", "vcpus: 0"),
    ({"memory_mib": -1}, "CAPACITY", "memory_mib: -1"),
    ({"memory_mib": "nan"}, "CAPACITY", "memory_mib: nan"),
    ({"memory_mib": "inf"}, "CAPACITY", "memory_mib: inf"),
    ({"memory_mib": "1_024"}, "CAPACITY", "memory_mib: 1_024"),
    ({"vcpus": "\u0662"}, "CAPACITY", "vcpus: \u0662"),
    ({"memory_mib": "1e300"}, "TOO_LARGE", "memory_mib: 1e300"),
    ({"vcpus": 2**31}, "TOO_LARGE", "vcpus: 2147483648"),
    ({"name": LONG}, "TOO_LONG", f"name: {'x' * 40}..."),
    ({"tags": {"a": LONG}}, "TOO_LONG", "tags"),
    ({"tags": "Team"}, "TAGS", "Team"),
    ({"tags": "=search"}, "TAGS", "=search"),
    ({"tags": '{"Team": '}, "TAGS", '{"Team": '),
    ({"tags": "[" * 100_000}, "TAGS", None),
    ({"tags": 5}, "TAGS", "5"),
    ({"tags": [1, 2]}, "TAGS", "1"),
    ({"tags": ["ab"]}, "TAGS", "ab"),
    ({"tags": [{"Name": "a"}]}, "TAGS", None),
    ({"tags": {"a": {"b": "c"}}}, "TAGS", None),
]


@pytest.mark.parametrize(
    ("change", "reason", "found"),
    REFUSED,
    ids=[f"{one}-{n}" for n, (_, one, _) in enumerate(REFUSED)],
)
def test_cells_that_do_not_fit_are_refused(
    change: dict[str, Any], reason: str, found: str | None
) -> None:
    with pytest.raises(RowRefused) as caught:
        resource_of(ROW | change)

    assert caught.value.reason.name == reason
    assert found is None or caught.value.found == found


def test_refused_rows_are_named_and_the_others_taken(tmp_path: Path) -> None:
    path = as_csv(
        tmp_path,
        "id,account,region,type",
        f"i-1,{ACCOUNT},us-east-1,m5.large",
        f"i-2,{ACCOUNT},us-east-1",
        "i-3,222222222222,us-east-1,m5.large",
        f"i-4,{ACCOUNT},us-east-1,",
        f"i-1,{ACCOUNT},us-east-1,m5.xlarge",
    )

    assert read(path) == (
        [RESOURCE],
        [
            (2, "FIELDS", "3 fields, expected 4"),
            (3, "NOT_OPTED_IN", "222222222222"),
            (4, "MISSING", "type"),
            (5, "DUPLICATE_RESOURCE", ARN),
        ],
    )


def test_lines_that_are_no_json_objects_are_refused(tmp_path: Path) -> None:
    path = as_json(tmp_path, ROW, "[1]", "", "{", "[" * 100_000, "5")

    found, refused = read(path)

    assert found == [RESOURCE]
    assert [(row, reason) for row, reason, _ in refused] == [
        (2, "NOT_JSON"),
        (4, "NOT_JSON"),
        (5, "NOT_JSON"),
        (6, "NOT_JSON"),
    ]


def test_json_lines_may_differ_in_their_members(tmp_path: Path) -> None:
    path = as_json(tmp_path, ROW, {"resourceArn": ARN.replace("i-1", "i-2"), "type": "c5.large"})

    found, refused = read(path)

    assert [one.resource_id for one in found] == ["i-1", "i-2"]
    assert not refused


def test_parquet_cells_of_other_types_are_refused_by_row(tmp_path: Path) -> None:
    path = tmp_path / "fleet.parquet"
    # An account kept as a number has lost its leading zero.
    columns = {"id": ["i-1"], "account": [11111111111], "region": [date(2026, 1, 1)], "type": ["x"]}
    pq.write_table(pa.table(columns), path)

    assert read(path) == ([], [(1, "ACCOUNT", "11111111111")])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("id,account,type", "expected arn, or id, account and region"),
        ("arn,account", "no column for the instance type; expected type"),
        ("arn,id,instance_id,type", "the columns 'id' and 'instance_id' both mean id; keep one"),
    ],
)
def test_headers_that_do_not_do(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=rf"fleet\.csv: .*{message}"):
        read(as_csv(tmp_path, header))


@pytest.mark.parametrize(
    ("name", "content"), [("a.jsonl", b""), ("b.jsonl", b"\xff\xfe{}"), ("c.txt", b"x")]
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(InvalidInput, match=name):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"a\.jsonl: cannot be read: No such file"):
        read(tmp_path / "a.jsonl")


def test_an_unknown_kind_of_file_is_told_which_ones_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"\.csv, .*\.parquet, .*\.jsonl"):
        read(tmp_path / "fleet.xml")


def test_inventories_that_are_too_large_are_to_be_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "MAX_RESOURCES", 1)

    with pytest.raises(InvalidInput, match="more than 1 resource; split the file"):
        read(as_json(tmp_path, ROW, ROW | {"id": "i-2"}))
