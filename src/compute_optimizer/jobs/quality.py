"""Backtests of the fleet itself, made in the background and kept for the console's page.

One for what each administrator sees of its organization, and one for each account that nobody
else sees; a member of an organization gets one of its own where it asks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Clock, Progress, StageProgress
from compute_optimizer.jobs.backtest import BacktestRequest, backtest_stored
from compute_optimizer.jobs.replay import replay, stored_past, with_changes
from compute_optimizer.jobs.stored_fleets import Whose
from compute_optimizer.model import backtested as model
from compute_optimizer.model.backtested import (
    COMMAND,
    WORKER,
    Backtested,
)
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.resources.resource_type import ResourceType
from compute_optimizer.store import State
from compute_optimizer.store.accounts import accounts_seen
from compute_optimizer.store.backtests import (
    note_progress,
    remove_request,
    requested_backtests,
    save_backtests,
)
from compute_optimizer.store.enrollments import opted_in_accounts, standing_of
from compute_optimizer.store.inventory import shard_sizes
from compute_optimizer.store.tiles import TileStore

MOST_REPLAYED = 1_000
"""Resources of a type that are replayed: 93 days of four dimensions of them are 0.5 GB, and a
share of 5 % is then known to about 1.4 points (Wilson, 95 %)."""

TESTED_TYPES = (EC2_INSTANCE, *(kind.name for kind in RESOURCE_TYPES if kind.replay is not None))
"""In the order in which they are tested: instances, which have peers, and what can be replayed."""

BETWEEN_NOTES = timedelta(seconds=1)
"""How long the progress of a backtest that somebody waits for may be old."""

COMPARED_STAGES = 4
"""Of a backtest beside peers: reading, learning, scoring, and drawing intervals."""

REPLAYED_STAGES = 1

STAGE_STEPS = 100
"""Into which a stage is divided, whatever number of tasks it has."""

Fence = Callable[[Connection], None]
Check = Callable[[], None]


def has_requests(state: State) -> bool:
    """Whether somebody waits for a backtest."""
    return bool(state.remembered("requested backtests", requested_backtests))


def backtest_fleets(
    state: State,
    tiles: TileStore,
    clock: Clock,
    fence: Fence = lambda connection: None,
    check: Check = lambda: None,
) -> int:
    """Test and store the fleet of everybody who sees one, and return how many fleets these are.

    What each sees is stored in one transaction, in which `fence` is called; `check` is called on
    the way, and what either raises ends it. Raises StoreUnavailable for a tile that cannot be read.
    """
    with state.reading() as connection:
        watchers = _watchers(connection)
    for account_id in watchers:
        found = _tested(state, tiles, clock, account_id, lambda *_: check())
        with state.writing() as connection:
            fence(connection)
            save_backtests(connection, found)
    return len(watchers)


def backtest_requested(
    state: State,
    tiles: TileStore,
    clock: Clock,
    fence: Fence = lambda connection: None,
    check: Check = lambda: None,
) -> int:
    """Do the same for those who asked, and return how many these are."""
    with state.reading() as connection:
        requests = requested_backtests(connection)
    for request in requests:
        told = _Noting(state, clock, request, check).told
        found = _tested(state, tiles, clock, request.account_id, told)
        with state.writing() as connection:
            fence(connection)
            save_backtests(connection, found)
            remove_request(connection, request)
    return len(requests)


class _Noting:
    """Writes down how far a backtest is, so that who waits for it can see."""

    def __init__(
        self, state: State, clock: Clock, request: model.QueuedBacktest, check: Check
    ) -> None:
        self._state, self._clock = state, clock
        self._request, self._check = request, check
        self._noted = clock.now() - BETWEEN_NOTES

    def told(self, doing: str, done: int, total: int) -> None:
        """Take note of a step, at most every second but for the first of a type."""
        self._check()
        now = self._clock.now()
        if done and now - self._noted < BETWEEN_NOTES:
            return
        self._noted = now
        with self._state.writing() as connection:
            note_progress(connection, self._request, doing, done, total)


@dataclass(frozen=True, slots=True)
class SeenFleet:
    """The resources that a backtest is about, and who sees them."""

    accounts: frozenset[str]
    watcher: str | None
    """The account whose backtest it is; None where nobody sees all of it."""


def fleet_seen(state: State, account_id: str | None) -> SeenFleet:
    """Return what an account sees, or all that is opted in."""
    with state.reading() as connection:
        if account_id is not None:
            seen = accounts_seen(connection, standing_of(connection, account_id), account_id)
            return SeenFleet(frozenset(seen), account_id)
        everybody = frozenset(opted_in_accounts(connection))
        watchers = _watchers(connection)
        seen_by = {
            one: accounts_seen(connection, standing_of(connection, one), one).keys()
            for one in watchers
        }
    whole = (one for one in watchers if everybody <= seen_by[one])
    return SeenFleet(everybody, next(whole, None))


def keep_report(
    state: State, clock: Clock, fleet: SeenFleet, name: str, report: Mapping[str, Any]
) -> None:
    """Store a report on all resources of a type that the command made, as the worker's are."""
    assert fleet.watcher is not None, "somebody has to see the fleet"
    with state.writing() as connection:
        found = shard_sizes(connection, fleet.accounts)
        mine = {key: size for key, size in found.items() if key.resource_type == name}
        made = Backtested(
            account_id=fleet.watcher,
            resource_type=name,
            made_at=clock.now(),
            accounts=len({key.account_id for key in mine}),
            resources=sum(mine.values()),
            replayed=sum(mine.values()),
            report=report,
            made_by=COMMAND,
        )
        save_backtests(connection, [made])


