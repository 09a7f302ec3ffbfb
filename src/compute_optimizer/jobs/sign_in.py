"""Forget what signing in leaves behind: used signatures, and sessions long expired."""

from compute_optimizer.interfaces import Clock
from compute_optimizer.store import State
from compute_optimizer.store.sign_in import is_any_old, prune


def prune_sign_ins(state: State, clock: Clock) -> int:
    """Forget what is over and return how much; nothing is written where nothing is."""
    now = clock.now()
    with state.reading() as connection:
        if not is_any_old(connection, now):
            return 0
    with state.writing() as connection:
        return prune(connection, now)
