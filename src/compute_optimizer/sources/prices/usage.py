"""Usage types of the AWS Price List that are the price of a rate, without their Region."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from compute_optimizer.catalog.own_prices import EBS, FARGATE, LAMBDA, RDS_STORAGE, VPC
from compute_optimizer.catalog.rates import (
    GB_HOUR,
    GB_SECOND,
    GIB,
    HOUR,
    IOPS,
    MIBPS,
    MILLION_IO,
    MILLION_OPERATIONS,
    NAT_GATEWAY,
    REQUEST,
    VCPU_HOUR,
)
from compute_optimizer.model.database import AURORA_IO_OPTIMIZED, AURORA_STANDARD
from compute_optimizer.model.units import MIB_PER_GIB

MILLION = 1e6

Units = Mapping[str, float]
"""Units of a list in lower case, and by what a price is multiplied for the rate's own."""

GB_MONTH: Units = MappingProxyType({"gb-mo": 1.0, "gb-month": 1.0})
IOPS_MONTH: Units = MappingProxyType({"iops-mo": 1.0, "iops-month": 1.0})
FLOW_MONTH: Units = MappingProxyType(
    {"gibps-mo": 1 / MIB_PER_GIB, "mibps-mo": 1.0, "mbps-mo": 1.0, "mbps-month": 1.0}
)
EACH: Units = MappingProxyType({"ios": MILLION})
HOURS: Units = MappingProxyType({"hrs": 1.0, "hours": 1.0, "gb-hours": 1.0, "vcpu-hours": 1.0})
SECONDS: Units = MappingProxyType(
    {"lambda-gb-second": 1.0, "lambda-gb-seconds": 1.0, "gb-second": 1.0, "seconds": 1.0}
)
REQUESTS: Units = MappingProxyType({"request": 1.0, "requests": 1.0, "lambda-requests": 1.0})


@dataclass(frozen=True, slots=True)
class Usage:
    """What a usage type is the price of."""

    rate: tuple[str, str, str]
    """Product, what of it, and the rate's name, as `catalog.rates` has them."""
    units: Units
    part: str = ""
    """Of a rate that is the sum of several lines."""


_VOLUME_NAMES = {
    "gp2": "gp2",
    "gp3": "gp3",
    "piops": "io1",
    "io2": "io2",
    "st1": "st1",
    "sc1": "sc1",
}
"""Types of volumes as usage types end, and as EC2 names them."""

VOLUME_USAGE: Mapping[str, Usage] = MappingProxyType(
    {
        "EBS:VolumeUsage": Usage((EBS, "standard", GIB), GB_MONTH),
        "EBS:VolumeIOUsage": Usage((EBS, "standard", MILLION_OPERATIONS), EACH),
        "EBS:VolumeP-Throughput.gp3": Usage((EBS, "gp3", MIBPS), FLOW_MONTH),
        "NatGateway-Hours": Usage((VPC, NAT_GATEWAY, HOUR), HOURS),
        **{
            f"EBS:VolumeUsage.{name}": Usage((EBS, kind, GIB), GB_MONTH)
            for name, kind in _VOLUME_NAMES.items()
        },
        **{
            f"EBS:VolumeP-IOPS.{name}": Usage((EBS, _VOLUME_NAMES[name], IOPS), IOPS_MONTH)
            for name in ("gp3", "piops", "io2")
        },
    }
)

LAMBDA_USAGE: Mapping[str, Usage] = MappingProxyType(
    {
        "Lambda-GB-Second": Usage((LAMBDA, "x86_64", GB_SECOND), SECONDS),
        "Lambda-GB-Second-ARM": Usage((LAMBDA, "arm64", GB_SECOND), SECONDS),
        "Request": Usage((LAMBDA, "x86_64", REQUEST), REQUESTS),
        "Request-ARM": Usage((LAMBDA, "arm64", REQUEST), REQUESTS),
    }
)

ECS_USAGE: Mapping[str, Usage] = MappingProxyType(
    {
        "Fargate-vCPU-Hours:perCPU": Usage((FARGATE, "linux x86_64", VCPU_HOUR), HOURS),
        "Fargate-GB-Hours": Usage((FARGATE, "linux x86_64", GB_HOUR), HOURS),
        "Fargate-ARM-vCPU-Hours:perCPU": Usage((FARGATE, "linux arm64", VCPU_HOUR), HOURS),
        "Fargate-ARM-GB-Hours": Usage((FARGATE, "linux arm64", GB_HOUR), HOURS),
        "Fargate-Windows-vCPU-Hours:perCPU": Usage(
            (FARGATE, "windows x86_64", VCPU_HOUR), HOURS, "vCPU"
        ),
        "Fargate-Windows-OS-Hours:perCPU": Usage(
            (FARGATE, "windows x86_64", VCPU_HOUR), HOURS, "license"
        ),
        "Fargate-Windows-GB-Hours": Usage((FARGATE, "windows x86_64", GB_HOUR), HOURS),
    }
)

_ZONES = {"": "single-az", "Multi-AZ-": "multi-az"}

_DISK_USAGE = {
    "GP2-Storage": ("gp2", GIB, GB_MONTH),
    "GP3-Storage": ("gp3", GIB, GB_MONTH),
    "PIOPS-Storage": ("io1", GIB, GB_MONTH),
    "PIOPS-Storage-IO2": ("io2", GIB, GB_MONTH),
    "StorageUsage": ("standard", GIB, GB_MONTH),
    "GP3-PIOPS": ("gp3", IOPS, IOPS_MONTH),
    "PIOPS": ("io1", IOPS, IOPS_MONTH),
    "IO2-PIOPS": ("io2", IOPS, IOPS_MONTH),
    "GP3-Throughput": ("gp3", MIBPS, FLOW_MONTH),
}

RDS_USAGE: Mapping[str, Usage] = MappingProxyType(
    {
        "Aurora:StorageUsage": Usage((RDS_STORAGE, AURORA_STANDARD, GIB), GB_MONTH),
        "Aurora:StorageIOUsage": Usage((RDS_STORAGE, AURORA_STANDARD, MILLION_IO), EACH),
        "Aurora:IO-OptimizedStorageUsage": Usage((RDS_STORAGE, AURORA_IO_OPTIMIZED, GIB), GB_MONTH),
        **{
            f"RDS:{zones}{name}": Usage((RDS_STORAGE, f"{deployment} {kind}", rate), units)
            for zones, deployment in _ZONES.items()
            for name, (kind, rate, units) in _DISK_USAGE.items()
        },
    }
)
