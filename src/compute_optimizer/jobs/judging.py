"""Judging changes that were advised and made: by samples, or by what the inventory shows.

Changes of capacity are judged by `ResourceType.judge` on the samples of the 14 days after them,
those of idle resources by whether they are used again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.engine.failures import counts_of, with_failures
from compute_optimizer.engine.peaks import HORIZON_DAYS
from compute_optimizer.engine.reached import MadeChange, Reached
from compute_optimizer.engine.usage import CPU_METRIC
from compute_optimizer.jobs.readings import forget_after, forget_before, samples_for
from compute_optimizer.model.decision import Decision
from compute_optimizer.model.metrics import SLOTS_PER_HOUR, ShardSamples, Window
from compute_optimizer.model.resource import EC2_INSTANCE, Resource, ShardKey
from compute_optimizer.resources import type_named
from compute_optimizer.resources.ec2.dimensions import METRICS
from compute_optimizer.resources.resource_type import ResourceType
from compute_optimizer.store.decisions import batches_of
from compute_optimizer.store.inventory import places_named
from compute_optimizer.store.risk import fleet_model
from compute_optimizer.store.tiles import TileStore, read_samples

HORIZON = timedelta(days=HORIZON_DAYS)

SURELY_BEFORE = timedelta(days=1)
"""Before a change was noticed: it was made since the inventory before, which is read daily."""

MACHINE_DAYS = 15_000
"""Of one metric that are read at once: 17 MB, as the score does."""

NO_CAPACITY = "such a change leaves every capacity as it was"
UNKNOWN = "no capacity of it is known"
GONE = "the resource is not in the inventory any more"
ANOTHER = "it was changed again within a day"
UNSEEN = "it sent nothing since"
UNSEEN_WHERE_SMALLER = "it sent nothing of what became smaller"
DELETED = "it is not there any more, so it cannot be used again"

ChangeKey = tuple[str, datetime | None]
"""Which change: what was advised, and when it was made."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What can be told of one change afterwards."""

    hours: float | None = None
    """That the machine ran; None where nothing tells."""
    violated: bool | None = None
    because: str = ""
    """Why it is not judged."""
    smaller_in: tuple[str, ...] = ()
    violated_in: tuple[str, ...] = ()
    unseen_in: tuple[str, ...] = ()


_Placed = tuple[Decision, Resource]


def key_of(applied: Decision) -> ChangeKey:
    """Return which change it is."""
    return applied.recommendation_id, applied.applied_at


def span_of(applied: Decision, now: datetime) -> tuple[datetime, datetime]:
    """Return since when, and to when, a change counts: until now, or until it was another."""
    assert applied.applied_at is not None, "what was applied has a moment"
    return applied.applied_at, min(applied.ended_at or now, now)


def judged(
    connection: Connection, tiles: TileStore, found: Sequence[Decision], now: datetime
) -> dict[ChangeKey, Judgement]:
    """Return what can be told of every change; raises StoreUnavailable for an unreadable tile."""
    places: dict[str, tuple[ShardKey, Resource]] = {}
    for some in batches_of(one.advice.resource_arn for one in found):
        places |= places_named(connection, some)
    result: dict[ChangeKey, Judgement] = {}
    placed: dict[tuple[str, ShardKey], list[_Placed]] = defaultdict(list)
    for one in found:
        place = places.get(one.advice.resource_arn)
        without_samples = _by_inventory(one, place is not None)
        if without_samples or place is None:
            result[key_of(one)] = without_samples or Judgement(because=GONE)
        else:
            placed[one.advice.resource_type, place[0]].append((one, place[1]))
    for (name, shard), some_placed in placed.items():
        kind = type_named(name)
        assert kind is not None, f"no resource type {name}"
        for batch in _batches(some_placed, now):
            result |= _by_samples(connection, tiles, kind, shard, batch, now)
    return result


def _by_inventory(applied: Decision, is_there: bool) -> Judgement | None:
    """Return what the inventory tells by itself; None where samples have to tell."""
    kind = type_named(applied.advice.resource_type)
    if applied.advice.idle:
        return _used_again(applied, is_there)
    if kind is None or kind.judge is None:
        return Judgement(because=NO_CAPACITY)
    return None


def _used_again(applied: Decision, is_there: bool) -> Judgement:
    since, ended = applied.applied_at, applied.ended_at
    assert since is not None, "what was applied has a moment"
    if ended is not None:
        return Judgement(violated=ended - since < HORIZON)
    return Judgement(violated=False) if is_there else Judgement(because=DELETED)


