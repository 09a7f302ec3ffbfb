"""Two export rows of one resource: in what they differ, and what in them may be why."""

from typing import Any

import pytest

from compute_optimizer.views.export_columns import Shown, recommended_rows
from compute_optimizer.views.export_comparison import (
    CURRENT_RISK,
    FINDING,
    FIRST_OPTION,
    LOOK_BACK,
    PLACES,
    RISK,
    SAVINGS,
    Disagreement,
    Verdict,
    as_cells,
    compared_type,
    monthly_savings,
    verdict,
)
from compute_optimizer.views.exports import EXPORT_TABLES
from tests.records import recommendation
from tests.volumes import volume_recommendation

SAVED = "recommendationoptions_1_estimatedmonthlysavings_value"
RISKS = "recommendationoptions_1_performancerisk"
TYPE = "recommendationoptions_1_instancetype"
CPU = "utilizationmetrics_cpu_maximum"
MEMORY = "utilizationmetrics_memory_maximum"


def cells(resource_type: str = "Ec2Instance", **changes: Any) -> dict[str, str]:
    """Return the row of ours."""
    table = EXPORT_TABLES[resource_type]
    one = volume_recommendation(1) if resource_type == "EbsVolume" else recommendation(1)
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


@pytest.mark.parametrize("resource_type", sorted(PLACES))
def test_a_row_is_the_same_as_itself(resource_type: str) -> None:
    assert compare({}, resource_type) == Verdict((), ())


@pytest.mark.parametrize("resource_type", sorted(PLACES))
def test_every_column_that_is_compared_exists(resource_type: str) -> None:
    columns = EXPORT_TABLES[resource_type].columns
    names = {column.name.lower() for column in columns}

    assert compared_type(resource_type, columns).columns <= names


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
    row = cells()

    assert monthly_savings(row) == 79.424
    assert monthly_savings(row | {"finding": "OPTIMIZED"}) == 0.0
    assert monthly_savings({}) == 0.0
