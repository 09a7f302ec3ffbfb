"""The background step of enrollment: check what is Pending and let it become Active or Failed."""

from collections.abc import Callable, Sequence
from datetime import datetime

from compute_optimizer.interfaces import Clock
from compute_optimizer.model.enrollment import settle, settle_administrators
from compute_optimizer.model.roster import Roster
from compute_optimizer.store import State
from compute_optimizer.store.accounts import roster_for_change, save_roster
from compute_optimizer.store.enrollments import pending_accounts

Step = Callable[[Roster, datetime], Roster]

STEPS: tuple[Step, ...] = (settle, settle_administrators)
"""Accounts first, then the administrators that wait for them; one transaction each."""


def advance_enrollments(state: State, clock: Clock, steps: Sequence[Step] = STEPS) -> bool:
    """Check every Pending account and return whether anything changed.

    Any number of processes may run it at once and at any time: each organization and each step is
    one transaction that decides on what it finds, so that a crash between two leaves accounts
    Pending for the next call. Costs microseconds while nothing is Pending.
    """
    waiting = state.remembered("pending accounts", pending_accounts)
    changes = [_apply(state, clock, one, step) for one in waiting for step in steps]
    return any(changes)


def _apply(state: State, clock: Clock, account_id: str, step: Step) -> bool:
    with state.writing() as connection:
        before = roster_for_change(connection, account_id)
        after = step(before, clock.now())
        save_roster(connection, before, after)
    return after != before
