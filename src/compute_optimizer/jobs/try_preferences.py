"""Try preferences: analyze a fleet under those in force and under others, and store nothing.

It is the analysis itself that runs twice, so whatever preferences of single resources, groups and
wider scopes mean holds here as it will hold afterwards.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest

from compute_optimizer.catalog.effective_rates import NO_RATES
from compute_optimizer.errors import Conflict
from compute_optimizer.interfaces import Clock, Progress, no_progress
from compute_optimizer.jobs.analyze import ShardTask, results_of
from compute_optimizer.jobs.risk import risk_policy
from compute_optimizer.model.effective_preferences import (
    PreferenceLayers,
    by_effective_preferences,
)
from compute_optimizer.model.idle_limits import NO_LIMITS, IdleLimits
from compute_optimizer.model.metrics import look_back
from compute_optimizer.model.preferences import PUBLISHED
from compute_optimizer.model.recommendation import IdleRecommendation
from compute_optimizer.model.resource import Resource, ShardKey
from compute_optimizer.model.stated_preferences import PreferenceScope, StatedPreferences
from compute_optimizer.resources import RESOURCE_TYPES, type_named
from compute_optimizer.resources.outlook import USUAL_POOLS, Outlook, is_changed, outlook_of
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import analyzed_as_of
from compute_optimizer.store.billed_usage import effective_rates
from compute_optimizer.store.described_types import own_figures
from compute_optimizer.store.inventory import analyzed_sizes, resources_of
from compute_optimizer.store.preferences import COVERING, EVERY_TYPE, layers_of_all, place_of
from compute_optimizer.store.tiles import TileStore

MOST_CHANGES = 5_000
"""Changed recommendations that are kept, those that move most money first; totals count all."""

LOW_RISK = 1.0
"""Of a performance risk, 0 to 4: what is above is medium or high, as the service names them."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Whose resources a trial is about."""

    accounts: frozenset[str]
    region: str
    resource_type: str
    """Whose preferences differ, in the spelling of the enum ResourceType."""
    arn: str = ""
    """A single resource, or a group with its instances; empty for all."""

    def has(self, resource: Resource) -> bool:
        """Return whether a resource is one of them."""
        return self.arn in ("", resource.arn, resource.auto_scaling_group_arn)


@dataclass(slots=True)
class Figures:
    """What a fleet comes to when every recommendation is followed; money is a month."""

    resources: int = 0
    """With a recommendation, which may be to leave them as they are."""
    unpriced: int = 0
    """Of them, without a known price, so in no sum."""
    cost_usd: float = 0.0
    """As it is."""
    savings_usd: float = 0.0
    """Of all that saves."""
    increase_usd: float = 0.0
    """Of all that costs more, such as what is too small today."""
    after_discounts_usd: float = 0.0
    """Savings as accounts are billed, where that is known and asked for."""
    predicted: int = 0
    """Advised options whose violation was predicted."""
    violations: float = 0.0
    """Of them: how many are expected to be exceeded in the next 14 days."""
    risky: int = 0
    """Advised options of medium or high performance risk."""
    idle: int = 0
    findings: Counter[str] = field(default_factory=Counter)

    @property
    def cost_after_usd(self) -> float:
        """Return the cost with the advice followed."""
        return self.cost_usd - self.savings_usd + self.increase_usd

    def count(self, one: Outlook) -> None:
        """Add one resource."""
        self.resources += 1
        self.findings[one.finding] += 1
        self.unpriced += one.cost_usd is None
        self.cost_usd += one.cost_usd or 0.0
        self.savings_usd += max(one.saved_usd, 0.0)
        self.increase_usd += max(-one.saved_usd, 0.0)
        after = one.saved_after_discounts_usd
        self.after_discounts_usd += max(one.saved_usd, 0.0) if after is None else after
        self.predicted += one.violation_risk is not None
        self.violations += one.violation_risk or 0.0
        self.risky += (one.performance_risk or 0.0) > LOW_RISK


