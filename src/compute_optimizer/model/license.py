"""Licenses of SQL Server: what the inventory knows of one, and what an analysis says about it.

A license is no resource of its own: it is what an instance has. So the inventory keeps one row for
the instance, with the license in it, and both types read their own part of that row.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import msgspec

from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Finding, Savings
from compute_optimizer.model.resource import Resource

ENTERPRISE: Final = "Enterprise"
STANDARD: Final = "Standard"
FREE: Final = "Free"
"""Developer and Express."""
NO_EDITION: Final = "NoLicenseEditionFound"
EDITIONS = (ENTERPRISE, STANDARD, FREE, NO_EDITION)
"""Enum LicenseEdition."""

LICENSE_INCLUDED: Final = "LicenseIncluded"
BRING_YOUR_OWN: Final = "BringYourOwnLicense"
SQL_SERVER: Final = "SQLServer"
"""The one name of enum LicenseName."""

ENTERPRISE_FEATURES = (
    "buffer-pool-extension",
    "more-than-48-vcpus",
    "always-on-databases",
    "asynchronous-commit",
    "read-only-replicas",
    "asynchronous-mirroring",
    "memory-optimized-tempdb",
    "r-or-python",
    "peer-to-peer-replication",
    "resource-governor",
)
"""Our words for what only the Enterprise edition can do (spec 6.7): over 128 GB of buffer pool
extension, over 48 vCPUs, Always On with more than one database, and so on."""


class SqlServer(msgspec.Struct, frozen=True, gc=False):
    """The SQL Server on an instance."""

    edition: str
    """One of EDITIONS."""
    license_model: str = BRING_YOUR_OWN
    version: str = ""
    """Such as 2019; empty where unknown."""
    metrics_source_arn: str | None = None
    """Of the CloudWatch Application Insights component that counts its features; None where none is
    set up, as far as is known."""
    features: tuple[str, ...] | None = None
    """Of ENTERPRISE_FEATURES those in use, as somebody stated; None where nobody did."""
    production: bool = True
    """Whether it serves production, which the Developer edition must not."""


@dataclass(frozen=True, slots=True)
class LicensedInstance(Resource):
    """An instance of the inventory with SQL Server on it."""

    sql_server: SqlServer | None = None
    """Never None; a member with a default, because it follows members with one."""


class LicenseOption(msgspec.Struct, frozen=True):
    """The license that would do."""

    edition: str
    license_model: str
    rank: int
    savings: Savings | None
    """None where a price is unknown."""


class LicenseRecommendation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The recommendation for the SQL Server license of one instance."""

    resource_arn: str
    """Of the instance."""
    account_id: str
    name: str
    tags: dict[str, str]
    instance_type: str
    cores: int
    """vCPUs, each of which needs a license."""
    platform: str
    """As of instances: linux, windows, rhel or suse."""
    license: SqlServer
    finding: Finding
    """Optimized, NotOptimized or InsufficientMetrics."""
    finding_reason_codes: tuple[str, ...]
    options: tuple[LicenseOption, ...]
    """At most one."""
    features_used: float | None
    """The highest number that was counted in the look-back period; None where nobody counted."""
    lookback_days: float
    preferences: Preferences
    last_refresh: datetime
    monthly_usd: float | None
    """What the savings are a share of: the instance with its license where AWS sells both, the
    license alone where the owner brings it; None where unknown."""
    price_date: date | None
    """Of the oldest figure in it; None without any."""
