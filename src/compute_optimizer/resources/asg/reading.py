"""How the recommendation of a group is read: by filters, by totals and in one line."""

from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.facets import Facets
from compute_optimizer.model.options import first_option
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.model.resource import AUTO_SCALING_GROUP
from compute_optimizer.model.summary import Summary


def facets_of(recommendation: AutoScalingGroupRecommendation) -> Facets:
    """Return what filters look at."""
    return Facets(
        finding=recommendation.finding.value,
        reason_codes=recommendation.finding_reason_codes,
        source_type=AUTO_SCALING_GROUP,
        workload_types=recommendation.inferred_workload_types,
        tags=dict(recommendation.tags),
    )


def counted_savings(recommendation: AutoScalingGroupRecommendation) -> float:
    """Return the monthly savings that totals count: of the first option of NotOptimized groups.

    In the currency of the Region (spec 3.9).
    """
    first = first_option(recommendation.options)
    if recommendation.finding is not Finding.NOT_OPTIMIZED or first is None:
        return 0.0
    return first.savings.monthly_usd if first.savings is not None else 0.0


def summary_of(recommendation: AutoScalingGroupRecommendation) -> Summary:
    """Return the recommendation in one line."""
    first, now = first_option(recommendation.options), recommendation.configuration
    types = ", ".join(now.mixed_types) or now.instance_type
    return Summary(
        name=recommendation.name,
        reason_codes=recommendation.finding_reason_codes,
        current=f"{now.desired_capacity} x {types}",
        recommended=f"{now.desired_capacity} x {first.instance_type}" if first else None,
        performance_risk=first.performance_risk if first else None,
    )
