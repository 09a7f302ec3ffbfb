"""Auto Scaling groups: the recommendation for a shard of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.dimensions import metrics_by_name
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.engine.obstacles import errors_of
from compute_optimizer.model.auto_scaling_group import (
    AutoScalingGroup,
    AutoScalingGroupRecommendation,
)
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    RecommendationError,
    Results,
)
from compute_optimizer.resources.asg.analysis import analyze, cheapest_type
from compute_optimizer.resources.asg.machines import per_machine
from compute_optimizer.resources.asg.records import group_recommendation
from compute_optimizer.resources.comparison import comparing
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS, METRICS
from compute_optimizer.resources.ec2.evidence import explanation_of
from compute_optimizer.resources.ec2.records import recommendations_of

__all__ = ["METRICS", "compare", "explain", "machines_of", "per_machine", "recommend"]


def recommend(
    groups: Sequence[AutoScalingGroup],
    samples: ShardSamples,
    types: InstanceTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Results[AutoScalingGroupRecommendation]:
    """Return the recommendation, or the error instead of one, for each group of a shard.

    The samples are those of `per_machine`, in the row order of the groups.
    """
    machines = machines_of(groups, samples, types, as_of=as_of, preferences=preferences)
    by_arn = {group.arn: group for group in groups}
    found = tuple(
        group_recommendation(by_arn[machine.resource_arn], machine)
        for machine in machines.recommendations
    )
    return Results(found, machines.errors)


def machines_of(
    groups: Sequence[AutoScalingGroup],
    samples: ShardSamples,
    types: InstanceTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Results[Ec2InstanceRecommendation]:
    """Return the same for one machine of each group, under the ARN of the group."""
    found: list[Ec2InstanceRecommendation] = []
    errors: list[RecommendationError] = []
    for places in _alike(groups):
        some = [groups[place] for place in places]
        analysis = analyze(some, samples.rows(places), types, preferences)
        single = [replace(one, instance_type=cheapest_type(one, types)) for one in some]
        found += recommendations_of(single, analysis, as_of=as_of, preferences=preferences)
        errors += errors_of(some, analysis.obstacles)
    return Results(tuple(found), tuple(errors))


def explain(
    group: AutoScalingGroup,
    samples: ShardSamples,
    types: InstanceTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Explanation:
    """Return the evidence for one machine of a group, with the finding of the whole group.

    What would change the answer is not searched for: the search knows single instances only.
    """
    analysis = analyze([group], samples, types, preferences)
    machine = replace(group, instance_type=cheapest_type(group, types))
    told = explanation_of(
        machine, samples, analysis, as_of=as_of, preferences=preferences, searching=False
    )
    whole = recommend([group], samples, types, as_of=as_of, preferences=preferences)
    findings = [one.finding.value for one in whole.recommendations]
    return replace(told, finding=findings[0] if findings else told.finding)


compare = comparing(explain, metrics_by_name(DIMENSIONS))


def _alike(groups: Sequence[AutoScalingGroup]) -> list[list[int]]:
    """Return the places of the groups of one type, and of those that mix types."""
    by_kind: dict[bool, list[int]] = {}
    for place, group in enumerate(groups):
        by_kind.setdefault(bool(group.mixed_types), []).append(place)
    return list(by_kind.values())
