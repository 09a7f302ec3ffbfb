"""What licenses of SQL Server cost on EC2: a rate for each vCPU and hour, the same in all Regions.

The Amazon EC2 User Guide ("Optimize CPUs for License-Included instances") lists a vCPU-hour of
Windows Server at 0.046 USD, with SQL Server Enterprise at 0.421 and with Standard at 0.166. The
difference to Windows alone is the license.
"""

from collections.abc import Mapping
from datetime import date
from math import nan
from types import MappingProxyType

from compute_optimizer.model.license import ENTERPRISE, FREE, STANDARD

VCPU_HOUR_USD: Mapping[str, float] = MappingProxyType(
    {ENTERPRISE: 0.375, STANDARD: 0.120, FREE: 0.0}
)
"""USD for an hour of a vCPU by edition."""

LICENSE_PRICE_DATE = date(2025, 10, 15)
"""The newest day that the page of the guide mentions."""

LEAST_VCPUS = 4
"""vCPUs that are paid for on smaller instances, too (Microsoft's licensing guide for SQL Server:
at least four cores of every virtual machine)."""

UNPRICED_PREFIX = "cn-"
"""Regions of China, whose prices are in CNY: there is no figure."""

STANDARD_MOST_VCPUS = 48
"""vCPUs that the Standard edition uses at most (spec 6.7): more are a feature of Enterprise."""


def vcpu_hour_usd(edition: str, region: str) -> float:
    """Return USD for a licensed vCPU and hour; NaN where there is no figure."""
    if region.startswith(UNPRICED_PREFIX):
        return nan
    return VCPU_HOUR_USD.get(edition, nan)
