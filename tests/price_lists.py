"""Price lists as AWS writes them: five lines about the file, the names of the columns, prices."""

import csv
from collections.abc import Sequence
from pathlib import Path

EC2_COLUMNS = (
    "SKU",
    "OfferTermCode",
    "TermType",
    "Unit",
    "PricePerUnit",
    "Currency",
    "Instance Type",
    "Tenancy",
    "Operating System",
    "License Model",
    "CapacityStatus",
    "Pre Installed S/W",
    "Storage",
    "Region Code",
    "usageType",
    "StartingRange",
)
"""Some of the 90; the loader goes by name."""

RDS_COLUMNS = (
    "SKU",
    "TermType",
    "Unit",
    "PricePerUnit",
    "Currency",
    "Instance Type",
    "License Model",
    "Deployment Option",
    "Database Engine",
    "Storage",
    "Region Code",
    "usageType",
    "StartingRange",
)

RATE_COLUMNS = (
    "SKU",
    "TermType",
    "Unit",
    "PricePerUnit",
    "Currency",
    "Region Code",
    "usageType",
    "StartingRange",
)
"""All that lists of services without types need."""


def rate_row(usage_type: str, unit: str, usd: str, **changed: str) -> dict[str, str]:
    """Return the line of something that is paid by its use in us-east-1, of any service."""
    row = {
        "SKU": "SKU3",
        "TermType": "OnDemand",
        "Unit": unit,
        "PricePerUnit": usd,
        "Currency": "USD",
        "Region Code": "us-east-1",
        "usageType": usage_type,
        "StartingRange": "0",
    }
    return row | {name.replace("_", " "): value for name, value in changed.items()}


def ec2_row(instance_type: str, usd: str, **changed: str) -> dict[str, str]:
    """Return the line of an instance type on demand in us-east-1; names may hold underscores."""
    row = {
        "SKU": "SKU1",
        "OfferTermCode": "JRTCKXETXF",
        "TermType": "OnDemand",
        "Unit": "Hrs",
        "PricePerUnit": usd,
        "Currency": "USD",
        "Instance Type": instance_type,
        "Tenancy": "Shared",
        "Operating System": "Linux",
        "License Model": "No License required",
        "CapacityStatus": "Used",
        "Pre Installed S/W": "NA",
        "Storage": "EBS only",
        "Region Code": "us-east-1",
        "usageType": f"BoxUsage:{instance_type}",
        "StartingRange": "0",
    }
    return row | {name.replace("_", " "): value for name, value in changed.items()}


def rds_row(db_class: str, usd: str, **changed: str) -> dict[str, str]:
    """Return the line of a MySQL class in one zone of us-east-1."""
    row = {
        "SKU": "SKU2",
        "TermType": "OnDemand",
        "Unit": "Hrs",
        "PricePerUnit": usd,
        "Currency": "USD",
        "Instance Type": db_class,
        "License Model": "No license required",
        "Deployment Option": "Single-AZ",
        "Database Engine": "MySQL",
        "Storage": "EBS Only",
        "Region Code": "us-east-1",
        "usageType": f"InstanceUsage:{db_class}",
        "StartingRange": "0",
    }
    return row | {name.replace("_", " "): value for name, value in changed.items()}


def write_list(
    path: Path,
    rows: Sequence[dict[str, str]],
    *,
    offer: str = "AmazonEC2",
    columns: Sequence[str] = EC2_COLUMNS,
    published: str = "2026-11-20T08:00:00Z",
) -> Path:
    """Write a list and return its path."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["FormatVersion", "v1.0"])
        writer.writerow(["Disclaimer", "For information only"])
        writer.writerow(["Publication Date", published])
        writer.writerow(["Version", "20261120080000"])
        writer.writerow(["OfferCode", offer])
        writer.writerow(columns)
        for row in rows:
            writer.writerow([row.get(name, "") for name in columns])
    return path
