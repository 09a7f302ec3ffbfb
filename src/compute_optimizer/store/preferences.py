"""Recommendation preferences as the state database keeps them: one row per scope and type.

A change reads and writes a row inside the transaction of its caller, who holds
`accounts.lock_rosters`, so that two changes of one scope cannot overtake each other.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, insert, or_, select

from compute_optimizer.model.effective_preferences import (
    PreferenceLayers,
    default_savings_mode,
)
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE, ShardKey
from compute_optimizer.model.stated_preferences import (
    ALL_ACCOUNTS,
    NOTHING_STATED,
    PreferenceScope,
    ScopeName,
    StatedPreferences,
    updated,
    without,
)
from compute_optimizer.store.enrollments import OPTED_IN_VALUES
from compute_optimizer.store.schema import (
    accounts,
    enrollments,
    organizations,
    recommendation_preferences,
)

EVERY_TYPE = "NotApplicable"
"""Resource type of what is stated for no type in particular (spec 4.7)."""

Listed = tuple[PreferenceScope, StatedPreferences]

COVERING = MappingProxyType({AUTO_SCALING_GROUP: EC2_INSTANCE})
"""The type whose wide scopes count for another one: a group has none of its own (spec 4.4)."""

Place = tuple[str, str, str]
"""Account, Region and resource type."""

_Owned = tuple[str, str]
"""Owner, an account or an organization, and Region."""

_Key = tuple[str, ScopeName, str]
"""Resource type, name and value of a scope."""


@dataclass(frozen=True, slots=True)
class _Membership:
    """Where an account stands in its organization."""

    organization_id: str
    is_administrator: bool


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(StatedPreferences).decode
_columns = recommendation_preferences.c


def stated_at(connection: Connection, scope: PreferenceScope) -> StatedPreferences:
    """Return what is stated for exactly this scope."""
    query = select(_columns.body).where(*_is(scope))
    body = connection.execute(query).scalar()
    return NOTHING_STATED if body is None else _decode(body)


def save_stated(connection: Connection, scope: PreferenceScope, stated: StatedPreferences) -> None:
    """Replace what is stated for a scope; with nothing left, its row goes."""
    connection.execute(delete(recommendation_preferences).where(*_is(scope)))
    if stated != NOTHING_STATED:
        connection.execute(
            insert(recommendation_preferences).values(
                owner_id=scope.owner_id,
                region=scope.region,
                resource_type=scope.resource_type,
                scope_name=scope.name.value,
                scope_value=scope.value,
                body=_encode(stated),
            )
        )


def stated_page(
    connection: Connection,
    owners: Collection[str],
    region: str,
    resource_type: str,
    *,
    organization_id: str | None = None,
    after: str = "",
    limit: int,
) -> list[Listed]:
    """Return preferences by scope value, beginning after the given one.

    Those of the owners, and of all opted-in accounts of the organization where one is given: then a
    scope value occurs once, as it does for one owner.
    """
    query = select(recommendation_preferences).where(
        or_(_columns.owner_id.in_(owners), _columns.owner_id.in_(_opted_in(organization_id))),
        _columns.region == region,
        _columns.resource_type == resource_type,
        _columns.scope_value > after,
    )
    rows = connection.execute(query.order_by(_columns.scope_value).limit(limit))
    return [_listed(row) for row in rows]


def place_of(shard: ShardKey) -> Place:
    """Return the account, Region and resource type of a shard."""
    return shard.account_id, shard.region, shard.resource_type


def layers_of(
    connection: Connection, account_id: str, region: str, resource_type: str
) -> PreferenceLayers:
    """Return what is stated for the resources of one type of one account in one Region."""
    place = (account_id, region, resource_type)
    return layers_of_all(connection, {place})[place]


def layers_of_all(
    connection: Connection,
    places: Collection[Place],
    instead: Mapping[PreferenceScope, StatedPreferences] = MappingProxyType({}),
) -> dict[Place, PreferenceLayers]:
    """Return what is stated for the resources of every place.

    `instead` is taken for what its scopes state, whatever is stored. Two queries, however many
    places there are.
    """
    memberships = _memberships(connection, {account_id for account_id, *_ in places})
    owners = {account_id for account_id, *_ in places}
    owners.update(one.organization_id for one in memberships.values())
    stated = _stated_by_owner(connection, owners)
    for scope, one in instead.items():
        key = (scope.resource_type, scope.name, scope.value)
        stated.setdefault((scope.owner_id, scope.region), {})[key] = one
    return {place: _layers(place, memberships.get(place[0]), stated) for place in places}


def _layers(
    place: Place,
    membership: _Membership | None,
    stated: Mapping[_Owned, Mapping[_Key, StatedPreferences]],
) -> PreferenceLayers:
    account_id, region, kind = place
    own = stated.get((account_id, region), {})
    wide = stated.get((membership.organization_id, region), {}) if membership else {}
    return PreferenceLayers(
        organization=_wide(wide, kind, ScopeName.ORGANIZATION, ALL_ACCOUNTS),
        account=_wide(own, kind, ScopeName.ACCOUNT_ID, account_id),
        resources=_by_arn(own, kind),
        groups=_by_arn(own, AUTO_SCALING_GROUP) if kind == EC2_INSTANCE else {},
        savings_estimation_mode=default_savings_mode(
            membership is not None and not membership.is_administrator
        ),
    )


def _wide(
    stated: Mapping[_Key, StatedPreferences], kind: str, name: ScopeName, value: str
) -> StatedPreferences:
    """Return what is stated for a type, over what is stated for no type in particular."""
    covering = COVERING.get(kind, kind)
    of_every_type = stated.get((EVERY_TYPE, name, value), NOTHING_STATED)
    found = updated(of_every_type, stated.get((covering, name, value), NOTHING_STATED))
    # External metrics are not taken in for members of a group (spec 4.6).
    return found if covering == kind else without(found, ["external_metrics_source"])


def _by_arn(
    stated: Mapping[_Key, StatedPreferences], resource_type: str
) -> dict[str, StatedPreferences]:
    return {
        value: one
        for (kind, name, value), one in stated.items()
        if kind == resource_type and name == ScopeName.RESOURCE_ARN
    }


def _memberships(connection: Connection, account_ids: Collection[str]) -> dict[str, _Membership]:
    """Return where the accounts that belong to an organization stand in it."""
    query = (
        select(accounts.c.account_id, organizations)
        .join(organizations, accounts.c.organization_id == organizations.c.organization_id)
        .where(accounts.c.account_id.in_(account_ids))
    )
    return {
        row.account_id: _Membership(
            row.organization_id,
            row.account_id in (row.management_account_id, row.delegated_administrator_id),
        )
        for row in connection.execute(query)
    }


def _stated_by_owner(
    connection: Connection, owners: Collection[str]
) -> dict[_Owned, dict[_Key, StatedPreferences]]:
    """Return everything that owners stated, by owner and Region."""
    query = select(recommendation_preferences).where(_columns.owner_id.in_(owners))
    found: dict[_Owned, dict[_Key, StatedPreferences]] = defaultdict(dict)
    for row in connection.execute(query):
        key = (row.resource_type, ScopeName(row.scope_name), row.scope_value)
        found[row.owner_id, row.region][key] = _decode(row.body)
    return found


def _opted_in(organization_id: str | None) -> Select[Any]:
    """Return the opted-in accounts of an organization; none for no organization."""
    return (
        select(accounts.c.account_id)
        .join(enrollments, enrollments.c.account_id == accounts.c.account_id)
        .where(
            accounts.c.organization_id == organization_id,
            enrollments.c.status.in_(OPTED_IN_VALUES),
        )
    )


def _is(scope: PreferenceScope) -> tuple[ColumnElement[bool], ...]:
    return (
        _columns.owner_id == scope.owner_id,
        _columns.region == scope.region,
        _columns.resource_type == scope.resource_type,
        _columns.scope_name == scope.name.value,
        _columns.scope_value == scope.value,
    )


def _listed(row: Row[Any]) -> Listed:
    scope = PreferenceScope(
        row.owner_id, row.region, row.resource_type, ScopeName(row.scope_name), row.scope_value
    )
    return scope, _decode(row.body)
