"""Generated bills: files of CUR 2.0 and FOCUS with lines that tests write down."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.enrolling import ALPHA

CUR_LINE = {
    "line_item_usage_account_id": ALPHA,
    "product_region_code": "us-east-1",
    "line_item_line_item_type": "Usage",
    "line_item_usage_type": "BoxUsage:m5.large",
    "line_item_operation": "RunInstances",
    "line_item_usage_start_date": "2026-03-01T00:00:00.000Z",
    "line_item_currency_code": "USD",
    "line_item_usage_amount": "1",
    "pricing_public_on_demand_cost": "1",
    "line_item_unblended_cost": "1",
    "line_item_net_unblended_cost": "",
    "reservation_effective_cost": "0",
    "savings_plan_savings_plan_effective_cost": "0",
}
"""Of CUR 2.0: an hour of one instance at list price."""

FOCUS_LINE = {
    "SubAccountId": ALPHA,
    "RegionId": "us-east-1",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-03-01T00:00:00Z",
    "BillingCurrency": "USD",
    "PricingQuantity": "1",
    "ListCost": "1",
    "EffectiveCost": "1",
    "CommitmentDiscountCategory": "",
    "CommitmentDiscountStatus": "",
    "x_UsageType": "BoxUsage:m5.large",
    "x_Operation": "RunInstances",
}
"""The same of FOCUS."""

Line = dict[str, str]


def cur(usage_type: str, hours: float, listed: float, paid: float, **others: str) -> Line:
    """Return a line of CUR 2.0 that nothing covers."""
    told = {
        "line_item_usage_type": usage_type,
        "line_item_usage_amount": str(hours),
        "pricing_public_on_demand_cost": str(listed),
        "line_item_unblended_cost": str(paid),
    }
    return CUR_LINE | told | others


def reserved(usage_type: str, hours: float, listed: float, paid: float, **others: str) -> Line:
    """Return a line of CUR 2.0 that a reservation covers: its unblended cost is nothing."""
    covered = {
        "line_item_line_item_type": "DiscountedUsage",
        "reservation_effective_cost": str(paid),
    }
    return cur(usage_type, hours, listed, 0) | covered | others


def planned(usage_type: str, hours: float, listed: float, paid: float, **others: str) -> Line:
    """Return a line of CUR 2.0 that a Savings Plan covers: its unblended cost is that at list."""
    covered = {
        "line_item_line_item_type": "SavingsPlanCoveredUsage",
        "savings_plan_savings_plan_effective_cost": str(paid),
    }
    return cur(usage_type, hours, listed, listed) | covered | others


def focus(usage_type: str, hours: float, listed: float, paid: float, **others: str) -> Line:
    """Return a line of FOCUS that nothing covers."""
    told = {
        "x_UsageType": usage_type,
        "PricingQuantity": str(hours),
        "ListCost": str(listed),
        "EffectiveCost": str(paid),
    }
    return FOCUS_LINE | told | others


def write_bill(path: Path, lines: Iterable[Mapping[str, str]]) -> Path:
    """Write lines as a CSV file."""
    rows = list(lines)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