def _batches(placed: Sequence[_Placed], now: datetime) -> Iterator[Sequence[_Placed]]:
    """Yield changes that are read together: those of one moment, as many as fit."""
    in_order = sorted(placed, key=lambda one: (span_of(one[0], now), one[0].recommendation_id))
    for (since, until), group in groupby(in_order, key=lambda one: span_of(one[0], now)):
        alike = list(group)
        size = max(1, MACHINE_DAYS // ((until - since).days + 2))
        for first in range(0, len(alike), size):
            yield alike[first : first + size]


def _by_samples(
    connection: Connection,
    tiles: TileStore,
    kind: ResourceType,
    shard: ShardKey,
    batch: Sequence[_Placed],
    now: datetime,
) -> dict[ChangeKey, Judgement]:
    """Return what the samples of one shard tell of changes that have one span."""
    since, until = span_of(batch[0][0], now)
    resources = [resource for _, resource in batch]
    hours = _hours(connection, tiles, shard, resources, since, until)
    samples = _samples_after(connection, tiles, kind, shard, resources, since, until)
    changes = [
        MadeChange(resource, decision.before or decision.advice.current, decision.advice.advised)
        for decision, resource in batch
    ]
    assert kind.judge is not None, f"changes of {kind.name} are not judged"
    came = kind.judge(changes, samples, kind.catalog())
    if kind.failures:
        came = _with_failures(connection, tiles, kind, shard, came, samples, since)
    counted = _counted(connection, kind, came)
    # A span that is shorter than a day tells of no day, let alone of fourteen.
    is_short = until < now and until - since < timedelta(days=1)
    return {
        key_of(decision): _seen(came, row, counted, hours.get(resource.arn), is_short)
        for row, (decision, resource) in enumerate(batch)
    }


def _with_failures(
    connection: Connection,
    tiles: TileStore,
    kind: ResourceType,
    shard: ShardKey,
    came: Reached,
    after: ShardSamples,
    since: datetime,
) -> Reached:
    """Return the same with what failed in the 14 days after the change and in those before it."""
    end = since - SURELY_BEFORE
    begin = end - HORIZON
    window = Window(begin.date(), end.date())
    keys = counts_of(kind.failures)
    before = read_samples(connection, tiles, shard, window, keys, after.resource_arns)
    forget_before(before, begin)
    forget_after(before, end)
    return with_failures(came, kind.failures, before, after)


def _counted(connection: Connection, kind: ResourceType, came: Reached) -> Collection[int]:
    """Return the places of the dimensions that count: where risk is predicted, of which it is."""
    places = range(len(came.dimensions))
    if not kind.peak_models:
        return places
    known = (fleet_model(connection) or load_risk_prior()).peaks
    return [one for one in places if kind.peak_models.get(came.dimensions[one]) in known]


def _seen(
    came: Reached, row: int, counted: Collection[int], hours: float | None, is_short: bool
) -> Judgement:
    """Return what is told of one change, by the dimensions that count."""
    smaller = [place for place in counted if came.smaller[row, place]]
    unseen = [place for place in smaller if not came.seen[row, place]]
    reached = [place for place in smaller if came.reached[row, place]]
    named = [tuple(came.dimensions[place] for place in some) for some in (smaller, reached, unseen)]
    because = ""
    if is_short:
        because = ANOTHER
    elif not came.known[row].any():
        because = UNKNOWN
    elif not came.seen[row].any():
        because = UNSEEN
    elif smaller and len(unseen) == len(smaller):
        because = UNSEEN_WHERE_SMALLER
    return Judgement(hours, None if because else bool(reached), because, *named)


def _samples_after(
    connection: Connection,
    tiles: TileStore,
    kind: ResourceType,
    shard: ShardKey,
    resources: Sequence[Resource],
    since: datetime,
    until: datetime,
) -> ShardSamples:
    """Return what the 14 days after the change tell of each resource, or the span if shorter."""
    end = min(until, since + HORIZON)
    if kind.from_members is not None:
        days = (end.date() - since.date()).days + 1
        found = samples_for(connection, tiles, shard, kind, resources, as_of=end, days=days)
    else:
        window = Window(since.date(), end.date())
        arns = [one.arn for one in resources]
        found = read_samples(connection, tiles, shard, window, kind.series, arns)
        forget_after(found, end)
    forget_before(found, since)
    return found


def _hours(
    connection: Connection,
    tiles: TileStore,
    shard: ShardKey,
    resources: Sequence[Resource],
    since: datetime,
    until: datetime,
) -> Mapping[str, float]:
    """Return the hours in which instances sent samples of CPU; nothing of those without any."""
    if shard.resource_type != EC2_INSTANCE:
        return {}
    arns = [one.arn for one in resources]
    wanted = [one for one in METRICS if one.metric == CPU_METRIC]
    window = Window(since.date(), until.date())
    samples = read_samples(connection, tiles, shard, window, wanted, arns)
    forget_before(samples, since)
    forget_after(samples, until)
    if not samples.series:
        return {}
    known = np.logical_or.reduce([~np.isnan(one) for one in samples.series.values()])
    slots = known.sum(axis=1)
    found = zip(samples.resource_arns, (slots / SLOTS_PER_HOUR).tolist(), strict=True)
    return {arn: hours for arn, hours in found if hours}
