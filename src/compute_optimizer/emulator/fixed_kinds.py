"""The operations that answer fixed recommendations, and where these say what filters ask for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from re import Pattern
from typing import Any

from compute_optimizer.operations import (
    auto_scaling_groups,
    databases,
    ebs_volumes,
    ec2_instances,
    ecs_services,
    idle,
    lambda_functions,
    licenses,
)
from compute_optimizer.operations.filters import FINDING, IDLE_FILTERS, FilterRule
from compute_optimizer.operations.listing import Listing

Path = tuple[str, ...]
"""Members inside each other; of a list every entry counts."""

Key = list[Any]
"""Numbers and texts by which recommendations are ordered, as JSON has them."""


@dataclass(frozen=True, slots=True)
class FixedKind:
    """What fixed recommendations of one operation have of their own."""

    operation: str
    answer: str
    """The member of the answer."""
    arns: str
    """The member of a request that lists resources."""
    arn: str
    """The member of a recommendation that names its resource."""
    pattern: Pattern[str]
    """What an ARN looks like, with the groups region and account."""
    paths: Mapping[str, Path]
    """Where a recommendation says what a filter asks for; others than these have no meaning."""
    rules: Mapping[str, FilterRule]
    page: int | None = None
    """Most on a page; None where it is as the setting says."""
    canonical: Callable[[str], str] = str
    findings: frozenset[str] | None = None
    """As in Listing."""
    wire_cased: bool = False
    """Whether the service spells enums of it as its model does not."""
    order: Callable[[Mapping[str, Any], Mapping[str, Any]], Sequence[float]] = (
        lambda request, recommendation: ()
    )
    """What a request orders by before the ARN."""


def _listed(
    listing: Listing, arn: str, paths: Mapping[str, Path], *, wire_cased: bool = False
) -> FixedKind:
    return FixedKind(
        operation=listing.operation,
        answer=listing.answer,
        arns=listing.arns,
        arn=arn,
        pattern=listing.arn,
        paths=paths,
        rules=listing.filters,
        canonical=listing.canonical,
        findings=listing.findings,
        wire_cased=wire_cased,
    )


SAVINGS: Mapping[str, Path] = {
    "SavingsValue": ("savingsOpportunity", "estimatedMonthlySavings", "value"),
    "SavingsValueAfterDiscount": (
        "savingsOpportunityAfterDiscounts",
        "estimatedMonthlySavings",
        "value",
    ),
}
"""What idle recommendations can be ordered by (enum Dimension)."""


def by_savings(request: Mapping[str, Any], recommendation: Mapping[str, Any]) -> Sequence[float]:
    """Return what an order of idle recommendations goes by; unknown savings count as none."""
    if not request.get("orderBy"):
        return ()
    order = idle.DEFAULT_ORDER | request["orderBy"]
    found = values_at(recommendation, SAVINGS[order["dimension"]])
    value = float(found[0]) if found else 0.0
    return (-value,) if order["order"] == "Desc" else (value,)


def values_at(recommendation: Any, path: Path) -> list[Any]:
    """Return the values at a path; of lists those of every entry."""
    if recommendation is None:
        return []
    if isinstance(recommendation, list):
        return [value for one in recommendation for value in values_at(one, path)]
    if not path:
        return [recommendation]
    return values_at(recommendation.get(path[0]), path[1:])


_FINDING: Path = ("finding",)
_CODES: Path = ("findingReasonCodes",)

KINDS: Mapping[str, FixedKind] = {
    kind.operation: kind
    for kind in (
        _listed(
            ec2_instances.LISTING,
            "instanceArn",
            {
                FINDING: _FINDING,
                "FindingReasonCodes": _CODES,
                "RecommendationSourceType": ("recommendationSources", "recommendationSourceType"),
                "InferredWorkloadTypes": ("inferredWorkloadTypes",),
            },
            wire_cased=True,
        ),
        _listed(
            auto_scaling_groups.LISTING,
            "autoScalingGroupArn",
            {FINDING: _FINDING, "InferredWorkloadTypes": ("inferredWorkloadTypes",)},
            wire_cased=True,
        ),
        _listed(ebs_volumes.LISTING, "volumeArn", {FINDING: _FINDING}),
        _listed(
            lambda_functions.LISTING,
            "functionArn",
            {FINDING: _FINDING, "FindingReasonCode": _CODES},
        ),
        _listed(
            ecs_services.LISTING, "serviceArn", {FINDING: _FINDING, "FindingReasonCode": _CODES}
        ),
        _listed(
            databases.LISTING,
            "resourceArn",
            {
                "InstanceFinding": ("instanceFinding",),
                "InstanceFindingReasonCode": ("instanceFindingReasonCodes",),
                "StorageFinding": ("storageFinding",),
                "StorageFindingReasonCode": ("storageFindingReasonCodes",),
                "Idle": ("idle",),
            },
        ),
        _listed(
            licenses.LISTING,
            "resourceArn",
            {
                FINDING: _FINDING,
                "FindingReasonCode": _CODES,
                "LicenseName": ("currentLicenseConfiguration", "licenseName"),
            },
        ),
        FixedKind(
            operation=idle.OPERATION,
            answer="idleRecommendations",
            arns="resourceArns",
            arn="resourceArn",
            pattern=idle.ARN,
            paths={FINDING: _FINDING, "ResourceType": ("resourceType",)},
            rules=IDLE_FILTERS,
            page=idle.MAX_PAGE,
            order=by_savings,
        ),
    )
}
"""By operation."""
