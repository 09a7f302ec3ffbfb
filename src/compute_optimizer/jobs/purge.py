"""Remove what opted-out accounts left behind, once their grace period is over."""

from datetime import datetime, timedelta

from compute_optimizer.errors import Conflict
from compute_optimizer.interfaces import Clock
from compute_optimizer.store import State
from compute_optimizer.store.accounts import lock_rosters
from compute_optimizer.store.analysis_runs import remove_recommendations_of
from compute_optimizer.store.backtests import remove_backtests_of
from compute_optimizer.store.decisions import remove_decisions_of
from compute_optimizer.store.enrollments import find_enrollment, opted_out_with_data
from compute_optimizer.store.export_jobs import remove_jobs_of
from compute_optimizer.store.forecasts import remove_forecasts_of
from compute_optimizer.store.outbox import remove_events_of
from compute_optimizer.store.tiles import TileStore, remove_account, sweep
from compute_optimizer.store.what_ifs import remove_what_ifs_of


def purge_opted_out(
    state: State, tiles: TileStore, clock: Clock, grace: timedelta
) -> tuple[str, ...]:
    """Remove metrics, inventory and recommendations of accounts that opted out that long ago.

    Returns the accounts. One transaction each; files that a crash leaves without an entry in the
    manifest are removed by the next purge or import. Raises Conflict while an import runs.
    """
    latest = clock.now() - grace
    with tiles.locked():
        due = due_accounts(state, latest)
        purged = tuple(one for one in due if _purge(state, tiles, one, latest))
        sweep(state, tiles)
    return purged


def purge_when_due(state: State, tiles: TileStore, clock: Clock, grace: timedelta) -> bool:
    """Purge if any account is due and no import runs; costs microseconds otherwise."""
    if not due_accounts(state, clock.now() - grace):
        return False
    try:
        return bool(purge_opted_out(state, tiles, clock, grace))
    except Conflict:
        return False


def due_accounts(state: State, latest: datetime) -> list[str]:
    """Return the accounts with data that opted out at that moment or before."""
    opted_out = state.remembered("opted out with data", opted_out_with_data)
    return sorted(one for one, since in opted_out.items() if since <= latest)


def _purge(state: State, tiles: TileStore, account_id: str, latest: datetime) -> bool:
    with state.writing() as connection:
        lock_rosters(connection)
        since = find_enrollment(connection, account_id).opted_out_at
        if since is None or since > latest:
            return False  # The account has opted in again meanwhile.
        remove_files = remove_account(connection, tiles, account_id)
        remove_recommendations_of(connection, account_id)
        remove_jobs_of(connection, account_id)
        remove_forecasts_of(connection, account_id)
        remove_decisions_of(connection, account_id)
        remove_backtests_of(connection, account_id)
        remove_events_of(connection, account_id)
        remove_what_ifs_of(connection, account_id)
    remove_files()
    return True
