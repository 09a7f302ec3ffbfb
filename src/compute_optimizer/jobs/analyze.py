"""Analyze: from day tiles to stored recommendations, one shard at a time, visible all at once.

Each shard is one unit of work that shares nothing with the others: whoever analyzes it opens the
stores itself, reads, decides and writes. A crash leaves the previous run as it was.
"""

import gc
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import zip_longest
from typing import cast

from sqlalchemy import Connection

from compute_optimizer.catalog.described_types import OwnFigures
from compute_optimizer.catalog.effective_rates import NO_RATES, AccountRates
from compute_optimizer.engine.digests import DigestedSamples, completed
from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.interfaces import Clock, Executor, Progress, no_progress
from compute_optimizer.jobs.analysis_tally import AnalysisTally, sum_of, tally_of
from compute_optimizer.jobs.effective import after_discounts
from compute_optimizer.jobs.executors.local import locally
from compute_optimizer.jobs.members import members_of_known_groups, with_groups
from compute_optimizer.jobs.new_advice import new_advice, publish_advice
from compute_optimizer.jobs.readings import digested_for, samples_for
from compute_optimizer.jobs.risk import RiskPolicy, risk_policy
from compute_optimizer.model.effective_preferences import (
    PreferenceLayers,
    by_effective_preferences,
    longest_look_back,
)
from compute_optimizer.model.idle_limits import NO_LIMITS, IdleLimits
from compute_optimizer.model.metrics import ShardSamples, Window, look_back
from compute_optimizer.model.preferences import (
    DEFAULT_PREFERENCES,
    PUBLISHED,
    Preferences,
    with_shared_defaults,
)
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    IdleRecommendation,
    Recommendation,
    Results,
)
from compute_optimizer.model.resource import EC2_INSTANCE, Resource, ShardKey
from compute_optimizer.resources import RESOURCE_TYPES, type_named
from compute_optimizer.resources.idleness import (
    IdleRule,
    concerned_rows,
    idle_recommendations,
    limited,
    marked,
    told_in_short,
    window_days,
)
from compute_optimizer.resources.resource_type import ResourceType
from compute_optimizer.store import State, analysis_runs
from compute_optimizer.store.billed_usage import effective_rates
from compute_optimizer.store.described_types import own_figures
from compute_optimizer.store.disk_space import check_room_for_run
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.inventory import SHARD_RESOURCES, analyzed_sizes, resources_of
from compute_optimizer.store.preferences import Place, layers_of_all, place_of
from compute_optimizer.store.result_rows import rows_of_result
from compute_optimizer.store.tile_digests import expect_digested
from compute_optimizer.store.tile_files import memory_used_again
from compute_optimizer.store.tiles import TileStore, tile_paths

BATCH_RESOURCE_DAYS = SHARD_RESOURCES * 32
"""Resources times days that are read at once: a full shard over 32 days, 150 MB for each metric.
Over 93 days a full shard takes three batches."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""No metric is older than the clocks of the machines that send them."""


@dataclass(frozen=True, slots=True)
class ShardTask:
    """Everything that another process needs to analyze one shard."""

    state_url: str = field(repr=False)
    """Holds a password, which no message and no log may."""
    tiles: TileStore
    clock: Clock
    run_id: str
    shard: ShardKey
    as_of: datetime
    layers: PreferenceLayers
    """What is stated for the resources of the shard."""
    risk: RiskPolicy
    own: OwnFigures
    idle_limits: IdleLimits
    """In place of the published ones."""
    rates: AccountRates
    """Of the shard's account."""
    in_short: bool = True
    """Read days in short where the type can be analyzed from them."""
    next_shard: ShardKey | None = None
    """The one of the task after this, which is taken up next."""

    @property
    def name(self) -> str:
        """Return what people call its shard."""
        return self.shard.name


@dataclass(frozen=True, slots=True)
class AnalysisRun:
    """One complete run."""

    run_id: str
    as_of: datetime
    window: Window
    accounts: tuple[str, ...]
    tally: AnalysisTally


