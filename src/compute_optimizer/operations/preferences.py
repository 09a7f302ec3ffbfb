"""The recommendation preferences of organizations, accounts and resources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.errors import NotFound
from compute_optimizer.model.effective_preferences import effective_preferences
from compute_optimizer.model.preference_rules import (
    RESOURCE_ARNS,
    check_look_back,
    check_stated,
)
from compute_optimizer.model.preferences import AFTER_DISCOUNTS, Preferences
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE
from compute_optimizer.model.stated_preferences import (
    ALL_ACCOUNTS,
    DELETABLE,
    NOTHING_STATED,
    PreferenceScope,
    ScopeName,
    StatedPreferences,
    stated_fields,
    updated,
    without,
)
from compute_optimizer.operations.access import opted_in_caller, remembered_standing
from compute_optimizer.operations.catalog import known_types
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.paging import open_token, seal_token
from compute_optimizer.operations.preference_requests import (
    owner_of_resource,
    refusing,
    stated_in,
    understood_scope,
)
from compute_optimizer.resources.ec2.preferred_types import preferred_types
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    ResourceNotFoundException,
)
from compute_optimizer.store.accounts import lock_rosters
from compute_optimizer.store.enrollments import Standing
from compute_optimizer.store.inventory import find_resource
from compute_optimizer.store.preferences import (
    Listed,
    layers_of,
    save_stated,
    stated_at,
    stated_page,
)
from compute_optimizer.views.preferences import effective_detail, stated_detail

LISTING = "GetRecommendationPreferences"

EFFECTIVE_TYPES = (EC2_INSTANCE, AUTO_SCALING_GROUP)
"""Types whose resources have effective preferences (documentation of resourceArn)."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a request would change, checked by itself."""

    scope: PreferenceScope
    wider: Sequence[PreferenceScope]
    """The scopes that decide where this one states nothing, the narrowest first."""
    apply: Callable[[StatedPreferences], StatedPreferences]
    """From what is stated to what would be."""
    check: Callable[[Connection, PreferenceScope], None] = lambda connection, scope: None


@dataclass(frozen=True, slots=True)
class Planned:
    """What a scope states, and what it would state after a change that is allowed."""

    scope: PreferenceScope
    before: StatedPreferences
    after: StatedPreferences


