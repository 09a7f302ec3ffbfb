"""How the recommendation for a license is read: by filters, by totals and in one line."""

from compute_optimizer.model.facets import Facets
from compute_optimizer.model.license import SQL_SERVER, LicenseRecommendation
from compute_optimizer.model.resource import LICENSE
from compute_optimizer.model.summary import Summary

LICENSE_NAME = "license_name"
"""The mark of facets that the filter LicenseName looks at."""


def facets_of(recommendation: LicenseRecommendation) -> Facets:
    """Return what filters look at."""
    return Facets(
        finding=recommendation.finding.value,
        reason_codes=recommendation.finding_reason_codes,
        source_type=LICENSE,
        workload_types=(),
        tags=dict(recommendation.tags),
        marks={LICENSE_NAME: (SQL_SERVER,)},
    )


def counted_savings(recommendation: LicenseRecommendation) -> float:
    """Return the monthly savings that totals count: of NotOptimized licenses.

    Only those have an option. In the currency of the Region (spec 3.9).
    """
    savings = recommendation.options[0].savings if recommendation.options else None
    return savings.monthly_usd if savings is not None else 0.0


def edition_text(edition: str) -> str:
    """Return a license as people call it."""
    return f"SQL Server {edition}"


def summary_of(recommendation: LicenseRecommendation) -> Summary:
    """Return the recommendation in one line."""
    first = recommendation.options[0] if recommendation.options else None
    return Summary(
        name=recommendation.name,
        reason_codes=recommendation.finding_reason_codes,
        current=edition_text(recommendation.license.edition),
        recommended=edition_text(first.edition) if first else None,
        performance_risk=None,
    )
