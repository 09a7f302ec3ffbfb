"""Savings at effective rates: what somebody pays who has commitments and contracts."""

from dataclasses import dataclass

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.savings import monthly_savings


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """Options and the resources that they are for, one row an option; prices are USD an hour."""

    listed_now: Floats
    listed: Floats
    """Of the option."""
    billed_now: Floats
    """NaN where the present type was not billed."""
    factor: Floats
    """Of the whole product."""
    family_factor: Floats
    """NaN where no reservation follows sizes inside the family."""
    movable_factor: Floats
    same_family: Booleans
    unchanged: Booleans
    """The option is the present type."""


def effective_rates(rated: Rated) -> tuple[Floats, Floats]:
    """Return USD an hour of the present types and of the options, (options,).

    A reservation follows inside the family; to another one only Savings Plans and contracts go.
    """
    now = np.where(np.isnan(rated.billed_now), rated.listed_now * rated.factor, rated.billed_now)
    factor = np.where(follows(rated), rated.family_factor, rated.movable_factor)
    option: Floats = np.where(rated.unchanged, now, rated.listed * factor)
    return now, option


def follows(rated: Rated) -> Booleans:
    """Return to which options a reservation of the present type would follow, (options,)."""
    within: Booleans = rated.same_family & ~np.isnan(rated.family_factor)
    return within | rated.unchanged


def savings_after_discounts(rated: Rated) -> tuple[Floats, Floats]:
    """Return USD a month of one machine and percent of its effective price, each (options,)."""
    return monthly_savings(*effective_rates(rated))
