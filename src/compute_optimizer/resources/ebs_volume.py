"""EBS volumes: the recommendation for a shard of them, and the evidence for one."""

from collections.abc import Sequence
from datetime import datetime

from compute_optimizer.catalog.volume_types import VolumeTypes
from compute_optimizer.engine.dimensions import metrics_by_name
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.engine.obstacles import errors_of
from compute_optimizer.model.ebs_volume import EbsVolume, EbsVolumeRecommendation
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Results
from compute_optimizer.resources.comparison import comparing
from compute_optimizer.resources.ebs.analysis import analyze
from compute_optimizer.resources.ebs.demand import CHECKS, DIMENSIONS, METRICS
from compute_optimizer.resources.ebs.evidence import explanation_of
from compute_optimizer.resources.ebs.records import recommendations_of

__all__ = ["METRICS", "compare", "explain", "recommend"]


def recommend(
    volumes: Sequence[EbsVolume],
    samples: ShardSamples,
    types: VolumeTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Results[EbsVolumeRecommendation]:
    """Return the recommendation, or the error instead of one, for each volume of a shard.

    The volumes are in the row order of the samples, which hold METRICS over the look-back period;
    a series that nobody sent may be absent.
    """
    if not volumes:
        return Results((), ())
    analysis = analyze(volumes, samples, types, preferences)
    found = recommendations_of(volumes, analysis, types, as_of=as_of, preferences=preferences)
    return Results(found, errors_of(volumes, analysis.obstacles))


def explain(
    volume: EbsVolume,
    samples: ShardSamples,
    types: VolumeTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Explanation:
    """Return the evidence for one volume; its samples are a batch of one."""
    analysis = analyze([volume], samples, types, preferences)
    return explanation_of(volume, samples, analysis, types, as_of=as_of, preferences=preferences)


compare = comparing(explain, {**metrics_by_name(DIMENSIONS), "Checks": CHECKS.values()})
