"""What requests about recommendation preferences mean: their scope, and what they state."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.preference_rules import RESOURCE_ARNS
from compute_optimizer.model.stated_preferences import (
    ALL_ACCOUNTS,
    PreferenceScope,
    PreferredResource,
    ScopeName,
    StatedPreferences,
    UtilizationPreference,
)
from compute_optimizer.operations.access import account_in_reach, valid_account_id
from compute_optimizer.operations.context import Context
from compute_optimizer.shapes import AccessDeniedException, InvalidParameterValueException
from compute_optimizer.store.enrollments import Standing

T = TypeVar("T")

PURPOSE = "use preferences of"
"""What a request does with an account, as the refusal says it."""


def understood_scope(
    context: Context, caller: Standing, resource_type: str, given: Mapping[str, str] | None
) -> PreferenceScope:
    """Return the scope that a request names; without one it is the caller's account.

    Raises InvalidParameterValueException for what is no scope of the resource type in this Region,
    AccessDeniedException for one that the caller may not use, and OptInRequiredException for an
    account that is not opted in.
    """
    if given is None:
        given = {"name": ScopeName.ACCOUNT_ID.value, "value": context.account_id}
    for member in ("name", "value"):
        if not given.get(member):
            raise InvalidParameterValueException(
                f"scope has no {member}; expected a name and a value, such as AccountId and "
                f"{context.account_id}, or no scope at all."
            )
    name, value = ScopeName(given["name"]), given["value"]
    owner = _OWNERS[name](context, caller, resource_type, value)
    return PreferenceScope(owner, context.region, resource_type, name, value)


def owner_of_resource(context: Context, caller: Standing, resource_type: str, arn: str) -> str:
    """Return the account of an ARN; raises as `understood_scope`."""
    pattern = RESOURCE_ARNS.get(resource_type)
    if pattern is None:
        raise InvalidParameterValueException(
            f"{resource_type} has no preferences of single resources; expected the scope "
            "AccountId or Organization."
        )
    parts = pattern.fullmatch(arn)
    if parts is None:
        raise InvalidParameterValueException(
            f"The value {arn!r} is not the ARN of a resource of the type {resource_type}."
        )
    if parts["region"] != context.region:
        raise InvalidParameterValueException(
            f"The resource {arn} is not in the Region of this request, {context.region}."
        )
    return account_in_reach(context, caller, parts["account"], PURPOSE)


def stated_in(request: Mapping[str, Any]) -> StatedPreferences:
    """Return what a put states."""
    external = request.get("externalMetricsPreference")
    utilization, preferred = (
        request.get("utilizationPreferences"),
        request.get("preferredResources"),
    )
    return StatedPreferences(
        enhanced_infrastructure_metrics=request.get("enhancedInfrastructureMetrics"),
        inferred_workload_types=request.get("inferredWorkloadTypes"),
        external_metrics_source=None if external is None else _source(external),
        look_back_period=request.get("lookBackPeriod"),
        utilization=None if utilization is None else tuple(map(_utilization, utilization)),
        preferred_resources=None if preferred is None else tuple(map(_preferred, preferred)),
        savings_estimation_mode=request.get("savingsEstimationMode"),
    )


def refusing(check: Callable[..., T], *arguments: Any) -> T:
    """Return what a check returns; what it refuses is an InvalidParameterValueException."""
    try:
        return check(*arguments)
    except InvalidInput as error:
        raise InvalidParameterValueException(f"{error}.") from error


def _owner_of_organization(
    context: Context, caller: Standing, resource_type: str, value: str
) -> str:
    if value != ALL_ACCOUNTS:
        raise InvalidParameterValueException(
            f"The value {value!r} of the scope Organization is not valid; expected {ALL_ACCOUNTS}."
        )
    if not caller.sees_members or caller.organization is None:
        raise AccessDeniedException(
            f"Account {context.account_id} is not authorized to use preferences of the scope "
            "Organization: only the management account or the delegated administrator of an "
            "organization with trusted access is."
        )
    return caller.organization.organization_id


def _owner_of_account(context: Context, caller: Standing, resource_type: str, value: str) -> str:
    return account_in_reach(context, caller, valid_account_id(value), PURPOSE)


_OWNERS: Mapping[ScopeName, Callable[[Context, Standing, str, str], str]] = {
    ScopeName.ORGANIZATION: _owner_of_organization,
    ScopeName.ACCOUNT_ID: _owner_of_account,
    ScopeName.RESOURCE_ARN: owner_of_resource,
}
"""Who owns a scope: checks its value and whether the caller may use it."""


def _source(given: Mapping[str, str]) -> str:
    if "source" not in given:
        raise InvalidParameterValueException(
            "externalMetricsPreference has no source; expected Datadog, Dynatrace, NewRelic or "
            "Instana. DeleteRecommendationPreferences removes the preference."
        )
    return given["source"]


def _utilization(given: Mapping[str, Any]) -> UtilizationPreference:
    parameters = given.get("metricParameters", {})
    return UtilizationPreference(
        given.get("metricName", ""), parameters.get("threshold"), parameters.get("headroom")
    )


def _preferred(given: Mapping[str, Any]) -> PreferredResource:
    include, exclude = given.get("includeList", ()), given.get("excludeList", ())
    return PreferredResource(given.get("name", ""), tuple(include), tuple(exclude))
