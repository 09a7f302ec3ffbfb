"""From a usage type and an operation, as bills have them, to what was used.

Which of it is verified, documented or assumed: docs/prices.md.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from compute_optimizer.catalog.own_prices import EBS, EC2, FARGATE, LAMBDA, RDS

PLATFORMS: Mapping[str, str] = MappingProxyType(
    {
        "RunInstances": "linux",
        "RunInstances:0002": "windows",
        "RunInstances:0010": "rhel",
        "RunInstances:000g": "suse",
    }
)
"""Platforms by operation. Those with databases or licenses of one's own are left out: their rates
are not those of the platform alone."""

ENGINES: Mapping[str, str] = MappingProxyType(
    {
        "CreateDBInstance:0002": "mysql",
        "CreateDBInstance:0014": "postgres",
        "CreateDBInstance:0016": "aurora-mysql",
        "CreateDBInstance:0018": "mariadb",
        "CreateDBInstance:0021": "aurora-postgresql",
    }
)
"""Engines by operation, as the inventory has them."""

PREFIX = r"(?:[A-Z]{2,4}\d?-)?"
"""Of the Region in front of a usage type, such as USE2-, EU- or APN1-; us-east-1 has none."""

INSTANCE = re.compile(PREFIX + r"BoxUsage:(?P<name>[a-z0-9-]{1,20}\.[a-z0-9-]{1,20})")
CLASS = re.compile(
    PREFIX + r"(?P<zones>InstanceUsage|Multi-AZUsage):(?P<name>db\.[a-z0-9.-]{1,40})"
)
SHORT_SIZE = re.compile(r"(?<=[.\d])xl$")
"""RDS shortens sizes: db.r5.2xl is db.r5.2xlarge."""

WHOLE = (
    (EBS, re.compile(PREFIX + r"EBS:Volume(Usage|P-IOPS|P-Throughput|IOUsage).*")),
    (LAMBDA, re.compile(PREFIX + r"Lambda-(Provisioned-)?GB-Second.*")),
    (FARGATE, re.compile(PREFIX + r"Fargate-(ARM-)?(vCPU|GB)-Hours.*")),
)
"""What is billed without a type. Fargate Spot has prices of its own and is left out."""

ZONES = MappingProxyType({"InstanceUsage": 1, "Multi-AZUsage": 2})
"""Hours in one zone that one billed hour stands for: a standby is a second instance."""


class Used(NamedTuple):
    """What a line of a bill is for."""

    product: str
    platform: str
    name: str
    hours: int
    """That one unit of the line stands for."""


@cache
def used(usage_type: str, operation: str) -> Used | None:
    """Return what was used; None for what no recommendation is about."""
    if match := INSTANCE.fullmatch(usage_type):
        platform = PLATFORMS.get(operation)
        return None if platform is None else Used(EC2, platform, match["name"], 1)
    if match := CLASS.fullmatch(usage_type):
        engine = ENGINES.get(operation)
        name = SHORT_SIZE.sub("xlarge", match["name"])
        return None if engine is None else Used(RDS, engine, name, ZONES[match["zones"]])
    for product, pattern in WHOLE:
        if pattern.fullmatch(usage_type):
            return Used(product, "", "", 1)
    return None
