"""Explain: repeat the analysis of one resource and keep the arrays that decided."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from msgspec import structs
from sqlalchemy import Connection

from compute_optimizer.engine.comparison import Comparison, Moment
from compute_optimizer.engine.departures import departures, record_departures
from compute_optimizer.engine.explanation import Explanation, IdleEvidence
from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.analyze import check_moment, resource_type
from compute_optimizer.jobs.readings import samples_for
from compute_optimizer.jobs.risk import RiskPolicy, risk_policy
from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.effective_preferences import effective_preferences
from compute_optimizer.model.idle_limits import NO_LIMITS, IdleLimits
from compute_optimizer.model.metrics import ShardSamples, look_back
from compute_optimizer.model.preferences import PUBLISHED, Preferences
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, IdleRecommendation
from compute_optimizer.model.resource import Resource, ShardKey
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.resources.discounts import stranding
from compute_optimizer.resources.idle_evidence import (
    idle_evidence,
    with_idle_rules,
    with_idle_sides,
)
from compute_optimizer.resources.idleness import IdleRule, limited, window_days
from compute_optimizer.resources.resource_type import ResourceType
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import analyzed_as_of, current_run, run_as_of, scope_of
from compute_optimizer.store.described_types import own_figures
from compute_optimizer.store.inventory import find_resource, resources_of, shard_of
from compute_optimizer.store.preferences import layers_of
from compute_optimizer.store.recommendations import Selection, read_page
from compute_optimizer.store.tiles import TileStore

F = TypeVar("F", bound=Callable[..., Any])

MACHINES = (Ec2InstanceRecommendation, AutoScalingGroupRecommendation)
"""Recommendations that are stored with the demand of each dimension."""


def explain(
    state: State,
    tiles: TileStore,
    clock: Clock,
    arn_or_id: str,
    *,
    as_of: datetime | None = None,
    profile: str = PUBLISHED,
    idle_limits: IdleLimits = NO_LIMITS,
    as_type: str | None = None,
    searching: bool = True,
) -> Explanation:
    """Return the evidence for one resource as of a moment; by default, that of the current run.

    What the run decided is explained by the preferences that it used, any other moment by those of
    today; `idle_limits` stand in place of the published limits of idleness. `as_type` names the
    type where a resource is of two: an instance with SQL Server is of type License, too. Without
    `searching` it is not told what would change the answer, which takes longest. Raises
    NotFound for a resource that the inventory does not have, and InvalidInput for a moment in the
    future or a resource of a type that cannot be explained.
    """
    if as_of is not None:
        check_moment(as_of, clock)
    with state.reading() as connection:
        resource = _found(connection, arn_or_id, as_type)
        kind = resource_type(resource.resource_type)
        explain_one = _function_of(kind, kind.explain, "explained", lambda other: other.explain)
        if not searching and kind.outline is not None:
            explain_one = kind.outline
        moment = _moment(connection, resource, as_of, clock)
        stored = _stored_as_of(connection, resource, moment)
        risk = risk_policy(connection, profile)
        own = own_figures(connection, look_back(moment, 1).last)
        preferences = stored.preferences if stored else _preferences_of(connection, resource, risk)
        others = _beside(connection, resource)
        known = _known_at(connection, tiles, [resource, *others], moment, preferences)
        rules = [limited(rule, idle_limits) for rule in kind.idle]
        windows = [_window(connection, tiles, resource, known, preferences, one) for one in rules]
    catalog = kind.catalog_with(own)
    idle = _idle(resource, rules, windows, catalog, known.as_of)
    asked = {"as_of": known.as_of, "preferences": preferences, **risk.known_to(kind)}
    told = explain_one(
        resource, known.samples, kind.catalog_with(own), **asked, **_asked_beside(others)
    )
    told = with_idle_rules(told, idle, says_all=kind.recommendation is IdleRecommendation)
    if stored is None:
        return told
    told = replace(told, cautions=(*told.cautions, *filter(None, [stranding(stored)])))
    if isinstance(stored, MACHINES):
        return replace(told, departures=departures(told, stored))
    again = kind.recommend([resource, *others], known.samples, catalog, **asked)
    now = next((one for one in again.recommendations if one.resource_arn == resource.arn), None)
    return replace(told, departures=record_departures(stored, now, kind.summary))


def compare(
    state: State,
    tiles: TileStore,
    clock: Clock,
    arn_or_id: str,
    *,
    as_of: datetime | None,
    against: datetime,
    profile: str = PUBLISHED,
    idle_limits: IdleLimits = NO_LIMITS,
) -> Comparison:
    """Return the answers as of two moments and which input made the difference.

    `as_of` None is the moment of the current run; `idle_limits` are as in `explain`. Raises
    NotFound for a resource that the inventory does not have, and InvalidInput for a moment in the
    future or the same one twice, or a resource of a type that cannot be explained.
    """
    for moment in (against, against if as_of is None else as_of):
        check_moment(moment, clock)
    with state.reading() as connection:
        resource = _standing_alone(connection, find_resource(connection, arn_or_id))
        kind = resource_type(resource.resource_type)
        compare_one = _function_of(kind, kind.compare, "compared", lambda other: other.compare)
        moment = _moment(connection, resource, as_of, clock)
        if moment == against:
            raise InvalidInput(
                f"both moments are {against.isoformat(' ', 'minutes')}; expected two that differ"
            )
        risk = risk_policy(connection, profile)
        own = own_figures(connection, look_back(moment, 1).last)
        preferences = _preferences_of(connection, resource, risk)
        others = _beside(connection, resource)
        one, other = (
            _known_at(connection, tiles, [resource, *others], at, preferences)
            for at in (moment, against)
        )
        rules = [limited(rule, idle_limits) for rule in kind.idle]
        windows = {
            known.as_of: [
                _window(connection, tiles, resource, known, preferences, r) for r in rules
            ]
            for known in (one, other)
        }
    asked = {"preferences": preferences, **risk.known_to(kind), **_asked_beside(others)}
    catalog = kind.catalog_with(own)
    found: Comparison = compare_one(resource, (one, other), catalog, **asked)
    idle = {at: _idle(resource, rules, seen, catalog, at) for at, seen in windows.items()}
    return with_idle_sides(found, idle)


def _idle(
    resource: Resource,
    rules: Sequence[IdleRule],
    windows: Sequence[ShardSamples],
    catalog: Any,
    as_of: datetime,
) -> list[IdleEvidence]:
    """Return what each rule says of a resource by the samples of its window."""
    return [
        idle_evidence(rule, resource, seen, catalog, as_of=as_of)
        for rule, seen in zip(rules, windows, strict=True)
    ]


def _function_of(
    kind: ResourceType, found: F | None, done: str, of: Callable[[ResourceType], F | None]
) -> F:
    """Return a function that not every type has; raise InvalidInput where it is missing."""
    if found is None:
        known = ", ".join(other.name for other in RESOURCE_TYPES if of(other) is not None)
        raise InvalidInput(
            f"what is said of type {kind.name} cannot be {done}; expected a resource of one of "
            f"{known}"
        )
    return found


def _found(connection: Connection, arn_or_id: str, as_type: str | None) -> Resource:
    """Return a resource as one of its type or, where it is of that too, of another one."""
    resource = find_resource(connection, arn_or_id)
    if as_type is None or (kind := resource_type(as_type)).name == resource.resource_type:
        return _standing_alone(connection, resource)
    shard = replace(shard_of(connection, resource.arn), resource_type=kind.name)
    if kind.kept_with is not None and kind.kept_with.name == resource.resource_type:
        for one in resources_of(connection, shard):
            if one.arn == resource.arn:
                return replace(one, resource_type=kind.name)
    raise NotFound(f"{arn_or_id} is of type {resource.resource_type} and of no type {kind.name}")


def _shard(connection: Connection, resource: Resource) -> ShardKey:
    """Return the shard of a resource among those of the type that it is looked at as."""
    key = shard_of(connection, resource.arn)
    return replace(key, resource_type=resource.resource_type)


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
    return as_of or analyzed_as_of(connection, [_shard(connection, resource)]) or clock.now()


def _preferences_of(connection: Connection, resource: Resource, risk: RiskPolicy) -> Preferences:
    """Return the preferences that an analysis would use now; they have no history."""
    layers = layers_of(connection, resource.account_id, resource.region, resource.resource_type)
    found = effective_preferences(layers, resource.arn, resource.auto_scaling_group_arn)
    return risk.of(found, resource) if resource_type(resource.resource_type).predicts else found


def _known_at(
    connection: Connection,
    tiles: TileStore,
    resources: Sequence[Resource],
    moment: datetime,
    preferences: Preferences,
) -> Moment:
    """Return the samples of one resource, and of those beside it, that were known at a moment."""
    shard = _shard(connection, resources[0])
    kind, days = resource_type(shard.resource_type), preferences.lookback_days
    found = samples_for(connection, tiles, shard, kind, resources, as_of=moment, days=days)
    return Moment(moment, found)


def _asked_beside(others: Sequence[Resource]) -> dict[str, Any]:
    """Return the argument for those beside a resource, which only some types take."""
    return {"beside": others} if others else {}


def _beside(connection: Connection, resource: Resource) -> Sequence[Resource]:
    """Return the resources of the same shard that decide with one."""
    beside = resource_type(resource.resource_type).beside
    if beside is None:
        return ()
    return beside(resource, resources_of(connection, shard_of(connection, resource.arn)))


def _window(
    connection: Connection,
    tiles: TileStore,
    resource: Resource,
    known: Moment,
    preferences: Preferences,
    rule: IdleRule,
) -> ShardSamples:
    """Return the samples that a rule of idleness looks at; the windows of some are their own."""
    days = window_days(rule, preferences)
    if days == preferences.lookback_days:
        return known.samples.rows([0])
    own = structs.replace(preferences, lookback_days=days)
    return _known_at(connection, tiles, [resource], known.as_of, own).samples


def _stored_as_of(connection: Connection, resource: Resource, moment: datetime) -> Any:
    """Return the current recommendation of a resource if it is as of the moment."""
    scope = scope_of(_shard(connection, resource))
    run_id = current_run(connection, scope)
    if run_id is None or run_as_of(connection, run_id) != moment:
        return None
    record = resource_type(resource.resource_type).recommendation
    wanted = Selection(arns=(resource.arn,))
    found = read_page(connection, run_id, scope, record, limit=1, selection=wanted)
    return found[0] if found else None
