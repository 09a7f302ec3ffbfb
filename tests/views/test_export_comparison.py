"""Two export rows of one resource: in what they differ, and what in them may be why."""

import json
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.views.compared_types import PLACES, ComparedType, compared_type
from compute_optimizer.views.export_columns import Shown, recommended_rows
from compute_optimizer.views.export_comparison import (
    CURRENT_RISK,
    FINDING,
    FIRST_OPTION,
    LOOK_BACK,
    RISK,
    SAVINGS,
    Disagreement,
    Verdict,
    as_cells,
    monthly_savings,
    verdict,
)
from compute_optimizer.views.exports import EXPORT_TABLES
from tests.groups import group_recommendation
from tests.idleness import idle_recommendation
from tests.records import recommendation
from tests.volumes import volume_recommendation

SAVED = "recommendationoptions_1_estimatedmonthlysavings_value"
RISKS = "recommendationoptions_1_performancerisk"
TYPE = "recommendationoptions_1_instancetype"
CPU = "utilizationmetrics_cpu_maximum"
MEMORY = "utilizationmetrics_memory_maximum"

EXAMPLES: dict[str, Any] = {
    "AutoScalingGroup": group_recommendation(),
    "EbsVolume": volume_recommendation(1),
    "Ec2Instance": recommendation(1),
    "Idle": idle_recommendation(1),
}
TYPES = sorted(EXAMPLES.keys() & EXPORT_TABLES.keys())

PUBLIC = {
    "AutoScalingGroup": "auto_scale",
    "EbsVolume": "ebs_volume",
    "Ec2Instance": "ec2_instance",
    "EcsService": "ecs_service",
    "Idle": "idle",
    "LambdaFunction": "lambda",
    "License": "license",
    "RdsDBInstance": "rds_database",
}
"""By resource type: its columns in the file of public headers."""


def cells(resource_type: str = "Ec2Instance", **changes: Any) -> dict[str, str]:
    """Return the row of ours."""
    table = EXPORT_TABLES[resource_type]
    one = EXAMPLES[resource_type]
    (row,) = recommended_rows(table.columns, [table.subject(one, Shown("us-east-1"))])
    return as_cells(table.columns, row) | changes


def compare(
    changes: dict[str, str | None], resource_type: str = "Ec2Instance", *absent: str
) -> Verdict:
    """Compare the row with itself but for changes there; None takes a cell away."""
    ours = cells(resource_type)
    theirs = {name: value for name, value in {**ours, **changes}.items() if value is not None}
    columns = EXPORT_TABLES[resource_type].columns
    known = frozenset(column.name.lower() for column in columns) - frozenset(absent)
    return verdict(compared_type(resource_type, columns), theirs, ours, known)


@pytest.mark.parametrize("resource_type", TYPES)
def test_a_row_is_the_same_as_itself(resource_type: str) -> None:
    assert compare({}, resource_type) == Verdict((), ())


@pytest.mark.parametrize("resource_type", TYPES)
def test_every_column_that_is_compared_exists(resource_type: str) -> None:
    columns = EXPORT_TABLES[resource_type].columns
    names = {column.name.lower() for column in columns}

    assert compared_type(resource_type, columns).columns <= names


@pytest.mark.parametrize("resource_type", sorted(PLACES))
def test_every_column_that_is_compared_is_one_of_the_service_s_own_files(
    resource_type: str, shared: Path
) -> None:
    public = json.loads((shared / "spec" / "export_columns.json").read_text())
    names = {name.lower() for name in public[PUBLIC[resource_type]]}
    # The table of functions has no columns of errors; the service writes them all the same.
    expected = names | {"errorcode", "errormessage"}

    assert ComparedType(PLACES[resource_type], ()).columns <= expected


def test_a_database_differs_in_its_class_and_in_its_storage_each_by_itself() -> None:
    kind = ComparedType(PLACES["RdsDBInstance"], (), ("storagefindingreasoncodes_isx",))
    ours = {
        "instancefinding": "Overprovisioned",
        "instancerecommendationoptions_1_dbinstanceclass": "db.m5.large",
        "instancerecommendationoptions_1_estimatedmonthlysavingsvalue": "100.0",
        "storagefinding": "NotOptimized",
        "storagerecommendationoptions_1_storagetype": "gp3",
        "storagerecommendationoptions_1_allocatedstorage": "100",
        "storagerecommendationoptions_1_estimatedmonthlysavingsvalue": "2.0",
        "currentstorageondemandmonthlyprice": "12.0",
        "lastrefreshtimestamp": "2026-03-15T00:00:00.000Z",
        "storagefindingreasoncodes_isx": "true",
    }
    theirs = ours | {
        "storagefinding": "Optimized",
        "storagerecommendationoptions_1_storagetype": "gp2",
        "currentstorageondemandmonthlyprice": "13.0",
        "lastrefreshtimestamp": "2026-03-12T12:00:00.000Z",
        "storagefindingreasoncodes_isx": "false",
    }

    found = verdict(kind, theirs, ours, kind.columns)

    assert found.disagreements == (
        Disagreement("storage finding", "Optimized", "NotOptimized"),
        Disagreement("storage first option", "gp2 100", "gp3 100"),
    )
    assert found.causes == (
        "the analyses are 2.5 days apart",
        "its list price of its storage is 13 there and 12 here",
        "reasons only here: x",
    )
    # 100 of the class and 2 of the storage; there the storage is optimized.
    assert monthly_savings(kind, ours) == 102
    assert monthly_savings(kind, theirs) == 100


