"""Licenses of SQL Server: the recommendation for a shard of the instances that have one."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from compute_optimizer.catalog.instance_types import InstanceTypes
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.engine.obstacles import UNSUPPORTED_RESOURCE, errors_of
from compute_optimizer.model.license import LicensedInstance, LicenseRecommendation
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Results
from compute_optimizer.resources.licenses.analysis import METRICS, analyze
from compute_optimizer.resources.licenses.evidence import explanation_of
from compute_optimizer.resources.licenses.records import recommendation_of

__all__ = ["MARK", "METRICS", "explain", "recommend"]

MARK = '"sql_server":{'
"""What the stored instances with a license contain, and no other: a text that held these characters
would have its quotation marks escaped."""


def recommend(
    instances: Sequence[LicensedInstance],
    samples: ShardSamples,
    types: InstanceTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Results[LicenseRecommendation]:
    """Return the recommendation, or the error instead of one, for each license of a shard.

    The instances are in the row order of the samples, which hold METRICS over the look-back period;
    a series that nobody sent may be absent. An instance whose vCPUs nobody knows has an error.
    """
    if not instances:
        return Results((), ())
    analysis = analyze(instances, samples, types)
    sized = np.isfinite(analysis.vcpus).tolist()
    found = tuple(
        recommendation_of(row, one, analysis, as_of=as_of, preferences=preferences)
        for row, one in enumerate(instances)
        if sized[row]
    )
    obstacles = [None if each else UNSUPPORTED_RESOURCE for each in sized]
    return Results(found, errors_of(instances, obstacles))


def explain(
    instance: LicensedInstance,
    samples: ShardSamples,
    types: InstanceTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Explanation:
    """Return the evidence for the license of one instance, a batch of one."""
    return explanation_of(instance, samples, analyze([instance], samples, types), as_of=as_of)
