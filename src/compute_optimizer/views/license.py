"""License recommendations in the spelling of the wire."""

from typing import Any, cast

from compute_optimizer.model import license as model
from compute_optimizer.shapes import (
    LicenseConfiguration,
    LicenseRecommendation,
    LicenseRecommendationOption,
    MetricSource,
    MetricSourceProvider,
)
from compute_optimizer.views.savings import savings_opportunity
from compute_optimizer.views.tags import tag_list

OPERATING_SYSTEMS = {"linux": "Linux", "windows": "Windows", "rhel": "RHEL", "suse": "SUSE"}
"""By platform; the service documents no list."""

PROVIDER: MetricSourceProvider = "CloudWatchApplicationInsights"
"""The one provider of enum MetricSourceProvider."""


def license_recommendation(one: model.LicenseRecommendation, region: str) -> LicenseRecommendation:
    """Return the recommendation as a member of licenseRecommendations."""
    return {
        "resourceArn": one.resource_arn,
        "accountId": one.account_id,
        "currentLicenseConfiguration": _configuration(one),
        "lookbackPeriodInDays": one.lookback_days,
        "lastRefreshTimestamp": one.last_refresh,
        "finding": cast(Any, one.finding.value),
        "findingReasonCodes": cast(Any, list(one.finding_reason_codes)),
        "licenseRecommendationOptions": [_option(option, one, region) for option in one.options],
        "tags": tag_list(one.tags),
    }


def operating_system(one: model.LicenseRecommendation) -> str:
    """Return what answers call the operating system of a license's instance."""
    return OPERATING_SYSTEMS[one.platform]


def metrics_source(one: model.LicenseRecommendation) -> list[MetricSource]:
    """Return what counts the features in use; nothing where none is known."""
    arn = one.license.metrics_source_arn
    return [] if arn is None else [{"provider": PROVIDER, "providerArn": arn}]


def _configuration(one: model.LicenseRecommendation) -> LicenseConfiguration:
    found: LicenseConfiguration = {
        "numberOfCores": one.cores,
        "instanceType": one.instance_type,
        "operatingSystem": operating_system(one),
        "licenseEdition": cast(Any, one.license.edition),
        "licenseName": model.SQL_SERVER,
        "licenseModel": cast(Any, one.license.license_model),
        "metricsSource": metrics_source(one),
    }
    if one.license.version:
        found["licenseVersion"] = one.license.version
    return found


def _option(
    option: model.LicenseOption, one: model.LicenseRecommendation, region: str
) -> LicenseRecommendationOption:
    found: LicenseRecommendationOption = {
        "rank": option.rank,
        "operatingSystem": operating_system(one),
        "licenseEdition": cast(Any, option.edition),
        "licenseModel": cast(Any, option.license_model),
    }
    if option.savings is not None:
        found["savingsOpportunity"] = savings_opportunity(option.savings, region)
    return found
