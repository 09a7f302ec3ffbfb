"""How the recommendation of a service is read: by filters, by totals and in one line."""

from compute_optimizer.model.ecs_service import EcsServiceRecommendation
from compute_optimizer.model.facets import Facets
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.model.resource import ECS_SERVICE
from compute_optimizer.model.summary import Summary


def facets_of(recommendation: EcsServiceRecommendation) -> Facets:
    """Return what filters look at."""
    return Facets(
        finding=recommendation.finding.value,
        reason_codes=recommendation.finding_reason_codes,
        source_type=ECS_SERVICE,
        workload_types=(),
        tags=dict(recommendation.tags),
    )


def counted_savings(recommendation: EcsServiceRecommendation) -> float:
    """Return the monthly savings that totals count: of overprovisioned services (spec 10).

    In the currency of the Region (spec 3.9).
    """
    if recommendation.finding is not Finding.OVER_PROVISIONED:
        return 0.0
    savings = recommendation.options[0].savings
    return savings.monthly_usd if savings is not None else 0.0


def summary_of(recommendation: EcsServiceRecommendation) -> Summary:
    """Return the recommendation in one line."""
    first = recommendation.options[0] if recommendation.options else None
    return Summary(
        name=recommendation.name,
        reason_codes=recommendation.finding_reason_codes,
        current=size_text(recommendation.cpu_units, recommendation.memory),
        recommended=size_text(first.cpu_units, first.memory) if first else None,
        performance_risk=None,
    )


def size_text(cpu_units: int, memory: int) -> str:
    """Return such as `1,024 CPU units, 3,072 MiB`."""
    return f"{cpu_units:,} CPU units, {memory:,} MiB"
