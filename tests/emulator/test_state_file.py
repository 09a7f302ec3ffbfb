"""A state as YAML: a file, or a text."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from msgspec import Struct
from msgspec.structs import fields

from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from compute_optimizer.emulator.state import Account, Files, Instance, Organization, Placed
from compute_optimizer.emulator.state_file import StateFile, records_of
from compute_optimizer.errors import InvalidInput
from tests.emulating import START, client_of

PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"


def yaml_of_the_page() -> str:
    (found,) = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


def test_reads_records_as_python_makes_them() -> None:
    text = """
    organization:
      management: "111111111111"
      members: ["222222222222", {account_id: "333333333333", status: Failed}]
    instances:
      - name: web
        load: [[2026-03-14T12:00:00Z, 35]]
        tags: {Team: shop}
    """

    assert records_of(text) == [
        Organization("111111111111", ["222222222222", Account("333333333333", "Failed")]),
        Instance(
            "web", load=[(datetime(2026, 3, 14, 12, tzinfo=UTC), 35.0)], tags={"Team": "shop"}
        ),
    ]


def test_reads_a_file_by_its_path_and_paths_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "state.yaml"
    file.write_text("files:\n  - inventory: fleet.csv\n    metrics: [cpu.csv]\n")
    beside = Files(str(tmp_path / "fleet.csv"), [str(tmp_path / "cpu.csv")])

    assert records_of(file) == [beside]
    assert records_of(str(file)) == [beside]


def test_several_states_add_up() -> None:
    account = Account("222222222222")

    assert records_of([account, "accounts: [{account_id: '333333333333'}]", [Instance("web")]]) == [
        account,
        Account("333333333333"),
        Instance("web"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("instance: []", "unknown field `instance`"),
        ("instances: [{label: web}]", r"unknown field `label` - at `\$\.instances\[0\]`"),
        ("instances: [{}]", r"missing required field `name` - at `\$\.instances\[0\]`"),
        ("instances: [{name: web, count: x}]", r"\$\.instances\[0\]\.count"),
        ("accounts: [{account_id: 222222222222}]", r"Expected `str`, got `int` - at `\$\.accounts"),
        ("accounts: [{account_id: '1', status: Active}]", r"matching regex"),
        ('accounts: [{account_id: "222222222222\\n", status: Active}]', r"matching regex"),
        ("accounts: [{account_id: '222222222222', status: active}]", "Invalid enum value 'active'"),
        ("instances: [", "is no valid YAML"),
        ("instances: []\ninstances: []", "occurs more than once"),
    ],
)
def test_names_the_place_of_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem) as refused:
        records_of(text)

    assert str(refused.value).startswith("the text of the state: ")


def test_names_a_file_that_is_not_there() -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.yaml: cannot be read"):
        records_of("nowhere.yaml")


def test_takes_an_inventory_and_metrics_in_the_formats_of_import(
    still: Emulator, tmp_path: Path
) -> None:
    arn = "arn:aws:ec2:us-east-1:123456789012:instance/i-00000000000000001"
    (tmp_path / "fleet.csv").write_text(f"arn,type\n{arn},m5.2xlarge\n")
    rows = [
        f"{arn},2026-03-{day:02}T{hour:02}:{minute:02}:00Z,12"
        for day in range(1, 15)
        for hour in range(24)
        for minute in range(0, 60, 5)
    ]
    header = "resource,timestamp,CPUUtilization_Maximum"
    (tmp_path / "cpu.csv").write_text("\n".join([header, *rows]))
    (tmp_path / "state.yml").write_text("files: [{inventory: fleet.csv, metrics: [cpu.csv]}]")
    still.put(tmp_path / "state.yml")

    (found,) = client_of(still).get_ec2_instance_recommendations()["instanceRecommendations"]
    assert found["instanceArn"] == arn
    assert found["utilizationMetrics"][0]["value"] == 12


def records() -> dict[str, type[Struct]]:
    """Return the record of each section."""
    found = {}
    for field in fields(StateFile):
        kinds = [field.type, *get_args(field.type)]
        (found[field.name],) = (
            one for one in kinds if isinstance(one, type) and issubclass(one, Struct)
        )
    return found


@pytest.mark.parametrize(("section", "record"), records().items())
def test_the_page_names_every_member_of_a_section(section: str, record: type[Struct]) -> None:
    (row,) = re.findall(rf"^\| `{section}` \| .*$", PAGE.read_text(), re.MULTILINE)
    (shared,) = re.findall(r"^\| each resource \| .*$", PAGE.read_text(), re.MULTILINE)
    told = row + (shared if issubclass(record, Placed) else "")
    assert f"`{record.__name__}`" in row
    assert {one.name for one in fields(record) if f"`{one.name}`" not in told} == set()


def test_the_example_of_the_page_starts_and_names_every_section() -> None:
    text = yaml_of_the_page()
    for section in StateFile.__struct_fields__:
        assert re.search(rf"^{section}:", text, re.MULTILINE), section

    with emulator(clock=START, frozen=True, state=text) as running:
        client = client_of(running, "111111111111")
        members = client.get_enrollment_statuses_for_organization()["accountEnrollmentStatuses"]
        assert {one["status"] for one in members} == {"Active", "Failed"}
        found = client.get_ec2_instance_recommendations()["instanceRecommendations"]
        assert {one["finding"] for one in found} == {"OVER_PROVISIONED", "OPTIMIZED"}
        jobs = client.describe_recommendation_export_jobs()["recommendationExportJobs"]
        assert [one["status"] for one in jobs] == ["Failed"]