def analyze(
    state: State,
    tiles: TileStore,
    clock: Clock,
    *,
    as_of: datetime | None = None,
    accounts: Collection[str] | None = None,
    workers: int = 0,
    profile: str = PUBLISHED,
    idle_limits: IdleLimits = NO_LIMITS,
    progress: Progress = no_progress,
    fence: Callable[[Connection], None] = lambda connection: None,
    in_short: bool = True,
    executor: Executor | None = None,
) -> AnalysisRun:
    """Analyze every opted-in account, or the given ones, over the look-back period before `as_of`.

    `profile` decides where no rule of risk says otherwise, and `idle_limits` in place of the
    published limits of idleness. `fence` is called in the transaction that makes the result
    visible, and may raise to prevent it. Without `in_short` all samples are read; the answer is the
    same.

    `workers` counts this process; 0 means one per core, and a small fleet needs no other. An
    `executor` of other machines may stand in their place. Raises
    InvalidInput for a moment in the future, and when no sample lies in the period although there
    are older or newer ones; Conflict for accounts that are not opted in; StoreUnavailable, before
    anything is read, where the state's disk has no room for the result.
    """
    moment = clock.now() if as_of is None else as_of
    check_moment(moment, clock)
    window = look_back(moment, DEFAULT_PREFERENCES.lookback_days)
    wanted = _accounts_to_analyze(state, accounts)
    found, layers = _shards_to_analyze(state, wanted, moment)
    with state.reading() as connection:
        risk, own = risk_policy(connection, profile), own_figures(connection, window.last)
        rates = effective_rates(connection)
    run_id = _begin(state, moment, clock, sum(found.values()))
    tasks = [
        ShardTask(
            state.url,
            tiles,
            clock,
            run_id,
            shard,
            moment,
            layers[place_of(shard)],
            risk,
            own,
            idle_limits,
            rates.get(shard.account_id, NO_RATES),
            in_short,
            next_shard,
        )
        for shard, next_shard in zip_longest(found, list(found)[1:])
    ]
    work_off = executor or locally(workers)
    tallies = work_off(analyze_shard, tasks, progress, resources=sum(found.values()))
    _complete(state, run_id, wanted, found, clock, fence)
    return AnalysisRun(run_id, moment, window, wanted, sum_of(tallies))


def analyze_shard(task: ShardTask) -> AnalysisTally:
    """Analyze one shard, store the result, still invisible, and return what was found.

    Doing it again stores nothing twice: the process of the first time may have ended after it.
    """
    with closing(State(task.state_url)) as state, _sparing_the_collector(), memory_used_again():
        # In a function of its own, so that its records are gone when the collector is on again:
        # it would look through all of them at once.
        return _analyzed(state, task)


def _analyzed(state: State, task: ShardTask) -> AnalysisTally:
    with state.reading() as connection:
        resources = resources_of(connection, task.shard)
        if task.next_shard is not None:
            window = look_back(task.as_of, DEFAULT_PREFERENCES.lookback_days)
            # Whoever takes it up finds it in memory (docs/decisions/0071).
            expect_digested(connection, task.tiles, task.next_shard, window)
    results = list(results_of(state, task, resources))
    found = [one for result in results for one in result.recommendations]
    errors = [one for result in results for one in result.errors]
    idle = [one for result in results for one in result.idle]
    scope = analysis_runs.scope_of(task.shard)._asdict()
    # Before the transaction, in which no other shard of the run can be written.
    rows = rows_of_result(task.run_id, scope, found, errors, idle)
    with state.writing() as connection:
        analysis_runs.write_rows(connection, task.run_id, rows, now=task.clock.now())
    return tally_of(resource_type(task.shard.resource_type), found, errors, idle)


def results_of(
    state: State, task: ShardTask, resources: Sequence[Resource]
) -> Iterator[Results[Recommendation]]:
    """Yield what an analysis says of some resources of the task's shard, batch by batch."""
    for preferences, places in _batches(task, resources):
        yield _analyze_batch(state, task, [resources[place] for place in places], preferences)


