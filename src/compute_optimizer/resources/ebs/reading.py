"""How the recommendation of a volume is read: by filters, by totals and in one line."""

from compute_optimizer.model.ebs_volume import EbsVolumeRecommendation, VolumeConfiguration
from compute_optimizer.model.facets import Facets
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.model.resource import EBS_VOLUME
from compute_optimizer.model.summary import Summary


def facets_of(recommendation: EbsVolumeRecommendation) -> Facets:
    """Return what filters look at."""
    return Facets(
        finding=recommendation.finding.value,
        reason_codes=(),
        source_type=EBS_VOLUME,
        workload_types=(),
        tags=dict(recommendation.tags),
    )


def counted_savings(recommendation: EbsVolumeRecommendation) -> float:
    """Return the monthly savings that totals count: of the first option of NotOptimized volumes.

    In the currency of the Region (spec 3.9).
    """
    if recommendation.finding is not Finding.NOT_OPTIMIZED or not recommendation.options:
        return 0.0
    savings = recommendation.options[0].savings
    return savings.monthly_usd if savings is not None else 0.0


def summary_of(recommendation: EbsVolumeRecommendation) -> Summary:
    """Return the recommendation in one line."""
    first = recommendation.options[0] if recommendation.options else None
    return Summary(
        name=recommendation.name,
        reason_codes=(),
        current=configuration_text(recommendation.configuration),
        recommended=configuration_text(first.configuration) if first else None,
        performance_risk=first.performance_risk if first else None,
    )


def configuration_text(one: VolumeConfiguration) -> str:
    """Return such as `gp3 200 GiB, 3,000 IOPS, 125 MiB/s`."""
    speed = f"{one.baseline_iops:,} IOPS, {one.baseline_throughput:,} MiB/s"
    return f"{one.volume_type} {one.size_gib:,} GiB, {speed}"
