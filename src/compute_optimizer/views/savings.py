"""Savings in the spelling of the wire, the same for every resource type."""

from typing import Any

from compute_optimizer.model import recommendation as model
from compute_optimizer.shapes import Currency, SavingsOpportunity

CHINA_PREFIX = "cn-"
"""Regions whose list prices are in CNY (spec 3.9)."""


def currency_of(region: str) -> Currency:
    """Return the currency of a Region's list prices."""
    return "CNY" if region.startswith(CHINA_PREFIX) else "USD"


BILLED, LISTED = "CostOptimizationHub", "PublicPricing"
"""Where savings after discounts come from (enum SavingsEstimationModeSource)."""


def estimation_source(one: Any) -> Any:
    """Return the source of a recommendation's savings after discounts (spec 3.9, assumed)."""
    return LISTED if getattr(one, "discounts", None) is None else BILLED


def listed_savings(option: Any) -> model.Savings | None:
    """Return what an option saves at list prices.

    Takes an option, what idles, or the cells of an export that hold an option.
    """
    found: model.Savings | None = getattr(option, "option", option).savings
    return found


def after_discounts(option: Any) -> model.Savings | None:
    """Return what the same saves after discounts: without any, as much as at list prices."""
    held = getattr(option, "option", option)
    return getattr(held, "after_discounts", None) or listed_savings(option)


def savings_members(option: Any, region: str) -> Any:
    """Return both savings of an option, or of what idles, as members of the answer.

    Without discounts both figures are the On-Demand ones (spec 3.9); none where no price is known.
    """
    if option.savings is None:
        return {}
    listed = discounted = savings_opportunity(option.savings, region)
    after = after_discounts(option)
    # Mostly there are no discounts, and then one object stands for both.
    if after is not None and after is not option.savings:
        discounted = savings_opportunity(after, region)
    return {"savingsOpportunity": listed, "savingsOpportunityAfterDiscounts": discounted}


def savings_opportunity(savings: model.Savings, region: str) -> SavingsOpportunity:
    """Return the savings of one option as a member of the answer."""
    return {
        "savingsOpportunityPercentage": savings.percentage,
        "estimatedMonthlySavings": {
            "currency": currency_of(region),
            "value": savings.monthly_usd,
        },
    }
