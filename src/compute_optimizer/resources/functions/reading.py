"""How the recommendation of a function is read: by filters, by totals and in one line."""

from compute_optimizer.model.facets import Facets
from compute_optimizer.model.lambda_function import LambdaFunctionRecommendation
from compute_optimizer.model.resource import LAMBDA_FUNCTION
from compute_optimizer.model.summary import Summary


def facets_of(recommendation: LambdaFunctionRecommendation) -> Facets:
    """Return what filters look at."""
    return Facets(
        finding=recommendation.finding.value,
        reason_codes=recommendation.finding_reason_codes,
        source_type=LAMBDA_FUNCTION,
        workload_types=(),
        tags=dict(recommendation.tags),
    )


def counted_savings(recommendation: LambdaFunctionRecommendation) -> float:
    """Return the monthly savings that totals count: of NotOptimized functions (spec 10).

    Only those have an option. In the currency of the Region (spec 3.9).
    """
    savings = recommendation.options[0].savings if recommendation.options else None
    return savings.monthly_usd if savings is not None else 0.0


def summary_of(recommendation: LambdaFunctionRecommendation) -> Summary:
    """Return the recommendation in one line."""
    first = recommendation.options[0] if recommendation.options else None
    return Summary(
        name=recommendation.name,
        reason_codes=recommendation.finding_reason_codes,
        current=size_text(recommendation.memory_size),
        recommended=size_text(first.memory_size) if first else None,
        performance_risk=None,
    )


def size_text(memory_size: int) -> str:
    """Return such as `1,024 MB`."""
    return f"{memory_size:,} MB"
