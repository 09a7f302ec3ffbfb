"""Explain: repeat the analysis of one resource and keep the arrays that decided."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from compute_optimizer.engine.comparison import Comparison, Moment
from compute_optimizer.engine.departures import departures
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.analyze import check_moment, resource_type
from compute_optimizer.jobs.readings import samples_for
from compute_optimizer.jobs.risk import RiskPolicy, risk_policy
from compute_optimizer.model.effective_preferences import effective_preferences
from compute_optimizer.model.preferences import PUBLISHED, Preferences
from compute_optimizer.model.resource import Resource, ShardKey
from compute_optimizer.resources import RESOURCE_TYPES, ResourceType
from compute_optimizer.resources.discounts import stranding
from compute_optimizer.store import State
from compute_optimizer.store.inventory import find_resource, shard_of
from compute_optimizer.store.own_prices import own_prices
from compute_optimizer.store.preferences import layers_of
from compute_optimizer.store.recommendations import (
    Selection,
    current_run,
    read_page,
    run_as_of,
    scope_of,
)
from compute_optimizer.store.tiles import TileStore

F = TypeVar("F", bound=Callable[..., Any])


def explain(
    state: State,
    tiles: TileStore,
    clock: Clock,
    arn_or_id: str,
    *,
    as_of: datetime | None = None,
    profile: str = PUBLISHED,
) -> Explanation:
    """Return the evidence for one resource as of a moment; by default, that of the current run.

    What the run decided is explained by the preferences that it used, any other moment by those of
    today. Raises NotFound for a resource that the inventory does not have, and InvalidInput for a
    moment in the future or a resource of a type that cannot be explained.
    """
    if as_of is not None:
        check_moment(as_of, clock)
    with state.reading() as connection:
        resource = _standing_alone(connection, find_resource(connection, arn_or_id))
        kind = resource_type(resource.resource_type)
        explain_one = _function_of(kind, kind.explain, lambda other: other.explain)
        moment = _moment(connection, resource, as_of, clock)
        stored = _stored_as_of(connection, resource, moment)
        risk, own = risk_policy(connection, profile), own_prices(connection)
        preferences = stored.preferences if stored else _preferences_of(connection, resource, risk)
        known = _known_at(connection, tiles, resource, moment, preferences)
    told = explain_one(
        resource,
        known.samples,
        kind.catalog_with(own),
        as_of=known.as_of,
        preferences=preferences,
        **risk.known_to(kind),
    )
    if stored is None:
        return told
    told = replace(told, cautions=(*told.cautions, *filter(None, [stranding(stored)])))
    return replace(told, departures=departures(told, stored))


def compare(
    state: State,
    tiles: TileStore,
    clock: Clock,
    arn_or_id: str,
    *,
    as_of: datetime | None,
    against: datetime,
    profile: str = PUBLISHED,
) -> Comparison:
    """Return the answers as of two moments and which input made the difference.

    `as_of` None is the moment of the current run. Raises NotFound for a resource that the
    inventory does not have, and InvalidInput for a moment in the future or the same one twice, or
    a resource of a type that cannot be explained.
    """
    for moment in (against, against if as_of is None else as_of):
        check_moment(moment, clock)
    with state.reading() as connection:
        resource = _standing_alone(connection, find_resource(connection, arn_or_id))
        kind = resource_type(resource.resource_type)
        compare_one = _function_of(kind, kind.compare, lambda other: other.compare)
        moment = _moment(connection, resource, as_of, clock)
        if moment == against:
            raise InvalidInput(
                f"both moments are {against.isoformat(' ', 'minutes')}; expected two that differ"
            )
        risk, own = risk_policy(connection, profile), own_prices(connection)
        preferences = _preferences_of(connection, resource, risk)
        one, other = (
            _known_at(connection, tiles, resource, at, preferences) for at in (moment, against)
        )
    return compare_one(
        resource,
        (one, other),
        kind.catalog_with(own),
        preferences=preferences,
        **risk.known_to(kind),
    )


def _function_of(kind: ResourceType, found: F | None, of: Callable[[ResourceType], F | None]) -> F:
    """Return a function that not every type has; raise InvalidInput where it is missing."""
    if found is None:
        known = ", ".join(other.name for other in RESOURCE_TYPES if of(other) is not None)
        raise InvalidInput(
            f"recommendations of type {kind.name} cannot be explained; expected a resource of "
            f"one of {known}"
        )
    return found


def _standing_alone(connection: Connection, resource: Resource) -> Resource:
    """Return a resource; raise InvalidInput for an instance that follows its group."""
    group = resource.auto_scaling_group_arn
    try:
        if group:
            find_resource(connection, group)
    except NotFound:
        group = None
    if group:
        raise InvalidInput(
            f"{resource.resource_id} belongs to an Auto Scaling group and is recommended what its "
            f"group is; explain the group: {group}"
        )
    return resource


def _moment(
    connection: Connection, resource: Resource, as_of: datetime | None, clock: Clock
) -> datetime:
    """Return the moment that is meant: by default that of the current run, else the present."""
    return as_of or _analyzed_as_of(connection, shard_of(connection, resource.arn)) or clock.now()


def _preferences_of(connection: Connection, resource: Resource, risk: RiskPolicy) -> Preferences:
    """Return the preferences that an analysis would use now; they have no history."""
    layers = layers_of(connection, resource.account_id, resource.region, resource.resource_type)
    found = effective_preferences(layers, resource.arn, resource.auto_scaling_group_arn)
    return risk.of(found, resource) if resource_type(resource.resource_type).predicts else found


def _known_at(
    connection: Connection,
    tiles: TileStore,
    resource: Resource,
    moment: datetime,
    preferences: Preferences,
) -> Moment:
    """Return the samples of one resource that were known at a moment."""
    shard = shard_of(connection, resource.arn)
    kind, days = resource_type(resource.resource_type), preferences.lookback_days
    one = samples_for(connection, tiles, shard, kind, [resource], as_of=moment, days=days)
    return Moment(moment, one)


def _stored_as_of(connection: Connection, resource: Resource, moment: datetime) -> Any:
    """Return the current recommendation of a resource if it is as of the moment."""
    scope = scope_of(shard_of(connection, resource.arn))
    run_id = current_run(connection, scope)
    if run_id is None or run_as_of(connection, run_id) != moment:
        return None
    record = resource_type(resource.resource_type).recommendation
    wanted = Selection(arns=(resource.arn,))
    found = read_page(connection, run_id, scope, record, limit=1, selection=wanted)
    return found[0] if found else None


def _analyzed_as_of(connection: Connection, shard: ShardKey) -> datetime | None:
    run_id = current_run(connection, scope_of(shard))
    return run_as_of(connection, run_id) if run_id else None
