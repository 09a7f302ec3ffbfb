"""Savings after discounts, written into recommendations that were made at list prices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import Any

import numpy as np
from msgspec import structs

from compute_optimizer.catalog.effective_rates import AccountRates, TypeRates, rate_family
from compute_optimizer.catalog.own_prices import EC2, RDS, PriceMarket
from compute_optimizer.engine.discounts import (
    Rated,
    effective_rates,
    follows,
    savings_after_discounts,
)
from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.database import DatabaseRecommendation
from compute_optimizer.model.options import first_option
from compute_optimizer.model.recommendation import (
    HOURS_PER_MONTH,
    Discounts,
    Ec2InstanceRecommendation,
    IdleRecommendation,
    Recommendation,
    Results,
    Savings,
)
from compute_optimizer.model.resource import Resource


@dataclass(frozen=True, slots=True)
class Billing:
    """How recommendations of one type are paid for."""

    product: str
    options: str
    """The member that holds the options that are billed by type."""
    platform: Callable[[Any], str]
    """Of a resource, as PriceMarket has it."""
    current: Callable[[Any], tuple[str | None, float | None]]
    """Of a recommendation: type and USD an hour at list."""
    option_name: Callable[[Any], str]
    copies: Callable[[Any], int] = lambda resource: 1
    """Of a resource: how many hours are billed in one, as for a standby."""
    machines: Callable[[Any], int] = lambda one: 1
    """Of a recommendation: how many of its machines the savings are for."""
    rated: Callable[[Any], float] | None = None
    """Of a recommendation: USD a month at list of what its rate is for, where other things idle
    with it that stay at list prices; None where nothing does."""


MACHINES = Billing(
    product=EC2,
    options="options",
    platform=lambda resource: resource.platform,
    current=lambda one: (one.current_instance_type, one.current_hourly_usd),
    option_name=lambda option: option.instance_type,
)

GROUPS = replace(MACHINES, machines=lambda group: group.configuration.desired_capacity)

DATABASES = Billing(
    product=RDS,
    options="instance_options",
    platform=lambda database: database.engine,
    current=lambda one: (one.db_class, one.hourly_usd),
    option_name=lambda option: option.db_class,
    copies=lambda database: 2 if database.multi_az else 1,
    # Reservations are of the class; storage stays at list prices.
    rated=lambda one: one.hourly_usd * HOURS_PER_MONTH,
)

BILLED_BY_TYPE: Mapping[type, Billing] = {
    Ec2InstanceRecommendation: MACHINES,
    AutoScalingGroupRecommendation: GROUPS,
    DatabaseRecommendation: DATABASES,
}
"""By the record of a recommendation; whatever else is rated has one factor for its product."""


Discounted = Callable[[Results[Any], Sequence[Resource], AccountRates], Results[Any]]


@dataclass(frozen=True, slots=True)
class _Row:
    """One option, with what it would replace."""

    one: Any
    option: Any
    name: str
    listed: float
    rates: TypeRates
    copies: int


def by_type(billing: Billing) -> Discounted:
    """Return the function that writes effective rates into recommendations of a type."""

    def discounted(
        found: Results[Any], resources: Sequence[Resource], rates: AccountRates
    ) -> Results[Any]:
        told = with_type_rates(found, resources, rates, billing)
        return with_idle_rates(told, rates.factor(billing.product), billing.rated)

    return discounted


def by_factor(product: str) -> Discounted:
    """Return the function for a type whose product has one factor, whatever is used of it."""

    def discounted(
        found: Results[Any], resources: Sequence[Resource], rates: AccountRates
    ) -> Results[Any]:
        factor = rates.factor(product)
        if factor is None:
            return found
        told = tuple(
            structs.replace(
                one,
                discounts=Discounts(factor),
                options=tuple(
                    structs.replace(option, after_discounts=_times(option.savings, factor))
                    for option in one.options
                ),
            )
            for one in found.recommendations
        )
        return with_idle_rates(replace(found, recommendations=told), factor)

    return discounted


def with_idle_rates(
    found: Results[Any], factor: float | None, rated: Callable[[Any], float] | None = None
) -> Results[Any]:
    """Return the results with what idles at what is paid for it, else at the product's factor.

    `rated` is that of Billing. What part of the savings has a rate only a recommendation tells:
    without one they stay at list prices.
    """
    if factor is None or not found.idle:
        return found
    known = {one.resource_arn: one for one in found.recommendations if one.discounts}

    def after(one: IdleRecommendation) -> Savings | None:
        billed = known.get(one.resource_arn)
        if billed is None:
            return _times(one.savings, factor) if rated is None else None
        if rated is None:
            return _times(one.savings, billed.discounts.factor)
        return _partly(one.savings, billed.discounts.factor, rated(billed))

    return replace(
        found, idle=tuple(structs.replace(one, after_discounts=after(one)) for one in found.idle)
    )


def _partly(savings: Savings | None, factor: float, rated: float) -> Savings | None:
    """Return savings of which only so many USD a month are paid at another rate."""
    if savings is None:
        return None
    part = min(rated, savings.monthly_usd)
    return Savings(savings.percentage, part * factor + savings.monthly_usd - part)


def _times(savings: Savings | None, factor: float) -> Savings | None:
    """Return savings at another rate for all that is paid: the percentage stays."""
    return savings and Savings(savings.percentage, savings.monthly_usd * factor)


def with_type_rates(
    found: Results[Any], resources: Sequence[Resource], rates: AccountRates, billing: Billing
) -> Results[Any]:
    """Return the results with what each option saves at effective rates.

    What the account was not billed for stays at list prices.
    """
    by_arn = {resource.arn: resource for resource in resources}
    known: dict[tuple[PriceMarket, str], TypeRates | None] = {}
    rows: list[_Row] = []
    for one in found.recommendations:
        name, listed = billing.current(one)
        resource = by_arn[one.resource_arn]
        if name is None or listed is None:
            continue
        market = PriceMarket(billing.product, resource.region, billing.platform(resource))
        if (market, name) not in known:
            known[market, name] = rates.of(market, name)
        if (of_type := known[market, name]) is not None:
            copies = billing.copies(resource)
            # The present type stands last, so that it is rated where there are no options, too.
            options = (*getattr(one, billing.options), None)
            rows += [_Row(one, option, name, listed, of_type, copies) for option in options]
    return _written(found, rows, billing) if rows else found


def _written(found: Results[Any], rows: Sequence[_Row], billing: Billing) -> Results[Any]:
    rated = _rated(rows, billing)
    now = effective_rates(rated)[0].tolist()
    monthly, percentage = (figures.tolist() for figures in savings_after_discounts(rated))
    leaving = (~follows(rated)).tolist()
    options: dict[str, list[Any]] = {}
    discounts: dict[str, Discounts] = {}
    columns = zip(rows, now, monthly, percentage, leaving, strict=True)
    for row, paid, usd, percent, leaves in columns:
        arn, times = row.one.resource_arn, billing.machines(row.one)
        if row.option is None:
            factor = paid / row.listed if row.listed else 1.0
            discounts[arn] = Discounts(factor, row.rates.reserved_share)
            continue
        after = None if isnan(usd) else Savings(percent, usd * times)
        stays = _stranded(row) * times if leaves else None
        option = structs.replace(
            row.option, after_discounts=after, stranded_monthly_usd=stays or None
        )
        options.setdefault(arn, []).append(option)
    return replace(
        found,
        recommendations=tuple(
            structs.replace(
                one,
                discounts=discounts[one.resource_arn],
                **{billing.options: tuple(options.get(one.resource_arn, ()))},
            )
            if one.resource_arn in discounts
            else one
            for one in found.recommendations
        ),
    )


def _stranded(row: _Row) -> float:
    """Return USD a month that reservations of one machine go on to cost; 0 where few cover it."""
    if not row.rates.strands:
        return 0.0
    return row.rates.reserved_hourly_usd * row.copies * HOURS_PER_MONTH


def _rated(rows: Sequence[_Row], billing: Billing) -> Rated:
    names = [row.name if row.option is None else billing.option_name(row.option) for row in rows]
    listed = [row.listed if row.option is None else row.option.hourly_usd for row in rows]
    kin = [row.rates.family_factor for row in rows]
    return Rated(
        listed_now=np.array([row.listed for row in rows]),
        listed=np.array([nan if price is None else price for price in listed]),
        billed_now=np.array([row.rates.hourly_usd * row.copies for row in rows]),
        factor=np.array([row.rates.factor for row in rows]),
        family_factor=np.array([nan if factor is None else factor for factor in kin]),
        movable_factor=np.array([row.rates.movable_factor for row in rows]),
        same_family=np.array(
            [rate_family(n) == row.rates.family for n, row in zip(names, rows, strict=True)]
        ),
        unchanged=np.array([n == row.name for n, row in zip(names, rows, strict=True)]),
    )


STRANDED = (
    "most hours of {current} are paid for by reservations, which do not follow to {option}: "
    "{usd:,.2f} USD a month go on to be paid for them unless something else uses them"
)


def stranding(one: Recommendation | None) -> str | None:
    """Return a sentence where the first option leaves reservations behind; else None."""
    stays = stranded_monthly_usd(one)
    if stays is None:
        return None
    billing = BILLED_BY_TYPE[type(one)]
    current, _ = billing.current(one)
    option = billing.option_name(_first_option(one))
    return STRANDED.format(current=current, option=option, usd=stays)


def stranded_monthly_usd(one: Recommendation | None) -> float | None:
    """Return USD a month that reservations go on to cost which the first option leaves behind.

    Of an instance that follows its group it is the group that tells.
    """
    if type(one) not in BILLED_BY_TYPE:
        return None
    if isinstance(one, Ec2InstanceRecommendation) and one.follows_group:
        return None
    first = _first_option(one)
    return None if first is None else first.stranded_monthly_usd


def savings_after(one: Recommendation) -> float | None:
    """Return what the first option saves a month at effective rates; None where unknown."""
    first = _first_option(one)
    after = getattr(first, "after_discounts", None)  # licenses have no rates
    return None if after is None else after.monthly_usd


def _first_option(one: Any) -> Any:
    """Return the option that counts; None without, as of what is only looked at for idleness."""
    billing = BILLED_BY_TYPE.get(type(one))
    if billing is not None:
        return first_option(getattr(one, billing.options))
    return next(iter(getattr(one, "options", ())), None)
