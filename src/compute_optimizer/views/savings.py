"""Savings in the spelling of the wire, the same for every resource type."""

from compute_optimizer.model import recommendation as model
from compute_optimizer.shapes import Currency, SavingsOpportunity

CHINA_PREFIX = "cn-"
"""Regions whose list prices are in CNY (spec 3.9)."""


def savings_opportunity(savings: model.Savings, region: str) -> SavingsOpportunity:
    """Return the savings of one option as a member of the answer."""
    currency: Currency = "CNY" if region.startswith(CHINA_PREFIX) else "USD"
    return {
        "savingsOpportunityPercentage": savings.percentage,
        "estimatedMonthlySavings": {"currency": currency, "value": savings.monthly_usd},
    }