def _watchers(connection: Connection) -> list[str]:
    """Return an account for each fleet: administrators, then accounts that none of them sees."""
    seen_by = {
        one: accounts_seen(connection, standing_of(connection, one), one).keys()
        for one in sorted(opted_in_accounts(connection))
    }
    # The account that sees most comes first; a delegated administrator sees the same as another.
    watchers, covered = [], set[str]()
    for one in sorted(seen_by, key=lambda one: (-len(seen_by[one]), one)):
        sees_others = len(seen_by[one]) > 1
        if sees_others or one not in covered:
            watchers.append(one)
            covered |= seen_by[one]
    return watchers


def _tested(
    state: State, tiles: TileStore, clock: Clock, account_id: str, told: StageProgress
) -> list[Backtested]:
    with state.reading() as connection:
        accounts = accounts_seen(connection, standing_of(connection, account_id), account_id)
        sizes = shard_sizes(connection, accounts)
    found = []
    for name in TESTED_TYPES:
        mine = {key: size for key, size in sizes.items() if key.resource_type == name}
        total = sum(mine.values())
        if not total:
            continue
        every = -(-total // MOST_REPLAYED)
        told(name, 0, 1)
        report, problem = _report(
            partial(REPORTS.get(name, _replayed), state, tiles, clock, name),
            Whose(frozenset(accounts), every),
            partial(told, name),
        )
        found.append(
            Backtested(
                account_id=account_id,
                resource_type=name,
                made_at=clock.now(),
                accounts=len({key.account_id for key in mine}),
                resources=total,
                replayed=sum(-(-size // every) for size in mine.values()),
                report=report,
                problem=problem,
                made_by=WORKER,
            )
        )
    return found


def _report(
    make: Callable[[Whose, Progress], dict[str, Any]], whose: Whose, step: Progress
) -> tuple[dict[str, Any], str]:
    """Return a report, or why there is none: too little data is no failure of the job."""
    try:
        return make(whose, step), ""
    except InvalidInput as error:
        return {}, str(error)


def _compared(
    state: State, tiles: TileStore, _clock: Clock, _name: str, whose: Whose, step: Progress
) -> dict[str, Any]:
    progress = _stepping(step, COMPARED_STAGES)
    return backtest_stored(state, tiles, BacktestRequest(), progress=progress, whose=whose)


def _replayed(
    state: State, tiles: TileStore, clock: Clock, name: str, whose: Whose, step: Progress
) -> dict[str, Any]:
    kind = _kind(name)
    report = replay(
        stored_past(state, tiles, kind, whose), progress=_stepping(step, REPLAYED_STAGES)
    )
    return with_changes(report, state, tiles, clock, kind, whose)


def _stepping(step: Progress, stages: int) -> StageProgress:
    """Return what takes note of a step; each of so many stages is an equal part of the way."""
    begun: list[str] = []

    def told(doing: str, done: int, total: int) -> None:
        if doing not in begun:
            begun.append(doing)
        ended = (len(begun) - 1) * STAGE_STEPS
        step(ended + STAGE_STEPS * done // total, stages * STAGE_STEPS)

    return told


def _kind(name: str) -> ResourceType:
    return next(kind for kind in RESOURCE_TYPES if kind.name == name)


REPORTS = {EC2_INSTANCE: _compared}
"""How a type is tested that has rules of others to be compared with; the rest is replayed."""
