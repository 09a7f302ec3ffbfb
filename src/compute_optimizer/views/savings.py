"""Savings in the spelling of the wire, the same for every resource type."""

from compute_optimizer.model import recommendation as model
from compute_optimizer.shapes import Currency, SavingsOpportunity

CHINA_PREFIX = "cn-"
"""Regions whose list prices are in CNY (spec 3.9)."""


def currency_of(region: str) -> Currency:
    """Return the currency of a Region's list prices."""
    return "CNY" if region.startswith(CHINA_PREFIX) else "USD"


def savings_opportunity(savings: model.Savings, region: str) -> SavingsOpportunity:
    """Return the savings of one option as a member of the answer."""
    return {
        "savingsOpportunityPercentage": savings.percentage,
        "estimatedMonthlySavings": {
            "currency": currency_of(region),
            "value": savings.monthly_usd,
        },
    }
