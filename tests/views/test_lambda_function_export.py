"""A row of an export of Lambda functions."""

from datetime import timedelta
from typing import Any

import pytest

from compute_optimizer.model.lambda_function import MemorySizeOption, ProjectedDuration
from compute_optimizer.model.recommendation import Savings
from tests.exporting import exported_row
from tests.functions import function, function_arn, function_recommendation, recommended_function
from tests.functions import runs as runs_of
from tests.records import NOW

FIRST = "recommendationOptions_1_"


def test_a_function_is_a_row_of_its_size_its_use_and_its_option() -> None:
    row = exported_row("LambdaFunction", function_recommendation(timeout_seconds=30.0))

    assert (row["functionArn"], row["functionVersion"]) == (function_arn("worker"), "$LATEST")
    assert row["finding"] == "NotOptimized"
    assert row["findingReasonCodes_isMemoryOverprovisioned"] is True
    assert row["findingReasonCodes_isInconclusive"] is False
    assert row["numberOfInvocations"] == 4321
    assert row["lastRefreshTimestamp_UTC"] == "2026-03-15 06:30:00"
    assert row["currentConfiguration_memorySize"] == 1024
    assert row["currentConfiguration_timeout"] == 30.0
    assert row[f"{FIRST}configuration_memorySize"] == 512
    bounds = ("LowerBound", "UpperBound", "Expected")
    names = [f"{FIRST}projectedUtilizationMetrics_duration{bound}" for bound in bounds]
    assert [row[name] for name in names] == [96.2, 192.4, 102.8]
    assert row["utilizationMetrics_durationMaximum"] == 812.4
    assert row["utilizationMetrics_durationAverage"] == 96.2
    assert row["utilizationMetrics_memoryMaximum"] == 301.0
    # Nobody sent the mean of memory.
    assert "utilizationMetrics_memoryAverage" not in row
    assert row[f"{FIRST}estimatedMonthlySavings_value"] == 0.8
    assert row["recommendations_count"] == 1


def test_costs_are_those_of_the_look_back_period_and_of_one_invocation() -> None:
    option = MemorySizeOption(
        512, 1, ProjectedDuration(1, 2, 1.5), Savings(40.0, 2.92), 4.38, 3.65, 7.3
    )
    one = function_recommendation(
        last_refresh=NOW.replace(hour=0, minute=0),
        invocations=1000,
        monthly_usd=7.3,
        options=(option,),
    )
    row = exported_row("LambdaFunction", one)

    # 14 whole days are 336 of the 730 hours of a month: 7.30 USD * 336 / 730 = 3.36 USD.
    assert row["current_costTotal"] == pytest.approx(3.36)
    assert row["current_costAverage"] == pytest.approx(0.00336)
    assert row[f"{FIRST}costLow"] == pytest.approx(1.68)
    assert row[f"{FIRST}costHigh"] == pytest.approx(3.36)


def test_the_period_ends_where_the_analysis_did() -> None:
    begun = NOW.replace(hour=0, minute=0) + timedelta(hours=12)
    row = exported_row("LambdaFunction", function_recommendation(last_refresh=begun))

    # Of the last day half has passed: 13.5 days, 324 hours, of 2 USD a month.
    assert row["current_costTotal"] == pytest.approx(2.0 * 324 / 730)


@pytest.mark.parametrize(
    "changes", [{"monthly_usd": None}, {"invocations": 0}], ids=["no price", "no invocation"]
)
def test_the_cost_of_an_invocation_is_empty_where_there_is_none(changes: dict[str, Any]) -> None:
    row = exported_row("LambdaFunction", function_recommendation(**changes))

    assert "current_costAverage" not in row
    assert ("current_costTotal" in row) is ("monthly_usd" not in changes)


def test_the_costs_of_an_option_follow_from_the_bounds_of_its_duration() -> None:
    # 100 ms with 200 of 1,024 MB, 5 times in each slot: 240 MB are enough (200 * 1.2).
    found = recommended_function(function("resize", 1024, timeout_seconds=60), runs_of(5, 100, 200))
    (option,) = found.options
    assert (option.memory_size, found.timeout_seconds) == (240, 60)
    assert found.monthly_usd is not None
    row = exported_row("LambdaFunction", found)

    requests = 5 * 12 * 730 * 0.20 / 1_000_000
    duration = found.monthly_usd - requests
    # Between as long as today and 1024 / 240 times as long, for 240 / 1024 of the memory.
    months = 14 * 24 / 730
    assert row[f"{FIRST}costLow"] == pytest.approx((duration * 240 / 1024 + requests) * months)
    assert row[f"{FIRST}costHigh"] == pytest.approx(found.monthly_usd * months)
