"""What resources cost a month as they are, of which savings are a share."""

from collections.abc import Callable, Mapping
from typing import Any

from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.database import DatabaseRecommendation
from compute_optimizer.model.recommendation import (
    HOURS_PER_MONTH,
    Ec2InstanceRecommendation,
    Recommendation,
)
from compute_optimizer.resources.rds.reading import parts_of


def monthly_usd(found: Recommendation) -> float | None:
    """Return what a resource costs a month at list prices; None where unknown.

    None, too, for an instance that follows its group, which counts the cost as it does the savings.
    """
    return COSTS.get(type(found), _told)(found)


def _told(found: Any) -> float | None:
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
    known = [part.cost_usd for part in parts_of(found) if part.cost_usd is not None]
    return sum(known) if known else None


COSTS: Mapping[type, Callable[[Any], float | None]] = {
    Ec2InstanceRecommendation: _of_instance,
    AutoScalingGroupRecommendation: _of_group,
    DatabaseRecommendation: _of_database,
}
"""From a recommendation to what the resource costs; all others tell it themselves."""
