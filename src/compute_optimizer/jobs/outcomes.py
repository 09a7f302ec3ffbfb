"""Outcomes: what advice that was followed has saved and hurt, beside what was predicted."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.engine.peaks import HORIZON_DAYS
from compute_optimizer.engine.running_time import SLOTS_PER_HOUR
from compute_optimizer.engine.usage import CPU_METRIC
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.readings import forget_after, forget_before, samples_for
from compute_optimizer.model.decision import Decision
from compute_optimizer.model.metrics import ShardSamples, Window
from compute_optimizer.model.outcome import ELAPSED, HOUR, RUNNING, Outcome, savings_over
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EC2_INSTANCE,
    Resource,
    ShardKey,
)
from compute_optimizer.resources import ResourceType, type_named
from compute_optimizer.resources.ec2.dimensions import METRICS, PEAK_MODELS
from compute_optimizer.resources.ec2.reached import reached
from compute_optimizer.store import State
from compute_optimizer.store.decisions import applied_ones, batches_of
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.inventory import places_named
from compute_optimizer.store.outcomes import replace_outcomes, stored_outcomes
from compute_optimizer.store.risk import fleet_model
from compute_optimizer.store.tiles import TileStore, read_samples

HORIZON = timedelta(days=HORIZON_DAYS)

MACHINE_DAYS = 15_000
"""Of one metric that are read at once: 17 MB, as the score does."""

JUDGED_TYPES = (EC2_INSTANCE, AUTO_SCALING_GROUP)
"""Whose risk is predicted."""

NOT_PREDICTED = "no risk is predicted for this type of resource"
GONE = "the resource is not in the inventory any more"
ANOTHER = "it was changed again within a day"
UNSEEN = "it sent nothing since"
IDLE = "nothing is used any more"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What samples tell of one change."""

    hours: float | None = None
    """That the machine ran; None where nothing tells."""
    violated: bool | None = None
    because: str = ""


_Placed = tuple[Decision, ShardKey, Resource]


def outcomes(
    state: State,
    tiles: TileStore,
    clock: Clock,
    accounts: Collection[str] | None = None,
) -> list[Outcome]:
    """Return what came of every change that was advised and made, the last first.

    Of opted-in accounts, or those of the given ones. Raises StoreUnavailable for a tile that cannot
    be read.
    """
    now = clock.now()
    with state.reading() as connection:
        visible = opted_in_accounts(connection)
        if accounts is not None:
            visible &= set(accounts)
        found = applied_ones(connection, visible)
        seen = _seen(connection, tiles, found, now)
    return [_outcome(one, seen.get(_key(one), _Seen()), now) for one in found]


def keep_outcomes(
    state: State,
    tiles: TileStore,
    clock: Clock,
    fence: Callable[[Connection], None] = lambda connection: None,
) -> int:
    """Store what came of every change, in one transaction in which `fence` is called.

    Returns their number; raises as `outcomes`.
    """
    judged_at, found = clock.now(), outcomes(state, tiles, clock)
    with state.writing() as connection:
        fence(connection)
        replace_outcomes(connection, found, judged_at)
    return len(found)


def kept_outcomes(
    state: State, tiles: TileStore, clock: Clock, accounts: Collection[str]
) -> tuple[list[Outcome], datetime | None]:
    """Return what came of changes in some accounts as it was stored, and up to when it was judged.

    Changes that were made, undone or followed by another since are judged now; so are all where
    nothing is stored, and the moment is None.
    """
    now = clock.now()
    with state.reading() as connection:
        applied = applied_ones(connection, opted_in_accounts(connection) & set(accounts))
        stored, judged_at = stored_outcomes(connection, accounts)
        current = {_key(one): one for one in applied}
        known = {key: one for one in stored if current.get(key := _key(one.applied)) == one.applied}
        fresh = [one for one in applied if _key(one) not in known]
        seen = _seen(connection, tiles, fresh, now)
    found = [
        known.get(_key(one)) or _outcome(one, seen.get(_key(one), _Seen()), now) for one in applied
    ]
    return found, judged_at if known else None


def _outcome(applied: Decision, seen: _Seen, now: datetime) -> Outcome:
    since, until = _span(applied, now)
    elapsed = (until - since) / HOUR
    promised = applied.advice.prediction
    hours = elapsed if seen.hours is None else min(seen.hours, elapsed)
    saved = None
    if promised.current_monthly_usd is not None and promised.advised_monthly_usd is not None:
        saved = promised.current_monthly_usd - promised.advised_monthly_usd
    predicted = promised.savings_monthly_usd
    judged = min(until - since, HORIZON)
    return Outcome(
        applied=applied,
        until=until,
        hours=hours,
        hours_are=ELAPSED if seen.hours is None else RUNNING,
        predicted_savings_usd=None if predicted is None else savings_over(predicted, elapsed),
        realized_savings_usd=None if saved is None else savings_over(saved, hours),
        violated=seen.violated,
        judged_days=0.0 if seen.violated is None else judged / timedelta(days=1),
        complete=judged == HORIZON and seen.violated is not None,
        unjudged_because=seen.because or ("" if seen.violated is not None else NOT_PREDICTED),
    )


