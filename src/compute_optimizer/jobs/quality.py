"""Backtests of the fleet itself, made in the background and kept for the console's page.

One for what each administrator sees of its organization, and one for each account that nobody
else sees; a member of an organization gets one of its own where it asks.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.backtest import BacktestRequest, backtest_stored
from compute_optimizer.jobs.replay import replay, stored_past
from compute_optimizer.jobs.stored_fleets import Whose
from compute_optimizer.model.backtested import Backtested
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.resources import RESOURCE_TYPES, ResourceType
from compute_optimizer.store import State
from compute_optimizer.store.accounts import accounts_seen
from compute_optimizer.store.backtests import (
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
        found = _tested(state, tiles, clock, account_id, check)
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
        found = _tested(state, tiles, clock, request.account_id, check)
        with state.writing() as connection:
            fence(connection)
            save_backtests(connection, found)
            remove_request(connection, request)
    return len(requests)


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
    state: State, tiles: TileStore, clock: Clock, account_id: str, check: Check
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
        report, problem = _report(
            partial(REPORTS.get(name, _replayed), state, tiles, name),
            Whose(frozenset(accounts), every),
            check,
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
            )
        )
    return found


def _report(
    make: Callable[[Whose, Check], dict[str, Any]], whose: Whose, check: Check
) -> tuple[dict[str, Any], str]:
    """Return a report, or why there is none: too little data is no failure of the job."""
    check()
    try:
        return make(whose, check), ""
    except InvalidInput as error:
        return {}, str(error)


def _compared(
    state: State, tiles: TileStore, _name: str, whose: Whose, check: Check
) -> dict[str, Any]:
    return backtest_stored(
        state, tiles, BacktestRequest(), progress=lambda *_: check(), whose=whose
    )


def _replayed(
    state: State, tiles: TileStore, name: str, whose: Whose, check: Check
) -> dict[str, Any]:
    return replay(stored_past(state, tiles, _kind(name), whose), progress=lambda *_: check())


def _kind(name: str) -> ResourceType:
    return next(kind for kind in RESOURCE_TYPES if kind.name == name)


REPORTS = {EC2_INSTANCE: _compared}
"""How a type is tested that has rules of others to be compared with; the rest is replayed."""
