"""GetLicenseRecommendations over stored runs: what it has of its own.

Accounts, pages and tokens are those of every list; the tests of the instances hold them.
"""

from typing import Any

import pytest

from compute_optimizer.model.recommendation import Finding, RecommendationError
from compute_optimizer.shapes import InvalidParameterValueException, OptInRequiredException
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk
from tests.exporting import export_desk
from tests.licenses import license_recommendation
from tests.records import arn, recommendation
from tests.volumes import volume_arn
from tests.written_runs import publish

OPERATION = "GetLicenseRecommendations"


def ask(desk: Desk, account: str = MANAGEMENT, **request: Any) -> dict[str, Any]:
    return desk.call(OPERATION, account, **request)


def own(number: int) -> str:
    return arn(number, MANAGEMENT)


def stored(number: int, **changes: Any) -> Any:
    return license_recommendation(number, account_id=MANAGEMENT, **changes)


def arns_of(answer: dict[str, Any]) -> list[str]:
    return [one["resourceArn"] for one in answer["licenseRecommendations"]]


FINE = {
    "finding": Finding.OPTIMIZED,
    "finding_reason_codes": ("Optimized",),
    "options": (),
    "tags": {"team": "web"},
}
UNSET = {
    "finding": Finding.INSUFFICIENT_METRICS,
    "finding_reason_codes": ("InvalidCloudWatchApplicationInsightsSetup",),
    "options": (),
    "tags": {},
}


@pytest.fixture
def desk(enrolled: Desk) -> Desk:
    """An organization of which every account is Active."""
    return enrolled


def test_before_the_first_analysis_the_answer_is_empty(desk: Desk) -> None:
    assert ask(desk) == {"licenseRecommendations": [], "errors": []}


def test_an_account_that_is_not_opted_in_is_refused(desk: Desk) -> None:
    with pytest.raises(OptInRequiredException):
        ask(desk, STRANGER)


def test_an_instance_and_its_license_are_listed_each_by_their_own_operation(desk: Desk) -> None:
    publish(desk, [stored(1)], resource_type="License")
    publish(desk, [recommendation(1, account_id=MANAGEMENT)], resource_type="Ec2Instance")

    assert arns_of(ask(desk)) == [own(1)]
    instances = desk.call("GetEC2InstanceRecommendations", MANAGEMENT)
    assert [one["instanceArn"] for one in instances["instanceRecommendations"]] == [own(1)]


def test_each_listed_arn_without_a_recommendation_says_why(desk: Desk) -> None:
    odd = RecommendationError(own(7), "UNSUPPORTED_RESOURCE", "Not supported.")
    publish(desk, [stored(1)], [odd], resource_type="License")
    disk, strange = volume_arn(1, MANAGEMENT), arn(1, ALPHA)

    answer = ask(desk, resourceArns=[own(1), own(7), disk, strange, own(9)])

    assert arns_of(answer) == [own(1)]
    assert {one["identifier"]: one["code"] for one in answer["errors"]} == {
        own(7): "UNSUPPORTED_RESOURCE",
        disk: "INVALID_ARN",
        strange: "ACCESS_DENIED",
        own(9): "RECOMMENDATION_NOT_FOUND",
    }


@pytest.mark.parametrize(
    ("name", "value", "numbers"),
    [
        ("Finding", "NotOptimized", [1]),
        ("Finding", "Optimized", [2]),
        ("Finding", "InsufficientMetrics", [3]),
        # As the documentation of the filter spells it.
        ("Finding", "InsufficentMetrics", [3]),
        ("FindingReasonCode", "LicenseOverprovisioned", [1]),
        ("FindingReasonCode", "Optimized", [2]),
        ("FindingReasonCode", "InvalidCloudWatchApplicationInsightsSetup", [3]),
        # As the documentation of filters spells it.
        ("FindingReasonCode", "InvalidCloudwatchApplicationInsights", [3]),
        ("FindingReasonCode", "CloudwatchApplicationInsightsError", []),
        ("LicenseName", "SQLServer", [1, 2, 3]),
        ("tag:team", "web", [2]),
        ("tag-key", "", [3]),
    ],
)
def test_filters(desk: Desk, name: str, value: str, numbers: list[int]) -> None:
    publish(desk, [stored(1), stored(2, **FINE), stored(3, **UNSET)], resource_type="License")

    found = ask(desk, filters=[{"name": name, "values": [value]}])

    assert arns_of(found) == [own(number) for number in numbers]


@pytest.mark.parametrize(
    ("name", "value"),
    [("Finding", "Overprovisioned"), ("FindingReasonCodes", "Optimized"), ("LicenseName", "sql")],
)
def test_what_is_no_filter_of_licenses_is_refused(desk: Desk, name: str, value: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=name):
        ask(desk, filters=[{"name": name, "values": [value]}])


def test_summaries_count_licenses_by_finding(desk: Desk) -> None:
    publish(desk, [stored(1), stored(2, **FINE), stored(3, **UNSET)], resource_type="License")

    answer = desk.call("GetRecommendationSummaries", MANAGEMENT)

    told = {one["recommendationResourceType"]: one for one in answer["recommendationSummaries"]}
    counts = {one["name"]: one["value"] for one in told["License"]["summaries"]}
    assert counts == {"Optimized": 1.0, "NotOptimized": 1.0, "InsufficientMetrics": 1.0}
    # 744.60 of the 3 x 1,369.48 USD that all three cost.
    savings = told["License"]["savingsOpportunity"]
    assert savings["estimatedMonthlySavings"] == {"currency": "USD", "value": 744.6}
    assert savings["savingsOpportunityPercentage"] == pytest.approx(18.124, abs=0.001)
    assert told["Ec2Instance"]["savingsOpportunity"]["estimatedMonthlySavings"]["value"] == 0.0


def test_exports_are_queued_by_their_operation(desk: Desk, tmp_path: Any) -> None:
    exports = export_desk(desk, tmp_path)
    exports.publish([stored(1), stored(2, **FINE)], resource_type="License")

    rows = exports.exported(
        kind="License", filters=[{"name": "LicenseName", "values": ["SQLServer"]}]
    )

    assert [row["finding"] for row in rows] == ["NotOptimized", "Optimized"]
    assert list(rows[0])[-1] == "recommendations_count"