def test_what_is_idle_is_compared_by_finding_savings_and_look_back() -> None:
    found = compare({"finding": "Unattached", "estimatedmonthlysavingsvalue": "9.0"}, "Idle")

    assert found.disagreements == (
        Disagreement(FINDING, "Unattached", "Idle"),
        Disagreement(SAVINGS, "9", "8"),
    )


@pytest.mark.parametrize(
    ("changes", "aspect", "theirs", "ours"),
    [
        ({"finding": "UNDER_PROVISIONED"}, FINDING, "UNDER_PROVISIONED", "OVER_PROVISIONED"),
        ({TYPE: "m5.large"}, FIRST_OPTION, "m5.large", "t3.large"),
        ({TYPE: None}, FIRST_OPTION, None, "t3.large"),
        ({"currentperformancerisk": "High"}, CURRENT_RISK, "High", "VeryLow"),
        ({"lookbackperiodindays": "32.0"}, LOOK_BACK, "32", "14"),
        ({SAVED: "50.0"}, SAVINGS, "50", "79.424"),
        ({SAVED: None}, SAVINGS, None, "79.424"),
        ({RISKS: "3.0"}, RISK, "3", "1"),
    ],
)
def test_each_aspect_is_told_with_both_values(
    changes: dict[str, str | None], aspect: str, theirs: str | None, ours: str | None
) -> None:
    assert compare(changes).disagreements == (Disagreement(aspect, theirs, ours),)


@pytest.mark.parametrize(
    "changes",
    [
        {"finding": "Overprovisioned"},
        {"lookbackperiodindays": "14"},
        # 1 % of 79.424 is 0.794.
        {SAVED: "80.20"},
        {SAVED: "7.942400E+01"},
        # Less than a step of the scale.
        {RISKS: "1.99"},
    ],
)
def test_other_spellings_and_rounding_are_no_difference(changes: dict[str, str | None]) -> None:
    assert compare(changes) == Verdict((), ())


@pytest.mark.parametrize(("saved", "count"), [("80.22", 0), ("80.23", 1)])
def test_savings_differ_beyond_one_percent(saved: str, count: int) -> None:
    # 79.424 / 0.99 = 80.226: there one percent of the larger is just reached.
    assert len(compare({SAVED: saved}).disagreements) == count


@pytest.mark.parametrize(("risk", "count"), [("1.9", 0), ("2.0", 1)])
def test_risks_differ_by_one_step(risk: str, count: int) -> None:
    assert len(compare({RISKS: risk}).disagreements) == count


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"currentinstancetype": "m5.large"}, "it is m5.large there and m5.xlarge here"),
        ({"lookbackperiodindays": "32.0"}, "32 days were looked at there and 14 here"),
        ({"lastrefreshtimestamp_utc": "2026-03-12 18:30:00"}, "the analyses are 2.5 days apart"),
        ({CPU: "60.0"}, "CPU reached 60 there and 21.5 here"),
        ({CPU: None}, "CPU was seen only here"),
        ({MEMORY: "40"}, "MEMORY was seen only there"),
        (
            {"findingreasoncodes_iscpuoverprovisioned": "false"},
            "reasons only here: cpuoverprovisioned",
        ),
        (
            {"findingreasoncodes_ismemoryoverprovisioned": "TRUE"},
            "reasons only there: memoryoverprovisioned",
        ),
    ],
)
def test_what_may_be_why_is_told_with_both_values(
    changes: dict[str, str | None], cause: str
) -> None:
    found = compare({"finding": "OPTIMIZED", **changes})

    assert found.causes == (cause,)


def test_where_nothing_tells_the_rows_apart_the_rules_do() -> None:
    assert compare({"finding": "OPTIMIZED"}).causes == (
        "nothing in the rows tells them apart: the rules do",
    )


def test_rows_that_agree_need_no_cause() -> None:
    assert compare({CPU: "60.0"}) == Verdict((), ())


def test_what_the_file_does_not_have_is_not_compared() -> None:
    assert compare({"finding": None}, "Ec2Instance", "finding") == Verdict((), ())


def test_a_volume_differs_in_its_configuration_and_its_price() -> None:
    found = compare(
        {
            "recommendationoptions_1_configuration_volumebaselineiops": "4000",
            "current_monthlyprice": "60.0",
        },
        "EbsVolume",
    )

    assert found.disagreements == (
        Disagreement(FIRST_OPTION, "gp3 500 4000 125", "gp3 500 3000 125"),
    )
    assert found.causes == ("its list price is 60 there and 50 here",)


def test_what_is_optimized_saves_nothing() -> None:
    row, kind = cells(), compared_type("Ec2Instance", EXPORT_TABLES["Ec2Instance"].columns)

    assert monthly_savings(kind, row) == 79.424
    assert monthly_savings(kind, row | {"finding": "OPTIMIZED"}) == 0.0
    assert monthly_savings(kind, {}) == 0.0