def put_recommendation_preferences(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer PutRecommendationPreferences: state what the request supplies, and keep the rest."""
    return _carry_out(context, _put(context, request))


def delete_recommendation_preferences(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer DeleteRecommendationPreferences: take the named preferences away from a scope."""
    return _carry_out(context, _delete(context, request))


def planned(context: Context, name: str, request: dict[str, Any]) -> Planned:
    """Return what a put or a delete, by the operation's name, would change; nothing is stored.

    Raises what the operation would.
    """
    change = CHANGES[name](context, request)
    with context.state.reading() as connection:
        return _planned(connection, change)


def get_recommendation_preferences(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer GetRecommendationPreferences: what is stated, at one scope or at every visible one."""
    caller = opted_in_caller(context)
    resource_type, given = request["resourceType"], request.get("scope")
    limit = request.get("maxResults") or context.page_size
    bound = {"resourceType": resource_type, "scope": given}
    scope = None if given is None else understood_scope(context, caller, resource_type, given)
    token = request.get("nextToken")
    after = "" if token is None else open_token(context, LISTING, bound, token)
    with context.state.reading() as connection:
        if scope:
            stated = stated_at(connection, scope)
            found = [] if stated == NOTHING_STATED else [(scope, stated)]
        else:
            # One more than a page holds tells whether there is another.
            found = _visible(context, connection, caller, resource_type, after, limit + 1)
    types = known_types(context.state)
    details = [stated_detail(*one, types) for one in found[:limit]]
    answer: dict[str, Any] = {"recommendationPreferencesDetails": details}
    if len(found) > limit:
        answer["nextToken"] = seal_token(context, LISTING, bound, found[limit - 1][0].value)
    return answer


def get_effective_recommendation_preferences(
    context: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Answer GetEffectiveRecommendationPreferences: what the next analysis will go by."""
    caller = opted_in_caller(context)
    arn = request["resourceArn"]
    kind = next((kind for kind in EFFECTIVE_TYPES if RESOURCE_ARNS[kind].fullmatch(arn)), None)
    if kind is None:
        raise InvalidParameterValueException(
            f"The resourceArn {arn!r} is not valid; expected the ARN of an EC2 instance or of an "
            "Auto Scaling group."
        )
    account_id = owner_of_resource(context, caller, kind, arn)
    with context.state.reading() as connection:
        preferences = _in_force(connection, kind, arn, account_id, context.region)
    return cast(dict[str, Any], effective_detail(preferences, known_types(context.state)))


def _in_force(
    connection: Connection, resource_type: str, arn: str, account_id: str, region: str
) -> Preferences:
    layers = layers_of(connection, account_id, region, resource_type)
    group = _group_of(connection, arn) if resource_type == EC2_INSTANCE else None
    return effective_preferences(layers, arn, group)


def _group_of(connection: Connection, arn: str) -> str | None:
    """Return the group of an instance; raise ResourceNotFoundException for an unknown one."""
    try:
        return find_resource(connection, arn).auto_scaling_group_arn
    except NotFound as error:
        raise ResourceNotFoundException(
            f"The resource {arn} is not known; expected an instance of the inventory."
        ) from error


def _check_types(changes: StatedPreferences, types: InstanceTypes) -> None:
    """Refuse entries that match no instance type, and lists that leave none."""
    for one in changes.preferred_resources or ():
        refusing(preferred_types, types, one.include, one.exclude)


def may_activate_discounts(caller: Standing) -> bool:
    """Return whether an account may switch the savings mode to AfterDiscounts (spec 4.1)."""
    return caller.organization is None or caller.is_administrator


def _check_may_activate(caller: Standing, changes: StatedPreferences) -> None:
    is_wanted = changes.savings_estimation_mode == AFTER_DISCOUNTS
    if is_wanted and not may_activate_discounts(caller):
        raise AccessDeniedException(
            f"Account {caller.enrollment.account_id} is not authorized to set "
            f"savingsEstimationMode to {AFTER_DISCOUNTS}: only the management account or the "
            "delegated administrator of its organization is."
        )


def _check_standalone(connection: Connection, scope: PreferenceScope) -> None:
    """Refuse a preference of a single instance that is unknown or belongs to a group."""
    if scope.name != ScopeName.RESOURCE_ARN or scope.resource_type != EC2_INSTANCE:
        return
    if group := _group_of(connection, scope.value):
        raise InvalidParameterValueException(
            f"The instance {scope.value} belongs to an Auto Scaling group, and only standalone "
            f"instances have preferences; set it for the resource type {AUTO_SCALING_GROUP} and "
            f"the group {group}."
        )


def _put(context: Context, request: dict[str, Any]) -> Change:
    caller = opted_in_caller(context)
    scope = understood_scope(context, caller, request["resourceType"], request.get("scope"))
    stated = stated_in(request)
    refusing(check_stated, scope.resource_type, scope.name, stated)
    _check_types(stated, known_types(context.state))
    _check_may_activate(caller, stated)
    wider = _wider_scopes(context, scope)
    return Change(scope, wider, lambda before: updated(before, stated), _check_standalone)


def _delete(context: Context, request: dict[str, Any]) -> Change:
    caller = opted_in_caller(context)
    scope = understood_scope(context, caller, request["resourceType"], request.get("scope"))
    names = request["recommendationPreferenceNames"]
    if not names:
        raise InvalidParameterValueException(
            f"recommendationPreferenceNames is empty; expected any of {', '.join(DELETABLE)}."
        )
    gone = {DELETABLE[name] for name in names}

    def apply(before: StatedPreferences) -> StatedPreferences:
        if gone.isdisjoint(stated_fields(before)):
            raise ResourceNotFoundException(
                f"The scope {scope.name} {scope.value} has no preference {' or '.join(names)} for "
                f"{scope.resource_type}."
            )
        return without(before, gone)

    return Change(scope, _wider_scopes(context, scope), apply)


CHANGES: Mapping[str, Callable[[Context, dict[str, Any]], Change]] = {
    "PutRecommendationPreferences": _put,
    "DeleteRecommendationPreferences": _delete,
}
"""What each operation that changes preferences would do, by its name."""


def _carry_out(context: Context, change: Change) -> dict[str, Any]:
    with context.state.writing() as connection:
        lock_rosters(connection)
        save_stated(connection, change.scope, _planned(connection, change).after)
    return {}


def _planned(connection: Connection, change: Change) -> Planned:
    change.check(connection, change.scope)
    before = stated_at(connection, change.scope)
    after = change.apply(before)
    chain = (after, *(stated_at(connection, one) for one in change.wider))
    refusing(check_look_back, change.scope.resource_type, chain)
    return Planned(change.scope, before, after)


def _wider_scopes(context: Context, scope: PreferenceScope) -> Sequence[PreferenceScope]:
    """Return the scopes that decide where the given one states nothing, the narrowest first."""
    if scope.name == ScopeName.ORGANIZATION:
        return ()
    # What is stated for the EC2 instances of an account covers those of its groups (spec 4.4).
    kind = EC2_INSTANCE if scope.resource_type == AUTO_SCALING_GROUP else scope.resource_type
    own = PreferenceScope(scope.owner_id, scope.region, kind, ScopeName.ACCOUNT_ID, scope.owner_id)
    wider = [own] if scope.name == ScopeName.RESOURCE_ARN else []
    organization = remembered_standing(context, scope.owner_id).organization
    if organization is not None:
        organization_id, name = organization.organization_id, ScopeName.ORGANIZATION
        wider.append(PreferenceScope(organization_id, scope.region, kind, name, ALL_ACCOUNTS))
    return wider


def _visible(
    context: Context,
    connection: Connection,
    caller: Standing,
    resource_type: str,
    after: str,
    limit: int,
) -> list[Listed]:
    """Return what the caller may see: its own, and an administrator what its members have."""
    organization = caller.organization if caller.sees_members else None
    organization_id = organization.organization_id if organization else None
    owners = {context.account_id, organization_id or context.account_id}
    return stated_page(
        connection,
        owners,
        context.region,
        resource_type,
        organization_id=organization_id,
        after=after,
        limit=limit,
    )