def _span(applied: Decision, now: datetime) -> tuple[datetime, datetime]:
    assert applied.applied_at is not None, "what was applied has a moment"
    return applied.applied_at, min(applied.ended_at or now, now)


def _key(applied: Decision) -> tuple[str, datetime | None]:
    return applied.recommendation_id, applied.applied_at


def _seen(
    connection: Connection, tiles: TileStore, found: Sequence[Decision], now: datetime
) -> dict[tuple[str, datetime | None], _Seen]:
    judgeable = [one for one in found if one.advice.resource_type in JUDGED_TYPES]
    result = {_key(one): _Seen(because=IDLE) for one in found if one.advice.idle}
    placed: dict[ShardKey, list[_Placed]] = defaultdict(list)
    places: dict[str, tuple[ShardKey, Resource]] = {}
    for some in batches_of(one.advice.resource_arn for one in judgeable):
        places |= places_named(connection, some)
    for one in judgeable:
        if one.advice.resource_arn not in places:
            result[_key(one)] = _Seen(because=GONE)
            continue
        key, resource = places[one.advice.resource_arn]
        placed[key].append((one, key, resource))
    for key, some_placed in placed.items():
        for batch in _batches(some_placed, now):
            result |= _judged(connection, tiles, key, batch, now)
    return result


def _batches(placed: Sequence[_Placed], now: datetime) -> Iterator[Sequence[_Placed]]:
    """Yield changes that are read together: those of one moment, as many as fit."""
    in_order = sorted(placed, key=lambda one: (_span(one[0], now), one[0].recommendation_id))
    for (since, until), group in groupby(in_order, key=lambda one: _span(one[0], now)):
        alike = list(group)
        size = max(1, MACHINE_DAYS // ((until - since).days + 2))
        for first in range(0, len(alike), size):
            yield alike[first : first + size]


def _judged(
    connection: Connection,
    tiles: TileStore,
    key: ShardKey,
    batch: Sequence[_Placed],
    now: datetime,
) -> dict[tuple[str, datetime | None], _Seen]:
    """Return what the samples of one shard tell of changes that have one span."""
    since, until = _span(batch[0][0], now)
    machines = [_as_advised(decision, resource) for decision, _, resource in batch]
    hours = _hours(connection, tiles, key, machines, since, until)
    kind = type_named(key.resource_type)
    assert kind is not None, f"no resource type {key.resource_type}"
    samples = _samples_after(connection, tiles, kind, key, machines, since, until)
    model = fleet_model(connection) or load_risk_prior()
    known = [name for name, peak in PEAK_MODELS.items() if peak in model.peaks]
    former = [str((one.before or one.advice.current)["instanceType"]) for one, _, _ in batch]
    came = reached(machines, samples, load_instance_types(), former, known)
    # A span that is shorter than a day tells of no day, let alone of fourteen.
    short = ANOTHER if until < now and until - since < timedelta(days=1) else ""
    return {
        _key(decision): _Seen(
            hours.get(decision.advice.resource_arn),
            bool(came.reached[row]) if came.seen[row] and not short else None,
            short or ("" if came.seen[row] else UNSEEN),
        )
        for row, (decision, _, _) in enumerate(batch)
    }


def _as_advised(decision: Decision, resource: Resource) -> Resource:
    """Return the resource as it was after the change: it may have been changed since."""
    advised = str(decision.advice.advised["instanceType"])
    return replace(resource, instance_type=advised)


def _samples_after(
    connection: Connection,
    tiles: TileStore,
    kind: ResourceType,
    key: ShardKey,
    machines: Sequence[Resource],
    since: datetime,
    until: datetime,
) -> ShardSamples:
    """Return what the 14 days after the change tell of each machine, or the span if shorter."""
    end = min(until, since + HORIZON)
    days = (end.date() - since.date()).days + 1
    if kind.from_members is not None:
        found = samples_for(connection, tiles, key, kind, machines, as_of=end, days=days)
    else:
        window = Window(since.date(), end.date())
        arns = [one.arn for one in machines]
        found = read_samples(connection, tiles, key, window, METRICS, arns)
        forget_after(found, end)
    forget_before(found, since)
    return found


def _hours(
    connection: Connection,
    tiles: TileStore,
    key: ShardKey,
    machines: Sequence[Resource],
    since: datetime,
    until: datetime,
) -> Mapping[str, float]:
    """Return the hours in which instances sent samples of CPU; nothing of those without any."""
    if key.resource_type != EC2_INSTANCE:
        return {}
    arns = [one.arn for one in machines]
    wanted = [one for one in METRICS if one.metric == CPU_METRIC]
    window = Window(since.date(), until.date())
    samples = read_samples(connection, tiles, key, window, wanted, arns)
    forget_before(samples, since)
    forget_after(samples, until)
    if not samples.series:
        return {}
    known = np.logical_or.reduce([~np.isnan(one) for one in samples.series.values()])
    slots = known.sum(axis=1)
    found = zip(samples.resource_arns, (slots / SLOTS_PER_HOUR).tolist(), strict=True)
    return {arn: hours for arn, hours in found if hours}
