"""What the worker does when a day has begun: analyze again what is there."""

import logging

from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.errors import InvalidInput
from compute_optimizer.store import inventory
from compute_optimizer.store.enrollments import opted_in_accounts

log = logging.getLogger(__name__)


def analyze_day(running: Emulator) -> None:
    """Analyze every opted-in account, as the worker does every day.

    Where no sample at all lies in the look-back period the worker's job fails and the former
    recommendations stand; so they do here.
    """
    with running.application.state.reading() as connection:
        if not (opted_in_accounts(connection) and inventory.shards(connection)):
            return
    try:
        running.analyze()
    except InvalidInput as error:
        log.warning("the recommendations stand as they are: %s", error)
