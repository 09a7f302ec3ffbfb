"""EC2 instances: the recommendation for a shard of them, and the evidence for one."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.comparison import Comparison, Moment
from compute_optimizer.engine.digests import DigestedSamples, Steps, completed
from compute_optimizer.engine.dimensions import metrics_by_name
from compute_optimizer.engine.explanation import Answer, Explanation
from compute_optimizer.engine.obstacles import errors_of
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    Results,
)
from compute_optimizer.model.resource import Resource
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.resources.comparison import Compared, comparison_of
from compute_optimizer.resources.ec2.analysis import analyze, analyzed
from compute_optimizer.resources.ec2.dimensions import DIGESTED, DIMENSIONS, METRICS
from compute_optimizer.resources.ec2.evidence import explanation_of
from compute_optimizer.resources.ec2.records import recommendations_of
from compute_optimizer.resources.ec2.sensitivity import answer_of

__all__ = ["DIGESTED", "METRICS", "ShardResult", "compare", "explain", "recommend", "recommended"]


ShardResult = Results[Ec2InstanceRecommendation]


def recommend(
    resources: Sequence[Resource],
    samples: ShardSamples,
    types: InstanceTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
    risk_model: RiskModel | None = None,
) -> ShardResult:
    """Return the recommendation, or the error instead of one, for each resource of a shard.

    The resources are in the row order of the samples, which hold METRICS over the look-back
    period; a series that nobody sent may be absent. With a risk model both profiles are heard; the
    preferences say which one decides.
    """
    steps = recommended(
        resources, samples, types, as_of=as_of, preferences=preferences, risk_model=risk_model
    )
    return completed(steps, lambda _wanted: {})


def recommended(
    resources: Sequence[Resource],
    samples: ShardSamples | DigestedSamples,
    types: InstanceTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
    risk_model: RiskModel | None = None,
) -> Steps[ShardResult]:
    """Return the same in steps; of days in short they ask for the whole rows that they need."""
    if not resources:
        return Results((), ())
    analysis = yield from analyzed(resources, samples, types, preferences, risk_model, both=True)
    found = recommendations_of(resources, analysis, as_of=as_of, preferences=preferences)
    return Results(found, errors_of(resources, analysis.obstacles))


def explain(
    resource: Resource,
    samples: ShardSamples,
    types: InstanceTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
    risk_model: RiskModel | None = None,
    searching: bool = True,
) -> Explanation:
    """Return the evidence for one resource; its samples are a batch of one.

    Without `searching` it does not say what would change the answer.
    """
    analysis = analyze([resource], samples, types, preferences, risk_model, both=True)
    return explanation_of(
        resource,
        samples,
        analysis,
        as_of=as_of,
        preferences=preferences,
        risk_model=risk_model,
        searching=searching,
    )


outline = partial(explain, searching=False)


def compare(
    resource: Resource,
    moments: tuple[Moment, Moment],
    types: InstanceTypes,
    *,
    preferences: Preferences,
    risk_model: RiskModel | None = None,
) -> Comparison:
    """Return the answers as of both moments and what each input that differs changes alone."""

    def explained(moment: Moment) -> Explanation:
        return explain(
            resource,
            moment.samples,
            types,
            as_of=moment.as_of,
            preferences=preferences,
            risk_model=risk_model,
        )

    def answered(samples: ShardSamples, _as_of: datetime) -> Answer:
        # Many times over, and so without the search for what would change the answer.
        return answer_of(analyze([resource], samples, types, preferences, risk_model))

    return comparison_of(moments, Compared(explained, answered, metrics_by_name(DIMENSIONS)))
