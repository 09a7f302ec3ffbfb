"""Replay: give the advice of a past day again, and hold it against what came, for any type."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from compute_optimizer.backtest.followed import changes_of
from compute_optimizer.backtest.past import following_origins
from compute_optimizer.backtest.replay import Outcomes, failures_of, joined, judged, scores
from compute_optimizer.backtest.run import SEED
from compute_optimizer.backtest.trial import TEST_DAYS, TRAIN_DAYS
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Clock, Executor, StageProgress, no_progress
from compute_optimizer.jobs.analyze import resource_type
from compute_optimizer.jobs.demo import generate_estate, samples_of
from compute_optimizer.jobs.executors.local import locally
from compute_optimizer.jobs.outcomes import kept_outcomes
from compute_optimizer.jobs.stored_fleets import (
    EVERYBODY,
    Whose,
    shards_of_opted_in,
    stored_window,
)
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.resource import Resource, ShardKey
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.resources.resource_type import ResourceType
from compute_optimizer.scenario.fleet import FLEET_SIZE
from compute_optimizer.store import State
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.inventory import resources_of, shard_sizes
from compute_optimizer.store.tiles import TileStore, read_samples

BATCH = 500
"""Resources at a time: four weeks of ten series of them are about 160 MB."""

DEMO_LAST_DAY = date(2026, 11, 1)
"""Any day would do; this one makes the replay of the demo the same on every day."""

DEMO_DAYS = TRAIN_DAYS + 3 * TEST_DAYS
"""Three test windows that follow each other."""

Batch = tuple[Sequence[Resource], ShardSamples]


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What is known of the resources of one type over whole UTC days."""

    name: str
    kind: ResourceType
    window: Window
    parts: Sequence["StoredPart | SentPart"]


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A shard of the metric store, to be read by any process."""

    state_url: str = field(repr=False)
    """Holds a password, which no message and no log may."""
    tiles: TileStore
    shard: ShardKey
    resources: int
    """How many there are, about."""
    every: int = 1
    """Every n-th of them is read."""

    def read(self, days: Window) -> Iterator[Batch]:
        """Yield the resources, a batch at a time, with their samples of some of the days."""
        kind = resource_type(self.shard.resource_type)
        with closing(State(self.state_url)) as state:
            with state.reading() as connection:
                resources = resources_of(connection, self.shard)[:: self.every]
            for first in range(0, len(resources), BATCH):
                some = resources[first : first + BATCH]
                arns = [one.arn for one in some]
                with state.reading() as connection:
                    yield (
                        some,
                        read_samples(connection, self.tiles, self.shard, days, kind.series, arns),
                    )


@dataclass(frozen=True, slots=True, eq=False)
class SentPart:
    """What the generated organization of the demo sent of some resources."""

    shard: ShardKey
    some: Sequence[Resource]
    """In the order of the samples."""
    samples: ShardSamples

    @property
    def resources(self) -> int:
        """Return how many there are."""
        return len(self.some)

    def read(self, days: Window) -> Iterator[Batch]:
        """Yield the resources with their samples of some of the days."""
        yield self.some, _days(self.samples, days)


@dataclass(frozen=True, slots=True)
class _Judging:
    """The advice of one day for one part."""

    part: StoredPart | SentPart
    origin: date
    last: date
    """Of the test window."""

    @property
    def name(self) -> str:
        """Return what people call its shard."""
        return self.part.shard.name


def replayed_type(name: str) -> ResourceType:
    """Return the record of a type that can be replayed; raise InvalidInput for another."""
    kind = resource_type(name)
    if kind.replay is None:
        known = ", ".join(other.name for other in RESOURCE_TYPES if other.replay is not None)
        raise InvalidInput(f"the advice for type {name} is not replayed; expected one of {known}")
    return kind


def stored_past(
    state: State, tiles: TileStore, kind: ResourceType, whose: Whose = EVERYBODY
) -> Past:
    """Return what the metric store knows of the resources of a type in opted-in accounts.

    Raises Conflict where nobody opted in, and InvalidInput where there is no sample.
    """
    with state.reading() as connection:
        keys = shards_of_opted_in(connection, kind.name, whose.accounts)
        window = stored_window(connection, keys, kind.plural)
        sizes = shard_sizes(connection, {key.account_id for key in keys})
    parts = [StoredPart(state.url, tiles, key, sizes.get(key, 0), whose.every) for key in keys]
    return Past("the metric store", kind, window, parts)


def demo_past(kind: ResourceType, size: int = FLEET_SIZE) -> Past:
    """Return what the generated organization of the demo would have sent."""
    estate = generate_estate(size)
    window = Window(DEMO_LAST_DAY - timedelta(days=DEMO_DAYS - 1), DEMO_LAST_DAY)
    owned = {one.arn: one for one in estate.resources if one.resource_type == kind.name}
    # What idles sends the days of its own rule only, which are not enough for a replay.
    sent = [
        one
        for one in samples_of(estate, window)
        if one.window == window and set(one.resource_arns) & owned.keys()
    ]

    parts = []
    for samples in sent:
        rows = [row for row, arn in enumerate(samples.resource_arns) if arn in owned]
        some = samples.rows(rows)
        found = [owned[arn] for arn in some.resource_arns]
        parts.append(SentPart(_key_of(found[0]), found, some))
    return Past("the demo", kind, window, parts)


def _key_of(resource: Resource) -> ShardKey:
    return ShardKey(resource.account_id, resource.region, resource.resource_type, 0)


def replay(
    past: Past,
    origins: Sequence[date] = (),
    seed: int = SEED,
    progress: StageProgress = no_progress,
    executor: Executor | None = None,
) -> dict[str, Any]:
    """Return what the advice at each origin would have done, ready for JSON.

    Without origins the test windows follow each other and end with the last day. This process
    judges every shard, or an `executor`. Raises InvalidInput for an origin without days before and
    after it.
    """
    chosen = list(origins) or _origins(past)
    for origin in chosen:
        _check(past, origin)
    tasks = [
        _Judging(part, origin, _last(past, origin)) for origin in chosen for part in past.parts
    ]
    work_off = executor or locally(workers=1)
    judged_parts = work_off(
        _judge,
        tasks,
        lambda done, total: progress("Replaying", done, total),
        resources=sum(task.part.resources for task in tasks),
    )
    step = len(past.parts)
    found = [
        _together(judged_parts[first : first + step]) for first in range(0, len(tasks), step or 1)
    ]
    kind_replay = past.kind.replay
    assert kind_replay is not None, f"{past.kind.name} is not replayed"
    return {
        "fleet": {
            "name": past.name,
            "resource_type": past.kind.name,
            "first_day": past.window.first.isoformat(),
            "days": past.window.days,
            "train_days": TRAIN_DAYS,
            "test_days": TEST_DAYS,
            "dimensions": [
                {"name": one.name, "unit": one.unit, "forgiven": one.forgiven}
                for one in kind_replay.dimensions
            ],
        },
        "origins": [
            {
                "origin": origin.isoformat(),
                "resources": number,
                **_scores(outcomes, past.kind, seed),
            }
            for origin, (outcomes, number) in zip(chosen, found, strict=True)
        ],
        "overall": _scores(
            joined([outcomes for outcomes, _ in found]), past.kind, seed, len(chosen)
        ),
    }


def with_changes(
    report: Mapping[str, Any],
    state: State,
    tiles: TileStore,
    clock: Clock,
    kind: ResourceType,
    whose: Whose = EVERYBODY,
) -> dict[str, Any]:
    """Return a report on stored resources with what came of the advice that was followed.

    As it was last judged, of all resources of these accounts: changes are too few to leave any out.
    Raises StoreUnavailable for a tile that cannot be read.
    """
    accounts = whose.accounts
    if accounts is None:
        with state.reading() as connection:
            accounts = frozenset(opted_in_accounts(connection))
    came, _ = kept_outcomes(state, tiles, clock, accounts)
    advised = ((one, one.applied.advice) for one in came)
    mine = [one for one, of in advised if of.resource_type == kind.name and not of.idle]
    return {**report, "changes": changes_of(mine)}


def _scores(outcomes: Outcomes, kind: ResourceType, seed: int, origins: int = 1) -> dict[str, Any]:
    assert kind.replay is not None, f"{kind.name} is not replayed"
    found = scores(outcomes, kind.replay, seed, origins)
    if not kind.failures:
        return found
    return found | {"failures": failures_of(outcomes, kind.failures)}


def _origins(past: Past) -> list[date]:
    numbers = following_origins(past.window.days, past.name)
    return [past.window.first + timedelta(days=number) for number in numbers]


def _check(past: Past, origin: date) -> None:
    earliest = past.window.first + timedelta(days=TRAIN_DAYS)
    if not earliest <= origin <= past.window.last:
        raise InvalidInput(
            f"the origin {origin} has not {TRAIN_DAYS} days of {past.name} before it and some "
            f"after; expected {earliest} to {past.window.last}"
        )


def _last(past: Past, origin: date) -> date:
    return min(origin + timedelta(days=TEST_DAYS - 1), past.window.last)


def _judge(task: _Judging) -> tuple[list[Outcomes], int]:
    """Return what became of the advice of one day for a part, and how many resources it has."""
    kind, origin = resource_type(task.part.shard.resource_type), task.origin
    whole = Window(origin - timedelta(days=TRAIN_DAYS), task.last)
    before, after = Window(whole.first, origin - timedelta(days=1)), Window(origin, task.last)
    parts, number = [], 0
    for resources, samples in task.part.read(whole):
        number += len(resources)
        known, came = _days(samples, before), _days(samples, after)
        parts.append(judged(kind, resources, known, came, origin, DEFAULT_PREFERENCES))
    return parts, number


def _together(parts: Sequence[tuple[list[Outcomes], int]]) -> tuple[Outcomes, int]:
    outcomes = [one for found, _ in parts for one in found]
    return joined(outcomes), sum(number for _, number in parts)


def _days(samples: ShardSamples, days: Window) -> ShardSamples:
    """Return the samples of some of the days."""
    start = (days.first - samples.window.first).days * SLOTS_PER_DAY
    slots = slice(start, start + days.days * SLOTS_PER_DAY)
    series = {key: matrix[:, slots] for key, matrix in samples.series.items()}
    return ShardSamples(samples.resource_arns, days, series)
