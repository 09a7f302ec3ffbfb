"""Every member of a license's recommendation, held against botocore's model, and its export."""

from typing import Any

import pytest
from msgspec import structs

from compute_optimizer.model.license import LicenseOption
from compute_optimizer.views.license import license_recommendation
from tests.breaches import breaches_of, members_of
from tests.exporting import exported_row
from tests.fleets import ACCOUNT
from tests.licenses import BY_HAND, INSIGHTS
from tests.records import NOW, arn

SHAPE = "LicenseRecommendation"

ON_THE_WIRE = {
    "resourceArn": arn(1, ACCOUNT),
    "accountId": ACCOUNT,
    "currentLicenseConfiguration": {
        "numberOfCores": 4,
        "instanceType": "m5.xlarge",
        "operatingSystem": "Windows",
        "licenseEdition": "Enterprise",
        "licenseName": "SQLServer",
        "licenseModel": "LicenseIncluded",
        "licenseVersion": "2019",
        "metricsSource": [{"provider": "CloudWatchApplicationInsights", "providerArn": INSIGHTS}],
    },
    "lookbackPeriodInDays": 14.0,
    "lastRefreshTimestamp": NOW,
    "finding": "NotOptimized",
    "findingReasonCodes": ["LicenseOverprovisioned"],
    "licenseRecommendationOptions": [
        {
            "rank": 1,
            "operatingSystem": "Windows",
            "licenseEdition": "Standard",
            "licenseModel": "LicenseIncluded",
            "savingsOpportunity": {
                "savingsOpportunityPercentage": 54.371,
                "estimatedMonthlySavings": {"currency": "USD", "value": 744.6},
            },
        }
    ],
    "tags": [{"key": "team", "value": "data"}],
}

UNKNOWN = structs.replace(
    BY_HAND,
    platform="linux",
    license=structs.replace(BY_HAND.license, version="", metrics_source_arn=None),
    options=(LicenseOption("Free", "BringYourOwnLicense", 1, None),),
)
"""Of which little is known, and nothing of prices."""


def test_a_license_stands_in_the_spelling_of_the_wire() -> None:
    assert license_recommendation(BY_HAND, "us-east-1") == ON_THE_WIRE


def test_every_member_of_the_model_is_told() -> None:
    assert set(members_of(SHAPE)) == set(ON_THE_WIRE)
    current: dict[str, Any] = ON_THE_WIRE["currentLicenseConfiguration"]  # type: ignore[assignment]
    assert set(members_of(SHAPE)["currentLicenseConfiguration"].members) == set(current)


@pytest.mark.parametrize("one", [BY_HAND, UNKNOWN], ids=["whole", "little"])
def test_nothing_is_told_that_the_model_does_not_know(one: Any) -> None:
    assert breaches_of(license_recommendation(one, "us-east-1"), SHAPE) == []


def test_what_is_not_known_is_absent() -> None:
    found = license_recommendation(UNKNOWN, "us-east-1")

    current = found["currentLicenseConfiguration"]
    assert current["metricsSource"] == []
    assert "licenseVersion" not in current
    (option,) = found["licenseRecommendationOptions"]
    assert "savingsOpportunity" not in option
    assert (option["licenseEdition"], option["operatingSystem"]) == ("Free", "Linux")


def test_a_row_of_an_export_has_the_same() -> None:
    row = exported_row("License", BY_HAND)

    current, first = "currentLicenseConfiguration_", "recommendationOptions_1_"
    assert row["resourceArn"] == arn(1, ACCOUNT)
    assert row["lastRefreshTimestamp_UTC"] == "2026-03-15T06:30:00Z"
    assert row[f"{current}numberOfCores"] == 4
    words = ("instanceType", "operatingSystem", "licenseName", "licenseEdition", "licenseVersion")
    assert [row[f"{current}{word}"] for word in words] == [
        "m5.xlarge",
        "Windows",
        "SQLServer",
        "Enterprise",
        "2019",
    ]
    assert row["findingReasonCodes_isLicenseOverprovisioned"] is True
    assert row["findingReasonCodes_isOptimized"] is False
    assert row[f"{first}licenseEdition"] == "Standard"
    assert row[f"{first}estimatedMonthlySavingsValue"] == 744.6
    assert row[f"{first}estimatedMonthlySavingsCurrency"] == "USD"
    source = f'[{{"provider":"CloudWatchApplicationInsights","providerArn":"{INSIGHTS}"}}]'
    assert row[f"{current}metricsSource"] == source
    assert row["recommendations_count"] == 1


def test_cells_of_what_is_not_known_are_empty() -> None:
    row = exported_row("License", UNKNOWN)

    assert "currentLicenseConfiguration_metricsSource" not in row
    assert "currentLicenseConfiguration_licenseVersion" not in row
    assert "recommendationOptions_1_savingsOpportunityPercentage" not in row
