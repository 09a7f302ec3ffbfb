"""What a resource would be, cost and risk once its recommendation is followed."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from compute_optimizer.model.arn import short_name
from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.preferences import CURRENT
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    Recommendation,
)
from compute_optimizer.resources import type_of
from compute_optimizer.resources.advice import advice_of
from compute_optimizer.resources.costs import monthly_usd

USUAL_POOLS = (CURRENT,)
"""Architectures that are advised where a request names none (spec 3.8, a proposal)."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """One resource with its recommendation followed; money is a month at list prices."""

    resource_arn: str
    account_id: str
    resource_type: str
    name: str
    finding: str
    current: str
    """The configuration as it is."""
    advised: str | None
    """None where it is left as it is, as the next four."""
    savings_usd: float | None
    """Negative where the advice costs more; None also where a price is unknown."""
    saved_after_discounts_usd: float | None
    performance_risk: float | None
    """0 to 4."""
    violation_risk: float | None
    """Predicted for the next 14 days, 0 to 1."""
    cost_usd: float | None
    """As it is; None where unknown, and of instances whose group counts them."""

    @property
    def saved_usd(self) -> float:
        """Return the savings that totals count, negative ones with them."""
        return self.savings_usd or 0.0


def outlook_of(found: Recommendation, pools: Collection[str] = USUAL_POOLS) -> Outlook:
    """Return what comes of a recommendation whose options may be of the given architectures."""
    chosen = found if tuple(pools) == USUAL_POOLS else _of_pools(found, pools)
    kind = type_of(chosen)
    summary = kind.summary(chosen)
    advice = advice_of(chosen)
    predicted = advice.prediction if advice else None
    return Outlook(
        resource_arn=chosen.resource_arn,
        account_id=chosen.account_id,
        resource_type=kind.name,
        name=summary.name or short_name(chosen.resource_arn),
        finding=chosen.finding.value,
        current=summary.current,
        advised=advice.advised_text if advice else None,
        savings_usd=predicted.savings_monthly_usd if predicted else None,
        saved_after_discounts_usd=(
            predicted.savings_after_discounts_monthly_usd if predicted else None
        ),
        performance_risk=predicted.performance_risk if predicted else None,
        violation_risk=predicted.violation_risk if predicted else None,
        cost_usd=monthly_usd(chosen),
    )


def is_changed(before: Outlook | None, after: Outlook | None) -> bool:
    """Return whether another thing is found or advised; None stands for no recommendation."""
    if before is None or after is None:
        return before is not after
    return (before.finding, before.advised) != (after.finding, after.advised)


def _of_pools(found: Any, pools: Collection[str]) -> Any:
    """Return a recommendation whose options of some architectures stand for the usual ones."""
    if not isinstance(found, Ec2InstanceRecommendation | AutoScalingGroupRecommendation):
        return found
    kept: list[Any] = [one for one in found.options if one.architecture_pool in pools]
    # Options of all pools rank by their price.
    kept.sort(key=lambda one: (one.hourly_usd is None, one.hourly_usd or 0.0, one.rank))
    return structs.replace(
        found, options=tuple(structs.replace(one, architecture_pool=CURRENT) for one in kept)
    )
