"""Prices by what is used rather than by the hour of a type: rates, own ones over shipped ones.

Each market has rates by name, such as USD a month for a GiB of gp3. Shipped figures come from a
table of each product; own ones lie over them here, for all products alike.
"""

from collections.abc import Mapping
from types import MappingProxyType

from compute_optimizer.catalog.own_prices import (
    EBS,
    FARGATE,
    LAMBDA,
    RDS_STORAGE,
    VPC,
    OwnPrices,
    PriceMarket,
)
from compute_optimizer.model.database import AURORA_IO_OPTIMIZED, AURORA_STANDARD
from compute_optimizer.model.lambda_function import ARCHITECTURES

GIB, IOPS, MIBPS = "gib", "iops", "mibps"
"""USD a month for a GiB, and for one of the IOPS and a MiB/s beyond what the storage includes."""

MILLION_OPERATIONS, MILLION_IO = "million_operations", "million_io"
"""USD for a million operations of a volume, and I/Os of Aurora."""

GB_SECOND, REQUEST = "gb_second", "request"
"""USD for 1,024 MB of a function over a second, and for one request, in the first tier."""

VCPU_HOUR, GB_HOUR = "vcpu_hour", "gb_hour"
"""USD for 1,024 CPU units of a task, with the licence of Windows, and for 1,024 MiB."""

HOUR = "hour"
"""USD, whatever is done in it."""

NAT_GATEWAY = "nat-gateway"

_DISKS = (GIB, IOPS, MIBPS)

RATES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        EBS: {
            "gp2": (GIB,),
            "gp3": _DISKS,
            "io1": (GIB, IOPS),
            "io2": (GIB, IOPS),
            "st1": (GIB,),
            "sc1": (GIB,),
            "standard": (GIB, MILLION_OPERATIONS),
        },
        LAMBDA: dict.fromkeys(ARCHITECTURES, (GB_SECOND, REQUEST)),
        FARGATE: dict.fromkeys(
            ("linux x86_64", "linux arm64", "windows x86_64"), (VCPU_HOUR, GB_HOUR)
        ),
        VPC: {NAT_GATEWAY: (HOUR,)},
        RDS_STORAGE: {
            **{
                f"{zones} {kind}": rates
                for zones in ("single-az", "multi-az")
                for kind, rates in (
                    ("gp2", (GIB,)),
                    ("gp3", _DISKS),
                    ("io1", (GIB, IOPS)),
                    ("io2", (GIB, IOPS)),
                    ("standard", (GIB,)),
                )
            },
            AURORA_STANDARD: (GIB, MILLION_IO),
            AURORA_IO_OPTIMIZED: (GIB, MILLION_IO),
        },
    }
)
"""The rates that are read, by product and what they are for."""


def own_over(
    shipped: Mapping[str, float], own: OwnPrices, market: PriceMarket
) -> Mapping[str, float]:
    """Return the rates of a market by name: own ones in the place of shipped ones."""
    found = own.of(market)
    return {**shipped, **{name: one.usd for name, one in found.items()}} if found else shipped
