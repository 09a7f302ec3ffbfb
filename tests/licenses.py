"""Instances with SQL Server and what is said of their licenses, made by hand."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import structs
from numpy.typing import ArrayLike

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.model.license import (
    BRING_YOUR_OWN,
    ENTERPRISE,
    LICENSE_INCLUDED,
    STANDARD,
    LicensedInstance,
    LicenseOption,
    LicenseRecommendation,
    SqlServer,
)
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES, Preferences
from compute_optimizer.model.recommendation import Finding, Results, Savings
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.resources.license import recommend
from compute_optimizer.resources.licenses.analysis import FEATURES
from tests.fleets import ACCOUNT, AS_OF, REGION, shard
from tests.records import NOW, arn

INSIGHTS = f"arn:aws:applicationinsights:{REGION}:{ACCOUNT}:application/resource-group/sql"

MODELS = {"included": LICENSE_INCLUDED, "own": BRING_YOUR_OWN}


def licensed(number: int, instance_type: str, **others: Any) -> LicensedInstance:
    """Return an instance on Windows with an Enterprise edition that AWS sells, unless told else."""
    region = others.pop("region", REGION)
    account = others.pop("account", ACCOUNT)
    own = {
        name: others.pop(name)
        for name in ("version", "metrics_source_arn", "features", "production")
        if name in others
    }
    sql_server = SqlServer(
        edition=others.pop("edition", ENTERPRISE),
        license_model=MODELS[others.pop("model", "included")],
        **own,
    )
    return LicensedInstance(
        arn=arn(number, account, region),
        account_id=account,
        region=region,
        resource_type=EC2_INSTANCE,
        resource_id=f"i-{number:017x}",
        instance_type=instance_type,
        sql_server=sql_server,
        **{"name": f"sql-{number}", "platform": "windows", **others},
    )


def analyzed_licenses(
    instances: Sequence[LicensedInstance],
    series: Mapping[MetricKey, ArrayLike],
    preferences: Preferences = DEFAULT_PREFERENCES,
) -> Results[LicenseRecommendation]:
    samples, types = shard(instances, series), load_instance_types()
    return recommend(instances, samples, types, as_of=AS_OF, preferences=preferences)


def recommended_license(
    one: LicensedInstance, features_used: ArrayLike = 0
) -> LicenseRecommendation:
    """Return the recommendation for a license, of whose features so many were in use."""
    (found,) = analyzed_licenses([one], {FEATURES: features_used}).recommendations
    return found


BY_HAND = LicenseRecommendation(
    resource_arn=arn(1, ACCOUNT),
    account_id=ACCOUNT,
    name="sql-1",
    tags={"team": "data"},
    instance_type="m5.xlarge",
    cores=4,
    platform="windows",
    license=SqlServer(ENTERPRISE, LICENSE_INCLUDED, "2019", INSIGHTS),
    finding=Finding.NOT_OPTIMIZED,
    finding_reason_codes=("LicenseOverprovisioned",),
    # m5.xlarge on Windows costs 0.376 USD an hour, 4 vCPUs of Enterprise 1.50, of Standard 0.48:
    # 1.02 of 1.876 USD are saved, 730 hours a month.
    options=(LicenseOption(STANDARD, LICENSE_INCLUDED, 1, Savings(54.371, 744.6)),),
    features_used=0.0,
    lookback_days=14.0,
    preferences=DEFAULT_PREFERENCES,
    last_refresh=NOW,
    monthly_usd=1369.48,
    price_date=date(2025, 10, 15),
)


def license_recommendation(number: int = 1, **changes: Any) -> LicenseRecommendation:
    """Return the recommendation of a license, like BY_HAND but for the changes."""
    changes.setdefault("account_id", ACCOUNT)
    changes.setdefault("resource_arn", arn(number, changes["account_id"]))
    return structs.replace(BY_HAND, **{"name": f"sql-{number}", **changes})
