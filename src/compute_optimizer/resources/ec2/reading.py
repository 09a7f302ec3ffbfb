"""How the recommendation of an instance is read: by filters, by totals and in one line."""

from compute_optimizer.model.facets import Facets
from compute_optimizer.model.options import first_option
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    Finding,
)
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE
from compute_optimizer.model.summary import Summary


def facets_of(recommendation: Ec2InstanceRecommendation) -> Facets:
    """Return what filters look at."""
    return Facets(
        finding=recommendation.finding.value,
        reason_codes=recommendation.finding_reason_codes,
        source_type=AUTO_SCALING_GROUP if recommendation.auto_scaling_group_arn else EC2_INSTANCE,
        workload_types=recommendation.inferred_workload_types,
        tags=dict(recommendation.tags),
    )


def counted_savings(recommendation: Ec2InstanceRecommendation) -> float:
    """Return the monthly savings that totals count, in the currency of the Region.

    Totals count the first option of overprovisioned resources only (spec 3.9), and what a whole
    group saves with the group.
    """
    if recommendation.follows_group or recommendation.finding is not Finding.OVER_PROVISIONED:
        return 0.0
    first = first_option(recommendation.options)
    return first.savings.monthly_usd if first is not None and first.savings is not None else 0.0


def summary_of(recommendation: Ec2InstanceRecommendation) -> Summary:
    """Return the recommendation in one line."""
    first = first_option(recommendation.options)
    return Summary(
        name=recommendation.name,
        reason_codes=recommendation.finding_reason_codes,
        current=recommendation.current_instance_type,
        recommended=first.instance_type if first else None,
        performance_risk=first.performance_risk if first else None,
        violation_risk=first.violation_risk if first else None,
        profile=recommendation.evidence.profile if recommendation.evidence else None,
        other_recommended=recommendation.other.instance_type if recommendation.other else None,
    )