@dataclass(frozen=True, slots=True)
class Changed:
    """A resource of which something else would be found or advised."""

    now: Outlook | None
    """None without a recommendation, as the other."""
    then: Outlook | None

    @property
    def told(self) -> Outlook:
        """Return a side that there is."""
        found = self.then or self.now
        assert found is not None
        return found

    @property
    def difference_usd(self) -> float:
        """Return how much more would be saved a month."""
        before = self.now.saved_usd if self.now else 0.0
        return (self.then.saved_usd if self.then else 0.0) - before


@dataclass(frozen=True, slots=True)
class Trial:
    """What other preferences would do to a fleet."""

    as_of: datetime
    resources: int
    """Of the fleet, with or without a recommendation."""
    now: Figures
    then: Figures
    changed: int
    changes: tuple[Changed, ...]
    """Those that move most money first, MOST_CHANGES at most."""


@dataclass(frozen=True, slots=True)
class _Sides:
    """One shard under both sets of preferences."""

    now: ShardTask
    then: ShardTask


def tried_types(resource_type: str) -> tuple[str, ...]:
    """Return the types that are analyzed by the preferences of a type; none for some.

    What is stated for EC2 instances counts for groups, and what is stated for a group for its
    instances; what is stated for no type in particular counts for all.
    """
    return tuple(
        kind.name
        for kind in RESOURCE_TYPES
        if resource_type in (kind.name, COVERING.get(kind.name))
        or COVERING.get(resource_type) == kind.name
        or (resource_type == EVERY_TYPE and kind.discounted is not None)
    )


def try_preferences(
    state: State,
    tiles: TileStore,
    clock: Clock,
    fleet: Fleet,
    instead: Mapping[PreferenceScope, StatedPreferences],
    *,
    pools: Collection[str] = USUAL_POOLS,
    profile: str = PUBLISHED,
    idle_limits: IdleLimits = NO_LIMITS,
    progress: Progress = no_progress,
) -> Trial:
    """Return what a fleet is advised under the preferences in force, and with `instead` stated.

    Both as of the newest analysis. `pools` are the CPU architectures of what is advised instead.
    Raises Conflict where there is no such resource.
    """
    tasks, sizes, moment = _tasks(state, tiles, clock, fleet, instead, profile, idle_limits)
    sums = (Figures(), Figures())
    total, done, resources, changed = sum(sizes.values()), 0, 0, 0
    kept: list[Changed] = []
    for sides in tasks:
        count, found = _tried(state, sides, fleet, pools, sums)
        resources, changed = resources + count, changed + len(found)
        kept = nlargest(MOST_CHANGES, [*kept, *found], key=_order)
        done += sizes[sides.now.shard]
        progress(done, total)
    if not resources:
        raise Conflict(
            f"there is no {fleet.arn or fleet.resource_type} in the inventory of {fleet.region} to "
            "try preferences on; import or collect it first"
        )
    return Trial(moment, resources, *sums, changed, tuple(kept))


def _order(one: Changed) -> tuple[float, str]:
    return abs(one.difference_usd), one.told.resource_arn


def _tasks(
    state: State,
    tiles: TileStore,
    clock: Clock,
    fleet: Fleet,
    instead: Mapping[PreferenceScope, StatedPreferences],
    profile: str,
    idle_limits: IdleLimits,
) -> tuple[list[_Sides], dict[ShardKey, int], datetime]:
    """Return every shard under both sets of preferences, its resources, and the moment."""
    types = tried_types(fleet.resource_type)
    with state.reading() as connection:
        sizes = {
            key: size
            for key, size in analyzed_sizes(connection, fleet.accounts).items()
            if key.region == fleet.region and key.resource_type in types
        }
        places = {place_of(key) for key in sizes}
        now = layers_of_all(connection, places)
        then = layers_of_all(connection, places, instead)
        moment = analyzed_as_of(connection, sizes) or clock.now()
        risk, rates = risk_policy(connection, profile), effective_rates(connection)
        own = own_figures(connection, look_back(moment, 1).last)

    def task(key: ShardKey, layers: Mapping[tuple[str, str, str], PreferenceLayers]) -> ShardTask:
        return ShardTask(
            state_url=state.url,
            tiles=tiles,
            clock=clock,
            run_id="",
            shard=key,
            as_of=moment,
            layers=layers[place_of(key)],
            risk=risk,
            own=own,
            idle_limits=idle_limits,
            rates=rates.get(key.account_id, NO_RATES),
        )

    return [_Sides(task(key, now), task(key, then)) for key in sizes], sizes, moment


