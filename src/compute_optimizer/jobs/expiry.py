"""Forget what is over by itself: what signing in leaves behind, and what-ifs."""

from compute_optimizer.interfaces import Clock
from compute_optimizer.store import State
from compute_optimizer.store.expiry import is_any_expired, remove_expired


def forget_expired(state: State, clock: Clock) -> int:
    """Forget what is over and return how much; nothing is written where nothing is."""
    now = clock.now()
    with state.reading() as connection:
        if not is_any_expired(connection, now):
            return 0
    with state.writing() as connection:
        return remove_expired(connection, now)