@contextmanager
def _sparing_the_collector() -> Iterator[None]:
    """Keep the garbage collector from looking again and again through a shard's records.

    Half a million of them are made, none of them in a cycle; looking took a third of their time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _batches(
    task: ShardTask, resources: Sequence[Resource]
) -> Iterator[tuple[Preferences, list[int]]]:
    """Yield what is analyzed together: resources of the same preferences, as many as fit."""
    groups = by_effective_preferences(task.layers, resources)
    if resource_type(task.shard.resource_type).predicts:
        groups = task.risk.applied(groups, resources)
    for stated, places in groups.items():
        preferences = with_shared_defaults(stated)
        size = max(1, BATCH_RESOURCE_DAYS // preferences.lookback_days)
        for first in range(0, len(places), size):
            yield preferences, places[first : first + size]


def _analyze_batch(
    state: State, task: ShardTask, resources: Sequence[Resource], preferences: Preferences
) -> Results[Recommendation]:
    """Return what the analysis says of some resources of a shard under the same preferences."""
    kind = resource_type(task.shard.resource_type)
    found, samples = _found(state, task, resources, preferences)
    idle = [*found.idle, *_idle(state, task, resources, samples, preferences)]
    followed = _followed(state, task, resources, found, preferences)
    told = marked(followed.recommendations, idle)
    listed = _listed(state, task, resources, idle)
    whole = replace(followed, recommendations=told, idle=listed)
    return after_discounts(kind, whole, resources, task.rates, preferences)


def _found(
    state: State, task: ShardTask, resources: Sequence[Resource], preferences: Preferences
) -> tuple[Results[Recommendation], ShardSamples | DigestedSamples]:
    """Return what is recommended of some resources, and what they sent."""
    kind, days = resource_type(task.shard.resource_type), preferences.lookback_days
    catalog, in_short = kind.catalog_with(task.own), kind.from_digests
    asked = {"as_of": task.as_of, "preferences": preferences, **task.risk.known_to(kind)}
    if in_short is None or not task.in_short:
        samples = _samples(state, task, resources, days)
        return kind.recommend(resources, samples, catalog, **asked), samples
    with state.reading() as connection:
        window = digested_for(
            connection,
            task.tiles,
            task.shard,
            kind,
            resources,
            as_of=task.as_of,
            days=days,
        )
    steps = in_short.recommended(resources, window.samples, catalog, **asked)
    return completed(steps, window.whole), window.samples


def _listed(
    state: State, task: ShardTask, resources: Sequence[Resource], idle: list[IdleRecommendation]
) -> tuple[IdleRecommendation, ...]:
    """Return what is listed of what is idle: what becomes of a member is a matter of its group."""
    if not idle or task.shard.resource_type != EC2_INSTANCE:
        return tuple(idle)
    with state.reading() as connection:
        members = members_of_known_groups(connection, task.shard, resources)
    return tuple(one for one in idle if one.resource_arn not in members)


def _idle(
    state: State,
    task: ShardTask,
    resources: Sequence[Resource],
    samples: ShardSamples | DigestedSamples,
    preferences: Preferences,
) -> Iterator[IdleRecommendation]:
    """Yield what is idle of some resources, whose samples span the look-back period."""
    kind = resource_type(task.shard.resource_type)
    catalog = kind.catalog_with(task.own)
    for published in kind.idle:
        rule = limited(published, task.idle_limits)
        days = window_days(rule, preferences)
        looked_at, seen = resources, samples
        if days != preferences.lookback_days or not _tells(samples, kind, rule):
            # Windows of their own are read for those few that the rule is about.
            among = concerned_rows(rule, resources, catalog, task.as_of, days).nonzero()[0].tolist()
            looked_at = [resources[place] for place in among]
            if not looked_at:
                continue
            seen = _samples(state, task, looked_at, days)
        yield from idle_recommendations(rule, looked_at, seen, catalog, as_of=task.as_of)


def _tells(samples: ShardSamples | DigestedSamples, kind: ResourceType, rule: IdleRule) -> bool:
    """Return whether the samples that are at hand tell all that a rule asks."""
    if isinstance(samples, ShardSamples):
        return True
    return kind.from_digests is not None and told_in_short(rule, kind.from_digests.parts)


def _followed(
    state: State,
    task: ShardTask,
    resources: Sequence[Resource],
    found: Results[Recommendation],
    preferences: Preferences,
) -> Results[Recommendation]:
    """Return the results with members of Auto Scaling groups following their groups."""
    if task.shard.resource_type != EC2_INSTANCE:
        return found
    alone = cast(Results[Ec2InstanceRecommendation], found)
    with state.reading() as connection:
        together = with_groups(
            connection,
            task.tiles,
            task.shard,
            resources,
            alone,
            as_of=task.as_of,
            preferences=preferences,
            own=task.own,
        )
    return cast(Results[Recommendation], together)


def _samples(
    state: State, task: ShardTask, resources: Sequence[Resource], days: int
) -> ShardSamples:
    """Return what some resources of the shard sent in the days before the analysis's moment."""
    kind = resource_type(task.shard.resource_type)
    with state.reading() as connection:
        return samples_for(
            connection,
            task.tiles,
            task.shard,
            kind,
            resources,
            as_of=task.as_of,
            days=days,
        )


