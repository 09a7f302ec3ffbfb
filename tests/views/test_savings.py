"""Savings after discounts in answers and exports, of instances and groups, and of what idles."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from compute_optimizer.model.recommendation import Discounts, Savings
from compute_optimizer.model.resource import ECS_SERVICE, LAMBDA_FUNCTION, RDS_DB_INSTANCE
from compute_optimizer.views import (
    auto_scaling_group_export,
    ebs_volume_export,
    ec2_instance_export,
    idle_export,
)
from compute_optimizer.views.auto_scaling_group import group_recommendation
from compute_optimizer.views.ebs_volume import volume_recommendation
from compute_optimizer.views.ec2_instance import Presentation, instance_recommendation
from compute_optimizer.views.export_columns import ExportTable, Shown, recommended_rows
from compute_optimizer.views.idle import idle_recommendation
from tests.exporting import exported_row
from tests.functions import BY_HAND as FUNCTION
from tests.groups import BY_HAND as GROUP
from tests.idleness import BY_HAND as IDLE
from tests.recommended_databases import INSTANCE as DATABASE
from tests.records import BY_HAND as INSTANCE
from tests.records import REGION
from tests.services import BY_HAND as SERVICE
from tests.volumes import BY_HAND as VOLUME

AFTER = Savings(40.0, 30.0)
MODE = "effectiveRecommendationPreferencesSavingsEstimationMode"


def rated(one: Any) -> Any:
    """Return a recommendation whose options save 30 USD after discounts."""
    options = tuple(structs.replace(option, after_discounts=AFTER) for option in one.options)
    return structs.replace(one, options=options, discounts=Discounts(0.7))


def cells(table: ExportTable, one: Any) -> dict[str, Any]:
    """Return the cells of a recommendation by their columns."""
    (row,) = recommended_rows(table.columns, [table.subject(one, Shown(REGION))])
    return dict(zip([column.name for column in table.columns], row, strict=True))


ANSWERS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "instance": (INSTANCE, lambda one: instance_recommendation(one, Presentation(REGION))),
    "group": (GROUP, lambda one: group_recommendation(one, Presentation(REGION))),
    "volume": (VOLUME, lambda one: volume_recommendation(one, REGION)),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_tells_both_savings_and_the_source(name: str) -> None:
    one, answer = ANSWERS[name]
    told, listed = answer(rated(one)), answer(one)

    options: Any = next(
        value for key, value in told.items() if key.endswith("ecommendationOptions")
    )
    assert options[0]["savingsOpportunityAfterDiscounts"] == {
        "savingsOpportunityPercentage": 40.0,
        "estimatedMonthlySavings": {"currency": "USD", "value": 30.0},
    }
    assert options[0]["savingsOpportunity"]["estimatedMonthlySavings"]["value"] != 30.0
    modes = [
        one["effectiveRecommendationPreferences"]["savingsEstimationMode"] for one in (told, listed)
    ]
    assert modes == [{"source": "CostOptimizationHub"}, {"source": "PublicPricing"}]


EXPORTS = {
    "instance": (ec2_instance_export.TABLE, INSTANCE),
    "group": (auto_scaling_group_export.TABLE, GROUP),
    "volume": (ebs_volume_export.TABLE, VOLUME),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_has_columns_for_both(name: str) -> None:
    table, one = EXPORTS[name]
    told, listed = cells(table, rated(one)), cells(table, one)

    begin = "recommendationOptions_1_"
    value = f"{begin}estimatedMonthlySavings_value"
    assert told[f"{value}AfterDiscounts"] == 30.0
    assert told[f"{begin}savingsOpportunityAfterDiscountsPercentage"] == 40.0
    assert told[value] == listed[value] == listed[f"{value}AfterDiscounts"]
    assert (told[MODE], listed[MODE]) == ("CostOptimizationHub", "PublicPricing")


@pytest.mark.parametrize(
    ("resource_type", "one", "options"),
    [
        (LAMBDA_FUNCTION, FUNCTION, "options"),
        (ECS_SERVICE, SERVICE, "options"),
        (RDS_DB_INSTANCE, DATABASE, "instance_options"),
    ],
)
def test_exports_of_other_types_tell_what_is_left_after_discounts(
    resource_type: str, one: Any, options: str
) -> None:
    found = tuple(
        structs.replace(option, after_discounts=AFTER) for option in getattr(one, options)
    )
    assert found
    row = exported_row(
        resource_type,
        structs.replace(one, **{options: found}, discounts=Discounts(0.7)),
        region=REGION,
    )

    after = {name: cell for name, cell in row.items() if "AfterDiscounts" in name}
    # 40 % and 30 USD, of the first option that the type has.
    assert {40.0, 30.0} <= set(after.values())


def test_what_idles_tells_both() -> None:
    one = structs.replace(IDLE, after_discounts=Savings(100.0, 6.0))
    answer, row = idle_recommendation(one, REGION), cells(idle_export.TABLE, one)

    after: Any = answer["savingsOpportunityAfterDiscounts"]
    assert after["estimatedMonthlySavings"]["value"] == 6.0
    assert row["estimatedMonthlySavingsValueAfterDiscounts"] == 6.0
    assert row["estimatedMonthlySavingsValue"] == 8.0
