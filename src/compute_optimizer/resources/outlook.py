"""What a resource would be, cost and risk once its recommendation is followed."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.database import DatabaseRecommendation
from compute_optimizer.model.preferences import CURRENT
from compute_optimizer.model.recommendation import (
    HOURS_PER_MONTH,
    Ec2InstanceRecommendation,
    Recommendation,
)
from compute_optimizer.model.resource import short_name
from compute_optimizer.resources import type_of
from compute_optimizer.resources.advice import advice_of

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
        cost_usd=COSTS.get(type(chosen), _monthly)(chosen),
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
    return replace(found, options=tuple(replace(one, architecture_pool=CURRENT) for one in kept))


def _monthly(found: Any) -> float | None:
    monthly: float | None = found.monthly_usd
    return monthly


def _of_instance(found: Ec2InstanceRecommendation) -> float | None:
    return None if found.follows_group else found.monthly_usd


def _of_group(found: AutoScalingGroupRecommendation) -> float | None:
    hourly = found.current_hourly_usd
    if hourly is None:
        return None
    return hourly * HOURS_PER_MONTH * found.configuration.desired_capacity


def _of_database(found: DatabaseRecommendation) -> float | None:
    """Return what class and storage cost together, as far as prices are known."""
    machine = None if found.hourly_usd is None else found.hourly_usd * HOURS_PER_MONTH
    parts = [one for one in (machine, found.storage_monthly_usd) if one is not None]
    return sum(parts) if parts else None


COSTS: Mapping[type, Callable[[Any], float | None]] = {
    Ec2InstanceRecommendation: _of_instance,
    AutoScalingGroupRecommendation: _of_group,
    DatabaseRecommendation: _of_database,
}
"""From a recommendation to what the resource costs a month; all others tell it themselves."""