def check_moment(as_of: datetime, clock: Clock) -> None:
    """Raise InvalidInput for a moment that no analysis can look back from."""
    now = clock.now()
    if not EARLIEST < as_of <= now:
        raise InvalidInput(
            f"cannot look at samples as of {as_of.isoformat(' ', 'minutes')}; expected a moment "
            f"from {EARLIEST:%Y} to now, {now.isoformat(' ', 'minutes')}"
        )


def resource_type(name: str) -> ResourceType:
    """Return the record of a resource type; raise InvalidInput for one that is not analyzed."""
    if kind := type_named(name):
        return kind
    known = ", ".join(kind.name for kind in RESOURCE_TYPES)
    raise InvalidInput(f"resources of type {name!r} cannot be analyzed; expected one of {known}")


def _accounts_to_analyze(state: State, accounts: Collection[str] | None) -> tuple[str, ...]:
    with state.reading() as connection:
        opted_in = opted_in_accounts(connection)
    if not opted_in:
        raise Conflict(
            "no account is opted in, so there is nothing to analyze; opt in with "
            "`compute-optimizer accounts enroll ACCOUNT` or UpdateEnrollmentStatus"
        )
    refused = sorted(set(accounts or ()) - opted_in)
    if refused:
        raise Conflict(
            f"not opted in, so not analyzed: {', '.join(refused)}; opt in with "
            "`compute-optimizer accounts enroll ACCOUNT`, or leave the account out"
        )
    return tuple(sorted(accounts or opted_in))


def _shards_to_analyze(
    state: State, accounts: Collection[str], as_of: datetime
) -> tuple[dict[ShardKey, int], dict[Place, PreferenceLayers]]:
    """Return the shards with their number of resources, and what is stated for them."""
    with state.reading() as connection:
        found = analyzed_sizes(connection, accounts)
        layers = layers_of_all(connection, {place_of(shard) for shard in found})
        paths = tile_paths(connection)
    window = look_back(as_of, longest_look_back(layers.values()))
    days = {day for key, day in paths if key in found}
    if days and not any(window.first <= day <= window.last for day in days):
        raise InvalidInput(_no_samples(window, min(days), max(days)))
    return found, layers


def _no_samples(window: Window, oldest: date, newest: date) -> str:
    return (
        f"no sample lies in the look-back period {window.first} to {window.last}; the newest one "
        f"is of {newest}, the oldest of {oldest}: analyze with --as-of {newest}"
    )


def _begin(state: State, as_of: datetime, clock: Clock, resources: int) -> str:
    with state.writing() as connection:
        analysis_runs.prune_runs(connection, clock.now())
        # After the pruning, whose room is used again.
        check_room_for_run(connection, resources)
        return analysis_runs.begin_run(connection, as_of, clock.now())


def _complete(
    state: State,
    run_id: str,
    accounts: Collection[str],
    found: Collection[ShardKey],
    clock: Clock,
    fence: Callable[[Connection], None],
) -> None:
    analyzed = {analysis_runs.scope_of(shard) for shard in found}
    with state.reading() as connection:
        # Before the transaction: of a million recommendations it takes seconds.
        new = new_advice(connection, run_id, sorted(analyzed))
    with state.writing() as connection:
        fence(connection)
        # Scopes whose last resource has gone are answered for too: with nothing.
        scopes = sorted(analysis_runs.current_scopes(connection, accounts) | analyzed)
        analysis_runs.complete_run(connection, run_id, scopes, clock.now())
        publish_advice(connection, run_id, accounts, new, clock.now())
