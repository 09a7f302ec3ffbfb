"""Outcomes: what advice that was followed has saved and hurt, beside what was predicted."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection

from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.judging import HORIZON, Judgement, judged, key_of, span_of
from compute_optimizer.model.decision import Decision
from compute_optimizer.model.outcome import ELAPSED, HOUR, RUNNING, Outcome, savings_over
from compute_optimizer.store import State
from compute_optimizer.store.decisions import applied_ones
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.outcomes import replace_outcomes, stored_outcomes
from compute_optimizer.store.tiles import TileStore


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
        seen = judged(connection, tiles, found, now)
    return [_outcome(one, seen.get(key_of(one), Judgement()), now) for one in found]


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
        current = {key_of(one): one for one in applied}
        known = {
            key: one for one in stored if current.get(key := key_of(one.applied)) == one.applied
        }
        fresh = [one for one in applied if key_of(one) not in known]
        seen = judged(connection, tiles, fresh, now)
    found = [
        known.get(key_of(one)) or _outcome(one, seen.get(key_of(one), Judgement()), now)
        for one in applied
    ]
    return found, judged_at if known else None


def _outcome(applied: Decision, seen: Judgement, now: datetime) -> Outcome:
    since, until = span_of(applied, now)
    elapsed = (until - since) / HOUR
    promised = applied.advice.prediction
    hours = elapsed if seen.hours is None else min(seen.hours, elapsed)
    saved = None
    if promised.current_monthly_usd is not None and promised.advised_monthly_usd is not None:
        saved = promised.current_monthly_usd - promised.advised_monthly_usd
    predicted = promised.savings_monthly_usd
    looked_at = min(until - since, HORIZON)
    is_over = looked_at == HORIZON or (bool(seen.violated) and now - since >= HORIZON)
    return Outcome(
        applied=applied,
        until=until,
        hours=hours,
        hours_are=ELAPSED if seen.hours is None else RUNNING,
        predicted_savings_usd=None if predicted is None else savings_over(predicted, elapsed),
        realized_savings_usd=None if saved is None else savings_over(saved, hours),
        violated=seen.violated,
        judged_days=0.0 if seen.violated is None else looked_at / timedelta(days=1),
        complete=is_over and seen.violated is not None,
        unjudged_because=seen.because,
        smaller_in=seen.smaller_in,
        violated_in=seen.violated_in,
        unseen_in=seen.unseen_in,
    )