def _tried(
    state: State,
    sides: _Sides,
    fleet: Fleet,
    pools: Collection[str],
    sums: tuple[Figures, Figures],
) -> tuple[int, list[Changed]]:
    """Add a shard to the sums of both sides; return its resources and what changed of them."""
    with state.reading() as connection:
        every = resources_of(connection, sides.now.shard)
    mine = [one for one in every if fleet.has(one)]
    wanted = {one.arn for one in mine}
    looked_at = _with_those_beside(sides.now.shard, mine, every)
    now, idle_now = _advised(state, sides.now, looked_at, wanted, USUAL_POOLS)
    again = looked_at if tuple(pools) != USUAL_POOLS else _concerned(sides, looked_at)
    other, idle_then = _advised(state, sides.then, again, wanted, pools)
    repeated = {one.arn for one in again}
    then = {arn: one for arn, one in now.items() if arn not in repeated} | other
    for side, found in zip(sums, (now, then), strict=True):
        for one in found.values():
            side.count(one)
    sums[0].idle += len(idle_now)
    sums[1].idle += len(idle_now - repeated | idle_then)
    arns = now.keys() | then.keys()
    pairs = (Changed(now.get(arn), then.get(arn)) for arn in sorted(arns))
    return len(mine), [one for one in pairs if is_changed(one.now, one.then)]


def _with_those_beside(
    shard: ShardKey, mine: Sequence[Resource], every: Sequence[Resource]
) -> list[Resource]:
    """Return resources with the others of their shard that decide with them."""
    kind = type_named(shard.resource_type)
    if kind is None or kind.beside is None or len(mine) == len(every):
        return list(mine)
    found = {one.arn: one for one in mine}
    found |= {other.arn: other for one in mine for other in kind.beside(one, every)}
    return [found[arn] for arn in sorted(found)]


def _concerned(sides: _Sides, resources: Sequence[Resource]) -> list[Resource]:
    """Return the resources whose preferences differ; all of them where they decide together."""
    now, then = (list(_in_force(task.layers, resources)) for task in (sides.now, sides.then))
    differing = [one for one, a, b in zip(resources, now, then, strict=True) if a != b]
    kind = type_named(sides.now.shard.resource_type)
    if differing and kind is not None and kind.beside is not None:
        return list(resources)
    return differing


def _in_force(layers: PreferenceLayers, resources: Sequence[Resource]) -> Iterator[object]:
    """Yield the preferences of each resource."""
    groups = by_effective_preferences(layers, resources)
    by_place = {place: one for one, places in groups.items() for place in places}
    return (by_place[place] for place in range(len(resources)))


def _advised(
    state: State,
    task: ShardTask,
    resources: Sequence[Resource],
    wanted: Collection[str],
    pools: Collection[str],
) -> tuple[dict[str, Outlook], set[str]]:
    """Return what is advised and what idles, by ARN and of the wanted only."""
    found: dict[str, Outlook] = {}
    idle: set[str] = set()
    for results in results_of(state, task, resources):
        idle |= {one.resource_arn for one in results.idle if one.resource_arn in wanted}
        for one in results.recommendations:
            if one.resource_arn in wanted and not isinstance(one, IdleRecommendation):
                found[one.resource_arn] = outlook_of(one, pools)
    return found, idle
