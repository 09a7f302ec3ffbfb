"""From the arrays that decided to the records that are stored."""

from datetime import date, datetime

from compute_optimizer.catalog.instance_types import InstanceTypes
from compute_optimizer.catalog.license_prices import LICENSE_PRICE_DATE
from compute_optimizer.catalog.prices import price_date
from compute_optimizer.engine.figures import known
from compute_optimizer.engine.savings import savings_of
from compute_optimizer.model.license import (
    BRING_YOUR_OWN,
    FREE,
    LICENSE_INCLUDED,
    LicensedInstance,
    LicenseOption,
    LicenseRecommendation,
)
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import HOURS_PER_MONTH, Finding
from compute_optimizer.resources.licenses.analysis import (
    LicenseAnalysis,
    license_of,
    wanted_edition,
)

NO_SETUP = "InvalidCloudWatchApplicationInsightsSetup"
NO_COUNT = "CloudWatchApplicationInsightsError"
OVERPROVISIONED = "LicenseOverprovisioned"
OPTIMIZED = "Optimized"
"""Enum LicenseFindingReasonCode."""


def recommendation_of(
    row: int,
    one: LicensedInstance,
    analysis: LicenseAnalysis,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> LicenseRecommendation:
    """Return the recommendation for one license whose cores are known."""
    finding, code = verdict_at(analysis, row)
    hourly = known(analysis.hourly_usd[row])
    return LicenseRecommendation(
        resource_arn=one.arn,
        account_id=one.account_id,
        name=one.name,
        tags=dict(one.tags),
        instance_type=one.instance_type,
        cores=int(analysis.vcpus[row]),
        platform=one.platform,
        license=license_of(one),
        finding=finding,
        finding_reason_codes=(code,),
        options=(_option(row, one, analysis),) if finding is Finding.NOT_OPTIMIZED else (),
        features_used=known(analysis.features_used[row]),
        lookback_days=float(preferences.lookback_days),
        preferences=preferences,
        last_refresh=as_of,
        monthly_usd=None if hourly is None else hourly * HOURS_PER_MONTH,
        price_date=None if hourly is None else price_date_of(one, analysis.types),
    )


def verdict_at(analysis: LicenseAnalysis, row: int) -> tuple[Finding, str]:
    """Return the finding of one license and its reason code."""
    if not analysis.measured[row]:
        code = NO_COUNT if analysis.watched[row] else NO_SETUP
        return Finding.INSUFFICIENT_METRICS, code
    if analysis.over[row]:
        return Finding.NOT_OPTIMIZED, OVERPROVISIONED
    return Finding.OPTIMIZED, OPTIMIZED


def _option(row: int, one: LicensedInstance, analysis: LicenseAnalysis) -> LicenseOption:
    """Return the smaller license; nobody sells the Developer edition with an instance."""
    own = license_of(one)
    edition = wanted_edition(own)
    return LicenseOption(
        edition=edition,
        license_model=BRING_YOUR_OWN if edition == FREE else own.license_model,
        rank=1,
        savings=savings_of(
            known(analysis.hourly_usd[row]), known(analysis.option_usd[row]), HOURS_PER_MONTH
        ),
    )


def price_date_of(one: LicensedInstance, types: InstanceTypes) -> date:
    """Return the date of the older of both prices."""
    if license_of(one).license_model != LICENSE_INCLUDED:
        return LICENSE_PRICE_DATE
    machine = price_date(types, one.region, one.platform)
    return min(LICENSE_PRICE_DATE, machine or LICENSE_PRICE_DATE)
